package store

import (
	"context"
	"time"
)

// keepSpent is how long codes and tokens that are of no use any more stay: a
// client that is late by days is told "expired" and "used", not "unknown".
const keepSpent = 30 * 24 * time.Hour

// Prune deletes what nobody can use any more, of every tenant: sessions that have
// expired at now, and codes and user tokens that expired a month earlier.
func (db *DB) Prune(ctx context.Context, now time.Time) error {
	for _, q := range []struct {
		what, text string
		before     time.Time
	}{
		{"prune sessions", `DELETE FROM sessions WHERE expires_at_ms <= $1`, now},
		{"prune tokens", `DELETE FROM token_rows WHERE expires_at_ms <= $1`, now.Add(-keepSpent)},
		{"prune codes", `DELETE FROM codes WHERE created_at_ms <= $1`, now.Add(-keepSpent)},
	} {
		if _, err := db.exec(ctx, q.what, q.text, ms(q.before)); err != nil {
			return err
		}
	}
	return nil
}
