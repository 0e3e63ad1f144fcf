package migrations

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

// WideIDs is step 2. An INTEGER PRIMARY KEY has 64 bits in SQLite, where nothing
// is left to do, and 32 in PostgreSQL, where ids would not fit.
func WideIDs(sqlite bool) *goose.Migration {
	up := func(ctx context.Context, tx *sql.Tx) error {
		if sqlite {
			return nil
		}
		for _, c := range [][2]string{
			{"users", "num"}, {"reserves", "id"}, {"meetings", "id"}, {"recordings", "meeting"}, {"compositions", "recording"}, {"events", "id"},
		} {
			if _, err := tx.ExecContext(ctx, "ALTER TABLE "+c[0]+" ALTER COLUMN "+c[1]+" TYPE BIGINT"); err != nil {
				return fmt.Errorf("widen %s.%s: %w", c[0], c[1], err)
			}
		}
		return nil
	}
	down := func(context.Context, *sql.Tx) error { return nil } // the tables go in step 1
	return goose.NewGoMigration(2, &goose.GoFunc{RunTx: up}, &goose.GoFunc{RunTx: down})
}
