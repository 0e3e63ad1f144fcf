package store_test

import (
	"errors"
	"reflect"
	"sync"
	"testing"

	"huilu/internal/store"
	"huilu/internal/store/storetest"
)

// both runs a test on SQLite and on PostgreSQL, in a world of two tenants.
func both(t *testing.T, test func(t *testing.T, w *storetest.World)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, storetest.NewWorld(t, db)) })
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must returns the value of a call that has to succeed.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func wants(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// rivals is how many goroutines compete where only one may win.
const rivals = 16

// race runs f in many goroutines at once and returns how many won.
func race(t *testing.T, f func(n int) (won bool, err error)) (winners int) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for n := range rivals {
		wg.Go(func() {
			<-gate
			won, err := f(n)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if won {
				winners++
			}
		})
	}
	close(gate)
	wg.Wait()
	return winners
}
