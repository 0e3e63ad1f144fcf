package openapi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/ident"
	"huilu/internal/keys"
	"huilu/internal/limit"
	"huilu/internal/meeting"
	"huilu/internal/minute"
	"huilu/internal/openapi"
	"huilu/internal/recording"
	"huilu/internal/scope"
	"huilu/internal/store"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

// morning is when every test begins, unless it says otherwise.
var morning = time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)

const (
	publicURL = "https://meet.example.org"
	redirect  = "https://app.example.org/callback"
)

// world is a server without its media: the real database and domain under the
// real API, with a clock that stands still and an SFU that does as it is told.
//
// Two tenants: in "acme" lin owns what there is, wei and mallory are colleagues;
// zoe is in "other". Apps: "app" has every scope, "bare" has none, "store" is a store app, "foreign" is other's.
type world struct {
	t        testing.TB
	db       *store.DB
	clock    *clock
	rooms    *rooms
	tenants  *tenant.Service
	tokens   *token.Service
	meetings *meeting.Service
	records  *recording.Service
	minutes  *minute.Service
	api      *openapi.API
	handler  http.Handler
	log      *bytes.Buffer
	deps     openapi.Deps

	acme, other tenant.Tenant
	users       map[string]tenant.User
	apps        map[string]tenant.App
	secrets     map[string]tenant.Secret
	issued      map[string]string // tokens by description
}

type options struct {
	limiter limit.Limiter
	now     func() time.Time // real time for clients that look at theirs
}

func newWorld(t testing.TB, change ...func(*options)) *world {
	t.Helper()
	w := &world{
		t: t, clock: &clock{at: morning}, rooms: &rooms{inside: map[string][]string{}}, log: &bytes.Buffer{},
		users: map[string]tenant.User{}, apps: map[string]tenant.App{}, secrets: map[string]tenant.Secret{}, issued: map[string]string{},
	}
	o := options{now: w.clock.now}
	for _, f := range change {
		f(&o)
	}
	if o.limiter == nil {
		o.limiter = limit.NewMemory(limit.Published(), o.now)
	}
	master := keys.New()
	out := &locked{w: w.log}
	quiet := slog.New(slog.NewTextHandler(out, nil))
	domain := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelWarn})) // which tells of meetings
	path := filepath.Join(t.TempDir(), "huilu.db")
	check(t, os.WriteFile(path, emptyDatabase(), 0o600))
	w.db = must(store.Open(t.Context(), "sqlite:"+path, master, quiet))(t)
	t.Cleanup(func() { _ = w.db.Close() })
	nums := &ident.Numbers{}
	news := event.NewService(w.db, w.db, event.ReservingApp, func() {})
	w.tenants = tenant.NewService(w.db, tenant.NewIDs(master), nums, o.now)
	w.tokens = token.NewService(w.db, w.db, master, o.now)
	w.meetings = meeting.NewService(w.db, w.db, news, w.rooms, nums, o.now, domain, meeting.Options{EmptyAfter: time.Minute, MaxInside: meeting.MaxInside})
	w.records = recording.NewService(w.db.Recordings(), w.meetings, w.db, news, noJobs{}, nums, o.now, quiet, func() {})
	w.meetings.Follow(w.records)
	w.minutes = minute.NewService(w.db, master, o.now)
	w.deps = openapi.Deps{
		Tokens: w.tokens, Tenants: w.tenants, Meetings: w.meetings, Recordings: w.records, Minutes: w.minutes,
		Files: files{}, Limiter: o.limiter, Links: openapi.Links{Base: publicURL}, Log: quiet, Now: o.now,
	}
	w.api = openapi.New(w.deps)
	w.handler = w.api.Handler()
	w.populate()
	return w
}

// emptyDatabase is a database file that has been migrated. Migrating takes
// seconds under the race detector, so it is done once and copied.
var emptyDatabase = sync.OnceValue(func() []byte {
	dir, err := os.MkdirTemp("", "huilu")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "huilu.db")
	db, err := store.Open(context.Background(), "sqlite:"+path, keys.New(), slog.New(slog.DiscardHandler))
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		panic(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return file
})

