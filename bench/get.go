package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"time"

	"huilu/internal/app"
	"huilu/internal/config"
	"huilu/internal/limit"
	"huilu/internal/openapi"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// The results of getRecording.
const (
	rps1k   = "get_recording_rps_1k"
	rps1m   = "get_recording_rps_1m"
	rpsFlat = "get_recording_flat"
	p991k   = "get_recording_p99_1k"
	p991m   = "get_recording_p99_1m"
	cpu1k   = "get_recording_cpu_1k"
	cpu1m   = "get_recording_cpu_1m"
)

const getPath = "/open-apis/vc/v1/meetings/{id}/recording"

// getRecording compares GET recording on a thousand and on a million recordings with a bare handler that writes the same
// bytes. All three servers live in this process and are asked in turn.
func getRecording(ctx context.Context, e *env) ([]Result, error) {
	rounds, each, many := 15, 1500*time.Millisecond, 1_000_000
	if e.quick {
		rounds, each, many = 2, 300*time.Millisecond, 20_000
	}
	var servers []*server // 1k, 1m, bare
	defer func() {
		for _, s := range servers {
			s.close()
		}
	}()
	for _, n := range []int{1000, many} {
		s, err := e.apiServer(ctx, n)
		if err != nil {
			return nil, err
		}
		servers = append(servers, s)
	}
	for _, s := range servers { // not sooner: a connection that says nothing for ten seconds is closed
		if err := s.connect(); err != nil {
			return nil, err
		}
	}
	bare, err := servers[0].bare(ctx)
	if err != nil {
		return nil, err
	}
	servers = append(servers, bare)
	var rps, p99, cpu [3][]float64
	for round := -1; round < rounds; round++ { // the first one warms up
		for k := range servers {
			i := (k + round + 1) % len(servers) // everybody is first, second and last equally often
			runtime.GC()                        // what the one before left behind is not this one's work
			got, err := stretch(servers[i].clients, each)
			if err != nil {
				return nil, err
			}
			if round >= 0 {
				rps[i], p99[i], cpu[i] = append(rps[i], got.rps), append(p99[i], got.p99), append(cpu[i], got.cpu)
			}
		}
	}
	return []Result{
		compare(rps1k, "requests/s", rps[0], rps[2]).atLeast(0.6),
		compare(rps1m, "requests/s", rps[1], rps[2]).atLeast(0.6),
		compare(rpsFlat, "requests/s", rps[1], rps[0]).atLeast(0.9),
		compare(p991k, "ms", p99[0], p99[2]),
		compare(p991m, "ms", p99[1], p99[2]),
		compare(cpu1k, "µs/request", cpu[0], cpu[2]),
		compare(cpu1m, "µs/request", cpu[1], cpu[2]),
	}, nil
}

// server is an HTTP server on loopback with clients that are connected to it.
type server struct {
	http    *http.Server
	addr    string
	core    *app.Core // nil for the bare one
	ask     func(addr string, i int) (*client, error)
	clients []*client
}

// start serves h as the product does.
func (s *server) start(h http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.addr = l.Addr().String()
	s.http = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	go func() { _ = s.http.Serve(l) }() // ends with close
	return nil
}

// connect connects the clients.
func (s *server) connect() error {
	for i := range connections {
		c, err := s.ask(s.addr, i)
		if err != nil {
			return err
		}
		s.clients = append(s.clients, c)
	}
	return nil
}

func (s *server) close() {
	for _, c := range s.clients {
		_ = c.conn.Close()
	}
	_ = s.http.Close()
	if s.core != nil {
		_ = s.core.Close()
	}
}

// people is how many own meetings, and each asks for some of the clients.
const owners = connections / 2

