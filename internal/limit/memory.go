package limit

import (
	"context"
	"hash/maphash"
	"maps"
	"sync"
	"time"
)

// shards spread the keys over several locks, so that busy apps do not wait for each other.
const shards = 32

// Memory counts in this process. Make one with NewMemory.
type Memory struct {
	rates  map[Tier]Rate
	now    func() time.Time
	seed   maphash.Seed
	shards [shards]shard
}

type shard struct {
	mu    sync.Mutex // guards what follows
	keys  map[Key]bucket
	swept int64 // the minute in which idle keys were last dropped
}

// bucket is what one key has used of the second and of the minute it was last seen in.
type bucket struct {
	second, minute     int64
	inSecond, inMinute int
}

// NewMemory returns a limiter with the given table; a tier without a row is not limited.
func NewMemory(rates map[Tier]Rate, now func() time.Time) *Memory {
	m := &Memory{rates: maps.Clone(rates), now: now, seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].keys = map[Key]bucket{}
	}
	return m
}

// Take counts one call, or refuses it. The error is always nil.
func (m *Memory) Take(_ context.Context, k Key, t Tier) (Verdict, error) {
	rate, limited := m.rates[t]
	if !limited {
		return Verdict{OK: true}, nil
	}
	s := &m.shards[maphash.Comparable(m.seed, k)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.now() // inside the lock: a late reader must not reopen a window
	s.sweep(now)
	b := s.keys[k].at(now)
	v := b.judge(rate, now)
	if v.OK {
		b.inSecond++
		b.inMinute++
		s.keys[k] = b
	}
	return v, nil
}

// at is the bucket at now: counts of windows that have passed are gone. A clock
// that was set back opens fresh windows too, or a key could stay shut for as long as it was wrong.
func (b bucket) at(now time.Time) bucket {
	if s := now.Unix(); s != b.second {
		b.second, b.inSecond = s, 0
	}
	if m := minuteOf(now); m != b.minute {
		b.minute, b.inMinute = m, 0
	}
	return b
}

func (b bucket) judge(r Rate, now time.Time) Verdict {
	switch {
	case r.PerMinute > 0 && b.inMinute >= r.PerMinute:
		return Verdict{Limit: r.PerMinute, Wait: untilNext(now, time.Minute)}
	case r.PerSecond > 0 && b.inSecond >= r.PerSecond:
		return Verdict{Limit: r.PerSecond, Wait: untilNext(now, time.Second)}
	}
	return Verdict{OK: true}
}

// sweep drops, once a minute, every key whose last call was in an earlier minute:
// its counts are zero by now. Keys exist only for checked tokens, so between
// sweeps their number is at most that of routes times installed apps.
func (s *shard) sweep(now time.Time) {
	minute := minuteOf(now)
	if minute == s.swept {
		return
	}
	s.swept = minute
	maps.DeleteFunc(s.keys, func(_ Key, b bucket) bool { return b.minute != minute })
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

func untilNext(now time.Time, window time.Duration) time.Duration {
	return window - time.Duration(now.UnixNano()%int64(window))
}