func (w *world) populate() {
	w.t.Helper()
	ctx := w.t.Context()
	w.acme = must(w.tenants.Create(ctx, "acme"))(w.t)
	w.other = must(w.tenants.Create(ctx, "other"))(w.t)
	for name, of := range map[string]tenant.Tenant{"lin": w.acme, "wei": w.acme, "mallory": w.acme, "gone": w.acme, "zoe": w.other} {
		w.users[name] = w.addUser(name, of)
	}
	gone := w.users["gone"]
	gone.Disabled = true
	check(w.t, w.tenants.SaveUser(ctx, gone))
	var every []string
	for _, s := range scope.All() {
		every = append(every, s.Name)
	}
	w.addApp("app", w.acme, tenant.Custom, every)
	w.addApp("second", w.acme, tenant.Custom, every)
	w.addApp("bare", w.acme, tenant.Custom, nil)
	w.addApp("store", w.acme, tenant.Store, every)
	w.addApp("foreign", w.other, tenant.Custom, every)
	w.addApp("disabled", w.acme, tenant.Custom, every)
	off := w.apps["disabled"]
	w.apps["disabled"] = must(w.tenants.UpdateApp(ctx, w.acme.Key, off.ID, tenant.AppSpec{Name: off.Name, Scopes: off.Scopes, Redirects: off.Redirects}, true))(w.t)
}

// addUser writes past the service: hashing a password takes longer than most tests.
func (w *world) addUser(name string, of tenant.Tenant) tenant.User {
	w.t.Helper()
	u := tenant.User{
		Num: tenant.UserNum(len(w.users) + 1), Tenant: of.Key, UserID: name + "_id", Name: strings.ToUpper(name[:1]) + name[1:],
		Email: name + "@example.org", Role: tenant.Member, CreatedAt: w.clock.now(),
	}
	check(w.t, w.db.AddUser(w.t.Context(), u, "no password"))
	return u
}

func (w *world) addApp(name string, of tenant.Tenant, typ tenant.AppType, scopes []string) {
	w.t.Helper()
	a, secret, err := w.tenants.CreateApp(w.t.Context(), of, tenant.AppSpec{Name: name, Type: typ, Scopes: scopes, Redirects: []string{redirect}})
	check(w.t, err)
	w.apps[name], w.secrets[name] = a, secret
}

// openID is a person's id as app sees it.
func (w *world) openID(app, user string) string {
	return w.tenants.IDs().Open(w.apps[app], w.users[user].Num)
}

// tenantToken is the token of an app in its own tenant.
func (w *world) tenantToken(app string) string {
	w.t.Helper()
	a := w.apps[app]
	return must(w.tokens.ForTenant(w.t.Context(), a, a.Tenant))(w.t).Token
}

// userToken is a token of a person who granted scopes to app; nil: all that the app has.
func (w *world) userToken(app, user string, scopes scope.Set) string {
	w.t.Helper()
	if scopes == nil {
		scopes = w.apps[app].Scopes
	}
	return must(w.tokens.Mint(w.t.Context(), w.apps[app], w.users[user], scopes))(w.t).Access
}

// actor is app in its own name, or a person through it.
func (w *world) actor(app, user string) tenant.Actor {
	return tenant.Actor{Tenant: w.apps[app].Tenant, App: w.apps[app].ID, User: w.users[user].Num}
}

// reserve reserves a meeting that user owns, through app.
func (w *world) reserve(app, user string) meeting.Reserve {
	w.t.Helper()
	a := w.actor(app, "")
	return must(w.meetings.Apply(w.t.Context(), a, meeting.ReserveSpec{
		Owner: w.users[user].Num, EndAt: w.deps.Now().Add(24 * time.Hour), Settings: meeting.Settings{Topic: "Weekly"},
	}))(w.t)
}

// join lets people in through the door, a second apart, and has the SFU see
// them. It returns the meeting as it is then.
func (w *world) join(r meeting.Reserve, people ...string) meeting.Meeting {
	w.t.Helper()
	ctx := w.t.Context()
	var m meeting.Meeting
	for _, name := range people {
		u := w.users[name]
		var p meeting.Participant
		var err error
		m, p, err = w.meetings.Enter(ctx, r.No, meeting.Visitor{User: &u})
		check(w.t, err)
		w.rooms.add(m.Room(), p.ID)
		check(w.t, w.meetings.Joined(ctx, m.ID, p.ID, w.deps.Now()))
		w.clock.add(time.Second)
	}
	return must(w.db.MeetingByID(ctx, r.Tenant, m.ID))(w.t)
}

