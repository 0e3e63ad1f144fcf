package meeting_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/ident"
	"huilu/internal/keys"
	"huilu/internal/meeting"
	"huilu/internal/store"
	"huilu/internal/tenant"
)

// world is the service over a real database, with rooms, a clock and an outbox that the test holds in its hands.
type world struct {
	*meeting.Service
	t      testing.TB
	db     *store.DB
	org    tenant.Tenant
	owner  tenant.User
	other  tenant.User
	clock  time.Time
	rooms  *rooms
	news   *news
	log    strings.Builder
	people int
}

const emptyAfter = 10 * time.Second

func newWorld(t testing.TB) *world {
	t.Helper()
	m := keys.New()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "test.db"), m, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, db: db, clock: time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC), rooms: &rooms{inside: map[string][]string{}, hosts: map[string]string{}}, news: &news{}}
	nums, now := &ident.Numbers{}, func() time.Time { return w.clock }
	tenants := tenant.NewService(db, tenant.NewIDs(m), nums, now)
	if w.org, err = tenants.Create(t.Context(), "Org"); err != nil {
		t.Fatal(err)
	}
	w.owner, w.other = w.person("owner"), w.person("other")
	w.Service = meeting.NewService(db, db, w.news, w.rooms, nums, now, slog.New(slog.NewTextHandler(&w.log, nil)), meeting.Options{EmptyAfter: emptyAfter, MaxInside: 3})
	return w
}

func (w *world) person(name string) tenant.User {
	w.t.Helper()
	w.people++
	u := tenant.User{Num: tenant.UserNum(1000 + w.people), Tenant: w.org.Key, UserID: name, Name: name, Email: name + "@test.invalid", Role: tenant.Member, CreatedAt: w.clock}
	if err := w.db.AddUser(w.t.Context(), u, "none"); err != nil {
		w.t.Fatal(err)
	}
	return u
}

// reserve makes a reserve of the owner by an app.
func (w *world) reserve(set meeting.Settings, password string) meeting.Reserve {
	w.t.Helper()
	r, err := w.Apply(w.t.Context(), tenant.Actor{Tenant: w.org.Key, App: "cli_0011223344556677"}, meeting.ReserveSpec{
		Owner: w.owner.Num, EndAt: w.clock.Add(24 * time.Hour), Settings: set, Password: &password,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// comes lets somebody in and has the SFU see them; nil is a guest.
func (w *world) comes(no string, u *tenant.User) (meeting.Meeting, meeting.Participant) {
	w.t.Helper()
	m, p, err := w.Enter(w.t.Context(), no, meeting.Visitor{User: u, Name: "Guest"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.rooms.put(m.Room(), p.ID)
	if err := w.Joined(w.t.Context(), m.ID, p.ID, w.clock); err != nil {
		w.t.Fatal(err)
	}
	return m, p
}

// goes has the SFU see somebody leave.
func (w *world) goes(m meeting.Meeting, p meeting.Participant) {
	w.t.Helper()
	w.rooms.take(m.Room(), p.ID)
	if err := w.Left(w.t.Context(), m.ID, p.ID, meeting.LeftByThemselves, w.clock); err != nil {
		w.t.Fatal(err)
	}
}

// is reads the meeting as it is stored.
func (w *world) is(m meeting.Meeting) meeting.Meeting {
	w.t.Helper()
	got, err := w.db.MeetingByID(w.t.Context(), w.org.Key, m.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func (w *world) sweep() {
	w.t.Helper()
	if err := w.Sweep(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// news keeps what was announced.
type news struct {
	mu     sync.Mutex
	events []event.Event
}

func (n *news) Announce(_ context.Context, e event.Event) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, e)
	return nil
}

// types lists what was announced since the last call.
func (n *news) types() []event.Type {
	n.mu.Lock()
	defer n.mu.Unlock()
	var types []event.Type
	for _, e := range n.events {
		types = append(types, e.Type)
	}
	n.events = nil
	return types
}

// rooms is an SFU without media: it knows who is connected.
type rooms struct {
	mu     sync.Mutex
	inside map[string][]string
	hosts  map[string]string
	closed []string
	kicked []string
}

func (r *rooms) put(room, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inside[room] = append(r.inside[room], id)
}

func (r *rooms) take(room, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inside[room] = slices.DeleteFunc(r.inside[room], func(s string) bool { return s == id })
}

func (r *rooms) CloseRoom(_ context.Context, room string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.inside, room)
	r.closed = append(r.closed, room)
	return nil
}

func (r *rooms) Kick(_ context.Context, room, id string) error {
	r.take(room, id)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kicked = append(r.kicked, id)
	return nil
}

func (r *rooms) Mute(context.Context, string, string) error { return nil }

func (r *rooms) ShowHost(_ context.Context, room, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hosts[room] = id
	return nil
}

func (r *rooms) Inside(_ context.Context, room string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.inside[room]), nil
}
