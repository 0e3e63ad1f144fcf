package store_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
)

const lease = 30 * time.Second

func claim(t *testing.T, w *storetest.World, now time.Time, n, perApp int) []event.Delivery {
	t.Helper()
	return must[[]event.Delivery](t)(w.DB.Claim(t.Context(), now, lease, n, perApp))
}

func attempt(d event.Delivery, n int) event.Attempt {
	return event.Attempt{Delivery: d.ID, N: n, At: storetest.Now, Latency: 12 * time.Millisecond, Status: 502, Error: "bad gateway", Body: "sorry"}
}

func TestEventIsWrittenWithItsCauseOrNotAtAll(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, e := t.Context(), event.Event{Type: event.MeetingEnded, Tenant: w.Home.Tenant.Key, At: storetest.Now}
		wants(t, "outside of a transaction", w.DB.AddEvent(ctx, e, nil), store.ErrNoTransaction)
		broken := errors.New("the cause failed")
		wants(t, "with a cause that fails", w.DB.Within(ctx, func(ctx context.Context) error {
			return errors.Join(w.DB.AddEvent(ctx, e, nil), broken)
		}), broken)
		same(t, "events", w.Count("events"), 0)
	})
}

func TestDeliveryIsClaimedWithItsEvent(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		d := w.Announce(storetest.Now, w.Home.App)[0]
		same(t, "before it is due", claim(t, w, storetest.Now.Add(-time.Millisecond), 10, 10), []event.Delivery(nil))
		same(t, "when it is due", claim(t, w, storetest.Now, 10, 10), []event.Delivery{d})
		same(t, "again", claim(t, w, storetest.Now, 10, 10), []event.Delivery(nil))
	})
}

func TestLostDeliveryCanBeClaimedWhenItsLeaseEnds(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		d := w.Announce(storetest.Now, w.Home.App)[0]
		claim(t, w, storetest.Now, 1, 1)
		due, ok, err := w.DB.NextDue(t.Context(), storetest.Now)
		check(t, err)
		same(t, "next look", []any{due, ok}, []any{storetest.Now.Add(lease), true})
		same(t, "just before the lease ends", claim(t, w, storetest.Now.Add(lease-time.Millisecond), 1, 1), []event.Delivery(nil))
		same(t, "when the lease ends", claim(t, w, storetest.Now.Add(lease), 1, 1), []event.Delivery{d})
	})
}

func TestNoDeliveryIsGivenToTwoClaimers(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		apps := []tenant.App{w.Home.App, w.NewApp(w.Home.Tenant, "second"), w.NewApp(w.Home.Tenant, "third")}
		for range 20 {
			w.Announce(storetest.Now, apps...)
		}
		var mu sync.Mutex
		seen := map[string]int{}
		race(t, func(int) (bool, error) {
			for range 20 {
				ds, err := w.DB.Claim(t.Context(), storetest.Now, lease, 3, 60)
				if err != nil {
					return false, err
				}
				mu.Lock()
				for _, d := range ds {
					seen[d.ID]++
				}
				mu.Unlock()
			}
			return false, nil
		})
		for id, n := range seen {
			if n != 1 {
				t.Errorf("delivery %s was claimed %d times", id, n)
			}
		}
		// Claimers pass by an app that another is at; one more finds what they left.
		left := len(claim(t, w, storetest.Now, 60, 60))
		if len(seen)+left != 60 || len(seen) == 0 {
			t.Errorf("%d claimed in the race and %d after it, want 60 in all", len(seen), left)
		}
	})
}

