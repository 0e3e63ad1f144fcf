package recording

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Recorder is the hidden participant that writes a room down.
type Recorder interface {
	// Inside reports whether somebody is in the room of p.
	Inside(ctx context.Context, p Open) (bool, error)
	// Record joins the room of p and appends to the capture folder of its
	// recording until the returned stop is called. It returns once it is inside;
	// after that it mends its own connection.
	Record(ctx context.Context, p Open) (stop func() error, err error)
	// Repair makes a capture folder whole that a crash may have left torn. A folder that is not there is fine.
	Repair(ctx context.Context, id ID) error
	// Show tells everybody in the room whether it is being recorded, since when.
	Show(ctx context.Context, meeting int64, since time.Time) error
}

// Keeper makes the recorders that run agree with the parts that are open in the
// database: an open part is recorded while somebody is in the room.
//
// It looks whenever a part was opened or closed or somebody came or went, and
// every two seconds. So a recorder that could not start is tried again, one
// whose process died is started anew when people are back after the restart,
// and none goes on after its part was closed or the room was left.
type Keeper struct {
	store    Store
	recorder Recorder
	log      *slog.Logger
	wake     chan struct{}

	mu   sync.Mutex // guards runs
	runs map[ID]*run
}

// run is one recorder, from the decision to start it until nothing is written any more.
// It has a goroutine of its own, so that a room that does not open keeps no other waiting.
type run struct {
	part Open
	stop func()          // asks it to end; may be called again
	end  <-chan struct{} // closed when it was asked
	in   chan struct{}   // closed when the recorder is in the room
	done chan struct{}   // closed when it has ended
}

// NewKeeper returns a Keeper that starts and stops recorders through r.
func NewKeeper(store Store, r Recorder, log *slog.Logger) *Keeper {
	return &Keeper{store: store, recorder: r, log: log, wake: make(chan struct{}, 1), runs: map[ID]*run{}}
}

// Wake makes the keeper look soon. It never blocks.
func (k *Keeper) Wake() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Timing of the keeper.
const (
	keepEvery = 2 * time.Second  // the longest that open parts and recorders may disagree
	joinLimit = 10 * time.Second // for a recorder to be inside its room
)

// Run keeps until ctx ends, then stops all recorders so that their logs are whole.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		if err := k.Keep(ctx); err != nil && ctx.Err() == nil {
			k.log.ErrorContext(ctx, "recorders could not be checked; recordings may start or stop late", "err", err)
		}
		select {
		case <-ctx.Done():
			k.stopAll()
			return nil
		case <-tick.C:
		case <-k.wake:
		}
	}
}

// Keep starts recorders that should run and asks those to end that should not,
// once. A recording whose recorder is still ending gets the next one when that is done.
func (k *Keeper) Keep(ctx context.Context) error {
	open, err := k.store.OpenParts(ctx)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	want := k.wanted(ctx, open)
	for id, r := range k.runs {
		if p, ok := want[id]; !ok || p.N != r.part.N {
			r.stop()
		}
	}
	for id, p := range want {
		if k.runs[id] == nil {
			k.runs[id] = k.begin(context.WithoutCancel(ctx), p)
		}
	}
	return nil
}

// wanted picks the open parts that have somebody inside.
func (k *Keeper) wanted(ctx context.Context, open []Open) map[ID]Open {
	want := make(map[ID]Open, len(open))
	for _, p := range open {
		inside, err := k.recorder.Inside(ctx, p)
		if err != nil {
			k.log.WarnContext(ctx, "the room could not be asked who is inside; its recorder stays as it is", "meeting", p.Meeting, "err", err)
			inside = k.runs[p.Recording] != nil
		}
		if inside {
			want[p.Recording] = p
		}
	}
	return want
}

func (k *Keeper) begin(ctx context.Context, p Open) *run {
	asked, stop := context.WithCancel(ctx)
	r := &run{part: p, stop: stop, end: asked.Done(), in: make(chan struct{}), done: make(chan struct{})}
	go func() {
		err := k.record(ctx, r)
		if err != nil {
			k.log.ErrorContext(ctx, "a recorder failed; while its part is open it is tried again", "recording", p.Recording, "meeting", p.Meeting, "part", p.N, "err", err)
		}
		k.mu.Lock()
		delete(k.runs, p.Recording)
		k.mu.Unlock()
		stop()
		close(r.done)
		if err == nil { // otherwise the next try waits for the next regular look
			k.Wake()
		}
	}()
	return r
}

// record is the life of one recorder. It first repairs: the folder may come from a process that was killed.
func (k *Keeper) record(ctx context.Context, r *run) error {
	if err := k.recorder.Repair(ctx, r.part.Recording); err != nil {
		return err
	}
	join, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	stop, err := k.recorder.Record(join, r.part)
	if err != nil {
		return err
	}
	log := k.log.With("recording", r.part.Recording, "meeting", r.part.Meeting, "part", r.part.N)
	log.InfoContext(ctx, "recording")
	close(r.in)
	k.show(ctx, r.part, r.part.StartedAt)
	<-r.end
	err = stop()
	log.InfoContext(ctx, "recording stopped")
	k.show(ctx, r.part, time.Time{})
	return err
}

// show tells the room. That people see the sign matters, but no recording is given up for it.
func (k *Keeper) show(ctx context.Context, p Open, since time.Time) {
	ctx, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	if err := k.recorder.Show(ctx, p.Meeting, since); err != nil {
		k.log.ErrorContext(ctx, "the room could not be told whether it is recorded", "meeting", p.Meeting, "err", err)
	}
}

// Await returns true when the recorder of a part is in its room, false when ctx ends before.
func (k *Keeper) Await(ctx context.Context, id ID, part int) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		k.mu.Lock()
		r := k.runs[id]
		k.mu.Unlock()
		if r != nil && r.part.N == part {
			select {
			case <-r.in:
				return true
			default:
			}
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// Seal makes sure nothing is being appended to a recording and its folder is
// whole: what the composer needs before it begins.
func (k *Keeper) Seal(ctx context.Context, id ID) error {
	k.mu.Lock()
	r := k.runs[id]
	k.mu.Unlock()
	if r != nil {
		r.stop()
		select {
		case <-r.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return k.recorder.Repair(ctx, id)
}

func (k *Keeper) stopAll() {
	k.mu.Lock()
	var all []*run
	for _, r := range k.runs {
		r.stop()
		all = append(all, r)
	}
	k.mu.Unlock()
	for _, r := range all {
		<-r.done
	}
}
