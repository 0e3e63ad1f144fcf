package recording_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/ident"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/scope"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
)

// world is the service over a real database, real meetings and a real outbox.
// The rooms, the clock and the failures are the test's.
type world struct {
	*recording.Service
	*storetest.World
	t        testing.TB
	meetings *meeting.Service
	rooms    *rooms
	news     *news
	jobs     *jobs
	org      tenant.Tenant
	app      tenant.App
	owner    tenant.User
	other    tenant.User
	log      bytes.Buffer
	now      time.Time
	woken    int // times the keeper was told to look
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	w := &world{World: storetest.NewWorld(t, db), t: t, rooms: &rooms{inside: map[string][]string{}}, now: storetest.Now}
	w.org, w.app, w.owner, w.other = w.Home.Tenant, w.Home.App, w.Home.Owner, w.Home.Other
	w.app.Scopes = append(w.app.Scopes, scope.MeetingRead) // to hear of meetings
	check(t, db.SaveApp(t.Context(), w.app))
	nums, clock := &ident.Numbers{}, func() time.Time { return w.now }
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	w.news = &news{db: db, outbox: event.NewService(db, db, event.ReservingApp, func() {})}
	w.jobs = &jobs{store: db.Jobs(), now: clock}
	w.meetings = meeting.NewService(db, db, w.news, w.rooms, nums, clock, log, meeting.Options{EmptyAfter: 10 * time.Second, MaxInside: 10})
	w.Service = recording.NewService(db.Recordings(), w.meetings, db, w.news, w.jobs, nums, clock, log, func() { w.woken++ })
	w.meetings.Follow(w.Service)
	return w
}

// both runs a test on both databases: what commits together must do so on each.
func both(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, newWorld(t, db)) })
}

// after lets time pass.
func (w *world) after(d time.Duration) { w.now = w.now.Add(d) }

// reserve makes a reserve of the owner by the app.
func (w *world) reserve(set meeting.Settings) meeting.Reserve {
	w.t.Helper()
	r, err := w.meetings.Apply(w.t.Context(), tenant.Actor{Tenant: w.org.Key, App: w.app.ID}, meeting.ReserveSpec{Owner: w.owner.Num, EndAt: w.now.Add(24 * time.Hour), Settings: set})
	check(w.t, err)
	return r
}

// comes lets a person in and has the SFU see them.
func (w *world) comes(r meeting.Reserve, u tenant.User) (meeting.Meeting, meeting.Participant) {
	w.t.Helper()
	m, p, err := w.meetings.Enter(w.t.Context(), r.No, meeting.Visitor{User: &u})
	check(w.t, err)
	w.rooms.put(m.Room(), p.ID)
	check(w.t, w.meetings.Joined(w.t.Context(), m.ID, p.ID, w.now))
	return w.stored(m.ID), p
}

// meets starts a meeting with the owner inside, its host.
func (w *world) meets(set meeting.Settings) meeting.Meeting {
	w.t.Helper()
	m, _ := w.comes(w.reserve(set), w.owner)
	return m
}

// records has a meeting that was recorded for a minute and has ended.
func (w *world) records() (meeting.Meeting, recording.Recording) {
	w.t.Helper()
	m := w.meets(meeting.Settings{Topic: "Plan"})
	check(w.t, w.Start(w.t.Context(), w.host(), m.ID, nil))
	w.after(time.Minute)
	check(w.t, w.ends(m))
	w.news.types()
	return w.stored(m.ID), w.recording(m)
}

func (w *world) host() tenant.Actor { return w.actor(w.owner) }

func (w *world) actor(u tenant.User) tenant.Actor {
	return tenant.Actor{Tenant: u.Tenant, App: w.app.ID, User: u.Num}
}

// ends has the host end a meeting.
func (w *world) ends(m meeting.Meeting) error { return w.meetings.End(w.t.Context(), w.host(), m.ID) }

func (w *world) stored(id int64) meeting.Meeting {
	w.t.Helper()
	m, err := w.DB.MeetingByID(w.t.Context(), w.org.Key, id)
	check(w.t, err)
	return m
}

// recording of a meeting as it is stored; the zero one when there is none.
func (w *world) recording(m meeting.Meeting) recording.Recording {
	w.t.Helper()
	r, err := w.DB.Recordings().ByMeeting(w.t.Context(), m.Tenant, m.ID)
	if !errors.Is(err, recording.ErrNotFound) {
		check(w.t, err)
	}
	return r
}

func (w *world) parts(r recording.Recording) []recording.Part {
	w.t.Helper()
	ps, err := w.DB.Recordings().Parts(w.t.Context(), r.ID)
	check(w.t, err)
	return ps
}

// wantState fails unless the recording of m is in the state and has this many parts, the last of them open or not.
func (w *world) wantState(m meeting.Meeting, s recording.State, parts int, open bool) {
	w.t.Helper()
	r := w.recording(m)
	ps := w.parts(r)
	if r.State != s || len(ps) != parts || open != (len(ps) > 0 && ps[len(ps)-1].StoppedAt.IsZero()) {
		w.t.Errorf("it is %q with parts %+v; want %q with %d, open %v", r.State, ps, s, parts, open)
	}
}

// wantNews fails unless exactly these events were committed since the last look.
func (w *world) wantNews(want ...event.Type) {
	w.t.Helper()
	if got := w.news.types(); !slices.Equal(got, want) {
		w.t.Errorf("announced %v, want %v", got, want)
	}
}

func (w *world) logged(text string) bool { return strings.Contains(w.log.String(), text) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// race runs f in sixteen goroutines at once and returns what came of it.
func race(f func() error) []error {
	errs := make([]error, 16)
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			<-gate
			errs[i] = f()
		})
	}
	close(gate)
	wg.Wait()
	return errs
}

// news is the outbox, and a list of what was committed to it.
type news struct {
	db     *store.DB
	outbox *event.Service

	mu     sync.Mutex // guards what follows
	fail   error      // Announce fails with it
	events []event.Event
}

func (n *news) Announce(ctx context.Context, e event.Event) error {
	n.mu.Lock()
	fail := n.fail
	n.mu.Unlock()
	if fail != nil {
		return fail
	}
	n.db.AfterCommit(ctx, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.events = append(n.events, e)
	})
	return n.outbox.Announce(ctx, e)
}

// take returns what was announced since the last call.
func (n *news) take() []event.Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	es := n.events
	n.events = nil
	return es
}

func (n *news) types() (types []event.Type) {
	for _, e := range n.take() {
		types = append(types, e.Type)
	}
	return types
}

// jobs is the real table of compositions.
type jobs struct {
	store store.Jobs
	now   func() time.Time
	fail  error // EnqueueCompose fails with it
}

func (j *jobs) EnqueueCompose(ctx context.Context, id recording.ID) error {
	if j.fail != nil {
		return j.fail
	}
	return j.store.Enqueue(ctx, id, j.now())
}

// rooms is an SFU without media: it knows who is connected.
type rooms struct {
	mu     sync.Mutex // guards inside
	inside map[string][]string
}

func (r *rooms) put(room, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inside[room] = append(r.inside[room], id)
}

func (r *rooms) CloseRoom(_ context.Context, room string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.inside, room)
	return nil
}

func (r *rooms) Inside(_ context.Context, room string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.inside[room]), nil
}

func (r *rooms) Kick(context.Context, string, string) error     { return nil }
func (r *rooms) Mute(context.Context, string, string) error     { return nil }
func (r *rooms) ShowHost(context.Context, string, string) error { return nil }
