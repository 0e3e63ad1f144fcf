package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// hot holds the questions that every API request asks, prepared once.
type hot struct {
	facts, appByID, lastIssue, tokenRow *sql.Stmt
}

func (h *hot) prepare(ctx context.Context, pool *sql.DB) (err error) {
	for _, q := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&h.facts, factsQuery},
		{&h.appByID, appByIDQuery},
		{&h.lastIssue, lastIssueQuery},
		{&h.tokenRow, tokenRowQuery},
	} {
		if *q.stmt, err = pool.PrepareContext(ctx, q.text); err != nil {
			return fmt.Errorf("prepare %q: %w", q.text, err)
		}
	}
	return nil
}

func (h *hot) close() error {
	var err error
	for _, s := range []*sql.Stmt{h.facts, h.appByID, h.lastIssue, h.tokenRow} {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
	}
	return err
}

// ask runs a prepared question, or its text inside a transaction, which must see its own writes.
//
// The question does not listen for the end of ctx: it reads one row by its key, and
// listening costs the SQLite driver a goroutine, half as much as the question itself.
func (db *DB) ask(ctx context.Context, stmt *sql.Stmt, text string, args ...any) *sql.Row {
	if t := db.txnOf(ctx); t != nil {
		return t.tx.QueryRowContext(ctx, text, args...)
	}
	if db.sqlite {
		ctx = context.WithoutCancel(ctx)
	}
	return stmt.QueryRowContext(ctx, args...)
}
