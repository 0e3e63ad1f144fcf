package openapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huilu/internal/limit"
	"huilu/internal/minute"
	"huilu/internal/openapi"
	"huilu/internal/recording"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// code reads the code of an answer.
func code(t testing.TB, body []byte) int {
	t.Helper()
	var reply struct{ Code int }
	if err := json.Unmarshal(body, &reply); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return reply.Code
}

// full is a limiter whose windows are full while on is true.
type full struct{ on atomic.Bool }

func (f *full) Take(context.Context, limit.Key, limit.Tier) (limit.Verdict, error) {
	return limit.Verdict{OK: !f.on.Load(), Limit: 50, Wait: time.Second}, nil
}

// TestGatewayChecksInTheContractsOrder sends a call with everything wrong and
// mends one thing after the other: each answer must be about the next wrong thing (gateway.md §4).
func TestGatewayChecksInTheContractsOrder(t *testing.T) {
	t.Parallel()
	limiter := &full{}
	limiter.on.Store(true)
	w := newWorld(t, func(o *options) { o.limiter = limiter })
	disabled := w.apps["disabled"]
	enabled := disabled
	enabled.Disabled = false
	dead := must(w.tokens.ForTenant(t.Context(), enabled, w.acme.Key))(t).Token
	bareUser := w.userToken("bare", "lin", nil)
	// an app with one scope, and a person who has not granted it
	w.addApp("some", w.acme, tenant.Custom, []string{scope.Reserve})
	ungranted := w.userToken("some", "lin", scope.Set{scope.RecordRead})
	granted := w.userToken("some", "lin", scope.Set{scope.Reserve})
	const apply = "/open-apis/vc/v1/reserves/apply"
	const badQuery, badBody = "?user_id_type=user_id", `{"end_time":5}`
	hosts := `{"end_time":"1","meeting_settings":{"action_permissions":[{"permission":9,"permission_checkers":[{"check_field":1,"check_mode":1,"check_list":["ou_x"]}]}]}}`
	noHosts := `{"end_time":"1","meeting_settings":{"action_permissions":[{"permission":9,"permission_checkers":[{"check_field":2,"check_mode":1,"check_list":["1"]}]}]}}`
	for _, s := range []struct {
		what               string
		method, path, auth string
		body               string
		full               bool
		code               int
	}{
		{"route", "PUT", "/open-apis/vc/v1/reserves/apply/x", "", "", true, 404},
		{"method", "GET", apply + badQuery, "", badBody, true, 99991301},
		{"token missing", "POST", apply + badQuery, "", badBody, true, 99991661},
		{"token parse", "POST", apply + badQuery, "x-1", badBody, true, 99991671},
		{"token validity", "POST", apply + badQuery, "t-1", badBody, true, 99991663},
		{"token kind, before the app's state", "PATCH", "/open-apis/vc/v1/meetings/x/end", dead, badBody, true, 99991663},
		{"app enabled", "POST", apply + badQuery, dead, badBody, true, 99991662},
		{"rate limit", "POST", apply + badQuery, bareUser, badBody, true, 99991400},
		{"app scope", "POST", apply + badQuery, bareUser, badBody, false, 99991672},
		{"user grant", "POST", apply + badQuery, ungranted, badBody, false, 99991679},
		{"params", "POST", apply + badQuery, granted, badBody, false, 99992402},
		{"field scope", "POST", apply + badQuery, granted, hosts, false, 99991672},
		{"id resolution", "POST", apply, granted, hosts, false, 99992351},
		{"business", "POST", apply, granted, noHosts, false, 121003},
	} {
		limiter.on.Store(s.full)
		res, body := w.do(request(s.method, s.path, s.auth, s.body))
		if s.code == 404 {
			if res.StatusCode != 404 || string(body) != "404 page not found\n" {
				t.Errorf("%s: HTTP %d %s", s.what, res.StatusCode, body)
			}
			continue
		}
		if got := code(t, body); got != s.code {
			t.Errorf("%s: %s; want %d", s.what, body, s.code)
		}
	}
}

func TestFiftyFirstCallInASecondIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.recorded("app", "lin", recording.Ready)
	get := func(auth string) (*http.Response, []byte) {
		return w.do(request("GET", "/open-apis/vc/v1/meetings/"+m.Room()+"/recording", auth, ""))
	}
	app, second := w.tenantToken("app"), w.tenantToken("second")
	for i := range 50 {
		if res, body := get(app); res.StatusCode != http.StatusOK {
			t.Fatalf("call %d: %s", i+1, body)
		}
	}
	res, body := get(app)
	if res.StatusCode != http.StatusTooManyRequests || string(body) != `{"code":99991400,"msg":"request trigger frequency limit"}` ||
		res.Header.Get("x-ogw-ratelimit-limit") != "50" || res.Header.Get("x-ogw-ratelimit-reset") != "1" {
		t.Errorf("call 51: HTTP %d %s %v", res.StatusCode, body, res.Header)
	}
	if res, _ := get(w.userToken("app", "lin", nil)); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a person's calls through the same app count apart from its own: HTTP %d", res.StatusCode)
	}
	if res, _ := get(second); res.StatusCode != http.StatusOK {
		t.Errorf("another app was refused too: HTTP %d", res.StatusCode)
	}
	if res, _ := w.do(request("GET", "/open-apis/vc/v1/meetings/"+m.Room(), app, "")); res.StatusCode != http.StatusOK {
		t.Errorf("another API was refused too: HTTP %d", res.StatusCode)
	}
	w.clock.add(time.Second)
	if res, _ := get(app); res.StatusCode != http.StatusOK {
		t.Errorf("a second later: HTTP %d", res.StatusCode)
	}
}

// TestEveryRouteHasALimit calls each route until its published tier is used up.
func TestEveryRouteHasALimit(t *testing.T) {
	t.Parallel()
	for _, r := range openapi.Routes() {
		rate := limit.Published()[r.Tier]
		n := rate.PerSecond
		if n == 0 || (rate.PerMinute > 0 && rate.PerMinute < n) {
			n = rate.PerMinute
		}
		if strings.HasPrefix(r.Path, "/download/") || r.Path == "/open-apis/authen/v1/authorize" {
			continue // nobody is known to be calling: these hold no secret and change nothing
		}
		t.Run(strings.ReplaceAll(r.Method+r.Path, "/", "_"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			auth, body := w.goodAuth(r), w.credentials(r)
			for range n {
				if res, answer := w.do(request(r.Method, replaceID(r.Path, "1"), auth, body)); res.StatusCode == http.StatusTooManyRequests {
					t.Fatalf("refused within the limit of %d: %s", n, answer)
				}
			}
			if res, answer := w.do(request(r.Method, replaceID(r.Path, "1"), auth, body)); res.StatusCode != http.StatusTooManyRequests || code(t, answer) != 99991400 {
				t.Errorf("call %d: HTTP %d %s", n+1, res.StatusCode, answer)
			}
		})
	}
}

// credentials is a body with which the token endpoints know who is calling.
func (w *world) credentials(r openapi.Route) string {
	id, secret := w.apps["app"].ID, string(w.secrets["app"])
	switch r.Family {
	case openapi.Auth:
		return fmt.Sprintf(`{"app_id":%q,"app_secret":%q}`, id, secret)
	case openapi.OAuth:
		return fmt.Sprintf(`{"grant_type":"refresh_token","refresh_token":"x","client_id":%q,"client_secret":%q}`, id, secret)
	}
	return ""
}

// broken is a limiter that cannot count.
type broken struct{}

func (broken) Take(context.Context, limit.Key, limit.Tier) (limit.Verdict, error) {
	return limit.Verdict{}, errors.New("no connection")
}

func TestALimiterThatDoesNotAnswerDoesNotStopTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *options) { o.limiter = broken{} })
	m := w.recorded("app", "lin", recording.Ready)
	res, body := w.do(request("GET", "/open-apis/vc/v1/meetings/"+m.Room()+"/recording", w.tenantToken("app"), ""))
	if res.StatusCode != http.StatusOK {
		t.Errorf("HTTP %d %s", res.StatusCode, body)
	}
	if !strings.Contains(w.log.String(), "rate limiter does not answer") {
		t.Error("nothing in the log")
	}
}