// running starts a meeting that user owns and is in.
func (w *world) running(app, user string) meeting.Meeting {
	w.t.Helper()
	return w.join(w.reserve(app, user), user)
}

func (w *world) end(m meeting.Meeting) {
	w.t.Helper()
	check(w.t, w.meetings.End(w.t.Context(), tenant.Actor{Tenant: m.Tenant, User: m.Host}, m.ID))
}

// recorded makes a meeting of user whose recording ends up in a state; "" is
// never recorded, "running" is a meeting that goes on.
func (w *world) recorded(app, user string, state recording.State) meeting.Meeting {
	w.t.Helper()
	ctx := w.t.Context()
	m := w.running(app, user)
	if state != "" {
		check(w.t, w.records.Start(ctx, tenant.Actor{Tenant: m.Tenant, User: m.Host}, m.ID, nil))
	}
	if state == recording.Running {
		return m
	}
	w.end(m)
	if state == "" {
		return m
	}
	r := must(w.db.Recordings().ByMeeting(ctx, m.Tenant, m.ID))(w.t)
	switch state {
	case recording.Ready, recording.Deleted:
		check(w.t, w.records.Finish(ctx, r.ID, ident.Minute(), recording.Result{
			Duration: 30 * time.Second, Minute: recording.MinuteFile{File: "minute.mp4", Poster: "poster.jpg", Size: int64(len(video))},
		}))
	case recording.Empty:
		check(w.t, w.records.Discard(ctx, r.ID, "too short"))
	case recording.Failed:
		check(w.t, w.records.Fail(ctx, r.ID, "no space"))
	}
	if state == recording.Deleted {
		r = must(w.db.Recordings().ByMeeting(ctx, m.Tenant, m.ID))(w.t)
		r.State = recording.Deleted
		moved, err := w.db.Recordings().Advance(ctx, r, recording.Ready)
		if err != nil || !moved {
			w.t.Fatalf("recording could not be deleted: %v", err)
		}
	}
	return m
}

// minuteOf is the minute token of a meeting that has one.
func (w *world) minuteOf(m meeting.Meeting) string {
	w.t.Helper()
	return must(w.db.Recordings().ByMeeting(w.t.Context(), m.Tenant, m.ID))(w.t).Minute
}

// request makes a request; auth is a raw token or empty.
func request(method, path, auth, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if auth != "" {
		r.Header.Set("Authorization", "Bearer "+auth)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return r
}

// do sends a request and returns the answer with its body.
func (w *world) do(r *http.Request) (*http.Response, []byte) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	res := rec.Result()
	body, err := io.ReadAll(res.Body)
	check(w.t, err)
	return res, body
}

// clock stands still until it is moved.
type clock struct {
	mu sync.Mutex // guards at
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// rooms is an SFU without media.
type rooms struct {
	mu     sync.Mutex // guards inside
	inside map[string][]string
}

func (r *rooms) add(room, identity string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inside[room] = append(r.inside[room], identity)
}

func (r *rooms) CloseRoom(_ context.Context, room string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.inside, room)
	return nil
}

func (r *rooms) Kick(context.Context, string, string) error     { return nil }
func (r *rooms) Mute(context.Context, string, string) error     { return nil }
func (r *rooms) ShowHost(context.Context, string, string) error { return nil }

func (r *rooms) Inside(_ context.Context, room string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inside[room], nil
}

type noJobs struct{}

func (noJobs) EnqueueCompose(context.Context, recording.ID) error { return nil }

// video is what minute.mp4 holds.
var video = bytes.Repeat([]byte("0123456789"), 100)

// files holds one video and one picture.
type files struct{}

func (files) Open(_ context.Context, key string) (io.ReadSeekCloser, time.Time, int64, error) {
	content := map[string][]byte{"minute.mp4": video, "poster.jpg": []byte("\xff\xd8\xff picture")}[key]
	if content == nil {
		return nil, time.Time{}, 0, fmt.Errorf("open %s: %w", key, fs.ErrNotExist)
	}
	return reader{bytes.NewReader(content)}, morning, int64(len(content)), nil
}

type reader struct{ *bytes.Reader }

func (reader) Close() error { return nil }

// locked lets many goroutines write one log.
type locked struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must unwraps a result: must(f())(t).
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
