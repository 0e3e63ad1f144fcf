package store

import (
	"context"
	"database/sql"
)

// Inherit frees every composition and delivery that somebody holds, so that they are worked on now instead of when the
// claims of a dead server run out. Only the one server of a database may do so, when it starts.
func (db *DB) Inherit(ctx context.Context) error {
	return db.within(ctx, sql.LevelDefault, func(ctx context.Context) error {
		if _, err := db.exec(ctx, "inherit compositions", `UPDATE compositions SET holder = '', lease_until_ms = 0 WHERE lease_until_ms > 0`); err != nil {
			return err
		}
		_, err := db.exec(ctx, "inherit deliveries", `UPDATE deliveries SET lease_until_ms = 0 WHERE state = 'pending' AND lease_until_ms > 0`)
		return err
	})
}
