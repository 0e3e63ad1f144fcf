package pages

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/alexedwards/argon2id"

	"huilu/internal/event"
	"huilu/internal/field"
	"huilu/internal/ident"
	"huilu/internal/keys"
	"huilu/internal/meeting"
	"huilu/internal/minute"
	"huilu/internal/recording"
	"huilu/internal/scope"
	"huilu/internal/store"
	"huilu/internal/tenant"
	"huilu/internal/token"
	"huilu/web"
)

const password = "correct horse battery"

// world is a server with the real domain and a real database; the SFU, the
// composer and receivers of events are played by the test.
type world struct {
	t     *testing.T
	db    *store.DB
	clock *clock
	url   string
	logs  *syncBuffer

	tenants    *tenant.Service
	tokens     *token.Service
	meetings   *meeting.Service
	recordings *recording.Service
	news       *event.Service

	rooms     *rooms
	challenge error // the receiver's answer
	asked     []string
	problems  []Problem
	files     files

	here, there       tenant.Tenant
	ada, olga, mia    tenant.User // of here: the administrator, an owner of meetings, a member
	bob               tenant.User // administrator of there
	secretTopic       string
	minute            string // of olga's secret meeting
	running           meeting.Meeting
	olgaSeat, miaSeat string // participant ids in running
	app               tenant.App
	video             []byte
	baseURL           string
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// rooms notes what the SFU was told to do.
type rooms struct {
	mu   sync.Mutex
	did  []string
	seen []string
}

func (r *rooms) note(format string, args ...any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.did = append(r.did, fmt.Sprintf(format, args...))
	return nil
}

func (r *rooms) has(what string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Contains(strings.Join(r.did, "\n"), what)
}

func (r *rooms) CloseRoom(_ context.Context, room string) error { return r.note("close %s", room) }
func (r *rooms) Kick(_ context.Context, room, who string) error {
	return r.note("kick %s %s", room, who)
}
func (r *rooms) Mute(_ context.Context, room, who string) error {
	return r.note("mute %s %s", room, who)
}
func (r *rooms) ShowHost(_ context.Context, room, who string) error {
	return r.note("host %s %s", room, who)
}
func (r *rooms) Inside(context.Context, string) ([]string, error) { return r.seen, nil }

type noJobs struct{}

func (noJobs) EnqueueCompose(context.Context, recording.ID) error { return nil }

// tickets writes what it was asked to sign.
type tickets struct{}

func (tickets) Token(room, identity, name string, attributes map[string]string) (string, error) {
	b, err := json.Marshal([]any{room, identity, name, attributes})
	return string(b), err
}

type files map[string][]byte

type openFile struct{ *bytes.Reader }

func (openFile) Close() error { return nil }

func (f files) Open(_ context.Context, key string) (io.ReadSeekCloser, error) {
	b, ok := f[key]
	if !ok {
		return nil, errors.New("no such file")
	}
	return openFile{bytes.NewReader(b)}, nil
}

// oauth checks requests as far as the tests need it; what the contract wants is tested where it is implemented.
type oauth struct {
	*token.Service
	tenants *tenant.Service
}

func (o oauth) Check(ctx context.Context, q url.Values) (AuthorizeRequest, error) {
	a, err := o.tenants.App(ctx, q.Get("client_id"))
	if err != nil {
		return AuthorizeRequest{}, &OAuthError{Code: 20048, Text: "The app does not exist."}
	}
	if len(a.Redirects) == 0 || q.Get("redirect_uri") != a.Redirects[0] {
		return AuthorizeRequest{}, &OAuthError{Code: 20029, Text: "redirect_uri is not registered."}
	}
	return AuthorizeRequest{App: a, Scopes: scope.Parse(q.Get("scope")), Redirect: q.Get("redirect_uri"), State: q.Get("state"), Challenge: q.Get("code_challenge"), Method: q.Get("code_challenge_method")}, nil
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// migrated is a database file without rows. Migrating takes seconds under the
// race detector, so it is done once and copied.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "huilu-pages")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "huilu.db")
	db, err := store.Open(context.Background(), "sqlite:"+path, keys.New(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil { // folds the log into the file
		return nil, err
	}
	return os.ReadFile(path)
})

// testPlace is the header by which tests come from somewhere else.
const testPlace = "X-Test-Place"

// newWorld starts a server under baseURL ("" for its own address) with two tenants and their people.
func newWorld(t *testing.T, baseURL string) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, clock: &clock{now: time.Now().UTC().Truncate(time.Second)}, rooms: &rooms{}, files: files{}, logs: &syncBuffer{}}
	log := slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	master := keys.New()
	path := filepath.Join(t.TempDir(), "huilu.db")
	check(t, os.WriteFile(path, must[[]byte](t)(migrated()), 0o600))
	w.db = must[*store.DB](t)(store.Open(ctx, "sqlite:"+path, master, log))
	t.Cleanup(func() { _ = w.db.Close() })

	nums, now := &ident.Numbers{}, w.clock.Now
	w.tenants = tenant.NewService(w.db, tenant.NewIDs(master), nums, now)
	w.tokens = token.NewService(w.db, w.db, master, now)
	w.news = event.NewService(w.db, w.db, event.EveryApp, func() {})
	w.meetings = meeting.NewService(w.db, w.db, w.news, w.rooms, nums, now, log, meeting.Options{EmptyAfter: time.Minute, MaxInside: 3})
	w.recordings = recording.NewService(w.db.Recordings(), w.meetings, w.db, w.news, noJobs{}, nums, now, log, func() {})
	w.meetings.Follow(w.recordings)

	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	t.Cleanup(server.Close)
	w.url = server.URL
	if baseURL == "" {
		baseURL = server.URL
	}
	w.baseURL = baseURL
	front := fstest.MapFS{
		"index.html":             {Data: []byte("<!doctype html><title>huilu</title>")},
		"assets/app-1234abcd.js": {Data: []byte("export {}")},
	}
	p := must[*Pages](t)(New(Deps{
		BaseURL: baseURL, SFUURL: "/", Tenants: w.tenants, Meetings: w.meetings, Home: w.db, Recordings: w.recordings,
		Minutes: minute.NewService(w.db, master, now), Files: w.files, Tickets: tickets{}, OAuth: oauth{w.tokens, w.tenants}, Deliveries: w.db,
		Challenge: func(_ context.Context, address string, s tenant.Subscription) error {
			w.asked = append(w.asked, address+" "+string(s.VerificationToken))
			return w.challenge
		},
		Health: func(context.Context) []Problem { return w.problems },
		Address: func(r *http.Request) string {
			if place := r.Header.Get(testPlace); place != "" {
				return place
			}
			return peer(r)
		},
		Sessions: w.db.Sessions(), Front: web.Handler(front), Log: log, Now: now,
	}))
	handler = p.Handler()
	w.people()
	return w
}

