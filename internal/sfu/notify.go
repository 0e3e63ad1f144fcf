package sfu

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/livekit/protocol/webhook"
)

// notifier takes what LiveKit would send as webhooks and turns it into calls, in order.
//
// LiveKit tells of tracks and participants from several places, so a track can be told of before its participant, and its
// end after the participant's. The notifier puts that right, see Listener.
type notifier struct {
	listener Listener
	flooded  func(room, identity string, tracks int) // somebody publishes more than maxTracks; must not block

	mu       sync.Mutex // guards the fields below
	queue    []happening
	watchers map[string]map[*func(Participant)]struct{} // by room
	stopped  bool                                       // nothing is told any more

	wake chan struct{} // capacity 1
	quit chan struct{} // closed by Stop
	done chan struct{} // closed when run has returned

	rooms map[string]map[string]*present // room → SID → who is there; belongs to run
}

// maxTracks is how many tracks one participant may publish at once. People publish up to four; each costs every other
// participant a connection's renegotiation, and the recorder a log.
const maxTracks = 16

// happening is one event with the time it was told.
type happening struct {
	*livekit.WebhookEvent
	at time.Time
}

// present is somebody the Listener has been told of, or will be.
type present struct {
	Participant
	joined bool
	tracks map[string]Track
}

func newNotifier(l Listener) *notifier {
	return &notifier{
		listener: l, watchers: map[string]map[*func(Participant)]struct{}{}, rooms: map[string]map[string]*present{},
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
}

// QueueNotify is called by LiveKit, and returns at once.
func (n *notifier) QueueNotify(_ context.Context, e *livekit.WebhookEvent, _ ...webhook.NotifyOption) error {
	n.mu.Lock()
	if !n.stopped { // LiveKit goes on telling for a while after its end
		n.queue = append(n.queue, happening{e, time.Now()})
	}
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
	return nil
}

// The rest of webhook.QueuedNotifier: nothing to sign, to filter or to retry.
func (n *notifier) RegisterProcessedHook(func(context.Context, *livekit.WebhookInfo)) {}
func (n *notifier) SetKeys(string, string)                                            {}
func (n *notifier) SetFilter(webhook.FilterParams)                                    {}

// Stop lets run tell what is queued, end the rooms that are left, and return.
func (n *notifier) Stop(bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.stopped {
		n.stopped = true
		close(n.quit)
	}
}

// watch calls f for each participant that joins room, until the returned function has been called.
func (n *notifier) watch(room string, f func(Participant)) (stop func()) {
	key := &f
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.watchers[room] == nil {
		n.watchers[room] = map[*func(Participant)]struct{}{}
	}
	n.watchers[room][key] = struct{}{}
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.watchers[room], key)
		if len(n.watchers[room]) == 0 {
			delete(n.watchers, room)
		}
	}
}

// run tells the listener until Stop.
func (n *notifier) run() {
	defer close(n.done)
	for {
		select {
		case <-n.wake:
			n.drain()
		case <-n.quit:
			n.drain()
			now := time.Now()
			for _, room := range slices.Sorted(maps.Keys(n.rooms)) {
				n.finish(room, now)
			}
			return
		}
	}
}

func (n *notifier) drain() {
	n.mu.Lock()
	queue := n.queue
	n.queue = nil
	n.mu.Unlock()
	for _, h := range queue {
		n.tell(h)
	}
}

func (n *notifier) tell(h happening) {
	room := h.GetRoom().GetName()
	if h.Event == webhook.EventRoomFinished {
		n.finish(room, h.at)
		return
	}
	p := h.Participant
	if room == "" || p == nil || p.Sid == "" {
		return // room_started, and what we never asked for
	}
	switch h.Event {
	case webhook.EventParticipantJoined:
		n.joined(room, p, h.at)
	case webhook.EventParticipantLeft, webhook.EventParticipantConnectionAborted:
		n.left(room, p.Sid, leaveReason(p.DisconnectReason), h.at)
	case webhook.EventTrackPublished:
		n.published(room, p, track(h.Track), h.at)
	case webhook.EventTrackUnpublished:
		n.unpublished(room, p.Sid, h.Track.GetSid(), h.at)
	}
}

// at returns the entry for a connection, made when it is new.
func (n *notifier) at(room, sid string) *present {
	if n.rooms[room] == nil {
		n.rooms[room] = map[string]*present{}
	}
	if n.rooms[room][sid] == nil {
		n.rooms[room][sid] = &present{tracks: map[string]Track{}}
	}
	return n.rooms[room][sid]
}

func (n *notifier) joined(room string, p *livekit.ParticipantInfo, at time.Time) {
	if hidden(p) {
		return
	}
	q := n.at(room, p.Sid)
	if q.joined {
		return
	}
	q.Participant, q.joined = participant(p), true
	q.Tracks = nil
	n.mu.Lock()
	watchers := slices.Collect(maps.Keys(n.watchers[room]))
	n.mu.Unlock()
	for _, f := range watchers {
		(*f)(q.Participant)
	}
	n.listener.Joined(room, q.Participant, at)
	for _, sid := range slices.Sorted(maps.Keys(q.tracks)) {
		n.listener.TrackPublished(room, q.Participant, q.tracks[sid], at)
	}
}

func (n *notifier) published(room string, p *livekit.ParticipantInfo, t Track, at time.Time) {
	q := n.at(room, p.Sid)
	_, known := q.tracks[t.SID]
	q.tracks[t.SID] = t
	if n.flooded != nil && len(q.tracks) > maxTracks {
		n.flooded(room, p.Identity, len(q.tracks))
	}
	if q.joined && !known {
		n.listener.TrackPublished(room, q.Participant, t, at)
	}
}

func (n *notifier) unpublished(room, sid, trackSID string, at time.Time) {
	q, ok := n.rooms[room][sid]
	if !ok {
		return // told with the participant's end already
	}
	t, ok := q.tracks[trackSID]
	delete(q.tracks, trackSID)
	if ok && q.joined {
		n.listener.TrackUnpublished(room, q.Participant, t, at)
	}
}

func (n *notifier) left(room, sid string, why LeaveReason, at time.Time) {
	q, ok := n.rooms[room][sid]
	if !ok {
		return
	}
	delete(n.rooms[room], sid)
	if !q.joined {
		return // never got a media connection: nobody was told it came
	}
	for _, id := range slices.Sorted(maps.Keys(q.tracks)) {
		n.listener.TrackUnpublished(room, q.Participant, q.tracks[id], at)
	}
	n.listener.Left(room, q.Participant, why, at)
}

// finish ends a room and everybody in it. Rooms nobody was told of, because only hidden ones were there, end silently.
func (n *notifier) finish(room string, at time.Time) {
	for _, sid := range slices.Sorted(maps.Keys(n.rooms[room])) {
		n.left(room, sid, MeetingEnded, at)
	}
	delete(n.rooms, room)
	n.listener.RoomFinished(room, at)
}
