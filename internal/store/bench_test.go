package store_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
)

// BenchmarkFacts measures the query of every GET recording:
//
//	go test ./internal/store -run '^$' -bench Facts -benchtime 2s
//
// cpu-ns/op is processor time of this process, which says more than ns/op on a
// busy machine; it leaves out PostgreSQL's own. HUILU_BENCH_RECORDINGS=1000000
// adds the number of recordings at which it must still be flat.
func BenchmarkFacts(b *testing.B) {
	sizes := []int{1000, 100_000}
	if n, err := strconv.Atoi(os.Getenv("HUILU_BENCH_RECORDINGS")); err == nil {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		b.Run(fmt.Sprintf("sqlite/%d", n), func(b *testing.B) { benchFacts(b, storetest.SQLite(b), n) })
	}
	b.Run("postgres/1000", func(b *testing.B) { benchFacts(b, storetest.Postgres(b), 1000) })
}

func benchFacts(b *testing.B, db *store.DB, n int) {
	w := storetest.NewWorld(b, db)
	ids := fill(b, w, n)
	// As a request's context: it can end, which costs a driver more than one that cannot.
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	ask := func(i int) {
		f, err := db.Recordings().Facts(ctx, w.Home.Tenant.Key, ids[i*7919%len(ids)])
		if err != nil || f.State != recording.Ready {
			b.Error(f, err)
		}
	}
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		begun, i := processorTime(b), 0
		for b.Loop() {
			i++
			ask(i)
		}
		b.ReportMetric(float64(processorTime(b)-begun)/float64(b.N), "cpu-ns/op")
	})
	b.Run("together", func(b *testing.B) {
		begun := processorTime(b)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				ask(i)
			}
		})
		b.ReportMetric(float64(processorTime(b)-begun)/float64(b.N), "cpu-ns/op")
	})
}

func processorTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// fill stores n ended meetings with ready recordings and returns the meetings' ids.
func fill(b *testing.B, w *storetest.World, n int) (ids []int64) {
	r := w.Reserve(w.Home)
	for len(ids) < n {
		err := w.DB.Within(b.Context(), func(ctx context.Context) error {
			for range min(10_000, n-len(ids)) {
				m := w.NewMeeting(r, meeting.Ended)
				ids = append(ids, m.ID)
				if err := w.DB.AddMeeting(ctx, m); err != nil {
					return err
				}
				rec := recording.Recording{ID: recording.ID(w.Number()), Tenant: m.Tenant, Meeting: m.ID, State: recording.Ready, Minute: "obcnabcdefghijklmnopqrst", CreatedAt: storetest.Now}
				if err := w.DB.Recordings().Add(ctx, rec); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return ids
}
