package store

import (
	"context"
	"fmt"
)

// ClaimKey notes the fingerprint of the master key that this database's data are
// made with, the first time. Later it says whether it is the same one.
func (db *DB) ClaimKey(ctx context.Context, fingerprint string) (same bool, err error) {
	if _, err := db.exec(ctx, "claim key", `INSERT INTO master_keys (id, fingerprint) VALUES (1, $1) ON CONFLICT DO NOTHING`, fingerprint); err != nil {
		return false, err
	}
	var noted string
	if err := db.reader(ctx).QueryRowContext(ctx, `SELECT fingerprint FROM master_keys WHERE id = 1`).Scan(&noted); err != nil {
		return false, fmt.Errorf("claim key: %w", err)
	}
	return noted == fingerprint, nil
}
