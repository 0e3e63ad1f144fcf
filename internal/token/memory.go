package token

import (
	"math"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
)

// memory keeps what was looked up lately, the last used of it, for a limited time. It is safe for concurrent use.
//
// The time is kept here: a cache that throws old things away by itself wakes the processor a hundred times a second,
// also when nobody is there.
type memory[K comparable, V any] struct {
	lru *expirable.LRU[K, dated[V]]
	age time.Duration
}

type dated[V any] struct {
	value V
	at    time.Time
}

// forever is the age of what does not change.
const forever = time.Duration(math.MaxInt64)

func newMemory[K comparable, V any](size int, age time.Duration) *memory[K, V] {
	return &memory[K, V]{lru: expirable.NewLRU[K, dated[V]](size, nil, 0), age: age}
}

func (m *memory[K, V]) get(k K) (v V, ok bool) {
	d, ok := m.lru.Get(k)
	if !ok || m.age != forever && time.Since(d.at) >= m.age {
		return v, false
	}
	return d.value, true
}

func (m *memory[K, V]) put(k K, v V) { m.lru.Add(k, dated[V]{v, time.Now()}) }

// recall returns what is remembered, or loads it. What could not be loaded is not remembered.
func (m *memory[K, V]) recall(k K, load func() (V, error)) (V, error) {
	if v, ok := m.get(k); ok {
		return v, nil
	}
	v, err := load()
	if err == nil {
		m.put(k, v)
	}
	return v, err
}
