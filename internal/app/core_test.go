package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"huilu/internal/config"
	"huilu/internal/keys"
)

// settings are those of a server in a folder of its own, on free ports.
func settings(t *testing.T, data string, more map[string]string) config.Config {
	t.Helper()
	flags := map[string]string{"data": data, "listen": "127.0.0.1:0", "sfu.udp_port": "0", "sfu.tcp_port": "0"}
	for k, v := range more {
		flags[k] = v
	}
	c, err := config.Load(config.Source{Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func openCore(t *testing.T, c config.Config) *Core {
	t.Helper()
	core, err := OpenCore(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = core.Close() })
	return core
}

func TestAFirstStartMakesOneAdministratorHoweverManyProcessesStart(t *testing.T) {
	t.Parallel()
	cfg := settings(t, filepath.Join(t.TempDir(), "data"), nil)
	one := openCore(t, cfg)
	cores := []*Core{one, openCore(t, cfg), openCore(t, cfg)}
	made := make(chan Admin, len(cores))
	var all sync.WaitGroup
	for _, c := range cores {
		all.Go(func() {
			a, is, err := c.Bootstrap(t.Context())
			if err != nil {
				t.Error(err)
			}
			if is {
				made <- a
			}
		})
	}
	all.Wait()
	if len(made) != 1 {
		t.Fatalf("%d administrators were made", len(made))
	}
	a := <-made
	org, err := one.Tenants.List(t.Context())
	if err != nil || len(org) != 1 {
		t.Fatalf("%v, %v", org, err)
	}
	users, err := one.Tenants.Users(t.Context(), org[0].Key)
	if err != nil || len(users) != 1 || users[0].Email != a.Email || len(a.Password) < 16 {
		t.Errorf("%+v, %v, told %+v", users, err, a)
	}
	text, err := os.ReadFile(filepath.Join(cfg.Data, "huilu.db"))
	if err != nil || strings.Contains(string(text), a.Password) {
		t.Errorf("the password is in the database: %v", err)
	}
}

func TestDataOfAnotherMasterKeyAreNotTouched(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	cfg := settings(t, data, nil)
	if err := openCore(t, cfg).Close(); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(data, "master.key")
	right, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, cfg config.Config) {
		t.Helper()
		core, err := OpenCore(context.Background(), cfg, slog.New(slog.DiscardHandler))
		if err == nil {
			_ = core.Close()
		}
		if !errors.Is(err, errOtherKey) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("a key from the settings", settings(t, data, map[string]string{"master_key": strings.Repeat("ab", keys.Size)}))
	if text, err := os.ReadFile(key); err != nil || string(text) != string(right) {
		t.Errorf("the right key was changed: %v", err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	refused("no key", cfg)
	if _, err := os.Stat(key); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a useless key was left behind: %v", err)
	}
	if err := os.WriteFile(key, right, 0o600); err != nil {
		t.Fatal(err)
	}
	openCore(t, cfg)
}

func TestOneKnowsWhenTheServerBeforeWasLastAlive(t *testing.T) {
	t.Parallel()
	cfg := settings(t, t.TempDir(), nil)
	start := func() time.Time {
		t.Helper()
		lock, alive, err := alone(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := lock.Close(); err != nil { // it died before its first pulse
			t.Fatal(err)
		}
		return alive
	}
	if alive := start(); !alive.IsZero() {
		t.Errorf("before the first server one was alive at %s", alive)
	}
	died := time.Now().Add(-60 * time.Hour).Truncate(time.Second)
	if err := os.Chtimes(filepath.Join(cfg.Data, "huilu.db.serving"), died, died); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if alive := start(); !alive.Equal(died) {
			t.Errorf("start %d: alive at %s, want %s", n, alive, died)
		}
	}
	a := &App{Core: &Core{log: slog.New(slog.DiscardHandler)}}
	var err error
	if a.lock, _, err = alone(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.pulse(ctx) }()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		info, err := os.Stat(a.lock.Name())
		if err == nil && time.Since(info.ModTime()) < time.Minute {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no pulse: %v", err)
		}
	}
	stop()
	if err := errors.Join(<-ended, a.lock.Close()); err != nil {
		t.Error(err)
	}
}
