package store

import (
	"context"
	"fmt"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

var _ meeting.Store = (*DB)(nil)

const reserveColumns = `id, tenant, no, owner, creator, app, password, settings, end_at_ms, created_at_ms, deleted_at_ms`

func scanReserve(r row) (v meeting.Reserve, err error) {
	err = r.Scan(&v.ID, &v.Tenant, &v.No, &v.Owner, &v.Creator, &v.App, &v.Password, decoded(&v.Settings), at(&v.EndAt), at(&v.CreatedAt), at(&v.DeletedAt))
	return v, err
}

// AddReserve stores a new reserve, which holds its number from now on, or
// returns meeting.ErrNumberTaken. The numbers of reserves that have expired at r.CreatedAt are free.
func (db *DB) AddReserve(ctx context.Context, r meeting.Reserve) error {
	settings, err := text(r.Settings)
	if err != nil {
		return err
	}
	return db.Within(ctx, func(ctx context.Context) error {
		_, err := db.exec(ctx, "free meeting number",
			`UPDATE reserves SET held_no = NULL WHERE held_no = $1 AND end_at_ms <= $2`, r.No, ms(r.CreatedAt))
		if err != nil {
			return err
		}
		n, err := db.exec(ctx, "add reserve",
			`INSERT INTO reserves (`+reserveColumns+`, held_no) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $3) ON CONFLICT (held_no) DO NOTHING`,
			r.ID, string(r.Tenant), r.No, int64(r.Owner), int64(r.Creator), r.App, r.Password, settings, ms(r.EndAt), ms(r.CreatedAt), ms(r.DeletedAt))
		return orNone(n, err, meeting.ErrNumberTaken)
	})
}

// SaveReserve stores what may change of a reserve: password, settings, EndAt and
// DeletedAt. A deleted reserve gives its number back. meeting.ErrReserveNotFound when the tenant
// of r has no such reserve; meeting.ErrNumberTaken when it is to live longer but had
// expired and somebody else has its number now.
func (db *DB) SaveReserve(ctx context.Context, r meeting.Reserve) error {
	settings, err := text(r.Settings)
	if err != nil {
		return err
	}
	return db.Within(ctx, func(ctx context.Context) error {
		if r.DeletedAt.IsZero() {
			if err := db.mayHold(ctx, r); err != nil {
				return err
			}
		}
		n, err := db.exec(ctx, "save reserve",
			`UPDATE reserves SET password = $1, settings = $2, end_at_ms = $3, deleted_at_ms = $4, held_no = CASE WHEN $5 THEN no END
			WHERE id = $6 AND tenant = $7`,
			r.Password, settings, ms(r.EndAt), ms(r.DeletedAt), r.DeletedAt.IsZero(), r.ID, string(r.Tenant))
		return orNone(n, err, meeting.ErrReserveNotFound)
	})
}

// mayHold returns meeting.ErrNumberTaken when a reserve other than r holds the number of r.
func (db *DB) mayHold(ctx context.Context, r meeting.Reserve) error {
	others, err := number(db.reader(ctx).QueryRowContext(ctx, `SELECT count(*) FROM reserves WHERE held_no = $1 AND id <> $2`, r.No, r.ID))
	if err != nil {
		return fmt.Errorf("look for holder of meeting number: %w", err)
	}
	if others > 0 {
		return meeting.ErrNumberTaken
	}
	return nil
}

// ReserveByID returns a reserve of tenant t, also one that was deleted or has
// expired, or meeting.ErrReserveNotFound.
func (db *DB) ReserveByID(ctx context.Context, t tenant.Key, id int64) (meeting.Reserve, error) {
	r := db.reader(ctx).QueryRowContext(ctx, `SELECT `+reserveColumns+` FROM reserves WHERE id = $1 AND tenant = $2`, id, string(t))
	return get("read reserve", r, scanReserve, meeting.ErrReserveNotFound)
}

// LiveReserve returns the reserve that holds a meeting number at now, in any
// tenant: the number is all that a stranger at the door has. meeting.ErrReserveNotFound when it is free.
func (db *DB) LiveReserve(ctx context.Context, no string, now time.Time) (meeting.Reserve, error) {
	r := db.reader(ctx).QueryRowContext(ctx, `SELECT `+reserveColumns+` FROM reserves WHERE held_no = $1 AND end_at_ms > $2`, no, ms(now))
	return get("read reserve", r, scanReserve, meeting.ErrReserveNotFound)
}
