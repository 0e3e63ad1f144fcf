package openapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"huilu/internal/limit"
	"huilu/internal/meeting"
	"huilu/internal/minute"
	"huilu/internal/recording"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

// Files opens what the composer stored.
type Files interface {
	// Open returns a file with the time it was last changed and its size in
	// bytes. The reader stays good until it is closed, whatever becomes of ctx.
	Open(ctx context.Context, key string) (r io.ReadSeekCloser, changed time.Time, size int64, err error)
}

// Deps is everything the API needs. All of it is required, except Observe and Timeout.
type Deps struct {
	Tokens     *token.Service
	Tenants    *tenant.Service
	Meetings   *meeting.Service
	Recordings *recording.Service
	Minutes    *minute.Service
	Files      Files
	Limiter    limit.Limiter
	Links      Links
	Log        *slog.Logger
	Now        func() time.Time
	// Timeout ends a call that takes longer, with 504; 0 is DefaultTimeout. Downloads take as long as they take.
	Timeout time.Duration
	// Observe is told of every call once it was answered; api is method and path pattern.
	Observe func(api string, status int, took time.Duration)
}

// DefaultTimeout is how long a call may take. Everything here is a few queries.
const DefaultTimeout = 10 * time.Second

// API answers /open-apis. It is safe for concurrent use.
type API struct {
	tokens     *token.Service
	tenants    *tenant.Service
	meetings   *meeting.Service
	recordings *recording.Service
	minutes    *minute.Service
	files      Files
	limiter    limit.Limiter
	links      Links
	log        *slog.Logger
	now        func() time.Time
	timeout    time.Duration
	observe    func(api string, status int, took time.Duration)
	nobody     token.Caller // who calls without a token
	minuteHead []byte       // `{"recording":{"url":"<base>/minutes/`, made once for the hot path
}

// New returns an API over d.
func New(d Deps) *API {
	a := &API{
		tokens: d.Tokens, tenants: d.Tenants, meetings: d.Meetings, recordings: d.Recordings, minutes: d.Minutes,
		files: d.Files, limiter: d.Limiter, links: d.Links, log: d.Log, now: d.Now, timeout: d.Timeout, observe: d.Observe,
	}
	if a.timeout == 0 {
		a.timeout = DefaultTimeout
	}
	if a.observe == nil {
		a.observe = func(string, int, time.Duration) {}
	}
	a.minuteHead = recordingHead(a.links)
	return a
}

// Handler serves /open-apis/ and /download/.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	a.Mount(mux)
	mux.HandleFunc("/", a.notRouted)
	return mux
}

// Mount lets mux serve /open-apis/ and /download/, without a second search for the path behind the first. One path is one
// entry of the mux and picks the route by method, so that a wrong method is answered as the contract says.
func (a *API) Mount(mux *http.ServeMux) {
	byPath := map[string]map[string]*Route{}
	for _, r := range routes {
		if byPath[r.Path] == nil {
			byPath[r.Path] = map[string]*Route{}
		}
		byPath[r.Path][r.Method] = r.prepared()
	}
	for path, methods := range byPath {
		if get := methods[http.MethodGet]; get != nil {
			methods[http.MethodHead] = get
		}
		mux.Handle(path, a.pick(path, methods))
	}
	mux.HandleFunc("/open-apis/", a.notRouted)
	mux.HandleFunc("/download/", a.notRouted)
}

// pick serves one path with the route of its method.
func (a *API) pick(path string, methods map[string]*Route) http.Handler {
	none := Route{Method: "*", Path: path, Family: Unrouted}.prepared()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route := methods[r.Method]
		if route == nil {
			route = none
		}
		a.serve(w, r, route)
	})
}

// notRouted answers in plain text, as the original does for paths it does not know (gateway.md §5).
func (a *API) notRouted(w http.ResponseWriter, r *http.Request) {
	stamp(w.Header(), a.now())
	http.NotFound(w, r)
}
