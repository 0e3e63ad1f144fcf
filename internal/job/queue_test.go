package job_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"huilu/internal/job"
	"huilu/internal/keys"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
)

// patience is how long a test waits for what must happen; it is never waited out when all is well.
const patience = 60 * time.Second

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func logTo(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// enqueue commits a job.
func enqueue(t *testing.T, db *store.DB, q *job.Queue, id recording.ID) {
	t.Helper()
	check(t, db.Within(t.Context(), func(ctx context.Context) error { return q.EnqueueCompose(ctx, id) }))
}

// run runs a queue until the test ends.
func run(t *testing.T, q *job.Queue) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func receive[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("%s: nothing happened", what)
	}
	return v
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: did not come true", what)
		}
	}
}

func newRecording(w *storetest.World) recording.ID {
	return w.Recording(w.Meeting(w.Home, meeting.Ended), recording.Processing).ID
}

func TestCommittedWorkIsDoneOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, q := storetest.NewWorld(t, db), job.New(db.Jobs(), 2, logTo(t))
		done := make(chan recording.ID, 100)
		q.Work(func(_ context.Context, id recording.ID) error { done <- id; return nil })
		run(t, q)
		seen := map[recording.ID]bool{}
		for range 5 {
			enqueue(t, db, q, newRecording(w))
		}
		for range 5 {
			seen[receive(t, "work", done)] = true
		}
		until(t, "all jobs are gone", func() bool { return w.Count("compositions") == 0 })
		if len(seen) != 5 || len(done) != 0 {
			t.Errorf("%d recordings were worked on, %d once more", len(seen), len(done))
		}
	})
}

func TestWorkThatWasRolledBackIsNotDone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, q := storetest.NewWorld(t, db), job.New(db.Jobs(), 1, logTo(t))
		never, real := newRecording(w), newRecording(w)
		done := make(chan recording.ID, 10)
		q.Work(func(_ context.Context, id recording.ID) error { done <- id; return nil })
		run(t, q)
		refused := errors.New("refused")
		err := db.Within(t.Context(), func(ctx context.Context) error {
			return errors.Join(q.EnqueueCompose(ctx, never), refused)
		})
		if !errors.Is(err, refused) {
			t.Error(err)
		}
		if err := q.EnqueueCompose(t.Context(), never); !errors.Is(err, store.ErrNoTransaction) {
			t.Errorf("outside of a transaction: %v", err)
		}
		enqueue(t, db, q, real)
		if id := receive(t, "work", done); id != real {
			t.Error("work was done whose cause never happened")
		}
	})
}

func TestANodeWorksOnNoMoreThanItsSlots(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	w, q := storetest.NewWorld(t, db), job.New(db.Jobs(), 2, logTo(t))
	var busy, most atomic.Int64
	started, finish := make(chan struct{}, 10), make(chan struct{})
	q.Work(func(context.Context, recording.ID) error {
		if n := busy.Add(1); n > most.Load() {
			most.Store(n)
		}
		started <- struct{}{}
		<-finish
		busy.Add(-1)
		return nil
	})
	for range 5 {
		enqueue(t, db, q, newRecording(w))
	}
	run(t, q)
	receive(t, "first", started)
	receive(t, "second", started)
	for range 5 {
		finish <- struct{}{}
	}
	until(t, "all jobs are gone", func() bool { return w.Count("compositions") == 0 })
	if most.Load() != 2 {
		t.Errorf("%d at a time, want 2", most.Load())
	}
}

func TestAnotherNodesCommitIsNoticed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, api, composer := storetest.NewWorld(t, db), job.New(db.Jobs(), 1, logTo(t)), job.New(db.Jobs(), 1, logTo(t))
		done := make(chan recording.ID, 1)
		composer.Work(func(_ context.Context, id recording.ID) error { done <- id; return nil })
		run(t, api) // does not compose
		run(t, composer)
		id := newRecording(w)
		enqueue(t, db, api, id)
		if got := receive(t, "work", done); got != id {
			t.Errorf("worked on %s", got)
		}
	})
}

func TestPanickingWorkerHurtsNobodyElse(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	w, q := storetest.NewWorld(t, db), job.New(db.Jobs(), 1, logTo(t))
	bad, good := newRecording(w), newRecording(w)
	done := make(chan recording.ID, 1)
	q.Work(func(_ context.Context, id recording.ID) error {
		if id == bad {
			panic("index out of range")
		}
		done <- id
		return nil
	})
	enqueue(t, db, q, bad)
	enqueue(t, db, q, good)
	run(t, q)
	if id := receive(t, "work", done); id != good {
		t.Errorf("worked on %s", id)
	}
	var cause string
	check(t, db.Pool().QueryRowContext(t.Context(), `SELECT error FROM compositions WHERE recording = $1`, int64(bad)).Scan(&cause))
	if !strings.Contains(cause, "index out of range") {
		t.Errorf("noted as %q", cause)
	}
}

