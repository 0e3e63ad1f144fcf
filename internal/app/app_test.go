package app_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huilu/internal/app"
	"huilu/internal/app/apptest"
	"huilu/internal/config"
)

func load(t *testing.T, flags map[string]string) config.Config {
	t.Helper()
	all := map[string]string{"data": filepath.Join(t.TempDir(), "data"), "listen": "127.0.0.1:0", "sfu.udp_port": "0", "sfu.tcp_port": "0"}
	for k, v := range flags {
		all[k] = v
	}
	c, err := config.Load(config.Source{Flags: all})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func TestOnePortAnswersEverybody(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, nil)
	for path, want := range map[string]struct {
		status int
		kind   string
		text   string
	}{
		"/healthz":                              {200, "text/plain", "ok"},
		"/readyz":                               {200, "application/json", `"ready":true`},
		"/metrics":                              {200, "text/plain", "go_goroutines"},
		"/":                                     {200, "text/html", "<div id="},
		"/j/123456789":                          {200, "text/html", "<div id="},
		"/api/me":                               {401, "application/json", ""},
		"/open-apis/nobody":                     {404, "text/plain", "404 page not found"},
		"/open-apis/vc/v1/meetings/1/recording": {400, "application/json", "99991661"},
		"/download/minutes/x":                   {404, "", ""},
		"/rtc/validate":                         {401, "", ""},
		"/debug/pprof/":                         {404, "", ""},
		"/twirp/livekit.RoomService/ListRooms":  {404, "", ""},
	} {
		resp, text := get(t, s.URL()+path)
		status := resp.StatusCode
		if path == "/download/minutes/x" && status == http.StatusBadRequest {
			status = want.status // either refuses
		}
		if status != want.status || !strings.HasPrefix(resp.Header.Get("Content-Type"), want.kind) || !strings.Contains(text, want.text) {
			t.Errorf("%s: %s, %s, %.200q", path, resp.Status, resp.Header.Get("Content-Type"), text)
		}
	}
}

func TestASecondServerOnThePortSaysWhatToDo(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = app.New(t.Context(), load(t, map[string]string{"listen": l.Addr().String()}), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "is huilu running there already? Otherwise change the setting listen") {
		t.Errorf("%v", err)
	}
}

func TestAServerThatIsNeverServedLetsGoOfEverything(t *testing.T) {
	t.Parallel()
	cfg := load(t, nil)
	for range 2 {
		a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Listen = strings.TrimPrefix(a.URL(), "http://") // the same port again
		ended, stop := context.WithCancel(t.Context())
		stop()
		if err := a.Run(ended); err != nil {
			t.Fatal(err)
		}
		if err := a.DB.Ping(t.Context()); err == nil {
			t.Error("the database is still open")
		}
	}
}

func TestPeopleWhoHoldConnectionsDoNotHoldUpTheStop(t *testing.T) {
	t.Parallel()
	a, err := app.New(t.Context(), load(t, nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// A request that is being answered: its body does not end.
	if _, err := io.WriteString(conn, "POST /api/login HTTP/1.1\r\nHost: x\r\nX-Huilu: 1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	resp, _ := get(t, a.URL()+"/healthz") // now it serves
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%s", resp.Status)
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the server does not stop")
	}
}

// TestWhatIsWrongIsOnReadyz breaks things while the server runs.
func TestWhatIsWrongIsOnReadyz(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, nil)
	if err := s.DB.Close(); err != nil {
		t.Fatal(err)
	}
	var said struct {
		Ready    bool     `json:"ready"`
		Problems []string `json:"problems"`
	}
	s.Eventually("the database is reported", time.Minute, func() bool {
		resp, text := get(t, s.URL()+"/readyz")
		if err := json.Unmarshal([]byte(text), &said); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode == http.StatusServiceUnavailable
	})
	if said.Ready || !strings.Contains(strings.Join(said.Problems, "\n"), "database: The database does not answer") {
		t.Errorf("%+v", said)
	}
	if resp, _ := get(t, s.URL()+"/healthz"); resp.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %s; the process itself is well", resp.Status)
	}
}
