package store_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
)

var errRefused = errors.New("refused")

// rename changes the name of a tenant, for something to be undone.
func rename(ctx context.Context, w *storetest.World, o storetest.Org, name string) error {
	o.Tenant.Name = name
	return w.DB.SaveTenant(ctx, o.Tenant)
}

func names(ctx context.Context, t *testing.T, w *storetest.World) (all []string) {
	t.Helper()
	for _, o := range must[[]tenant.Tenant](t)(w.DB.Tenants(ctx)) {
		all = append(all, o.Name)
	}
	return all
}

func TestTransactionHappensWholeOrNotAtAll(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx := t.Context()
		change := func(ctx context.Context) error {
			return errors.Join(rename(ctx, w, w.Home, "x"), rename(ctx, w, w.Away, "y"))
		}
		wants(t, "refused", w.DB.Within(ctx, func(ctx context.Context) error {
			check(t, change(ctx))
			same(t, "inside", names(ctx, t, w), []string{"x", "y"})
			return errRefused
		}), errRefused)
		same(t, "after a refusal", names(ctx, t, w), []string{"home", "away"})

		func() {
			defer func() { same(t, "panic", recover(), any("oops")) }()
			_ = w.DB.Within(ctx, func(ctx context.Context) error {
				check(t, change(ctx))
				panic("oops")
			})
		}()
		same(t, "after a panic", names(ctx, t, w), []string{"home", "away"})

		stopped, stop := context.WithCancel(ctx)
		wants(t, "stopped", w.DB.Within(stopped, func(ctx context.Context) error {
			check(t, change(ctx))
			stop()
			return ctx.Err()
		}), context.Canceled)
		same(t, "after a cancel", names(ctx, t, w), []string{"home", "away"})

		check(t, w.DB.Within(ctx, change))
		same(t, "after a success", names(ctx, t, w), []string{"x", "y"})
	})
}

func TestInnerTransactionSharesTheOutersFate(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx := t.Context()
		wants(t, "outer", w.DB.Within(ctx, func(ctx context.Context) error {
			check(t, w.DB.Within(ctx, func(ctx context.Context) error { return rename(ctx, w, w.Home, "inner") }))
			return errRefused
		}), errRefused)
		same(t, "after the outer refused", names(ctx, t, w), []string{"home", "away"})
	})
}

func TestFailedInnerTransactionUndoesOnlyItself(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx := t.Context()
		check(t, w.DB.Within(ctx, func(ctx context.Context) error {
			check(t, rename(ctx, w, w.Home, "outer"))
			for range 2 {
				if err := w.DB.Within(ctx, func(ctx context.Context) error {
					check(t, rename(ctx, w, w.Home, "inner"))
					return w.DB.AddTenant(ctx, w.Away.Tenant) // its key is taken
				}); err == nil {
					t.Error("a second tenant has the same key")
				}
			}
			return w.DB.Within(ctx, func(ctx context.Context) error { return rename(ctx, w, w.Away, "second inner") })
		}))
		same(t, "tenants", names(ctx, t, w), []string{"outer", "second inner"})
	})
}

func TestWakingWaitsForTheCommit(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx := t.Context()
		var woken []string
		wake := func(ctx context.Context, who string) { w.DB.AfterCommit(ctx, func() { woken = append(woken, who) }) }
		wake(ctx, "at once")
		check(t, w.DB.Within(ctx, func(ctx context.Context) error {
			wake(ctx, "outer")
			check(t, w.DB.Within(ctx, func(ctx context.Context) error { wake(ctx, "inner"); return nil }))
			wants(t, "inner", w.DB.Within(ctx, func(ctx context.Context) error { wake(ctx, "undone"); return errRefused }), errRefused)
			same(t, "before the commit", woken, []string{"at once"})
			return nil
		}))
		same(t, "after it", woken, []string{"at once", "outer", "inner"})
		wants(t, "rolled back", w.DB.Within(ctx, func(ctx context.Context) error { wake(ctx, "never"); return errRefused }), errRefused)
		same(t, "after a rollback", len(woken), 3)
	})
}

// TestTransactionsBehaveAsIfOneAfterTheOther is what rules of the form "look, decide, write" rest on.
func TestTransactionsBehaveAsIfOneAfterTheOther(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		m := w.Meeting(w.Home, meeting.Running)
		const each = 3
		race(t, func(int) (bool, error) {
			for range each {
				if err := w.DB.Within(t.Context(), func(ctx context.Context) error {
					m, err := w.DB.MeetingInRoom(ctx, m.ID)
					if err != nil {
						return err
					}
					m.Peak++
					_, err = w.DB.SaveMeeting(ctx, m, meeting.Running)
					return err
				}); err != nil {
					return false, err
				}
			}
			return false, nil
		})
		m = must[meeting.Meeting](t)(w.DB.MeetingInRoom(t.Context(), m.ID))
		same(t, "counted", m.Peak, 3+rivals*each)
	})
}

func TestConflictThatStaysIsReportedAfterSomeTries(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		m := w.Meeting(w.Home, meeting.Running)
		second := m
		second.ID = w.Number()
		var tries atomic.Int64
		err := w.DB.Within(t.Context(), func(ctx context.Context) error {
			tries.Add(1)
			return w.DB.AddMeeting(ctx, second) // without looking for the first
		})
		if err == nil || tries.Load() < 2 || tries.Load() > 50 {
			t.Errorf("%v after %d tries", err, tries.Load())
		}
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer stop()
		wants(t, "who does not wait", w.DB.Within(ctx, func(ctx context.Context) error { return w.DB.AddMeeting(ctx, second) }), context.DeadlineExceeded)
	})
}

func TestReadersNeitherWaitForTheWriterNorSeeWhatIsNotCommitted(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		outside := t.Context()
		check(t, w.DB.Within(outside, func(ctx context.Context) error {
			check(t, rename(ctx, w, w.Home, "not yet"))
			got := names(outside, t, w)
			slices.Sort(got)
			same(t, "seen from outside", got, []string{"away", "home"})
			return nil
		}))
	})
}
