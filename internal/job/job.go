package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"huilu/internal/ident"
	"huilu/internal/recording"
)

// Job is a claimed composition.
type Job struct {
	Recording recording.ID
	Version   int64 // of the row when it was claimed
	Tries     int   // this one included
}

// Store is what this package needs of the database.
type Store interface {
	AfterCommit(ctx context.Context, f func())

	// Enqueue makes a recording due at now in the transaction of ctx; outside of one it fails. When it is waiting, its
	// tries start over; when it is being worked on, it will be worked on once more.
	Enqueue(ctx context.Context, id recording.ID, now time.Time) error
	// Claim takes up to n jobs that are due at now and that nobody holds, the longest waiting first, and holds them until then.
	Claim(ctx context.Context, holder string, now, until time.Time, n int) ([]Job, error)
	// Extend holds a job longer; false means that holder no longer has it.
	Extend(ctx context.Context, j Job, holder string, until time.Time) (held bool, err error)
	// Done removes a job, or makes it free when it was enqueued again meanwhile.
	Done(ctx context.Context, j Job, holder string) error
	// Release gives a job back, to be claimed from due on. A try that was cut short does not count.
	Release(ctx context.Context, j Job, holder string, due time.Time, cause string, counts bool) error
	// NextDue returns when the next job can be claimed; ok is false when there is none.
	NextDue(ctx context.Context) (due time.Time, ok bool, err error)

	// ClaimChore moves a chore that is due at now to next; false means that another node did.
	ClaimChore(ctx context.Context, name string, now, next time.Time) (bool, error)
}

// Timing of the queue. Lease is also how long a crash delays a composition.
const (
	Lease     = 10 * time.Second
	heartbeat = Lease / 4
	grace     = time.Second // work is given up this long before another node may begin: clocks differ
	poll      = 2 * time.Second
	firstWait = 5 * time.Second
	maxWait   = 15 * time.Minute
)

// errLost is the cause of a worker's context when the claim was lost: the
// database was away for longer than the lease, or the process was suspended.
var errLost = errors.New("the claim on this job was lost")

// Queue hands out work. It is safe for concurrent use.
type Queue struct {
	store  Store
	log    *slog.Logger
	holder string
	slots  int
	wake   chan struct{}
	work   func(context.Context, recording.ID) error
	chores []chore
	wg     sync.WaitGroup // jobs and chores that run
}

// New returns a Queue that works on up to slots recordings at a time; 1 is right
// unless the machine has processors to spare, because ffmpeg uses several.
// On nodes that do not compose, leave out Work and Run.
func New(store Store, slots int, log *slog.Logger) *Queue {
	return &Queue{
		store: store, log: log, slots: max(1, slots), holder: ident.Hex("node-", 8),
		wake: make(chan struct{}, 1),
	}
}

// Work says who composes. Call it before Run. When f returns nil, the job is
// over; otherwise f is called again later, on this node or another. f must stop when its context ends.
func (q *Queue) Work(f func(context.Context, recording.ID) error) { q.work = f }

// EnqueueCompose makes a recording due in the transaction of ctx. It is worked
// on after the commit, at once when this node has a free slot.
func (q *Queue) EnqueueCompose(ctx context.Context, id recording.ID) error {
	if err := q.store.Enqueue(ctx, id, time.Now()); err != nil {
		return fmt.Errorf("enqueue recording %s: %w", id, err)
	}
	q.store.AfterCommit(ctx, q.Wake)
	return nil
}

