package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// maxTries is how often a transaction is run before its conflict becomes the
// caller's error. Conflicts are rare and short; with the waits below the tries span about two seconds.
const maxTries = 12

// ErrNoTransaction is returned by what must commit together with something else and was called alone.
var ErrNoTransaction = errors.New("called outside of a transaction")

// txn is the transaction a context carries.
type txn struct {
	db          *DB
	tx          *sql.Tx
	depth       int // of nested Within calls
	afterCommit []func()
}

type txnKey struct{}

// txnOf returns the transaction of ctx in this database, nil for none.
func (db *DB) txnOf(ctx context.Context) *txn {
	t, _ := ctx.Value(txnKey{}).(*txn)
	if t == nil || t.db != db {
		return nil
	}
	return t
}

// Within runs f in a transaction: it commits when f returns nil and rolls back
// when f returns an error or panics. Methods that are called with f's context take part in it.
//
// Transactions behave as if they ran one after the other. When two on PostgreSQL got in each
// other's way, the later one is rolled back and its f runs again, a few times at most: f must only
// change the database, and variables that it sets anew each time.
//
// Inside of another transaction of ctx, f joins it. If f then fails, only what f did is undone, and
// the outer function decides what comes of the rest.
//
// f must not use a context without the transaction for writing: SQLite has one writer, and that would wait for itself.
func (db *DB) Within(ctx context.Context, f func(context.Context) error) error {
	return db.within(ctx, db.isolation, f)
}

func (db *DB) within(ctx context.Context, level sql.IsolationLevel, f func(context.Context) error) error {
	if t := db.txnOf(ctx); t != nil {
		return t.nested(ctx, f)
	}
	for try := 1; ; try++ {
		err := db.once(ctx, level, f)
		if err == nil || try == maxTries || !canRetry(err) {
			return err
		}
		db.log.DebugContext(ctx, "transaction starts over", "try", try, "cause", err)
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// pause waits longer each time and never the same for two rivals.
func pause(ctx context.Context, try int) error {
	limit := min(time.Millisecond<<try, 250*time.Millisecond)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(limit)):
		return nil
	}
}

func (db *DB) once(ctx context.Context, level sql.IsolationLevel, f func(context.Context) error) error {
	tx, err := db.write.BeginTx(ctx, &sql.TxOptions{Isolation: level})
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // also on panic; after a commit it does nothing
	t := &txn{db: db, tx: tx}
	if err := f(context.WithValue(ctx, txnKey{}, t)); err != nil {
		return err
	}
	err = tx.Commit()
	db.changes.Add(1)
	if err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	for _, then := range t.afterCommit {
		then()
	}
	return nil
}

// nested runs f between two savepoints. PostgreSQL needs them even for an error
// that is handled: after a failed statement it refuses everything up to the last savepoint.
func (t *txn) nested(ctx context.Context, f func(context.Context) error) error {
	t.depth++
	defer func() { t.depth-- }()
	name, pending := fmt.Sprintf("nested_%d", t.depth), len(t.afterCommit)
	if _, err := t.tx.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return fmt.Errorf("begin nested transaction: %w", err)
	}
	if err := f(ctx); err != nil {
		t.afterCommit = slices.Delete(t.afterCommit, pending, len(t.afterCommit))
		_, undo := t.tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT "+name)
		return errors.Join(err, undo)
	}
	if _, err := t.tx.ExecContext(ctx, "RELEASE SAVEPOINT "+name); err != nil {
		return fmt.Errorf("end nested transaction: %w", err)
	}
	return nil
}

// AfterCommit calls f once the outermost transaction of ctx has been committed,
// and not at all when it is rolled back; without a transaction at once. It is
// for waking whoever looks for what was just written. f must not block.
func (db *DB) AfterCommit(ctx context.Context, f func()) {
	t := db.txnOf(ctx)
	if t == nil {
		f()
		return
	}
	t.afterCommit = append(t.afterCommit, f)
}