func (w *world) people() {
	ctx, t := w.t.Context(), w.t
	w.here = must[tenant.Tenant](t)(w.tenants.Create(ctx, "Here"))
	w.there = must[tenant.Tenant](t)(w.tenants.Create(ctx, "There"))
	// Real passwords take a tenth of a second and 64 MiB each, to make and to check; these do not.
	hash := must[string](t)(argon2id.CreateHash(password, &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}))
	nums := &ident.Numbers{}
	user := func(in tenant.Tenant, name string, role tenant.Role) tenant.User {
		u := tenant.User{
			Num: tenant.UserNum(nums.Next(w.clock.Now())), Tenant: in.Key, UserID: ident.UserID(), Name: name,
			Email: strings.ToLower(name) + "@example.org", Role: role, CreatedAt: w.clock.Now(),
		}
		check(t, w.db.AddUser(ctx, u, hash))
		return u
	}
	w.ada, w.olga, w.mia = user(w.here, "Ada", tenant.Admin), user(w.here, "Olga", tenant.Member), user(w.here, "Mia", tenant.Member)
	w.bob = user(w.there, "Bob", tenant.Admin)
}

// reserve makes a meeting number of olga's.
func (w *world) reserve(topic string, s meeting.Settings, key string) meeting.Reserve {
	w.t.Helper()
	s.Topic = topic
	spec := meeting.ReserveSpec{EndAt: w.clock.Now().Add(24 * time.Hour), Settings: s, Password: &key}
	return must[meeting.Reserve](w.t)(w.meetings.Apply(w.t.Context(), tenant.Actor{Tenant: w.here.Key, User: w.olga.Num}, spec))
}

// join lets somebody in and lets the SFU see them.
func (w *world) join(no string, u tenant.User) (meeting.Meeting, string) {
	w.t.Helper()
	m, p, err := w.meetings.Enter(w.t.Context(), no, meeting.Visitor{User: &u})
	check(w.t, err)
	check(w.t, w.meetings.Joined(w.t.Context(), m.ID, p.ID, w.clock.Now()))
	m, err = w.db.MeetingByID(w.t.Context(), m.Tenant, m.ID)
	check(w.t, err)
	return m, p.ID
}

