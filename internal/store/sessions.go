package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
)

var _ scs.CtxStore = Sessions{}

// Sessions keeps the sessions of the pages for alexedwards/scs. Set
// SessionManager.HashTokenInStore, so that whoever reads the database cannot log in with what is there.
type Sessions struct{ db *DB }

// Sessions returns the store of page sessions.
func (db *DB) Sessions() Sessions { return Sessions{db} }

// FindCtx returns the data of a session that has not expired.
func (s Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = s.db.reader(ctx).QueryRowContext(ctx,
		`SELECT data FROM sessions WHERE token = $1 AND expires_at_ms > $2`, token, time.Now().UnixMilli()).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, fmt.Errorf("read session: %w", err)
	}
	return data, true, nil
}

// CommitCtx stores or replaces a session.
func (s Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	_, err := s.db.exec(ctx, "save session",
		`INSERT INTO sessions (token, data, expires_at_ms) VALUES ($1, $2, $3)
		ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires_at_ms = excluded.expires_at_ms`, token, data, ms(expiry))
	return err
}

// DeleteCtx forgets a session; there need not be one.
func (s Sessions) DeleteCtx(ctx context.Context, token string) error {
	_, err := s.db.exec(ctx, "delete session", `DELETE FROM sessions WHERE token = $1`, token)
	return err
}

// Find is FindCtx without a context, as scs wants it to exist.
func (s Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context, as scs wants it to exist.
func (s Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a context, as scs wants it to exist.
func (s Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
