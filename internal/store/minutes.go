package store

import (
	"context"

	"huilu/internal/minute"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

var _ minute.Store = (*DB)(nil)

const minuteColumns = `token, tenant, meeting, owner, title, started_at_ms, duration_ms, file, poster, size_bytes, defects, created_at_ms, deleted_at_ms`

func scanMinute(r row) (m minute.Minute, err error) {
	err = r.Scan(&m.Token, &m.Tenant, &m.Meeting, &m.Owner, &m.Title, at(&m.StartedAt), length(&m.Duration), &m.File, &m.Poster, &m.Size, decoded(&m.Defects), at(&m.CreatedAt), at(&m.DeletedAt))
	return m, err
}

// AddMinute stores the minute that a recording became. A recording has one minute at most.
func (s Recordings) AddMinute(ctx context.Context, t tenant.Key, m recording.Minute) error {
	_, err := s.exec(ctx, "add minute",
		`INSERT INTO minutes (token, tenant, recording, meeting, owner, title, started_at_ms, duration_ms, file, poster, size_bytes, sha256, defects, created_at_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		m.Token, string(t), int64(m.Recording), m.Meeting, int64(m.Owner), m.Title, ms(m.StartedAt), m.Duration.Milliseconds(),
		m.File, m.Poster, m.Size, m.SHA256, lists(m.Defects)[0], ms(m.CreatedAt))
	return err
}

// MinuteByToken returns a minute of tenant t, also a deleted one, or minute.ErrNotFound.
func (db *DB) MinuteByToken(ctx context.Context, t tenant.Key, token string) (minute.Minute, error) {
	r := db.reader(ctx).QueryRowContext(ctx, `SELECT `+minuteColumns+` FROM minutes WHERE token = $1 AND tenant = $2`, token, string(t))
	return get("read minute", r, scanMinute, minute.ErrNotFound)
}

// MinuteForLink returns a minute of any tenant for a link whose signature was
// checked: the link is the permission. minute.ErrNotFound when there is none.
func (db *DB) MinuteForLink(ctx context.Context, token string) (minute.Minute, error) {
	r := db.reader(ctx).QueryRowContext(ctx, `SELECT `+minuteColumns+` FROM minutes WHERE token = $1`, token)
	return get("read minute", r, scanMinute, minute.ErrNotFound)
}

// Stays lists who was in a meeting of tenant t and when, by time of joining.
func (db *DB) Stays(ctx context.Context, t tenant.Key, m int64) ([]minute.Stay, error) {
	return list(ctx, "list stays", db.reader(ctx), func(r row) (s minute.Stay, err error) {
		err = r.Scan(&s.Name, at(&s.JoinedAt), at(&s.LeftAt))
		return s, err
	}, `SELECT name, joined_at_ms, left_at_ms FROM participants WHERE meeting = $1 AND tenant = $2 AND joined_at_ms > 0 ORDER BY joined_at_ms, id`,
		m, string(t))
}