func TestSlowReceiverHoldsNoMoreThanItsShare(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		slow, quick := w.Home.App, w.Away.App
		for range 10 {
			w.Announce(storetest.Now.Add(-time.Hour), slow)
		}
		w.Announce(storetest.Now, quick)
		of := func(ds []event.Delivery) map[string]int {
			n := map[string]int{}
			for _, d := range ds {
				n[d.App]++
			}
			return n
		}
		first := claim(t, w, storetest.Now, 100, 4)
		same(t, "first claim", of(first), map[string]int{slow.ID: 4, quick.ID: 1})
		same(t, "the longest waiting", first[0].App, slow.ID)
		same(t, "while four are held", len(claim(t, w, storetest.Now, 100, 4)), 0)
		check(t, w.DB.Settle(t.Context(), attempt(first[0], 1), event.Delivered, time.Time{}))
		same(t, "after one was settled", of(claim(t, w, storetest.Now, 100, 4)), map[string]int{slow.ID: 1})
		same(t, "limited", len(claim(t, w, storetest.Now.Add(lease), 3, 4)), 3)

		// Many claimers at once do not get more than the share between them.
		w.Announce(storetest.Now, quick)
		var mu sync.Mutex
		held := 0
		race(t, func(int) (bool, error) {
			ds, err := w.DB.Claim(t.Context(), storetest.Now.Add(3*lease), lease, 100, 2)
			mu.Lock()
			defer mu.Unlock()
			held += of(ds)[slow.ID]
			return false, err
		})
		if held > 2 {
			t.Errorf("%d deliveries of one app are held, want at most 2", held)
		}
	})
}

func TestSettledDeliveryGoesOnOrEnds(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx := t.Context()
		d := w.Announce(storetest.Now, w.Home.App)[0]
		claim(t, w, storetest.Now, 1, 1)
		later := storetest.Now.Add(15 * time.Second)
		check(t, w.DB.Settle(ctx, attempt(d, 1), event.Pending, later))
		due, ok, err := w.DB.NextDue(ctx, storetest.Now)
		check(t, err)
		same(t, "next look", []any{due, ok}, []any{later, true})
		same(t, "too early", claim(t, w, later.Add(-time.Millisecond), 1, 1), []event.Delivery(nil))
		again := claim(t, w, later, 1, 1)[0]
		same(t, "attempts made", again.Attempts, 1)
		check(t, w.DB.Settle(ctx, attempt(d, 2), event.Failed, time.Time{}))
		same(t, "pending", must[int](t)(w.DB.CountPending(ctx)), 0)
		if _, ok, err := w.DB.NextDue(ctx, later); ok || err != nil {
			t.Errorf("something is due after the end: %v", err)
		}
		ds, as, err := w.DB.Deliveries(ctx, w.Home.Tenant.Key, w.Home.App.ID, 10)
		check(t, err)
		d.State, d.Attempts, d.DueAt = event.Failed, 2, later
		same(t, "delivery", ds, []event.Delivery{d})
		same(t, "attempts", as, map[string][]event.Attempt{d.ID: {attempt(d, 1), attempt(d, 2)}})
	})
}

func TestLateAttemptChangesNothing(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx := t.Context()
		d := w.Announce(storetest.Now, w.Home.App)[0]
		claim(t, w, storetest.Now, 1, 1)
		claim(t, w, storetest.Now.Add(lease), 1, 1) // by another process: the first was too slow
		check(t, w.DB.Settle(ctx, attempt(d, 1), event.Pending, storetest.Now.Add(2*lease)))
		check(t, w.DB.Settle(ctx, attempt(d, 1), event.Failed, time.Time{}))
		same(t, "pending", must[int](t)(w.DB.CountPending(ctx)), 1)
		check(t, w.DB.Settle(ctx, attempt(d, 2), event.Delivered, time.Time{}))
		check(t, w.DB.Settle(ctx, attempt(d, 3), event.Pending, storetest.Now))
		same(t, "pending", must[int](t)(w.DB.CountPending(ctx)), 0)
		same(t, "attempts", w.Count("attempts"), 2)
	})
}

func TestConsoleShowsTheLatestDeliveriesOfOneApp(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx := t.Context()
		for range 3 {
			d := w.Announce(storetest.Now, w.Home.App)[0]
			check(t, w.DB.Settle(ctx, attempt(d, 1), event.Delivered, time.Time{}))
		}
		w.Announce(storetest.Now, w.NewApp(w.Home.Tenant, "second"))
		ds, as, err := w.DB.Deliveries(ctx, w.Home.Tenant.Key, w.Home.App.ID, 2)
		check(t, err)
		ids := []string{}
		for _, d := range ds {
			ids = append(ids, d.ID)
		}
		same(t, "deliveries", len(ids), 2)
		same(t, "attempts belong to them", slices.Sorted(maps.Keys(as)), slices.Sorted(slices.Values(ids)))
		ds, as, err = w.DB.Deliveries(ctx, w.Away.Tenant.Key, w.Home.App.ID, 2)
		check(t, err)
		same(t, "for another tenant", len(ds)+len(as), 0)
	})
}
