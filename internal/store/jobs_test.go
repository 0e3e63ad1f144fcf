package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"huilu/internal/job"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
)

func enqueue(t *testing.T, w *storetest.World, id recording.ID, now time.Time) {
	t.Helper()
	check(t, w.DB.Within(t.Context(), func(ctx context.Context) error { return w.DB.Jobs().Enqueue(ctx, id, now) }))
}

func newJob(t *testing.T, w *storetest.World) recording.ID {
	t.Helper()
	id := w.Recording(w.Meeting(w.Home, meeting.Ended), recording.Processing).ID
	enqueue(t, w, id, storetest.Now)
	return id
}

// work claims what is due at now for a lease.
func work(t *testing.T, w *storetest.World, holder string, now time.Time) []job.Job {
	t.Helper()
	return must[[]job.Job](t)(w.DB.Jobs().Claim(t.Context(), holder, now, now.Add(lease), 10))
}

func TestJobIsWrittenWithItsCauseOrNotAtAll(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		id := w.Recording(w.Meeting(w.Home, meeting.Ended), recording.Processing).ID
		wants(t, "outside of a transaction", w.DB.Jobs().Enqueue(t.Context(), id, storetest.Now), store.ErrNoTransaction)
		broken := errors.New("the cause failed")
		wants(t, "with a cause that fails", w.DB.Within(t.Context(), func(ctx context.Context) error {
			return errors.Join(w.DB.Jobs().Enqueue(ctx, id, storetest.Now), broken)
		}), broken)
		same(t, "jobs", w.Count("compositions"), 0)
	})
}

func TestNoJobIsGivenToTwoNodes(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		for range 20 {
			newJob(t, w)
		}
		var mu sync.Mutex
		seen := map[recording.ID]int{}
		race(t, func(n int) (bool, error) {
			for range 4 {
				js, err := w.DB.Jobs().Claim(t.Context(), string(rune('a'+n)), storetest.Now, storetest.Now.Add(lease), 2)
				if err != nil {
					return false, err
				}
				mu.Lock()
				for _, j := range js {
					seen[j.Recording]++
				}
				mu.Unlock()
			}
			return false, nil
		})
		for _, j := range work(t, w, "last", storetest.Now) {
			seen[j.Recording]++
		}
		if len(seen) != 20 {
			t.Errorf("%d of 20 jobs were claimed", len(seen))
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("job %s was claimed %d times", id, n)
			}
		}
	})
}

func TestJobOfADeadNodeIsClaimedWhenItsLeaseEnds(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, s, id := t.Context(), w.DB.Jobs(), newJob(t, w)
		same(t, "too early", work(t, w, "a", storetest.Now.Add(-time.Millisecond)), []job.Job(nil))
		first := work(t, w, "a", storetest.Now)
		same(t, "first node", first, []job.Job{{Recording: id, Version: 1, Tries: 1}})
		later := storetest.Now.Add(lease)
		if held := must[bool](t)(s.Extend(ctx, first[0], "a", later.Add(time.Second))); !held {
			t.Error("the holder could not extend")
		}
		same(t, "when the first lease would have ended", work(t, w, "b", later), []job.Job(nil))
		due, ok, err := s.NextDue(ctx)
		check(t, err)
		same(t, "next look", []any{due, ok}, []any{later.Add(time.Second), true})
		same(t, "second node", work(t, w, "b", due), []job.Job{{Recording: id, Version: 1, Tries: 2}})
		if held := must[bool](t)(s.Extend(ctx, first[0], "a", due.Add(time.Hour))); held {
			t.Error("who lost the job extended it")
		}
		check(t, s.Done(ctx, first[0], "a"))
		check(t, s.Release(ctx, first[0], "a", due, "late", true))
		same(t, "the second node's job is untouched", work(t, w, "c", due), []job.Job(nil))
	})
}

func TestReleasedJobWaits(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, s, id := t.Context(), w.DB.Jobs(), newJob(t, w)
		j := work(t, w, "a", storetest.Now)[0]
		later := storetest.Now.Add(time.Minute)
		check(t, s.Release(ctx, j, "a", later, "disk full", true))
		same(t, "too early", work(t, w, "a", later.Add(-time.Millisecond)), []job.Job(nil))
		j = work(t, w, "a", later)[0]
		same(t, "second try", j, job.Job{Recording: id, Version: 1, Tries: 2})
		check(t, s.Release(ctx, j, "a", later, "server stops", false))
		same(t, "a try that was cut short", work(t, w, "a", later)[0].Tries, 2)
	})
}

func TestEnqueuingWhileTheWorkRunsIsNotLost(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, s, id := t.Context(), w.DB.Jobs(), newJob(t, w)
		j := work(t, w, "a", storetest.Now)[0]
		later := storetest.Now.Add(time.Second)
		enqueue(t, w, id, later)
		same(t, "while it runs", work(t, w, "b", later), []job.Job(nil))
		check(t, s.Done(ctx, j, "a"))
		again := work(t, w, "b", later)
		same(t, "after it", again, []job.Job{{Recording: id, Version: 2, Tries: 1}})

		enqueue(t, w, id, later)
		check(t, s.Release(ctx, again[0], "b", later.Add(time.Hour), "failed", true))
		again = work(t, w, "b", later)
		same(t, "after it failed", again, []job.Job{{Recording: id, Version: 3, Tries: 1}})
		check(t, s.Done(ctx, again[0], "b"))
		same(t, "jobs in the end", w.Count("compositions"), 0)
		if _, ok, err := s.NextDue(ctx); ok || err != nil {
			t.Errorf("something is due: %v", err)
		}
	})
}

func TestEnqueuingEndsTheWaitAfterAFailure(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		id := newJob(t, w)
		check(t, w.DB.Jobs().Release(t.Context(), work(t, w, "a", storetest.Now)[0], "a", storetest.Now.Add(time.Hour), "failed", true))
		enqueue(t, w, id, storetest.Now.Add(time.Second))
		same(t, "job", work(t, w, "a", storetest.Now.Add(time.Second)), []job.Job{{Recording: id, Version: 2, Tries: 1}})
	})
}

func TestChoreIsDoneByOneNodeAPeriod(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		s := w.DB.Jobs()
		for n := range 3 {
			now := storetest.Now.Add(time.Duration(n) * time.Hour)
			if n := race(t, func(int) (bool, error) { return s.ClaimChore(t.Context(), "prune", now, now.Add(time.Hour)) }); n != 1 {
				t.Errorf("%d nodes do it", n)
			}
		}
		if mine := must[bool](t)(s.ClaimChore(t.Context(), "another", storetest.Now, storetest.Now.Add(time.Hour))); !mine {
			t.Error("one chore keeps another from being done")
		}
	})
}
