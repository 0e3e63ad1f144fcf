package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"huilu/internal/config"
	"huilu/internal/health"
)

func TestOnlyOurOwnProxyIsBelieved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		forwarded []string
		want      string
	}{
		"no proxy":                               {nil, "192.0.2.9"},
		"one that says it all":                   {[]string{"198.51.100.7"}, "198.51.100.7"},
		"one that adds to what the client sent":  {[]string{"6.6.6.6, 198.51.100.7"}, "198.51.100.7"},
		"one that adds a header of its own":      {[]string{"6.6.6.6", "198.51.100.7"}, "198.51.100.7"},
		"both, from a client that tries as well": {[]string{"6.6.6.6, 7.7.7.7", "8.8.8.8,198.51.100.7"}, "198.51.100.7"},
		"one that says nothing":                  {[]string{"6.6.6.6", ""}, "192.0.2.9"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "192.0.2.9:1234"
		r.Header["X-Forwarded-For"] = c.forwarded
		if got := (&App{Core: &Core{Config: config.Config{TrustForwards: true}}}).address()(r); got != c.want {
			t.Errorf("%s: a request from %s, want %s", name, got, c.want)
		}
	}
	if (&App{Core: &Core{}}).address() != nil {
		t.Error("without the setting no header is believed")
	}
}

func TestMetricsAreForThisMachineOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, host, header string
		want               int
	}{
		"this machine":                     {"127.0.0.1:1", "127.0.0.1:8080", "", 200},
		"this machine, by name":            {"127.0.0.1:1", "localhost", "", 200},
		"this machine, IPv6":               {"[::1]:1", "[::1]:8080", "", 200},
		"this machine, IPv6, usual port":   {"[::1]:1", "[::1]", "", 200},
		"another":                          {"192.0.2.9:1", "127.0.0.1:8080", "", 404},
		"a browser on a stranger's page":   {"127.0.0.1:1", "rebound.example:8080", "", 404},
		"somebody behind a proxy":          {"127.0.0.1:1", "127.0.0.1:8080", "X-Forwarded-For", 404},
		"somebody behind another":          {"127.0.0.1:1", "127.0.0.1:8080", "Forwarded", 404},
		"somebody behind a third":          {"127.0.0.1:1", "127.0.0.1:8080", "X-Real-IP", 404},
		"somebody behind one that is mute": {"127.0.0.1:1", "meet.example.org", "", 404},
		"nobody knows":                     {"@", "127.0.0.1:8080", "", 404},
	} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		if r.RemoteAddr, r.Host = c.from, c.host; c.header != "" {
			r.Header.Set(c.header, "127.0.0.1")
		}
		w := httptest.NewRecorder()
		onlyLocal(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", name, w.Code, c.want)
		}
	}
}

func TestStrangersLearnWhatIsWrongButNotWhere(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "gone")
	a := &App{health: health.New(config.Config{Data: folder, PublicURL: "https://meet.example.org"}, well{})}
	for from, want := range map[string]string{
		"127.0.0.1:1": "data_folder: ", "192.0.2.9:1": `["data_folder"]`,
	} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/readyz", nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		a.readyz(w, r)
		if body := w.Body.String(); w.Code != http.StatusServiceUnavailable || !strings.Contains(body, want) || strings.Contains(body, folder) != (from == "127.0.0.1:1") {
			t.Errorf("%s is told %d %s", from, w.Code, body)
		}
	}
}

// well is a database without complaints.
type well struct{}

func (well) Healthy(context.Context) error { return nil }