func TestDeadDatabaseIsInternalOutsideAndWholeInTheLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.recorded("app", "lin", recording.Ready)
	minute, auth, user := w.minuteOf(m), w.tenantToken("app"), w.userToken("app", "lin", nil)
	check(t, w.db.Close())
	for _, c := range []struct {
		r            *http.Request
		status, code int
	}{
		{request("GET", "/open-apis/vc/v1/meetings/"+m.Room()+"/recording", auth, ""), 500, 121001},
		{request("GET", "/open-apis/minutes/v1/minutes/"+minute, auth, ""), 500, 2091006},
		{request("GET", "/open-apis/authen/v1/user_info", user, ""), 500, 20050},
		{request("POST", "/open-apis/auth/v3/tenant_access_token/internal", "", `{"app_id":"cli_0","app_secret":"x"}`), 200, 2200},
		{request("POST", "/open-apis/authen/v2/oauth/token", "", `{"grant_type":"refresh_token","refresh_token":"x","client_id":"cli_0","client_secret":"x"}`), 500, 20050},
	} {
		w.log.Reset()
		res, body := w.do(c.r)
		if res.StatusCode != c.status || code(t, body) != c.code {
			t.Errorf("%s: HTTP %d %s; want %d, %d", c.r.URL.Path, res.StatusCode, body, c.status, c.code)
		}
		if strings.Contains(string(body), "closed") {
			t.Errorf("%s: the cause is told to the caller: %s", c.r.URL.Path, body)
		}
		log := w.log.String()
		if !strings.Contains(log, "closed") || !strings.Contains(log, res.Header.Get("X-Tt-Logid")) {
			t.Errorf("%s: the log lacks the cause or the log id %s: %s", c.r.URL.Path, res.Header.Get("X-Tt-Logid"), log)
		}
	}
}

// panicking is a file store with a bug.
type panicking struct{}

func (panicking) Open(context.Context, string) (io.ReadSeekCloser, time.Time, int64, error) {
	panic("a bug")
}

func TestPanicInAHandlerIsAnInternalError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deps.Files = panicking{}
	m := must(w.db.MinuteForLink(t.Context(), w.minuteOf(w.recorded("app", "lin", recording.Ready))))(t)
	rec := httptest.NewRecorder()
	openapi.New(w.deps).Handler().ServeHTTP(rec, request("GET", "/download/minutes/"+m.Token+"?sig="+w.minutes.Link(m, minute.Film), "", ""))
	if rec.Code != 500 || code(t, rec.Body.Bytes()) != 2091006 {
		t.Errorf("HTTP %d %s", rec.Code, rec.Body)
	}
	if log := w.log.String(); !strings.Contains(log, "a bug") || !strings.Contains(log, "gateway_test.go") {
		t.Errorf("the log lacks the panic or where it was: %s", log)
	}
}

func TestSlowCallIsAGatewayTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	auth := w.tenantToken("app")
	w.deps.Timeout = time.Nanosecond
	rec := httptest.NewRecorder()
	openapi.New(w.deps).Handler().ServeHTTP(rec, request("GET", "/open-apis/vc/v1/meetings/1/recording", auth, ""))
	if rec.Code != http.StatusGatewayTimeout || code(t, rec.Body.Bytes()) != 121001 {
		t.Errorf("HTTP %d %s", rec.Code, rec.Body)
	}
}

func TestClientThatLeavesIsNotAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.do(request("GET", "/open-apis/vc/v1/meetings/1/recording", w.tenantToken("app"), "").WithContext(ctx))
	if log := w.log.String(); log != "" {
		t.Errorf("logged: %s", log)
	}
}

var logID = regexp.MustCompile(`^[0-9]{14}[0-9a-f]{20}$`)

func TestEveryAnswerHasItsOwnTraceIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := map[string]bool{}
	for _, path := range []string{"/open-apis/vc/v1/meetings/1", "/open-apis/nowhere", "/download/minutes/x", "/open-apis/authen/v1/authorize", "/open-apis/vc/v1/meetings/1"} {
		res, body := w.do(request("GET", path, "", ""))
		id, request := res.Header.Get("X-Tt-Logid"), res.Header.Get("X-Request-Id")
		if !logID.MatchString(id) || !strings.HasPrefix(id, "20260504093000") || len(request) != 32 || seen[id] || seen[request] {
			t.Errorf("%s: X-Tt-Logid %q, X-Request-Id %q", path, id, request)
		}
		seen[id], seen[request] = true, true
		if strings.HasPrefix(string(body), "{") && !strings.Contains(string(body), `"log_id":"`+id+`"`) {
			t.Errorf("%s: the body has another log id: %s", path, body)
		}
	}
}

// TestBodyLimitAnswersOverASocket makes sure that a client that is still sending gets to read why it was refused.
func TestBodyLimitAnswersOverASocket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	srv := httptest.NewServer(w.handler)
	defer srv.Close()
	body := bytes.NewReader([]byte(`{"pad":"` + strings.Repeat("x", openapi.MaxBody) + `"}`))
	req := must(http.NewRequestWithContext(t.Context(), "POST", srv.URL+"/open-apis/vc/v1/reserves/apply", body))(t)
	req.Header.Set("Authorization", "Bearer "+w.tenantToken("app"))
	res := must(http.DefaultClient.Do(req))(t)
	defer res.Body.Close()
	answer := must(io.ReadAll(res.Body))(t)
	if res.StatusCode != 400 || code(t, answer) != 9499 {
		t.Errorf("HTTP %d %s", res.StatusCode, answer)
	}
}

// timed is a connection that notes the deadlines set on it.
type timed struct {
	*httptest.ResponseRecorder
	reads, writes []time.Time
}

func (c *timed) SetReadDeadline(at time.Time) error {
	c.reads = append(c.reads, at)
	return nil
}

func (c *timed) SetWriteDeadline(at time.Time) error {
	c.writes = append(c.writes, at)
	return nil
}

func TestStuckClientsHoldNoConnectionAndNoDeadlineStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := must(w.db.MinuteForLink(t.Context(), w.minuteOf(w.recorded("app", "lin", recording.Ready))))(t)
	down := &timed{ResponseRecorder: httptest.NewRecorder()}
	w.handler.ServeHTTP(down, request("GET", "/download/minutes/"+m.Token+"?sig="+w.minutes.Link(m, minute.Film), "", ""))
	if n := len(down.writes); n < 2 || down.writes[0].IsZero() || !down.writes[n-1].IsZero() || down.Body.Len() != len(video) {
		t.Errorf("download: deadlines %v, %d bytes", down.writes, down.Body.Len())
	}
	up := &timed{ResponseRecorder: httptest.NewRecorder()}
	w.handler.ServeHTTP(up, request("POST", "/open-apis/vc/v1/reserves/apply", w.tenantToken("app"), "{}"))
	if n := len(up.reads); n < 2 || up.reads[0].IsZero() || !up.reads[n-1].IsZero() {
		t.Errorf("body: deadlines %v", up.reads)
	}
}

func TestCallsAreObservedAndLoggedOnlyForDebugging(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var mu sync.Mutex
	var seen []string
	w.deps.Observe = func(api string, status int, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintf("%s %d", api, status))
	}
	var log bytes.Buffer
	w.deps.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := openapi.New(w.deps).Handler()
	m := w.recorded("app", "lin", recording.Ready)
	secret := w.tenantToken("app")
	h.ServeHTTP(httptest.NewRecorder(), request("GET", "/open-apis/vc/v1/meetings/"+m.Room()+"/recording", secret, ""))
	h.ServeHTTP(httptest.NewRecorder(), request("POST", "/open-apis/vc/v1/meetings/1/recording", secret, ""))
	want := "[GET /open-apis/vc/v1/meetings/{meeting_id}/recording 200 * /open-apis/vc/v1/meetings/{meeting_id}/recording 405]"
	if got := fmt.Sprint(seen); got != want {
		t.Errorf("observed %s, want %s", got, want)
	}
	if !strings.Contains(log.String(), "meeting_id") || strings.Contains(log.String(), secret) {
		t.Errorf("log lacks the call or tells the token: %s", log.String())
	}
	if w.log.Len() > 0 {
		t.Errorf("above debug: %s", w.log)
	}
}