// apiServer makes a data folder with n recordings and serves the API over it, with everything on. Only the rate limits are
// so high that nobody reaches them; calls are still counted.
func (e *env) apiServer(ctx context.Context, n int) (*server, error) {
	cfg, err := config.Load(config.Source{Flags: map[string]string{"data": filepath.Join(e.folder, fmt.Sprintf("get-%d", n)), "public_url": "https://meet.example.org"}})
	if err != nil {
		return nil, err
	}
	core, err := app.OpenCore(ctx, cfg, e.log)
	if err != nil {
		return nil, err
	}
	s := &server{core: core}
	if s.ask, err = e.archive(ctx, core, n); err != nil {
		return nil, errors.Join(err, core.Close())
	}
	rates := limit.Published()
	rates[limit.Tier4] = limit.Rate{PerSecond: 1 << 40, PerMinute: 1 << 40}
	api := openapi.New(openapi.Deps{
		Tokens: core.Tokens, Tenants: core.Tenants, Meetings: core.Meetings, Recordings: core.Recordings, Minutes: core.Minutes,
		Files: core.Blobs, Limiter: limit.NewMemory(rates, time.Now), Links: openapi.Links{Base: cfg.PublicURL}, Log: e.log, Now: time.Now,
	})
	mux := http.NewServeMux() // as in package app, where other surfaces share the port
	api.Mount(mux)
	mux.Handle("/", http.NotFoundHandler())
	return s, s.start(mux)
}

// archive fills the database and returns what each client asks: the even ones with a tenant token for any meeting, the odd
// ones with the user token of an owner for the owner's meetings.
func (e *env) archive(ctx context.Context, core *app.Core, n int) (func(addr string, i int) (*client, error), error) {
	org, err := core.Tenants.Create(ctx, "Bench")
	if err != nil {
		return nil, err
	}
	program, _, err := core.Tenants.CreateApp(ctx, org, tenant.AppSpec{Name: "Bench", Scopes: []string{scope.RecordRead, scope.MeetingRead, scope.Minutes}})
	if err != nil {
		return nil, err
	}
	issued, err := core.Tokens.ForTenant(ctx, program, org.Key)
	if err != nil {
		return nil, err
	}
	var persons []tenant.User
	var tokens []string
	for i := range owners {
		u, err := core.Tenants.CreateUser(ctx, org.Key, tenant.UserSpec{Name: fmt.Sprint("Owner ", i), Email: fmt.Sprintf("owner%d@bench.invalid", i), Password: "benchmark password"})
		if err != nil {
			return nil, err
		}
		pair, err := core.Tokens.Mint(ctx, program, u, program.Scopes)
		if err != nil {
			return nil, err
		}
		persons, tokens = append(persons, u), append(tokens, pair.Access)
	}
	begun := time.Now()
	a, err := fill(ctx, core, org.Key, persons, n)
	if err != nil {
		return nil, err
	}
	e.say("%d recordings stored in %.1f s", n, time.Since(begun).Seconds())
	return func(addr string, i int) (*client, error) {
		if i%2 == 0 {
			return dialClient(ctx, addr, getPath, issued.Token, func(r *rand.Rand) int64 { return a.id(r.IntN(a.n)) }, uint64(i))
		}
		k := i / 2 % owners
		own := func(r *rand.Rand) int64 { return a.id(r.IntN(a.n/owners)*owners + k) }
		return dialClient(ctx, addr, getPath, tokens[k], own, uint64(i))
	}, nil
}

// bare serves what s answers, byte for byte as long, by a handler that does nothing else; its clients ask the same.
func (s *server) bare(ctx context.Context) (*server, error) {
	body, err := s.clients[0].read()
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(body, []byte(`{"code":0,`)) || !bytes.Contains(body, []byte(`"url":"https://meet.example.org/minutes/obcn`)) {
		return nil, fmt.Errorf("the answer is not a recording: %s", body)
	}
	kind := []string{"application/json; charset=utf-8"}
	logID, requestID := []string{"202611230930010101511552030F1B2C3D"}, []string{"0123456789abcdef0123456789abcdef"}
	b := &server{ask: s.ask}
	err = b.start(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h["Content-Type"], h["X-Tt-Logid"], h["X-Request-Id"] = kind, logID, requestID
		_, _ = w.Write(body)
	}))
	if err != nil {
		return nil, err
	}
	return b, b.connect()
}
