package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"

	"huilu/internal/store/migrations"
)

// migrate applies the missing steps of the schema, one server at a time.
func (db *DB) migrate(ctx context.Context, path string) error {
	name := goose.DialectPostgres
	lock := db.lockPostgres
	if db.sqlite {
		name, lock = goose.DialectSQLite3, func(ctx context.Context) (func() error, error) { return lockFile(ctx, path+".lock") }
	}
	p, err := goose.NewProvider(name, db.write, migrations.Files,
		goose.WithTableName("schema_versions"), goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(migrations.WideIDs(db.sqlite)))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	unlock, err := lock(ctx)
	if err != nil {
		return fmt.Errorf("wait for migrations: %w", err)
	}
	done, err := p.Up(ctx)
	if err = errors.Join(err, unlock()); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	for _, step := range done {
		db.log.InfoContext(ctx, "schema brought up to date", "step", step.Source.Version, "took", step.Duration)
	}
	return nil
}

// advisoryLock is the number under which servers of one PostgreSQL database queue for migrations ("huilu" in ASCII).
const advisoryLock = 0x6875696c75

func (db *DB) lockPostgres(ctx context.Context) (unlock func() error, err error) {
	c, err := db.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := c.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(advisoryLock)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return func() error {
		_, err := c.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(advisoryLock))
		return errors.Join(err, c.Close())
	}, nil
}

// lockFile takes a lock that the kernel drops when the process ends, however it
// ends. It is polled because a blocking flock would ignore ctx.
func lockFile(ctx context.Context, path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f.Close, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
