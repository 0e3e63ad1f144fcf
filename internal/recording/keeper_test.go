package recording

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// parts is the one thing a keeper asks of the database.
type parts struct {
	Store
	open []Open
	err  error
}

func (p *parts) OpenParts(context.Context) ([]Open, error) { return slices.Clone(p.open), p.err }

// stage is a Recorder whose rooms and failures the test decides.
type stage struct {
	mu     sync.Mutex
	inside map[int64]bool
	broken bool // joining fails
	deaf   bool // the SFU does not answer who is inside
	runs   map[ID]int
	log    []string
	stuck  map[ID]chan struct{} // joining takes until this is closed
}

func (s *stage) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *stage) Inside(_ context.Context, p Open) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deaf {
		return false, errors.New("no answer")
	}
	return s.inside[p.Meeting], nil
}

func (s *stage) Record(_ context.Context, p Open) (func() error, error) {
	if c := s.stuck[p.Recording]; c != nil {
		<-c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return nil, errors.New("the room does not open")
	}
	s.runs[p.Recording]++
	s.log = append(s.log, fmt.Sprintf("start %d.%d", p.Recording, p.N))
	return func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.runs[p.Recording]--
		s.log = append(s.log, fmt.Sprintf("stop %d.%d", p.Recording, p.N))
		return nil
	}, nil
}

func (s *stage) Repair(_ context.Context, id ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs[id] != 0 {
		return errors.New("repaired while being written")
	}
	return nil
}

func (s *stage) Show(context.Context, int64, time.Time) error { return nil }

// count of recorders that run for a recording.
func (s *stage) count(id ID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs[id]
}

type reporter interface {
	Helper()
	Fatalf(string, ...any)
	Context() context.Context
}

// settle looks again and again until the recorders of recordings 1 to 3 are as wanted.
func settle(t reporter, k *Keeper, s *stage, want ...int) {
	t.Helper()
	var got [3]int
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
		_ = k.Keep(t.Context())
		for i := range got {
			got[i] = s.count(ID(i + 1))
		}
		if slices.Equal(got[:len(want)], want) {
			return
		}
	}
	t.Fatalf("recorders %v, want %v", got, want)
}

func newKeeper() (*Keeper, *parts, *stage) {
	p, s := &parts{}, &stage{inside: map[int64]bool{}, runs: map[ID]int{}, stuck: map[ID]chan struct{}{}}
	return NewKeeper(p, s, slog.New(slog.DiscardHandler)), p, s
}

func part(id ID, n int) Open { return Open{Part: Part{Recording: id, N: n}, Meeting: int64(id) * 10} }

func TestAnOpenPartIsRecordedWhileSomebodyIsInside(t *testing.T) {
	t.Parallel()
	k, p, s := newKeeper()
	p.open = []Open{part(1, 1)}
	settle(t, k, s, 0) // nobody is inside
	s.set(func() { s.inside[10] = true })
	settle(t, k, s, 1)
	p.open = []Open{part(1, 2)} // stopped and started between two looks
	for len(s.logged()) < 3 {
		settle(t, k, s, 1)
	}
	s.set(func() { s.inside[10] = false })
	settle(t, k, s, 0)
	s.set(func() { s.inside[10] = true })
	settle(t, k, s, 1)
	p.open = nil
	settle(t, k, s, 0)
	want := []string{"start 1.1", "stop 1.1", "start 1.2", "stop 1.2", "start 1.2", "stop 1.2"}
	if got := s.logged(); !slices.Equal(got, want) {
		t.Errorf("did %v, want %v", got, want)
	}
}

func (s *stage) logged() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

func TestARecorderThatFailedIsTriedAgain(t *testing.T) {
	t.Parallel()
	k, p, s := newKeeper()
	p.open = []Open{part(1, 1)}
	s.inside[10], s.broken = true, true
	settle(t, k, s, 0)
	s.set(func() { s.broken = false })
	settle(t, k, s, 1)
}

func TestARoomThatDoesNotOpenKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	k, p, s := newKeeper()
	s.inside[10], s.inside[20] = true, true
	s.stuck[1] = make(chan struct{})
	p.open = []Open{part(1, 1), part(2, 1)}
	settle(t, k, s, 0, 1)
	p.open = []Open{part(1, 1)}
	settle(t, k, s, 0, 0)
	close(s.stuck[1])
	settle(t, k, s, 1, 0)
}

func TestWhatRunsGoesOnWhileNobodyAnswers(t *testing.T) {
	t.Parallel()
	k, p, s := newKeeper()
	s.inside[10] = true
	p.open = []Open{part(1, 1)}
	s.deaf = true
	settle(t, k, s, 0)
	s.set(func() { s.deaf = false })
	settle(t, k, s, 1)
	s.set(func() { s.deaf = true })
	for range 5 {
		settle(t, k, s, 1)
	}
	p.err = errors.New("database is away")
	if err := k.Keep(t.Context()); err == nil || s.count(1) != 1 {
		t.Errorf("%v, %d recorders", err, s.count(1))
	}
}

func TestASealedFolderIsNotBeingWritten(t *testing.T) {
	t.Parallel()
	k, p, s := newKeeper()
	p.open, s.inside[10] = []Open{part(1, 1)}, true
	settle(t, k, s, 1)
	p.open = nil
	for range 2 {
		if err := k.Seal(t.Context(), 1); err != nil || s.count(1) != 0 {
			t.Errorf("%v, %d recorders", err, s.count(1))
		}
	}
}

func TestAStartKnowsWhenItsRecorderIsInside(t *testing.T) {
	t.Parallel()
	k, p, s := newKeeper()
	p.open, s.inside[10], s.stuck[1] = []Open{part(1, 1)}, true, make(chan struct{})
	settle(t, k, s, 0)
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if k.Await(soon, 1, 1) {
		t.Error("it was told to be inside while its room did not open")
	}
	close(s.stuck[1])
	if !k.Await(t.Context(), 1, 1) || s.count(1) != 1 {
		t.Errorf("%d recorders", s.count(1))
	}
}

func TestStoppingTheKeeperStopsItsRecorders(t *testing.T) {
	t.Parallel()
	k, p, s := newKeeper()
	p.open, s.inside[10] = []Open{part(1, 1)}, true
	settle(t, k, s, 1)
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := k.Run(ended); err != nil || s.count(1) != 0 {
		t.Errorf("%v, %d recorders", err, s.count(1))
	}
}

// Whatever happens in whatever order, in the end exactly the recorders run that
// should, and there never were two for one recording (Repair would have noticed).
func TestRecordersAlwaysAgreeWithOpenPartsInTheEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k, p, s := newKeeper()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			p.open = nil
			for id := ID(1); id <= 3; id++ {
				inside := rapid.Bool().Draw(t, "inside")
				s.set(func() { s.inside[int64(id)*10] = inside })
				if n := rapid.IntRange(0, 3).Draw(t, "part"); n > 0 {
					p.open = append(p.open, part(id, n))
				}
			}
			broken, deaf := rapid.Bool().Draw(t, "broken"), rapid.Bool().Draw(t, "deaf")
			s.set(func() { s.broken, s.deaf = broken, deaf })
			_ = k.Keep(t.Context())
			for id := ID(1); id <= 3; id++ {
				if n := s.count(id); n < 0 || n > 1 {
					t.Fatalf("%d recorders for recording %d", n, id)
				}
			}
		}
		s.set(func() { s.broken, s.deaf = false, false })
		want := []int{0, 0, 0}
		for _, o := range p.open {
			if s.inside[o.Meeting] {
				want[o.Recording-1] = 1
			}
		}
		settle(t, k, s, want...)
	})
}
