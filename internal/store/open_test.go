package store_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"huilu/internal/keys"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
)

func TestHealthyDatabaseSaysSo(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		check(t, w.DB.Ping(t.Context()))
		check(t, w.DB.Healthy(t.Context()))
	})
}

func TestUnhealthyDatabaseSaysSo(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "huilu.db"), keys.New(), slog.New(slog.DiscardHandler))
	check(t, err)
	_, err = db.Pool().ExecContext(t.Context(), "PRAGMA query_only = 1") // as a disk that has become read-only
	check(t, err)
	check(t, db.Ping(t.Context()))
	if err := db.Healthy(t.Context()); err == nil {
		t.Error("a database that cannot be written is healthy")
	}
	check(t, db.Close())
	if err := db.Ping(t.Context()); err == nil {
		t.Error("a closed database answers")
	}
}

func TestManyServersStartOnOneEmptyDatabase(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "huilu.db") },
		"postgres": func(t *testing.T) string { return storetest.PostgresDSN(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := dsn(t)
			race(t, func(n int) (bool, error) {
				if n >= 6 {
					return false, nil // enough servers
				}
				db, err := store.Open(t.Context(), dsn, keys.New(), slog.New(slog.DiscardHandler))
				if err != nil {
					return false, err
				}
				return true, db.Close()
			})
			storetest.NewWorld(t, storetest.Open(t, dsn, keys.New()))
		})
	}
}

func TestDataIsThereAfterReopening(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "a ?#%41 name.db") },
		"postgres": func(t *testing.T) string { return storetest.PostgresDSN(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn, master := dsn(t), keys.New()
			db, err := store.Open(t.Context(), dsn, master, slog.New(slog.DiscardHandler))
			check(t, err)
			w := storetest.NewWorld(t, db)
			check(t, db.Close())
			again := storetest.Open(t, dsn, master)
			app, err := again.AppByID(t.Context(), w.Home.App.ID)
			check(t, err)
			same(t, "app", app, w.Home.App)
		})
	}
}

func TestAddressThatCannotBeOpenedIsRefusedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"", "mysql://huilu:s3cret@localhost/x", "sqlite:", "sqlite:" + filepath.Join(t.TempDir(), "missing", "s3cret", "huilu.db"),
		"postgres://huilu:s3cret@127.0.0.1:1/x?connect_timeout=1", "postgres://huilu:s3cret@%zz",
	} {
		db, err := store.Open(t.Context(), dsn, keys.New(), slog.New(slog.DiscardHandler))
		if err == nil {
			t.Errorf("%q was opened", dsn)
			check(t, db.Close())
			continue
		}
		if strings.Contains(err.Error(), "s3cret@") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// TestCommitsReachTheDisk guards the settings that recordings rest on; they are per connection and easily lost.
func TestCommitsReachTheDisk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "huilu.db")
	db := storetest.Open(t, "sqlite:"+path, keys.New())
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "10000"} {
		var got string
		check(t, db.Pool().QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		same(t, pragma, got, want)
	}
	for _, file := range []string{path, path + "-wal"} {
		info, err := os.Stat(file)
		check(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others may read %s: mode %04o", file, info.Mode().Perm())
		}
	}
}
