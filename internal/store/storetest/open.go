package storetest

import (
	"log/slog"
	"path/filepath"
	"testing"

	"huilu/internal/keys"
	"huilu/internal/store"
)

// Each runs a test on an empty SQLite and on an empty PostgreSQL database.
func Each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, Postgres(t)) })
}

// SQLite opens an empty SQLite database that is closed when the test ends.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, "sqlite:"+filepath.Join(t.TempDir(), "huilu.db"), keys.New())
}

// Postgres opens an empty PostgreSQL database that is closed when the test ends.
func Postgres(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, migratedDSN(t), keys.New())
}

// Open opens a database that is closed when the test ends. What it logs is the test's output.
func Open(t testing.TB, dsn string, m keys.Master) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), dsn, m, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
