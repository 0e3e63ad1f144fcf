package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"huilu/internal/config"
)

// alone makes sure that no other server works on the same data, until the returned file is closed or the process ends,
// however it ends. Two of them would each take the other's meetings for empty and end them, and compose the same recordings.
// Admin commands are no servers and need no lock.
//
// While it serves, the server touches the file (see pulse); alive is when the one before did so last, zero when there was none.
func alone(cfg config.Config) (lock *os.File, alive time.Time, err error) {
	path := filepath.Join(cfg.Data, "huilu.serving")
	if db, ok := strings.CutPrefix(cfg.Database, "sqlite:"); ok { // wherever it lies, it is what must not be shared
		path = db + ".serving"
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, alive, fmt.Errorf("data folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		who := make([]byte, 20)
		n, _ := f.Read(who) // who it is only helps
		err = fmt.Errorf("another server (process %s) works on this data; stop it first, or give this one a data folder of its own (--data)", strings.TrimSpace(string(who[:n])))
	}
	if err != nil {
		return nil, alive, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return f, takeOver(f), nil
}

// takeOver writes down who serves, and returns when the one before last touched the file. That stays its time until the first
// pulse: a start that fails must not pass for a server that was alive. On a full disk the lock holds all the same.
func takeOver(f *os.File) (alive time.Time) {
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		alive = info.ModTime()
	}
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintln(f, os.Getpid())
	}
	if !alive.IsZero() {
		_ = os.Chtimes(f.Name(), alive, alive)
	}
	return alive
}

// pulseEvery is how exactly one knows afterwards when a server died.
const pulseEvery = 2 * time.Second

// pulse touches the lock's file as long as the server runs.
func (a *App) pulse(ctx context.Context) error {
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			if err := os.Chtimes(a.lock.Name(), now, now); err != nil {
				a.log.DebugContext(ctx, "the lock's file cannot be touched", "err", err)
			}
		}
	}
}
