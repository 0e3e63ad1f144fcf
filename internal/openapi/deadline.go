package openapi

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// deadline is context.WithDeadline for those who mostly do not wait: it starts its timer when somebody asks for Done. The
// calls that programs make all the time are answered without waiting for anything, and a timer that starts and stops with
// each of them costs a sixth of what the answer itself does (bench: get_recording).
type deadline struct {
	context.Context // of the request
	at              time.Time
	once            sync.Once
	timed           atomic.Pointer[timed] // nil until somebody waits, or it has ended
}

// timed is the real thing.
type timed struct {
	context.Context
	stop context.CancelFunc
}

// wait returns the context with the timer.
func (d *deadline) wait() *timed {
	d.once.Do(func() {
		ctx, stop := context.WithDeadline(d.Context, d.at)
		d.timed.Store(&timed{ctx, stop})
	})
	return d.timed.Load()
}

// Deadline implements context.Context.
func (d *deadline) Deadline() (time.Time, bool) {
	if at, ok := d.Context.Deadline(); ok && at.Before(d.at) {
		return at, true
	}
	return d.at, true
}

// Done implements context.Context.
func (d *deadline) Done() <-chan struct{} { return d.wait().Done() }

// Err implements context.Context: what it has returned once, it returns always.
func (d *deadline) Err() error {
	if d.timed.Load() == nil && d.Context.Err() == nil && time.Now().Before(d.at) {
		return nil
	}
	return d.wait().Err()
}

// Value implements context.Context. Package context finds the context with the timer through it, and so needs no
// goroutine to pass its end on.
func (d *deadline) Value(key any) any {
	if t := d.timed.Load(); t != nil {
		return t.Value(key)
	}
	return d.Context.Value(key)
}

// release stops the timer, if one was started.
func (d *deadline) release() {
	if t := d.timed.Load(); t != nil {
		t.stop()
	}
}
