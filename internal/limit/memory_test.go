package limit

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var someKey = Key{API: "GET /x", App: "cli_0123456789abcdef", Tenant: "0123456789abcdef"}

// take makes n calls and returns how many passed and the last refusal.
func take(t *testing.T, m *Memory, k Key, tier Tier, n int) (passed int, refusal Verdict) {
	t.Helper()
	for range n {
		v, err := m.Take(t.Context(), k, tier)
		if err != nil {
			t.Fatal(err)
		}
		if v.OK {
			passed++
		} else {
			refusal = v
		}
	}
	return passed, refusal
}

func TestEveryPublishedTierLetsExactlyItsNumbersPass(t *testing.T) {
	t.Parallel()
	for tier, rate := range Published() {
		t.Run(fmt.Sprint(tier), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := NewMemory(Published(), time.Now)
				inMinute := 0
				for range 60 { // the bubble starts at midnight, on a full minute
					n, _ := take(t, m, someKey, tier, 130)
					if rate.PerSecond > 0 && n > rate.PerSecond {
						t.Fatalf("%d passed in one second, limit %d", n, rate.PerSecond)
					}
					inMinute += n
					time.Sleep(time.Second)
				}
				want := rate.PerMinute
				if want == 0 || (rate.PerSecond > 0 && want > 60*rate.PerSecond) {
					want = 60 * rate.PerSecond
				}
				if inMinute != want {
					t.Errorf("%d passed in the minute, want %d", inMinute, want)
				}
			})
		})
	}
}

func TestSixtyFourCallersTogetherPassExactlyTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(Published(), time.Now)
		for second := range 20 {
			var passed atomic.Int64
			var all sync.WaitGroup
			for range 64 {
				all.Go(func() {
					n, _ := take(t, m, someKey, Tier4, 10)
					passed.Add(int64(n))
				})
			}
			all.Wait()
			if got := passed.Load(); got != 50 {
				t.Fatalf("second %d: %d of 640 calls passed, want 50", second, got)
			}
			time.Sleep(time.Second)
		}
		if n, v := take(t, m, someKey, Tier4, 1); n != 0 || v.Limit != 1000 || v.Seconds() != 40 {
			t.Errorf("after 1000 calls in 20 s: passed %d, limit %d, wait %d s; want 0, 1000, 40", n, v.Limit, v.Seconds())
		}
	})
}

func TestRefusalSaysWhichWindowIsFullAndWhenItOpens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(Published(), time.Now)
		time.Sleep(300 * time.Millisecond)
		_, v := take(t, m, someKey, Tier4, 51)
		if v.Limit != 50 || v.Wait != 700*time.Millisecond || v.Seconds() != 1 {
			t.Errorf("got limit %d, wait %s, %d s; want 50, 700ms, 1 s", v.Limit, v.Wait, v.Seconds())
		}
		time.Sleep(v.Wait)
		if n, _ := take(t, m, someKey, Tier4, 1); n != 1 {
			t.Error("refused although the announced wait is over")
		}
		_, v = take(t, m, someKey, Tier3, 200)
		if v.Limit != 100 || v.Seconds() != 59 {
			t.Errorf("got limit %d, %d s; want 100, 59 s", v.Limit, v.Seconds())
		}
	})
}

func TestRefusedCallsUseNothingUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(map[Tier]Rate{Tier1: {PerSecond: 2, PerMinute: 6}}, time.Now)
		for range 3 {
			if n, _ := take(t, m, someKey, Tier1, 100); n != 2 {
				t.Fatalf("%d passed, want 2", n)
			}
			time.Sleep(time.Second)
		}
		if n, _ := take(t, m, someKey, Tier1, 1); n != 0 {
			t.Error("a seventh call passed in the minute")
		}
	})
}

func TestKeysDoNotShareTheirCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(Published(), time.Now)
		take(t, m, someKey, Tier5, 1)
		for _, other := range []Key{
			{API: "GET /y", App: someKey.App, Tenant: someKey.Tenant},
			{API: someKey.API, App: "cli_fedcba9876543210", Tenant: someKey.Tenant},
			{API: someKey.API, App: someKey.App, Tenant: "fedcba9876543210"},
		} {
			if n, _ := take(t, m, other, Tier5, 1); n != 1 {
				t.Errorf("%v was refused for another key's call", other)
			}
		}
	})
}

func TestIdleKeysAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(Published(), time.Now)
		fill := func(from, to int) {
			for i := from; i < to; i++ {
				take(t, m, Key{API: fmt.Sprint(i)}, Tier4, 1)
			}
		}
		fill(0, 10_000)
		time.Sleep(2 * time.Minute)
		fill(10_000, 11_000) // touches every shard with near certainty
		if n := m.size(); n > 1000 {
			t.Errorf("%d keys are kept, of which 1000 are in use", n)
		}
	})
}

func TestClockSetBackDoesNotShutAKeyOut(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 30, 0, time.UTC)
	m := NewMemory(Published(), func() time.Time { return now })
	take(t, m, someKey, Tier3, 100)
	now = now.Add(-time.Hour)
	if n, _ := take(t, m, someKey, Tier3, 1); n != 1 {
		t.Error("refused for calls that now lie in the future")
	}
}

func TestUnknownTierIsNotLimited(t *testing.T) {
	t.Parallel()
	m := NewMemory(Published(), time.Now)
	if n, _ := take(t, m, someKey, Unlimited, 5000); n != 5000 {
		t.Errorf("%d of 5000 passed", n)
	}
}

func (m *Memory) size() (n int) {
	for i := range m.shards {
		m.shards[i].mu.Lock()
		n += len(m.shards[i].keys)
		m.shards[i].mu.Unlock()
	}
	return n
}

func BenchmarkTake(b *testing.B) {
	m := NewMemory(map[Tier]Rate{Tier4: {PerSecond: 1 << 40, PerMinute: 1 << 40}}, time.Now)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = m.Take(b.Context(), someKey, Tier4)
		}
	})
}