// Wake makes the queue look soon. It never blocks.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends. Then the contexts of running jobs end too, Run waits
// for them, and what they had not finished is free for the next start.
func (q *Queue) Run(ctx context.Context) error {
	for _, c := range q.chores {
		q.wg.Go(func() { q.runChore(ctx, c) })
	}
	defer q.wg.Wait()
	ended := make(chan struct{}, q.slots)
	busy := 0
	for ctx.Err() == nil {
		started, wait := q.look(ctx, q.slots-busy, ended)
		busy += started
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-ended:
			busy--
		case <-q.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// look starts up to free jobs. It returns how many, and how long to wait before the next look.
func (q *Queue) look(ctx context.Context, free int, ended chan<- struct{}) (started int, wait time.Duration) {
	if q.work == nil || free == 0 {
		return 0, poll
	}
	now := time.Now()
	jobs, err := q.store.Claim(ctx, q.holder, now, now.Add(Lease), free)
	for _, j := range jobs {
		q.wg.Go(func() {
			q.do(ctx, j, now.Add(Lease))
			ended <- struct{}{}
		})
	}
	var due time.Time
	ok := false
	if err == nil && len(jobs) < free {
		due, ok, err = q.store.NextDue(ctx)
	}
	switch {
	case err != nil && ctx.Err() == nil:
		q.log.ErrorContext(ctx, "no work could be claimed; recordings are ready later", "err", err)
		return len(jobs), poll
	case !ok:
		return len(jobs), poll // another node's commit may come at any time
	}
	// Never zero: a job that is due may be in another node's hands this very moment.
	return len(jobs), min(max(time.Until(due), 20*time.Millisecond), poll)
}

// do runs one job, which is claimed until then, and settles it.
func (q *Queue) do(ctx context.Context, j Job, claimed time.Time) {
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	beats := make(chan struct{})
	go func() { defer close(beats); q.keepHolding(work, stop, j, claimed) }()

	begun := time.Now()
	err := q.call(work, j.Recording)
	lost := errors.Is(context.Cause(work), errLost)
	stop(nil)
	<-beats
	if lost {
		q.log.WarnContext(ctx, "work was given up because its claim was lost; it is tried again", "recording", j.Recording, "try", j.Tries)
		return
	}
	// The outcome is written even when the server is stopping, but not for ever.
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), Lease)
	defer cancel()
	if err := q.settle(settle, j, err, ctx.Err() != nil); err != nil {
		q.log.ErrorContext(ctx, "the outcome of work could not be noted; it is done again", "recording", j.Recording, "try", j.Tries, "took", time.Since(begun), "err", err)
	}
}

func (q *Queue) settle(ctx context.Context, j Job, err error, stopping bool) error {
	switch {
	case err == nil:
		return q.store.Done(ctx, j, q.holder)
	case stopping:
		q.log.InfoContext(ctx, "work was interrupted by the stop of the server", "recording", j.Recording)
		return q.store.Release(ctx, j, q.holder, time.Now(), "interrupted by the stop of the server", false)
	}
	wait := backoff(j.Tries)
	q.log.WarnContext(ctx, "work failed and is tried again", "recording", j.Recording, "try", j.Tries, "again_in", wait, "err", err)
	return q.store.Release(ctx, j, q.holder, time.Now().Add(wait), err.Error(), true)
}

// backoff is the pause after a failed try: 5 s, three times as long each time, at most 15 min.
func backoff(tries int) time.Duration {
	wait := firstWait
	for range tries - 1 {
		if wait *= 3; wait >= maxWait {
			return maxWait
		}
	}
	return wait
}

// call runs the worker. A panic is an error of this job, not the end of everybody's meeting.
func (q *Queue) call(ctx context.Context, id recording.ID) (err error) {
	defer func() {
		if p := recover(); p != nil {
			q.log.ErrorContext(ctx, "a worker panicked", "recording", id, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("worker panicked: %v", p)
		}
	}()
	return q.work(ctx, id)
}

// keepHolding extends the claim until ctx ends, and ends ctx when the claim is lost.
func (q *Queue) keepHolding(ctx context.Context, stop context.CancelCauseFunc, j Job, claimed time.Time) {
	for {
		safe := claimed.Add(-grace)
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(heartbeat, time.Until(safe))):
		}
		next := time.Now().Add(Lease)
		try, cancel := context.WithDeadline(ctx, safe)
		held, err := q.store.Extend(try, j, q.holder, next)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && held:
			claimed = next
		case err == nil, !time.Now().Before(safe): // somebody else has it, or soon may
			stop(errLost)
			return
		default:
			q.log.WarnContext(ctx, "a claim could not be extended", "recording", j.Recording, "left", time.Until(safe), "err", err)
		}
	}
}
