package app

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"huilu/internal/event"
	"huilu/internal/health"
	"huilu/internal/limit"
	"huilu/internal/openapi"
	"huilu/internal/pages"
	"huilu/internal/sfu"
	"huilu/web"
)

// web builds the HTTP server: every surface behind one port.
func (a *App) web(context.Context) (*http.Server, error) {
	api := openapi.New(openapi.Deps{
		Tokens: a.Tokens, Tenants: a.Tenants, Meetings: a.Meetings, Recordings: a.Recordings, Minutes: a.Minutes,
		Files: a.Blobs, Limiter: a.limiter(), Links: openapi.Links{Base: a.Config.PublicURL}, Log: a.log, Now: time.Now, Observe: a.meter.observe,
	})
	site, err := pages.New(a.pagesDeps(api))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	api.Mount(mux)
	mux.Handle("/rtc", a.sfu.Handler())
	mux.Handle("/rtc/", a.sfu.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", onlyLocal(a.metrics()))
	mux.Handle("/", site.Handler())
	server := &http.Server{
		Handler: usual.limit(mux), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	server.TLSConfig, err = a.tls()
	return server, err
}

func (a *App) limiter() limit.Limiter {
	if !a.Config.RateLimits {
		return limit.None{}
	}
	return limit.NewMemory(limit.Published(), time.Now)
}

func (a *App) pagesDeps(api *openapi.API) pages.Deps {
	return pages.Deps{
		BaseURL: a.Config.PublicURL, Tenants: a.Tenants, Meetings: a.Meetings, Home: a.DB, Recordings: a.Recordings, Minutes: a.Minutes,
		Files: pageFiles{a}, Tickets: tickets{a.sfu}, OAuth: oauth{api: api, tokens: a.Tokens}, Deliveries: a.DB,
		Challenge: event.NewVerifier(a.poster).Verify, Health: a.problems, Address: a.address(), Sessions: a.DB.Sessions(),
		Front: web.Handler(web.Files()), Log: a.log, Now: time.Now,
	}
}

// pageFiles opens files without the facts pages do not ask for.
type pageFiles struct{ a *App }

func (f pageFiles) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	r, _, _, err := f.a.Blobs.Open(ctx, key)
	return r, err
}

// tickets signs the way into a room.
type tickets struct{ sfu *sfu.Server }

func (t tickets) Token(room, identity, name string, attributes map[string]string) (string, error) {
	return t.sfu.Token(sfu.Join{Room: room, Identity: identity, Name: name, Attributes: attributes, CanPublish: true})
}

func (a *App) problems(ctx context.Context) []pages.Problem {
	var ps []pages.Problem
	for _, p := range a.health.Problems(ctx) {
		ps = append(ps, pages.Problem{Code: p.Code, TextEN: p.EN, TextZH: p.ZH, Warning: !p.Fatal})
	}
	return ps
}

// readyz answers 200 while the server can do its main job, else 503 with what to mend. The sentences name folders and
// hosts: others than programs on this machine only get the codes.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	ps := a.health.Problems(r.Context())
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if !health.Ready(ps) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	texts := []string{}
	for _, p := range ps {
		if isLocal(r) {
			p.Code += ": " + p.EN
		}
		texts = append(texts, p.Code)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"ready": health.Ready(ps), "problems": texts})
}

// onlyLocal hides a page from everybody but programs on this machine that ask directly, not through a proxy.
func onlyLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLocal(r) {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocal reports whether a program on this machine asks, by an address of this machine. A page of a stranger in a browser
// here would ask by the stranger's name, which was made to lead here.
func isLocal(r *http.Request) bool {
	from, _, _ := net.SplitHostPort(r.RemoteAddr)
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil { // without a port
		host = strings.Trim(r.Host, "[]")
	}
	loopback := func(text string) bool { ip := net.ParseIP(text); return ip != nil && ip.IsLoopback() }
	return loopback(from) && (loopback(host) || host == "localhost") && !isForwarded(r)
}

// isForwarded reports whether a proxy passed a request on. Each of them uses some of these.
func isForwarded(r *http.Request) bool {
	return slices.ContainsFunc([]string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via", "X-Forwarded-Host", "X-Forwarded-Proto"},
		func(name string) bool { return r.Header.Get(name) != "" })
}

// address says where a request comes from; nil leaves it to the connection.
func (a *App) address() func(*http.Request) string {
	if !a.Config.TrustForwards {
		return nil
	}
	return func(r *http.Request) string {
		// Some proxies add to the header, others add another one: what a client sent itself stands first either way.
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if last := strings.TrimSpace(hops[len(hops)-1]); last != "" {
			return last // the one our own proxy added
		}
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		return host
	}
}

// tls is nil when a proxy speaks https, or nobody does.
func (a *App) tls() (*tls.Config, error) {
	t := a.Config.TLS
	switch {
	case t.Domain != "":
		m := &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(t.Domain), Cache: autocert.DirCache(a.Config.Data + "/certificates")}
		return m.TLSConfig(), nil
	case t.Cert != "":
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("settings tls.cert and tls.key: %w", err)
		}
		return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, nil
	}
	return nil, nil
}
