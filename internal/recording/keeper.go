package recording

import (
	"context"
	"errors"
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

	mu      sync.Mutex // guards running; held while recorders start and stop
	running map[ID]run
}

type run struct {
	part Open
	stop func() error
}

// NewKeeper returns a Keeper that starts and stops recorders through r.
func NewKeeper(store Store, r Recorder, log *slog.Logger) *Keeper {
	return &Keeper{store: store, recorder: r, log: log, wake: make(chan struct{}, 1), running: map[ID]run{}}
}

// Wake makes the keeper look soon. It never blocks.
func (k *Keeper) Wake() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// keepEvery is the longest that open parts and recorders may disagree.
const keepEvery = 2 * time.Second

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
			return k.stopAll()
		case <-tick.C:
		case <-k.wake:
		}
	}
}

// Keep starts recorders that should run and stops those that should not, once.
func (k *Keeper) Keep(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	open, err := k.store.OpenParts(ctx)
	if err != nil {
		return err
	}
	want := make(map[ID]Open, len(open))
	for _, p := range open {
		inside, err := k.recorder.Inside(ctx, p)
		if err != nil { // rather record an empty room than miss a full one
			k.log.WarnContext(ctx, "the room could not be asked who is inside; its recorder stays as it is", "meeting", p.Meeting, "err", err)
			_, inside = k.running[p.Recording]
		}
		if inside {
			want[p.Recording] = p
		}
	}
	var errs error
	for id, r := range k.running {
		if p, ok := want[id]; !ok || p.N != r.part.N {
			errs = errors.Join(errs, k.end(ctx, id))
		}
	}
	for id, p := range want {
		if _, ok := k.running[id]; !ok {
			errs = errors.Join(errs, k.begin(ctx, p))
		}
	}
	return errs
}

// begin first repairs: the folder may come from a process that was killed.
func (k *Keeper) begin(ctx context.Context, p Open) error {
	if err := k.recorder.Repair(ctx, p.Recording); err != nil {
		return err
	}
	stop, err := k.recorder.Record(ctx, p)
	if err != nil {
		return err
	}
	k.running[p.Recording] = run{part: p, stop: stop}
	k.log.InfoContext(ctx, "recording", "recording", p.Recording, "meeting", p.Meeting, "part", p.N)
	return k.recorder.Show(ctx, p.Meeting, p.StartedAt)
}

func (k *Keeper) end(ctx context.Context, id ID) error {
	r := k.running[id]
	delete(k.running, id)
	err := r.stop()
	k.log.InfoContext(ctx, "recording stopped", "recording", id, "meeting", r.part.Meeting, "part", r.part.N)
	return errors.Join(err, k.recorder.Show(ctx, r.part.Meeting, time.Time{}))
}

// Seal makes sure nothing is being appended to a recording and its folder is
// whole: what the composer needs before it begins.
func (k *Keeper) Seal(ctx context.Context, id ID) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r, ok := k.running[id]; ok {
		delete(k.running, id)
		if err := r.stop(); err != nil {
			k.log.WarnContext(ctx, "the recorder did not stop cleanly; its folder is repaired", "recording", id, "err", err)
		}
	}
	return k.recorder.Repair(ctx, id)
}

func (k *Keeper) stopAll() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var errs error
	for id, r := range k.running {
		errs = errors.Join(errs, r.stop())
		delete(k.running, id)
	}
	return errs
}
