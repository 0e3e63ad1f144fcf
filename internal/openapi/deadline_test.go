package openapi

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func newDeadline(parent context.Context, d time.Duration) *deadline {
	return &deadline{Context: parent, at: time.Now().Add(d)}
}

func TestACallEndsAtItsDeadline(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]func(context.Context){
		"for who waits":            func(ctx context.Context) { <-ctx.Done() },
		"for who looks":            func(ctx context.Context) { time.Sleep(time.Second) },
		"for who waits on another": func(ctx context.Context) { child, stop := context.WithCancel(ctx); defer stop(); <-child.Done() },
		"for who derives and may stop": func(ctx context.Context) {
			child, stop := context.WithTimeout(ctx, time.Hour)
			defer stop()
			<-child.Done()
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			d := newDeadline(t.Context(), time.Second)
			defer d.release()
			if err := d.Err(); err != nil {
				t.Errorf("%s: it begins with %v", name, err)
			}
			wait(d)
			if took := time.Since(begun); took != time.Second || !errors.Is(d.Err(), context.DeadlineExceeded) {
				t.Errorf("%s: after %v it is %v; want 1s, deadline exceeded", name, took, d.Err())
			}
			select {
			case <-d.Done():
			default:
				t.Errorf("%s: it has an error and is not done", name)
			}
		})
	}
}

func TestACallEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		parent, leave := context.WithCancel(t.Context())
		d := newDeadline(parent, time.Second)
		defer d.release()
		leave()
		if !errors.Is(d.Err(), context.Canceled) {
			t.Errorf("the client has gone and the call is %v", d.Err())
		}
		time.Sleep(2 * time.Second)
		if !errors.Is(d.Err(), context.Canceled) {
			t.Errorf("the error became %v", d.Err())
		}
		if at, ok := newDeadline(d, time.Hour).Deadline(); !ok || !at.Equal(d.at) {
			t.Errorf("the deadline of the parent is earlier, and it says %v", at)
		}
	})
}

func TestWhoNeverWaitsPaysNoTimer(t *testing.T) {
	t.Parallel()
	d := newDeadline(t.Context(), time.Hour)
	if d.Err() != nil || d.Value("key") != nil {
		t.Error("it has ended, or holds something")
	}
	d.release()
	if d.timed.Load() != nil {
		t.Error("a timer was started")
	}
}

func TestWaitingCostsNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadline(t.Context(), time.Hour)
		before := runtime.NumGoroutine()
		child, stop := context.WithCancel(d)
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines, before %d", n, before)
		}
		d.release()
		if !errors.Is(child.Err(), context.Canceled) {
			t.Errorf("the call is over and what it began is %v", child.Err())
		}
		stop()
	})
}
