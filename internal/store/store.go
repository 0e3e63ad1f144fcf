package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"huilu/internal/ident"
	"huilu/internal/keys"
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect
	write   *sql.DB // the only pool for SQLite's one writer; for PostgreSQL the same as read
	read    *sql.DB
	hot     hot
	glances *glances      // nil for PostgreSQL
	changes atomic.Uint64 // goes up with every commit, for glances
	keys    keys.Master
	log     *slog.Logger
	nums    *ident.Numbers // ids of events
}

// Open opens the database that dsn names, "sqlite:PATH" or "postgres://…", and
// brings its schema up to date. Several servers may do so at the same time.
// Secrets of apps are sealed with m. Close the DB when it is no longer needed.
func Open(ctx context.Context, dsn string, m keys.Master, log *slog.Logger) (*DB, error) {
	db := &DB{keys: m, log: log, nums: &ident.Numbers{}}
	var err error
	switch {
	case strings.HasPrefix(dsn, "sqlite:"):
		db.dialect = sqliteDialect
		db.write, db.read, err = openSQLite(strings.TrimPrefix(dsn, "sqlite:"))
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		db.dialect = postgresDialect
		db.write, err = openPostgres(dsn)
		db.read = db.write
	default:
		return nil, errors.New(`database must be "sqlite:PATH" or "postgres://…"`) // the value may hold a password
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	err = db.migrate(ctx, strings.TrimPrefix(dsn, "sqlite:"))
	if err == nil {
		err = db.hot.prepare(ctx, db.read)
	}
	if err == nil && db.sqlite {
		db.glances, err = openGlances(strings.TrimPrefix(dsn, "sqlite:"), readers(), &db.changes, log)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), db.Close())
	}
	return db, nil
}

// Close waits for running queries and closes the database.
func (db *DB) Close() error {
	err := db.hot.close()
	if db.glances != nil {
		db.glances.close()
	}
	if db.read != db.write {
		err = errors.Join(err, db.read.Close())
	}
	// The writer goes last: SQLite folds the log into the file when the last connection closes.
	return errors.Join(err, db.write.Close())
}

// Pool is the pool that writes, for tests that look at or spoil what is stored.
func (db *DB) Pool() *sql.DB { return db.write }

// Ping asks the database for an answer.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.read.PingContext(ctx); err != nil {
		return fmt.Errorf("database does not answer: %w", err)
	}
	return nil
}

// Healthy writes one row, durably. So it also notices what a question does not:
// a full disk, a file system or replica that has become read-only, a writer that is stuck.
func (db *DB) Healthy(ctx context.Context) error {
	_, err := db.exec(ctx, "check health", `UPDATE health SET checked_at_ms = $1 WHERE id = 1`, time.Now().UnixMilli())
	return err
}
