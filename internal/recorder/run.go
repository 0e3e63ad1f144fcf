package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"huilu/internal/capture"
	"huilu/internal/sfu"

	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
)

const (
	watchEvery = 2 * time.Second
	// A published track that sends nothing for this long is looked after; then again after twice as long, up to patience.
	missingAfter = 3 * time.Second
	maxPatience  = time.Minute
	// An older link that carries nothing is closed after this.
	idleAfter   = 5 * time.Second
	stopTimeout = 3 * time.Second
)

// Run is the recording of one part. Its state belongs to one goroutine (loop), which is fed through the mailbox.
type Run struct {
	rec     *Recorder
	log     *slog.Logger
	room    string
	session *capture.Session
	part    *capture.Part
	began   time.Time // of rec_start
	epoch   time.Time // wall clock at the start; later times are measured from it, so that a stepped clock tears nothing
	inbox   *mailbox
	links   atomic.Int32 // made so far
	sinks   sync.WaitGroup

	ctx    context.Context // ends with Stop
	cancel context.CancelFunc
	done   chan struct{} // closed when loop has returned
	stop   sync.Once
	err    error // what Stop returns; written before done is closed

	mu      sync.Mutex // guards the fields below
	logs    []*capture.TrackLog
	rejoins int

	// The fields below belong to loop.
	ledger   *ledger
	up       []*link // oldest first; the last one tells who speaks
	fading   []*link // being replaced, see linkIsShaky
	dialling bool
	redial   string // why another link is wanted after the one being dialled
	failures int    // of dialling, in a row
	flowing  map[string]*sink
	missing  map[string]*absence
	troubled bool // the log has been told that the disk refuses
	looking  bool // a list of participants has been asked for
	lookMore bool // and another one is wanted
}

// absence is a published track without packets.
type absence struct {
	since time.Time
	wait  time.Duration // until something is done about it
}

// message is what the loop is told: one of the types below.
type message any

type (
	lookNow   struct{ at time.Time } // something changed in the room
	trackSeen struct {
		link *link
		pub  *lksdk.RemoteTrackPublication
	}
	trackFlows struct { // the first packet of a subscription arrived
		link  *link
		track *webrtc.TrackRemote
		pub   *lksdk.RemoteTrackPublication
		from  *lksdk.RemoteParticipant
		at    time.Time
	}
	sinkEnded struct {
		sink *sink
		err  error
	}
	speakersChanged struct {
		link *link
		ids  []string
		at   time.Time
	}
	someoneJoined struct{ p sfu.Participant }
	listed        struct { // the answer to a look
		list []sfu.Participant
		err  error
		at   time.Time
	}
	linkUp struct {
		link *link
		why  string
	}
	linkFailed struct {
		link *link
		why  string
		err  error
	}
	linkDown struct {
		link *link
		why  string
	}
	linkShaky struct{ link *link } // the client library tries to mend it
	redialNow struct{ why string }
)

func newRun(rec *Recorder, room string, s *capture.Session, part int) *Run {
	r := &Run{
		rec: rec, log: rec.log.With("meeting", room, "part", part), room: room, session: s, epoch: time.Now(),
		inbox: newMailbox(), done: make(chan struct{}), ledger: newLedger(part),
		flowing: map[string]*sink{}, missing: map[string]*absence{},
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// now returns the time by the clock of this run.
func (r *Run) now() time.Time { return r.epoch.Add(time.Since(r.epoch)) }

// begin starts the loop with its first link.
func (r *Run) begin(p *capture.Part, at time.Time, first *link) {
	r.part, r.began = p, at
	r.up = []*link{first}
	go r.loop()
	r.inbox.put(lookNow{at: r.now()})
}

// Stop ends the recording of the part: it leaves the room, closes the logs and notes rec_stop. It returns what went wrong
// with the disk, the same each time.
func (r *Run) Stop() error {
	r.stop.Do(r.cancel)
	<-r.done
	return r.err
}

// Stats tells what a run has done so far.
type Stats struct {
	Tracks  int    // logs begun
	Packets uint64 // RTP packets stored
	Bytes   uint64
	Dropped uint64 // packets the disk did not take
	Rejoins int    // links opened after the first
}

// Stats returns the counts so far, from any goroutine, also after Stop.
func (r *Run) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Stats{Tracks: len(r.logs), Rejoins: r.rejoins}
	for _, l := range r.logs {
		t := l.Stats()
		s.Packets += t.Packets
		s.Bytes += t.Bytes
		s.Dropped += t.Dropped
	}
	return s
}

// Published says whether anybody's packets were ever stored.
func (r *Run) Published() bool { return r.Stats().Packets > 0 }

// loop owns the run's state.
func (r *Run) loop() {
	defer close(r.done)
	unwatch := r.rec.c.Watch(r.room, func(p sfu.Participant) { r.inbox.put(someoneJoined{p}) })
	defer unwatch()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.ctx.Done():
			r.err = r.end()
			return
		case <-r.inbox.wake:
			for _, m := range r.inbox.take() {
				r.handle(m)
			}
		case <-tick.C:
			r.handle(lookNow{at: r.now()})
			r.handle(nil)
		}
	}
}

