package job_test

import (
	"context"
	"log/slog"
	"testing"

	"huilu/internal/job"
	"huilu/internal/recording"
	"huilu/internal/store/storetest"
)

// BenchmarkCommitToStart measures from the call that enqueues to the first line
// of the worker, on SQLite, with the commit reaching the disk in between:
//
//	go test ./internal/job -run '^$' -bench CommitToStart
func BenchmarkCommitToStart(b *testing.B) {
	db := storetest.SQLite(b)
	w, q := storetest.NewWorld(b, db), job.New(db.Jobs(), 1, slog.New(slog.DiscardHandler))
	id, started := newRecording(w), make(chan struct{})
	q.Work(func(context.Context, recording.ID) error { started <- struct{}{}; return nil })
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error)
	go func() { done <- q.Run(ctx) }()
	for b.Loop() {
		if err := db.Within(ctx, func(ctx context.Context) error { return q.EnqueueCompose(ctx, id) }); err != nil {
			b.Fatal(err)
		}
		<-started
	}
	stop()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}
