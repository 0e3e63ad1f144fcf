package pages

import (
	"fmt"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"huilu/internal/meeting"
	"huilu/internal/recording"
)

// cast is who calls each route, in the order of the columns below: the owner last, so that what the others
// are refused has not already happened.
var cast = []string{"anonymous", "guest", "member", "admin", "foreign admin", "owner"}

// admission is what each caller gets from one route. A number alone is a success or a refusal without a body;
// "403 admin_only" is a refusal with its code. Columns as in cast.
type admission struct {
	route string
	body  any
	want  [6]string
}

const (
	signIn  = "401 login_needed"
	noAdmin = "403 admin_only"
	gone    = "404 not_found"
)

func TestEveryRouteLetsInWhomItsTableNames(t *testing.T) {
	w := newWorld(t, "")
	w.recordMeeting()
	w.makeApp()
	w.runMeeting()
	open := w.reserve("Open house", meeting.Settings{ActionPermissions: []meeting.ActionPermission{meeting.GuestsWelcome()}}, "")
	consent := "client_id=" + w.app.ID + "&redirect_uri=https%3A%2F%2Fapp.example%2Fback%3Fkeep%3D1%23top&scope=vc:record:readonly"

	callers := []*browser{w.browser(), w.browser(), w.as(w.mia), w.as(w.ada), w.as(w.bob), w.as(w.olga)}
	if a := callers[1].post("/api/join/"+open.No, map[string]string{"name": "Gus"}); a.status != 200 {
		t.Fatalf("a guest should have got in: %s", a)
	}
	path := strings.NewReplacer("{meeting_id}", w.running.Room(), "{meeting_no}", w.running.No, "{minute_token}", w.minute, "{app_id}", w.app.ID, "{user_id}", w.mia.UserID)

	people := func(status string) [6]string { return [6]string{signIn, signIn, status, status, status, status} }
	admins := func(here, there string) [6]string { return [6]string{signIn, signIn, noAdmin, here, there, noAdmin} }
	// A meeting of another tenant looks like none; in the own tenant only its host may.
	hosts := func(status string) [6]string {
		return [6]string{signIn, signIn, "403 not_host", "403 not_host", gone, status}
	}
	owners := func(status string) [6]string {
		return [6]string{signIn, signIn, "403 not_permitted", "403 not_permitted", gone, status}
	}
	body := func(kv ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return m
	}
	table := []admission{
		{"GET /api/me", nil, people("200")},
		{"GET /api/status", nil, [6]string{"200", "200", "200", "200", "200", "200"}},
		{"GET /api/meetings", nil, people("200")},
		{"POST /api/reserves", map[string]any{"topic": "t", "auto_record": false, "guests": false}, people("200")},
		{"GET /api/join/{meeting_no}", nil, [6]string{"200", "200", "200", "200", "200", "200"}},
		{"POST /api/join/{meeting_no}", body("name", "x"), [6]string{signIn, signIn, "200", "200", "403 not_allowed", "200"}},
		{"POST /api/meetings/{meeting_id}/recording", body("action", "start"), hosts("204")},
		{"POST /api/meetings/{meeting_id}/mute", body("identity", w.miaSeat), hosts("204")},
		{"POST /api/meetings/{meeting_id}/kick", body("identity", w.miaSeat), hosts("204")},
		{"POST /api/meetings/{meeting_id}/host", body("identity", w.olgaSeat), hosts("409 self")},
		{"POST /api/meetings/{meeting_id}/end", nil, hosts("204")},
		{"GET /api/minutes/{minute_token}", nil, owners("200")},
		{"GET /api/minutes/{minute_token}/media", nil, owners("200")},
		{"GET /api/minutes/{minute_token}/poster", nil, owners("200")},
		{"GET /api/oauth/authorize?" + consent, nil, [6]string{signIn, signIn, "200", "200", "400 20010", "200"}},
		{"POST /api/oauth/authorize", map[string]any{"query": consent, "allow": true}, [6]string{signIn, signIn, "200", "200", "400 20010", "200"}},
		{"GET /api/scopes", nil, people("200")},
		{"GET /api/event-types", nil, people("200")},
		{"GET /api/apps", nil, admins("200", "200")},
		{"POST /api/apps", body("name", "New"), admins("200", "200")},
		{"GET /api/apps/{app_id}", nil, admins("200", gone)},
		{"PATCH /api/apps/{app_id}", body("name", "Renamed"), admins("200", gone)},
		{"POST /api/apps/{app_id}/secret", nil, admins("200", gone)},
		{"GET /api/apps/{app_id}/deliveries", nil, admins("200", gone)},
		{"GET /api/users", nil, admins("200", "200")},
		{"POST /api/users", body("name", "N", "email", "{unique}", "password", password), admins("200", "200")},
		{"PATCH /api/users/{user_id}", map[string]bool{"disabled": false}, admins("200", gone)},
		{"POST /api/login", body("email", "nobody@example.org", "password", "wrong"), [6]string{"401 bad_login", "401 bad_login", "401 bad_login", "401 bad_login", "401 bad_login", "401 bad_login"}},
		{"POST /api/logout", nil, [6]string{"204", "204", "204", "204", "204", "204"}}, // last: it ends the sessions
	}
	for _, row := range table {
		method, target, _ := strings.Cut(row.route, " ")
		for i, c := range callers {
			sent := row.body
			if m, ok := sent.(map[string]string); ok && m["email"] == "{unique}" {
				sent = body("name", "N", "email", fmt.Sprintf("n%d@example.org", i), "password", password)
			}
			a := c.send(method, path.Replace(target), sent)
			got := strconv.Itoa(a.status)
			if a.status >= 400 {
				got += " " + a.code()
			}
			if got != row.want[i] {
				t.Errorf("%s by %s: got %s, want %s (%s)", row.route, cast[i], got, row.want[i], a.body)
			}
		}
	}
	for _, r := range routes {
		if !slices.ContainsFunc(table, func(row admission) bool {
			route, _, _ := strings.Cut(row.route, "?")
			return route == r.method+" "+r.path
		}) {
			t.Errorf("%s %s is in no row: say who gets what", r.method, r.path)
		}
	}
	if n := strings.Count(strings.Join(w.rooms.did, "\n"), "mute"); n != 1 {
		t.Errorf("the room heard of %d mutes, want the host's one", n)
	}
	rec, err := w.db.Recordings().ByMeeting(t.Context(), w.here.Key, w.running.ID)
	if err != nil || rec.State != recording.Processing {
		t.Errorf("after the host recorded and ended, the recording is %q, %v", rec.State, err)
	}
	if a, _ := w.tenants.App(t.Context(), w.app.ID); a.Name != "Renamed" || a.Disabled {
		t.Errorf("the app is %q, disabled %v", a.Name, a.Disabled)
	}
}

func TestUnknownCallsAndMethodsAnswerJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := w.browser()
	want(t, "unknown path", b.get("/api/nothing"), 404, "not_found")
	want(t, "unknown path", b.post("/api/", nil), 404, "not_found")
	a := b.send("DELETE", "/api/apps/cli_1", nil)
	want(t, "unknown method", a, 405, "method_not_allowed")
	if allow := a.header.Get("Allow"); allow != "GET, PATCH" {
		t.Errorf("Allow: %s", allow)
	}
}

func TestWritesFromOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.makeApp()
	b := w.as(w.ada)
	strange := map[string][]string{
		"without our header":     {"X-Huilu", ""},
		"fetch of another site":  {"Sec-Fetch-Site", "cross-site"},
		"fetch of a sister site": {"Sec-Fetch-Site", "same-site"},
		"form of an old browser": {"Origin", "https://evil.example"},
		"sandboxed frame":        {"Origin", "null"},
	}
	for _, r := range routes {
		if r.method == "GET" {
			continue
		}
		path := strings.NewReplacer("{app_id}", w.app.ID, "{user_id}", w.mia.UserID, "{meeting_id}", "1", "{meeting_no}", "123456789").Replace(r.path)
		for name, header := range strange {
			a := b.send(r.method, path, map[string]string{"name": "Changed"}, header...)
			want(t, name+" to "+r.method+" "+r.path, a, 403, "cross_origin")
		}
	}
	if a := b.get("/api/me"); a.status != 200 {
		t.Errorf("the session did not survive: %s", a)
	}
	if a, _ := w.tenants.App(t.Context(), w.app.ID); a.Name != "Archive" {
		t.Errorf("the app was renamed to %q", a.Name)
	}
	if a := b.post("/api/reserves", map[string]any{"topic": "x"}, "Origin", w.url, "Sec-Fetch-Site", "same-origin"); a.status != 200 {
		t.Errorf("our own page was refused: %s", a)
	}
}

// A proxy may call us by another name than the browser does; the base URL still is ours.
func TestThePublicAddressIsOursBehindAProxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "https://meet.example.org")
	b := w.browser()
	a := b.post("/api/login", map[string]string{"email": "ada@example.org", "password": password}, "Origin", "https://meet.example.org")
	if a.status != 200 {
		t.Fatalf("refused: %s", a)
	}
}

