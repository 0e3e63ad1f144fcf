package event_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/keys"
	"huilu/internal/store"
	"huilu/internal/tenant"
)

// The variables that turn the test binary into a server that delivers until it is killed.
const (
	childDatabase = "HUILU_TEST_DELIVER_FROM"
	childKey      = "HUILU_TEST_DELIVER_KEY"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childDatabase); path != "" {
		err := deliverForever(path, os.Getenv(childKey))
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func deliverForever(path, keyText string) error {
	key, err := keys.Parse(keyText)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	db, err := store.Open(context.Background(), "sqlite:"+path, key, log)
	if err != nil {
		return err
	}
	o := event.Options{Limit: time.Minute, Lease: 2 * time.Second}
	return event.NewDeliverer(db, db, event.NewWire(tenant.NewIDs(key), db, ""), loopback(), log, o).Run(context.Background())
}

// A server is killed while a receiver has the event but has not answered. Nobody knows
// whether it was handled, so it has to come again: once the lease is over, under the same id.
func TestAttemptOfAKilledServerIsMadeAgainAfterItsLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := &recorder{ids: make(chan string, 10)}
	r.status.Store(200)
	arrived := make(chan struct{}, 10)
	hanging := make(chan struct{})
	a := w.app(server(t, func(http.ResponseWriter, *http.Request) { arrived <- struct{}{}; <-hanging }), false)
	defer close(hanging)
	w.announce(a, event.RecordingReady, func() {})
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childDatabase+"="+w.path, childKey+"="+w.keyText)
	child.Stderr = t.Output()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	receive(t, "the first attempt", arrived)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // its error is that it was killed
	killed := time.Now()
	if d, as := w.attempts(a); d.State != event.Pending || len(as) != 0 {
		t.Fatalf("after the kill: %s, %+v; want pending and nothing written", d.State, as)
	}
	run(t, w.deliverer(posterFunc(r.post), event.Options{Poll: 10 * time.Millisecond}))
	id := receive(t, "the second attempt", r.ids)
	d, as := w.settled(a, 1)
	if d.State != event.Delivered || len(as) != 1 || id[:32] != d.ID {
		t.Errorf("%s as %s, %+v; want delivered under its id", id, d.State, as)
	}
	if as[0].At.Before(killed.Truncate(time.Millisecond)) {
		t.Errorf("attempted at %v, before the kill at %v", as[0].At, killed)
	}
}