func TestStoppedServerLeavesItsWorkForTheNextStart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		id := newRecording(storetest.NewWorld(t, db))
		first, started := job.New(db.Jobs(), 1, logTo(t)), make(chan struct{})
		first.Work(func(ctx context.Context, _ recording.ID) error {
			close(started)
			<-ctx.Done()
			return ctx.Err()
		})
		stop := run(t, first)
		enqueue(t, db, first, id)
		receive(t, "first start", started)
		stop()

		second, done := job.New(db.Jobs(), 1, logTo(t)), make(chan recording.ID)
		second.Work(func(_ context.Context, id recording.ID) error { done <- id; return nil })
		begun := time.Now()
		run(t, second)
		receive(t, "second start", done)
		if waited := time.Since(begun); waited >= job.Lease {
			t.Errorf("the work waited %v for a claim that had been given back", waited)
		}
	})
}

// TestKilledServersWorkIsTakenUpByTheNext kills a process in the middle of a
// job. The claim it could not give back ends by itself.
func TestKilledServersWorkIsTakenUpByTheNext(t *testing.T) {
	const childDSN = "HUILU_JOB_TEST_DSN"
	if dsn := os.Getenv(childDSN); dsn != "" {
		db := storetest.Open(t, dsn, keys.New())
		q := job.New(db.Jobs(), 1, slog.New(slog.DiscardHandler))
		q.Work(func(context.Context, recording.ID) error {
			check(t, os.WriteFile(os.Getenv("HUILU_JOB_TEST_STARTED"), nil, 0o600))
			select {} // until killed
		})
		check(t, q.Run(t.Context()))
		return
	}
	t.Parallel()
	for name, dsn := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "huilu.db") },
		"postgres": func(t *testing.T) string { return storetest.PostgresDSN(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn, started := dsn(t), filepath.Join(t.TempDir(), "started")
			db := storetest.Open(t, dsn, keys.New())
			q := job.New(db.Jobs(), 1, logTo(t))
			id := newRecording(storetest.NewWorld(t, db))
			enqueue(t, db, q, id)

			child := exec.Command(os.Args[0], "-test.run=^TestKilledServersWorkIsTakenUpByTheNext$")
			child.Env = append(os.Environ(), childDSN+"="+dsn, "HUILU_JOB_TEST_STARTED="+started)
			check(t, child.Start())
			until(t, "the child is at work", func() bool { _, err := os.Stat(started); return err == nil })
			check(t, child.Process.Kill())
			_ = child.Wait() // the error says that it was killed

			enqueue(t, db, q, id) // as the server does with all that is in processing when it starts
			tries := make(chan recording.ID, 10)
			q.Work(func(_ context.Context, id recording.ID) error { tries <- id; return nil })
			run(t, q)
			if got := receive(t, "work", tries); got != id {
				t.Errorf("worked on %s", got)
			}
			until(t, "the job is gone", func() bool { _, ok, err := db.Jobs().NextDue(t.Context()); return err == nil && !ok })
			if len(tries) != 0 {
				t.Errorf("worked on %d times more", len(tries))
			}
		})
	}
}

// table is the rule of the table compositions without a database, so that time can be fake.
type table struct {
	mu     sync.Mutex
	rows   map[recording.ID]*entry
	chores map[string]time.Time
	down   bool // the database does not answer
	begun  []time.Duration
	start  time.Time
}

type entry struct {
	job    job.Job
	due    time.Time
	holder string
	until  time.Time
}

var errDown = errors.New("the database does not answer")

func newTable(ids ...recording.ID) *table {
	s := &table{rows: map[recording.ID]*entry{}, chores: map[string]time.Time{}, start: time.Now()}
	for _, id := range ids {
		s.rows[id] = &entry{job: job.Job{Recording: id, Version: 1}, due: time.Now()}
	}
	return s
}

func (s *table) do(f func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errDown
	}
	f()
	return nil
}

func (s *table) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *table) held(id recording.ID, holder string) *entry {
	if e := s.rows[id]; e != nil && e.holder == holder {
		return e
	}
	return nil
}

func (s *table) AfterCommit(_ context.Context, f func()) { f() }

func (s *table) Enqueue(_ context.Context, id recording.ID, now time.Time) error {
	return s.do(func() { s.rows[id] = &entry{job: job.Job{Recording: id, Version: 1}, due: now} })
}

func (s *table) Claim(_ context.Context, holder string, now, end time.Time, n int) (jobs []job.Job, err error) {
	err = s.do(func() {
		for _, e := range s.rows {
			if len(jobs) < n && !e.due.After(now) && !e.until.After(now) {
				e.job.Tries++
				e.holder, e.until = holder, end
				jobs = append(jobs, e.job)
				s.begun = append(s.begun, now.Sub(s.start))
			}
		}
	})
	return jobs, err
}