// handle deals with one message; nil is the watchdog's tick. A panic costs that message only.
func (r *Run) handle(m message) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("recorder panicked", "message", fmt.Sprintf("%T", m), "panic", p, "stack", string(debug.Stack()))
		}
	}()
	switch m := m.(type) {
	case nil:
		r.watch(time.Now())
	case lookNow:
		r.look(m.at)
	case listed:
		r.compare(m)
	case trackSeen:
		r.claim(m.link, m.pub)
	case trackFlows:
		r.flows(m)
	case sinkEnded:
		r.ended(m)
	case speakersChanged:
		if len(r.up) > 0 && r.up[len(r.up)-1] == m.link {
			r.note(capture.Event{At: m.at, Type: capture.Speakers, Speakers: m.ids})
		}
	case someoneJoined:
		r.joined(m.p)
		r.look(r.now())
	case linkUp:
		r.linkIsUp(m)
	case linkFailed:
		r.linkHasFailed(m)
	case linkDown:
		r.linkIsDown(m)
	case linkShaky:
		r.linkIsShaky(m)
	case redialNow:
		r.another(m.why)
	}
}

// note writes an event of this part. What was there before the part began happens with its beginning. The session
// remembers when the disk refuses.
func (r *Run) note(e capture.Event) {
	e.Part = r.ledger.part
	if e.At.Before(r.began) {
		e.At = r.began
	}
	if err := r.session.Note(e); err != nil {
		r.log.Error("timeline not written", "event", e.Type, "error", err)
	}
}

// look asks the SFU who is there, one question at a time.
func (r *Run) look(at time.Time) {
	if r.looking {
		r.lookMore = true
		return
	}
	r.looking = true
	go func() {
		ctx, cancel := context.WithTimeout(r.ctx, watchEvery)
		defer cancel()
		list, err := r.rec.c.Participants(ctx, r.room)
		r.inbox.put(listed{list: list, err: err, at: at})
	}()
}

// compare writes what changed in the room since the last look.
func (r *Run) compare(m listed) {
	r.looking = false
	if r.lookMore {
		r.lookMore = false
		r.look(r.now())
	}
	if errors.Is(m.err, sfu.ErrNotFound) {
		m.list, m.err = nil, nil // the room is over, so nobody is there
	}
	if m.err != nil {
		r.log.Debug("recorder does not learn who is there", "error", m.err)
		return
	}
	for _, p := range m.list {
		r.joined(p)
	}
	for _, e := range r.ledger.update(m.list, m.at) {
		r.note(e)
	}
}

// joined opens another link when somebody came back under the same identity: the links there are may be blind to them.
func (r *Run) joined(p sfu.Participant) {
	if !r.ledger.rejoined(p) {
		return
	}
	r.ledger.known[p.Identity] = p.SID
	r.another("participant came back: " + p.Identity)
}

// claim subscribes to a track through l, unless another link has it.
func (r *Run) claim(l *link, pub *lksdk.RemoteTrackPublication) {
	sid := pub.SID()
	if !slices.Contains(r.up, l) || r.owner(sid) != nil { // a link that is not up yet claims when it is
		return
	}
	l.owned[sid] = time.Now()
	if err := l.subscribe(pub); err != nil {
		delete(l.owned, sid)
		r.log.Debug("recorder cannot subscribe", "track", sid, "error", err) // the watchdog tries again
	}
}

// owner returns the link a track comes through, nil when none has it.
func (r *Run) owner(sid string) *link {
	for _, l := range r.up {
		if _, ok := l.owned[sid]; ok {
			return l
		}
	}
	return nil
}

// flows begins the log of a subscription.
func (r *Run) flows(m trackFlows) {
	sid := m.pub.SID()
	if old := r.flowing[sid]; old != nil && old.link != m.link {
		delete(old.link.owned, sid)
		old.stop() // the newer link was asked because the older one had nothing
	}
	s, err := r.open(m)
	if err != nil {
		r.log.Error("track is not recorded", "track", sid, "error", err)
		return
	}
	r.flowing[sid] = s
	m.link.owned[sid] = time.Now()
	delete(r.missing, sid)
	r.mu.Lock()
	r.logs = append(r.logs, s.log)
	r.mu.Unlock()
}

// ended closes the log of a subscription that is over.
func (r *Run) ended(m sinkEnded) {
	if err := m.sink.log.End(r.now()); err != nil {
		r.log.Error("log not closed", "track", m.sink.sid, "error", err)
	}
	if r.flowing[m.sink.sid] == m.sink {
		delete(r.flowing, m.sink.sid)
		delete(m.sink.link.owned, m.sink.sid)
	}
}

// end leaves the room and closes everything, within a bounded time.
func (r *Run) end() error {
	for _, m := range r.inbox.close() {
		if late, ok := m.(linkUp); ok {
			r.up = append(r.up, late.link)
		}
	}
	for _, l := range append(r.up, r.fading...) {
		go l.room.Disconnect()
	}
	for _, s := range r.flowing {
		s.stop()
	}
	copied := make(chan struct{})
	go func() { r.sinks.Wait(); close(copied) }()
	select {
	case <-copied:
	case <-time.After(stopTimeout):
		r.log.Warn("recorder: some tracks did not end in time")
	}
	var errs []error
	r.mu.Lock()
	logs := r.logs
	r.mu.Unlock()
	for _, l := range logs {
		errs = append(errs, l.End(r.now()))
	}
	if lost := r.Stats().Dropped; lost > 0 {
		r.log.Warn("not every packet was stored: the disk was full or too slow", "packets_lost", lost)
	}
	return errors.Join(append(errs, r.part.Stop(r.now()))...)
}
