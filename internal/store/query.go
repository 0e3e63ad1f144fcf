package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// runner is a pool or a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// reader returns what to read with: the transaction of ctx, else the readers' pool.
func (db *DB) reader(ctx context.Context) runner {
	if t := db.txnOf(ctx); t != nil {
		return t.tx
	}
	return db.read
}

// writer returns what to write with: the transaction of ctx, else the writer's pool.
func (db *DB) writer(ctx context.Context) runner {
	if t := db.txnOf(ctx); t != nil {
		return t.tx
	}
	return db.write
}

// exec runs a statement and returns how many rows it changed.
func (db *DB) exec(ctx context.Context, what, query string, args ...any) (int64, error) {
	res, err := db.writer(ctx).ExecContext(ctx, query, args...)
	db.changes.Add(1) // also within a transaction, where it is early and does no harm
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return n, nil
}

// row is a *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// get scans one row; none is the answer when there is no row.
func get[T any](what string, r row, scan func(row) (T, error), none error) (T, error) {
	v, err := scan(r)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return *new(T), none
	case err != nil:
		return *new(T), fmt.Errorf("%s: %w", what, err)
	}
	return v, nil
}

// list reads all rows of a query.
func list[T any](ctx context.Context, what string, r runner, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := r.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return all, nil
}

// number scans a single number.
func number(r row) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

// ms is how a time is stored: unix milliseconds, 0 for the zero time.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMS reverses ms, in UTC.
func fromMS(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// at scans a time that ms stored.
func at(t *time.Time) sql.Scanner { return scanFunc(func(n int64) { *t = fromMS(n) }) }

// length scans a duration that was stored in milliseconds.
func length(d *time.Duration) sql.Scanner {
	return scanFunc(func(n int64) { *d = time.Duration(n) * time.Millisecond })
}

type scanFunc func(int64)

func (f scanFunc) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("want a whole number, got %T", v)
	}
	f(n)
	return nil
}

// text stores v as JSON. It is used for lists and settings, which always encode.
func text(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode %T: %w", v, err)
	}
	return string(b), nil
}

// lists stores lists of strings as JSON, nil as the empty list.
func lists(ls ...[]string) []string {
	out := make([]string, len(ls))
	for i, l := range ls {
		b, _ := json.Marshal(l) // strings always encode
		if out[i] = string(b); l == nil {
			out[i] = "[]"
		}
	}
	return out
}

// decoded scans JSON into v. An empty list becomes nil, as it was stored.
func decoded(v any) sql.Scanner { return jsonScanner{v} }

type jsonScanner struct{ v any }

func (s jsonScanner) Scan(v any) error {
	switch t := v.(type) {
	case string:
		if t == "[]" {
			return nil
		}
		return json.Unmarshal([]byte(t), s.v)
	case []byte:
		return s.Scan(string(t))
	}
	return fmt.Errorf("want JSON text, got %T", v)
}
