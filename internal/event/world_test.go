package event_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"huilu/internal/egress"
	"huilu/internal/event"
	"huilu/internal/ident"
	"huilu/internal/keys"
	"huilu/internal/scope"
	"huilu/internal/store"
	"huilu/internal/tenant"
)

// world is a tenant with an owner in a real database, and the two halves of the outbox over it.
type world struct {
	t       *testing.T
	path    string
	keyText string
	key     keys.Master
	log     *slog.Logger
	db      *store.DB
	tenants *tenant.Service
	tenant  tenant.Tenant
	owner   tenant.User
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, path: filepath.Join(t.TempDir(), "huilu.db"), keyText: ident.Hex("", keys.Size), log: slog.New(slog.DiscardHandler)}
	var err error
	if w.key, err = keys.Parse(w.keyText); err != nil {
		t.Fatal(err)
	}
	w.open()
	if w.tenant, err = w.tenants.Create(t.Context(), "Testers"); err != nil {
		t.Fatal(err)
	}
	w.owner = tenant.User{Num: 41, Tenant: w.tenant.Key, UserID: "e33ggbyz", Name: "Lin", Email: "lin@example.org", Role: tenant.Member, CreatedAt: time.Now()}
	if err := w.db.AddUser(t.Context(), w.owner, "no password"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.db.Close() })
	return w
}

// open opens the database, as a server does that starts.
func (w *world) open() {
	w.t.Helper()
	db, err := store.Open(context.WithoutCancel(w.t.Context()), "sqlite:"+w.path, w.key, w.log)
	if err != nil {
		w.t.Fatal(err)
	}
	w.db, w.tenants = db, tenant.NewService(db, tenant.NewIDs(w.key), &ident.Numbers{}, time.Now)
}

// app makes an app that hears of everything at url, with an Encrypt Key or without.
func (w *world) app(url string, encrypted bool) tenant.App {
	w.t.Helper()
	var types []string
	for _, k := range event.Kinds() {
		types = append(types, string(k.Type))
	}
	a, _, err := w.tenants.CreateApp(w.t.Context(), w.tenant, tenant.AppSpec{
		Name: "Receiver", Scopes: []string{scope.MeetingRead, scope.UserID}, EventURL: url, Events: types,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if !encrypted {
		a.Events.EncryptKey = ""
		w.save(a)
	}
	return a
}

func (w *world) save(a tenant.App) {
	w.t.Helper()
	if err := w.db.SaveApp(w.t.Context(), a); err != nil {
		w.t.Fatal(err)
	}
}

// announce commits one event about a meeting that app a reserved.
func (w *world) announce(a tenant.App, typ event.Type, wake func()) {
	w.t.Helper()
	now := time.Now()
	e := event.Event{
		Type: typ, Tenant: w.tenant.Key, App: a.ID, At: now, LeaveReason: 1,
		Meeting:  event.Meeting{ID: 6911188411934433028, No: "235812466", Topic: "周会 <1>\u2028 & more", Source: 4, Owner: w.owner.Num, Host: w.owner.Num, StartAt: now},
		Operator: &event.Person{User: w.owner.Num, Role: event.Host, Type: 1},
		Ready:    &event.Ready{Minute: "obcn37dxcftoc3656rgyejm7", Duration: 30 * time.Second},
	}
	news := event.NewService(w.db, w.db, event.ReservingApp, wake)
	if err := w.db.Within(w.t.Context(), func(ctx context.Context) error { return news.Announce(ctx, e) }); err != nil {
		w.t.Fatal(err)
	}
}

// loopback posts to receivers on this machine.
func loopback() *egress.Client {
	return egress.New(egress.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
}

// patient are options under which nothing happens by the clock alone: time limits that
// a slow machine does not reach, and no looking without a reason.
func patient() event.Options {
	return event.Options{Limit: time.Minute, Lease: 2 * time.Minute, Poll: time.Hour}
}

func (w *world) deliverer(post event.Poster, o event.Options) *event.Deliverer {
	return event.NewDeliverer(w.db, w.db, event.NewWire(tenant.NewIDs(w.key), w.db, "https://meet.example.org"), post, w.log, o)
}

// run runs d until the test ends, or until the function it returns is called.
func run(t *testing.T, d *event.Deliverer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// server answers like h until the test ends.
func server(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/events"
}

// until waits for a condition; the limit is only for tests that fail.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// receive waits for one value; the limit is only for tests that fail.
func receive[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(30 * time.Second):
		t.Fatalf("waited in vain for: %s", what)
		panic("unreachable")
	}
}

// attempts returns the only delivery to an app, and its attempts.
func (w *world) attempts(a tenant.App) (event.Delivery, []event.Attempt) {
	w.t.Helper()
	ds, as, err := w.db.Deliveries(w.t.Context(), w.tenant.Key, a.ID, 10)
	if err != nil || len(ds) != 1 {
		w.t.Fatalf("%d deliveries to %s, %v; want one", len(ds), a.ID, err)
	}
	return ds[0], as[ds[0].ID]
}

// settled waits until the only delivery to an app has been attempted n times.
func (w *world) settled(a tenant.App, n int) (event.Delivery, []event.Attempt) {
	w.t.Helper()
	until(w.t, "an attempt to be stored", func() bool { d, _ := w.attempts(a); return d.Attempts >= n })
	return w.attempts(a)
}
