// Package apptest starts a whole server for a test: everything real, in a temporary folder, on free loopback ports.
//
// The server stops at the end of the test, in order. Its log is shown when the test failed.
//
// Visitor and Inbox are the people and the programs around a server, which may as well run in another process.
package apptest

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"huilu/internal/app"
	"huilu/internal/config"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// Server is a server that runs.
type Server struct {
	*app.App
	Org tenant.Tenant
	t   testing.TB
}

// Start starts a server with a tenant; settings are those that differ from the usual ones of tests.
func Start(t testing.TB, settings map[string]string) *Server {
	t.Helper()
	flags := map[string]string{
		"data": filepath.Join(t.TempDir(), "data"), "listen": "127.0.0.1:0", "sfu.udp_port": "0", "sfu.tcp_port": "0",
		"events.allow_networks": "127.0.0.0/8", "meeting.empty_after": "2s",
	}
	maps.Copy(flags, settings)
	cfg, err := config.Load(config.Source{Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	a, err := app.New(ctx, cfg, slog.New(slog.NewTextHandler(&page{t: t}, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		stop()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server did not stop cleanly: %v", err)
		}
	})
	s := &Server{App: a, t: t}
	s.Eventually("the server answers", 30*time.Second, func() bool {
		resp, err := http.Get(a.URL() + "/readyz") //nolint:noctx // bounded by Eventually
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	if s.Org, err = a.Tenants.Create(ctx, "Test"); err != nil {
		t.Fatal(err)
	}
	return s
}

// Eventually waits until f is true, and fails the test when it never is.
func (s *Server) Eventually(what string, limit time.Duration, f func() bool) {
	s.t.Helper()
	Eventually(s.t, what, limit, f)
}

// Eventually waits until f is true, and fails the test when it never is.
func Eventually(t testing.TB, what string, limit time.Duration, f func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("waited %s, and still not: %s", limit, what)
}

// Password is everybody's.
const Password = "correct horse battery"

// Person makes an account; n tells people apart.
func (s *Server) Person(name string, n int, role tenant.Role) tenant.User {
	s.t.Helper()
	u, err := s.Tenants.CreateUser(s.t.Context(), s.Org.Key, tenant.UserSpec{Name: name, Email: fmt.Sprintf("person%d@test.invalid", n), Password: Password, Role: role})
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// Program makes an app with every scope that receives every event at eventURL, if one is given.
func (s *Server) Program(eventURL string) (tenant.App, tenant.Secret) {
	s.t.Helper()
	spec := tenant.AppSpec{Name: "Test app", EventURL: eventURL, Redirects: []string{"http://127.0.0.1/callback"}}
	for _, sc := range scope.All() {
		spec.Scopes = append(spec.Scopes, sc.Name)
	}
	if eventURL != "" {
		spec.Events = app.EventTypes()
	}
	a, secret, err := s.Tenants.CreateApp(s.t.Context(), s.Org, spec)
	if err != nil {
		s.t.Fatal(err)
	}
	return a, secret
}

// page takes the log and turns it over to the test while that still runs.
type page struct {
	t  testing.TB
	mu sync.Mutex
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.t.Context().Err() == nil { // after the test logging would panic
		p.t.Log(string(b))
	}
	return len(b), nil
}