func (s *table) Extend(_ context.Context, j job.Job, holder string, end time.Time) (held bool, err error) {
	err = s.do(func() {
		if e := s.held(j.Recording, holder); e != nil {
			e.until, held = end, true
		}
	})
	return held, err
}

func (s *table) Done(_ context.Context, j job.Job, holder string) error {
	return s.do(func() {
		if s.held(j.Recording, holder) != nil {
			delete(s.rows, j.Recording)
		}
	})
}

func (s *table) Release(_ context.Context, j job.Job, holder string, due time.Time, _ string, _ bool) error {
	return s.do(func() {
		if e := s.held(j.Recording, holder); e != nil {
			e.holder, e.until, e.due = "", time.Time{}, due
		}
	})
}

func (s *table) NextDue(context.Context) (due time.Time, ok bool, err error) {
	err = s.do(func() {
		for _, e := range s.rows {
			if at := later(e.due, e.until); !ok || at.Before(due) {
				due, ok = at, true
			}
		}
	})
	return due, ok, err
}

func (s *table) ClaimChore(_ context.Context, name string, now, next time.Time) (mine bool, err error) {
	err = s.do(func() {
		if mine = !s.chores[name].After(now); mine {
			s.chores[name] = next
		}
	})
	return mine, err
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func TestFailedWorkIsTriedAgainLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTable(1)
		q := job.New(s, 1, logTo(t))
		done := make(chan struct{})
		q.Work(func(context.Context, recording.ID) error {
			if len(s.begun) < 9 {
				return errors.New("not yet")
			}
			close(done)
			return nil
		})
		stop := run(t, q)
		<-done
		stop()
		want := []time.Duration{0, 5 * time.Second, 20 * time.Second, 65 * time.Second, 200 * time.Second, 605 * time.Second, 1505 * time.Second, 2405 * time.Second, 3305 * time.Second}
		for i, w := range want {
			if late := s.begun[i] - w; late < 0 || late > time.Second {
				t.Errorf("try %d began after %v, want %v", i+1, s.begun[i], w)
			}
		}
	})
}

func TestLongWorkKeepsItsClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTable(1)
		one, two := job.New(s, 1, logTo(t)), job.New(s, 1, logTo(t))
		done := make(chan error, 10)
		long := func(ctx context.Context, _ recording.ID) error {
			select {
			case <-ctx.Done():
			case <-time.After(3 * time.Hour):
			}
			done <- ctx.Err()
			return ctx.Err()
		}
		one.Work(long)
		two.Work(long)
		run(t, one)
		run(t, two)
		if err := <-done; err != nil || len(s.begun) != 1 {
			t.Errorf("%v, begun %d times; want three hours by one node", err, len(s.begun))
		}
	})
}

func TestWorkSurvivesADatabaseThatIsAwayForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTable(1)
		q := job.New(s, 1, logTo(t))
		done := make(chan error, 10)
		q.Work(func(ctx context.Context, _ recording.ID) error {
			s.setDown(true)
			time.Sleep(job.Lease - 2*time.Second)
			s.setDown(false)
			time.Sleep(job.Lease)
			done <- ctx.Err()
			return ctx.Err()
		})
		run(t, q)
		if err := <-done; err != nil || len(s.begun) != 1 {
			t.Errorf("%v, begun %d times; want one", err, len(s.begun))
		}
	})
}

func TestWorkIsGivenUpBeforeAnotherNodeMayBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTable(1)
		q := job.New(s, 1, logTo(t))
		given := make(chan time.Duration, 1)
		q.Work(func(ctx context.Context, _ recording.ID) error {
			if len(s.begun) > 1 {
				return nil
			}
			s.setDown(true)
			<-ctx.Done()
			given <- time.Since(s.start)
			return ctx.Err()
		})
		run(t, q)
		if after := <-given; after >= job.Lease {
			t.Errorf("given up after %v; another node could begin after %v", after, job.Lease)
		}
		s.setDown(false)
		synctest.Wait()
		time.Sleep(time.Minute)
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.rows) != 0 || len(s.begun) != 2 {
			t.Errorf("%d jobs are left after %d tries", len(s.rows), len(s.begun))
		}
	})
}

func TestChoresComeRoundAndOneFailureIsNotTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var often, daily atomic.Int64
		for range 3 { // nodes
			q := job.New(s, 1, logTo(t))
			q.Every("often", time.Minute, func(context.Context) error {
				if often.Add(1) == 2 {
					panic("once")
				}
				return errors.New("always fails")
			})
			q.Every("daily", 24*time.Hour, func(context.Context) error { daily.Add(1); return nil })
			run(t, q)
		}
		time.Sleep(2*24*time.Hour + time.Second)
		if n := often.Load(); n < 2*24*60-5 || n > 2*24*60+1 {
			t.Errorf("the frequent chore was done %d times in two days by three nodes, want each minute once", n)
		}
		if n := daily.Load(); n != 3 {
			t.Errorf("the daily chore was done %d times, want 3: at once and each day", n)
		}
	})
}
