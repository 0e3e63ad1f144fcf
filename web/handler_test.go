package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

var built = fstest.MapFS{
	".gitkeep":            {Data: []byte("kept")},
	"index.html":          {Data: []byte("<!doctype html>the program")},
	"favicon.svg":         {Data: []byte("<svg/>")},
	"assets/app-a1.js":    {Data: []byte("plain script")},
	"assets/app-a1.js.gz": {Data: []byte("compressed script")},
}

func ask(t *testing.T, files fstest.MapFS, method, target, encoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	Handler(files).ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEachAddressGetsItsFileOrThePage(t *testing.T) {
	t.Parallel()
	const page = "<!doctype html>the program"
	for _, c := range []struct {
		target string
		status int
		body   string
	}{
		{"/", 200, page},
		{"/login?next=%2Fj%2F123456789", 200, page},
		{"/j/123456789", 200, page},
		{"/minutes/obcn37dxcftoc3656rgyejm7", 200, page},
		{"/oauth/consent?client_id=cli_a", 200, page},
		{"/admin", 200, page},
		{"/admin/apps", 200, page},
		{"/admin/apps/cli_a", 200, page},
		{"/admin/users", 200, page},
		{"/app/cli_a/auth?q=vc:record", 200, page},
		{"/index.html", 404, page},
		{"/no/such/page", 404, page},
		{"/.gitkeep", 404, page},
		{"/favicon.svg", 200, "<svg/>"},
		{"/assets/app-a1.js", 200, "plain script"},
		{"/assets/app-a1.js.gz", 404, "404 page not found\n"},
		{"/assets/old.js", 404, "404 page not found\n"},
		{"/assets/../assets/app-a1.js", 200, "plain script"},
		{"/assets", 404, page},
	} {
		res := ask(t, built, http.MethodGet, c.target, "")
		if got := text(t, res); res.StatusCode != c.status || got != c.body {
			t.Errorf("%s = %d %q; want %d %q", c.target, res.StatusCode, got, c.status, c.body)
		}
	}
}

func TestCompressedCopyGoesOnlyToWhoTakesIt(t *testing.T) {
	t.Parallel()
	for encoding, want := range map[string]string{
		"gzip, deflate, br": "compressed script",
		"br;q=1, gzip;q=0":  "plain script",
		"br":                "plain script",
	} {
		res := ask(t, built, http.MethodGet, "/assets/app-a1.js", encoding)
		if got := text(t, res); got != want {
			t.Errorf("Accept-Encoding %q got %q, want %q", encoding, got, want)
		}
		if (res.Header.Get("Content-Encoding") == "gzip") != (want == "compressed script") {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q", encoding, res.Header.Get("Content-Encoding"))
		}
		if got := res.Header.Get("Content-Type"); got != "text/javascript; charset=utf-8" {
			t.Errorf("Content-Type %q", got)
		}
	}
}

func TestOnlyNamedFilesAreCachedForLong(t *testing.T) {
	t.Parallel()
	if got := ask(t, built, http.MethodGet, "/assets/app-a1.js", "").Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("asset: Cache-Control %q", got)
	}
	for _, target := range []string{"/", "/nothing"} {
		if got := ask(t, built, http.MethodGet, target, "").Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control %q", target, got)
		}
	}
}

func TestPagesOfABinaryBuiltWithoutThemSayWhatToDo(t *testing.T) {
	t.Parallel()
	bare := fstest.MapFS{".gitkeep": {Data: []byte("kept")}}
	res := ask(t, bare, http.MethodGet, "/j/123456789", "")
	if got := text(t, res); res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(got, "run make build") {
		t.Errorf("got %d %q", res.StatusCode, got)
	}
}

func TestPolicyAllowsNoForeignAndNoInlineScript(t *testing.T) {
	t.Parallel()
	head := ask(t, built, http.MethodGet, "http://meet.example:8080/", "").Header
	policy := head.Get("Content-Security-Policy")
	for _, want := range []string{"script-src 'self';", "frame-ancestors 'none'", "connect-src 'self' ws://meet.example:8080 wss://meet.example:8080;"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %q", policy, want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "evil; script-src *"
	w := httptest.NewRecorder()
	Handler(built).ServeHTTP(w, r)
	if got := w.Header().Get("Content-Security-Policy"); strings.Contains(got, "evil") {
		t.Errorf("a Host header reached the policy: %q", got)
	}
}

func TestPagesAreReadNotWritten(t *testing.T) {
	t.Parallel()
	if res := ask(t, built, http.MethodPost, "/login", ""); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d, want 405", res.StatusCode)
	}
	res := ask(t, built, http.MethodHead, "/nothing", "")
	if got := text(t, res); res.StatusCode != http.StatusNotFound || got != "" {
		t.Errorf("HEAD = %d %q, want 404 and no body", res.StatusCode, got)
	}
}

// TestPlaceholderSurvivesABuild guards the only file of dist that is committed: a build empties dist and copies
// public into it, so both must hold it.
func TestPlaceholderSurvivesABuild(t *testing.T) {
	t.Parallel()
	kept, err := os.ReadFile(filepath.Join("public", ".gitkeep"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join("dist", ".gitkeep")); err != nil || string(got) != string(kept) {
		t.Errorf("dist/.gitkeep is not the copy of public/.gitkeep: %v", err)
	}
}

// TestEveryRouteOfTheProgramHasAnAddress compares the routes of src/app.tsx with the addresses the server knows.
func TestEveryRouteOfTheProgramHasAnAddress(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("src", "app.tsx"))
	if err != nil {
		t.Fatal(err)
	}
	routes := regexp.MustCompile(`path: '(/[^']*)'`).FindAllStringSubmatch(string(source), -1)
	if len(routes) < 8 {
		t.Fatalf("found %d routes in src/app.tsx; the pattern no longer fits", len(routes))
	}
	for _, m := range routes {
		address := regexp.MustCompile(`:[a-z_]+`).ReplaceAllString(m[1], "x")
		if !pagePaths.MatchString(address) {
			t.Errorf("route %s: the server would answer 404 for %s", m[1], address)
		}
	}
}
