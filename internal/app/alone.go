package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"huilu/internal/config"
)

// alone makes sure that no other server works on the same data, until the returned file is closed or the process ends,
// however it ends. Two of them would each take the other's meetings for empty and end them, and compose the same recordings.
// Admin commands are no servers and need no lock.
func alone(cfg config.Config) (*os.File, error) {
	path := filepath.Join(cfg.Data, "huilu.serving")
	if db, ok := strings.CutPrefix(cfg.Database, "sqlite:"); ok { // wherever it lies, it is what must not be shared
		path = db + ".serving"
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		who := make([]byte, 20)
		n, _ := f.Read(who) // who it is only helps
		err = fmt.Errorf("another server (process %s) works on this data; stop it first, or give this one a data folder of its own (--data)", strings.TrimSpace(string(who[:n])))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintln(f, os.Getpid()) // on a full disk the lock holds all the same
	}
	return f, nil
}