func TestBodiesAreReadStrictly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := w.as(w.ada)
	for _, c := range []struct {
		name, body, header string
		status             int
		code               string
	}{
		{"no JSON", `topic=x`, "application/json", 400, "bad_request"},
		{"half a body", `{"topic":"x"`, "application/json", 400, "bad_request"},
		{"nothing", ``, "application/json", 400, "bad_request"},
		{"a list", `[1]`, "application/json", 400, "bad_request"},
		{"wrong type", `{"topic":5}`, "application/json", 400, "bad_request"},
		{"unknown field", `{"topic":"x","owner":"ada"}`, "application/json", 400, "bad_request"},
		{"two values", `{"topic":"x"} {}`, "application/json", 400, "bad_request"},
		{"too long", `{"topic":"` + strings.Repeat("x", maxBody) + `"}`, "application/json", 413, "too_large"},
		{"a form", `{"topic":"x"}`, "application/x-www-form-urlencoded", 415, "not_json"},
		{"text, which needs no permission across sites", `{"topic":"x"}`, "text/plain", 415, "not_json"},
		{"broken rule", `{"topic":"` + strings.Repeat("长", 256) + `"}`, "application/json", 400, "invalid"},
	} {
		want(t, c.name, b.send("POST", "/api/reserves", c.body, "Content-Type", c.header), c.status, c.code)
	}
	lines, err := w.db.Mine(t.Context(), w.here.Key, w.ada.Num, w.clock.Now(), 1<<62, 10)
	if err != nil || len(lines) != 0 {
		t.Errorf("something was reserved: %v, %v", lines, err)
	}
	if a := b.send("POST", "/api/reserves", `{"topic":"会"}`, "Content-Type", "application/json; charset=utf-8"); a.status != 200 {
		t.Errorf("a good one was refused: %s", a)
	}
	want(t, "long query", b.get("/api/meetings?cursor="+strings.Repeat("1", maxQuery)), 413, "too_large")
}

func TestEveryAnswerKeepsToItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.recordMeeting()
	b := w.as(w.olga)
	for path, cached := range map[string]string{
		"/api/me": "no-store", "/api/nothing": "no-store", "/api/status": "no-store",
		"/api/minutes/" + w.minute + "/media": "private, no-cache",
	} {
		h := b.get(path).header
		for name, value := range map[string]string{
			"Cache-Control": cached, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if h.Get(name) != value {
				t.Errorf("%s: %s is %q, want %q", path, name, h.Get(name), value)
			}
		}
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") && cached == "no-store" {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
	for _, path := range []string{"/", "/login", "/j/123456789", "/minutes/" + w.minute, "/admin/apps", "/nothing/here"} {
		a := w.browser().get(path)
		status := map[bool]int{true: http.StatusNotFound, false: http.StatusOK}[path == "/nothing/here"]
		csp := a.header.Get("Content-Security-Policy")
		if a.status != status || a.header.Get("Cache-Control") != "no-cache" || a.header.Get("X-Robots-Tag") == "" {
			t.Errorf("%s: %d, Cache-Control %q, X-Robots-Tag %q", path, a.status, a.header.Get("Cache-Control"), a.header.Get("X-Robots-Tag"))
		}
		for _, part := range []string{"default-src 'self'", "script-src 'self';", "frame-ancestors 'none'", "object-src 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: policy %q lacks %s", path, csp, part)
			}
		}
		if p := a.header.Get("Permissions-Policy"); !strings.Contains(p, "camera=(self)") || !strings.Contains(p, "display-capture=(self)") {
			t.Errorf("%s: Permissions-Policy %q", path, p)
		}
	}
	if c := w.browser().get("/assets/app-1234abcd.js").header.Get("Cache-Control"); !strings.Contains(c, "immutable") {
		t.Errorf("hashed file: Cache-Control %q", c)
	}
}

func TestPagesKnowNoAdapterAndNoOtherSurface(t *testing.T) {
	t.Parallel()
	forbidden := map[string]string{
		"huilu/internal/openapi": "surfaces stand side by side", "huilu/internal/store": "what is needed of the database is said in interfaces",
		"huilu/internal/sfu": "tickets are signed behind an interface", "database/sql": "rules and SQL live elsewhere", "huilu/internal/app": "app wires pages, not the other way",
	}
	sources, err := filepath.Glob("*.go")
	check(t, err)
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		check(t, err)
		for _, imp := range f.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			if why, bad := forbidden[path]; bad {
				t.Errorf("%s imports %s: %s", name, path, why)
			}
		}
	}
}
