package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"huilu/internal/app"
	"huilu/internal/config"
)

// aloneWith returns the settings of a small server.
func aloneWith(t *testing.T, flags map[string]string) config.Config {
	t.Helper()
	all := map[string]string{"listen": "127.0.0.1:0", "sfu.udp_port": "0", "sfu.tcp_port": "0", "data": filepath.Join(t.TempDir(), "data")}
	for k, v := range flags {
		all[k] = v
	}
	cfg, err := config.Load(config.Source{Flags: all})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// startAndStop makes a server and closes it again.
func startAndStop(t *testing.T, cfg config.Config) error {
	t.Helper()
	a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	return a.Run(ended)
}

func TestTwoServersNeverWorkOnTheSameData(t *testing.T) {
	t.Parallel()
	first := aloneWith(t, nil)
	a, err := app.New(t.Context(), first, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]config.Config{
		"the same folder":                   aloneWith(t, map[string]string{"data": first.Data}),
		"the same database, another folder": aloneWith(t, map[string]string{"database": first.Database}),
	} {
		err := startAndStop(t, cfg)
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) || !strings.Contains(err.Error(), "--data") {
			t.Errorf("a second server on %s: %v; want one line that says who is there and what to do", name, err)
		}
	}
	core, err := app.OpenCore(t.Context(), first, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("an admin command beside the server: %v", err)
	}
	if err := core.Close(); err != nil {
		t.Error(err)
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := a.Run(ended); err != nil {
		t.Fatal(err)
	}
	if err := startAndStop(t, aloneWith(t, map[string]string{"data": first.Data})); err != nil {
		t.Errorf("the next server after the first one stopped: %v", err)
	}
}

func TestTakenMediaPortsAreNamedWithTheirSettings(t *testing.T) {
	t.Parallel()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = startAndStop(t, aloneWith(t, map[string]string{"sfu.udp_port": fmt.Sprint(l.LocalAddr().(*net.UDPAddr).Port)}))
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "change the setting sfu.udp_port or sfu.tcp_port") {
		t.Errorf("%v; want one line that names the settings", err)
	}
}
