package pages

import (
	"errors"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var errGuess = errors.New("wrong")

func wrongGuess(err error) bool { return errors.Is(err, errGuess) }

func TestManyGuessesAtOnceGetNoMoreThanOneAfterTheOther(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Now()}
	th := newThrottle(c.Now)
	var made atomic.Int32
	var all sync.WaitGroup
	start := make(chan struct{})
	for range 200 {
		all.Go(func() {
			<-start
			_ = th.try([]payment{{budget{5, time.Minute}, "k"}}, func() error { made.Add(1); return errGuess }, wrongGuess)
		})
	}
	close(start)
	all.Wait()
	if made.Load() != 5 {
		t.Errorf("%d guesses were made, want 5", made.Load())
	}
}

func TestABudgetRefillsAndNeverOverflows(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Now()}
	th, b := newThrottle(c.Now), budget{3, 10 * time.Second}
	spend := func() (n int) {
		for th.take(b, "k") == nil {
			n++
		}
		return n
	}
	if n := spend(); n != 3 {
		t.Errorf("%d at first, want 3", n)
	}
	c.pass(15 * time.Second)
	if n := spend(); n != 1 {
		t.Errorf("%d after 15 s, want 1", n)
	}
	var wait *tooMany
	if err := th.take(b, "k"); !errors.As(err, &wait) || wait.seconds() != 5 {
		t.Errorf("the wait is %v, want 5 s", err)
	}
	c.pass(time.Hour)
	for range 10 {
		th.refund(b, "k")
	}
	if n := spend(); n != 3 {
		t.Errorf("%d after an hour, want 3", n)
	}
}

func TestARefusedTryCostsNothingElsewhere(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Now()}
	th := newThrottle(c.Now)
	place, person := payment{budget{5, time.Hour}, "place"}, payment{budget{1, time.Hour}, "person"}
	for range 20 {
		_ = th.try([]payment{place, person}, func() error { return errGuess }, wrongGuess)
	}
	if err := th.try([]payment{place}, func() error { return nil }, wrongGuess); err != nil {
		t.Errorf("the place pays for tries that were never made: %v", err)
	}
}

func TestTheMemoryOfGuessesIsBounded(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Now()}
	th := newThrottle(c.Now)
	for i := range maxBuckets + 1000 {
		_ = th.take(loginsAs, strconv.Itoa(i))
	}
	if n := th.buckets.Len(); n != maxBuckets {
		t.Errorf("%d buckets are kept, want %d", n, maxBuckets)
	}
}

func TestAPlaceIsAnAddressOrAnIPv6Network(t *testing.T) {
	t.Parallel()
	p := &Pages{Deps: Deps{Address: peer}}
	for from, place := range map[string]string{
		"192.0.2.7:5000":                      "192.0.2.7",
		"[::ffff:192.0.2.7]:5000":             "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:5000":         "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff:ffff:ffff:1]:600": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:600":                  "fe80::/64",
		"@":                                   "@",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = from
		if got := p.place(r); got != place {
			t.Errorf("%s is %q, want %q", from, got, place)
		}
	}
}