// runMeeting starts olga's meeting with mia in it.
func (w *world) runMeeting() {
	w.t.Helper()
	r := w.reserve("Weekly", meeting.Settings{}, "")
	w.running, w.olgaSeat = w.join(r.No, w.olga)
	_, w.miaSeat = w.join(r.No, w.mia)
}

// recordMeeting makes a minute of a meeting of olga's in which mia took part.
func (w *world) recordMeeting() {
	w.t.Helper()
	ctx := w.t.Context()
	w.secretTopic = "Merger with Umbrella 保密"
	r := w.reserve(w.secretTopic, meeting.Settings{}, "")
	m, _ := w.join(r.No, w.olga)
	w.clock.pass(2 * time.Second)
	w.join(r.No, w.mia)
	olga := tenant.Actor{Tenant: w.here.Key, User: w.olga.Num}
	check(w.t, w.recordings.Start(ctx, olga, m.ID, nil))
	w.clock.pass(time.Minute)
	check(w.t, w.meetings.End(ctx, olga, m.ID))
	rec, err := w.db.Recordings().ByMeeting(ctx, w.here.Key, m.ID)
	check(w.t, err)
	w.minute = ident.Minute()
	w.video = bytes.Repeat([]byte("0123456789abcdef"), 4096)
	w.files["minutes/"+w.minute+".mp4"], w.files["minutes/"+w.minute+".jpg"] = w.video, []byte("\xff\xd8\xff poster")
	check(w.t, w.recordings.Finish(ctx, rec.ID, w.minute, recording.Result{Duration: time.Minute, Minute: recording.MinuteFile{
		File: "minutes/" + w.minute + ".mp4", Poster: "minutes/" + w.minute + ".jpg", Size: int64(len(w.video)), Defects: []string{"a gap of 2 s"},
	}}))
}

func (w *world) makeApp() {
	w.t.Helper()
	app, _, err := w.tenants.CreateApp(w.t.Context(), w.here, tenant.AppSpec{
		Name: "Archive", Scopes: []string{scope.RecordRead, scope.MeetingRead, scope.OfflineAccess}, Redirects: []string{"https://app.example/back?keep=1#top"},
		EventURL: "https://app.example/hook", Events: []string{string(event.RecordingReady)},
	})
	check(w.t, err)
	w.app = app
}

// browser is somebody in front of a browser.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

func (w *world) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{t: w.t, base: w.url, http: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as is a browser in which u is signed in.
func (w *world) as(u tenant.User) *browser {
	w.t.Helper()
	b := w.browser()
	if a := b.post("/api/login", map[string]string{"email": u.Email, "password": password}); a.status != 200 {
		w.t.Fatalf("login of %s: %s", u.Name, a)
	}
	return b
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// into decodes the body.
func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("%v in %s", err, a)
	}
}

// code of a refusal.
func (a answer) code() string {
	var r refusalJSON
	_ = json.Unmarshal([]byte(a.body), &r)
	return r.Error.Code
}

func (b *browser) send(method, path string, body any, header ...string) answer {
	b.t.Helper()
	var content io.Reader
	switch v := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(v)
	default:
		j, err := json.Marshal(v)
		check(b.t, err)
		content = bytes.NewReader(j)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, content)
	check(b.t, err)
	if method != "GET" && method != "HEAD" {
		r.Header.Set("X-Huilu", "1")
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			r.Header.Del(header[i])
		}
	}
	res, err := b.http.Do(r)
	check(b.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	check(b.t, err)
	return answer{res.StatusCode, res.Header, string(text)}
}

func (b *browser) get(path string, header ...string) answer {
	b.t.Helper()
	return b.send("GET", path, nil, header...)
}
func (b *browser) post(path string, body any, header ...string) answer {
	b.t.Helper()
	return b.send("POST", path, body, header...)
}

// want fails unless a has this status and, for a refusal, this code.
func want(t *testing.T, what string, a answer, status int, code string) {
	t.Helper()
	if a.status != status || (status >= 400 && a.code() != code) {
		t.Errorf("%s: got %s, want %d %s", what, a, status, code)
	}
}

// notVerified is what the verifier says of a receiver that does not answer.
var notVerified = field.Because(event.ErrNotVerified, "event_url", "must answer the challenge: connection refused")
