package store

import (
	"context"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

const meetingColumns = `id, tenant, reserve, no, topic, owner, host, app, source, status, locked, initial_type, auto_record, peak,
	created_at_ms, started_at_ms, ended_at_ms`

const (
	// reserve <> 0 says no more than the argument, but without it no index fits.
	activeMeetingQuery = `SELECT ` + meetingColumns + ` FROM meetings WHERE reserve = $1 AND tenant = $2 AND status <> 3 AND reserve <> 0`
	unendedQuery       = `SELECT ` + meetingColumns + ` FROM meetings WHERE status <> 3 ORDER BY id`
	byNoQuery          = `SELECT id, topic, no, started_at_ms FROM meetings
		WHERE tenant = $1 AND no = $2 AND started_at_ms >= $3 AND started_at_ms < $4 AND started_at_ms > 0
			AND (CAST($5 AS BIGINT) = 0 OR (started_at_ms, id) < (SELECT started_at_ms, id FROM meetings WHERE id = CAST($5 AS BIGINT) AND tenant = $1))
		ORDER BY started_at_ms DESC, id DESC LIMIT $6`
)

func scanMeeting(r row) (m meeting.Meeting, err error) {
	err = r.Scan(&m.ID, &m.Tenant, &m.Reserve, &m.No, &m.Topic, &m.Owner, &m.Host, &m.App, &m.Source, &m.Status, &m.Locked, &m.InitialType, &m.AutoRecord, &m.Peak,
		at(&m.CreatedAt), at(&m.StartedAt), at(&m.EndedAt))
	return m, err
}

// AddMeeting stores a new meeting. A second one that has not ended under the same
// reserve is impossible: the transaction starts over and finds the first.
func (db *DB) AddMeeting(ctx context.Context, m meeting.Meeting) error {
	n, err := db.exec(ctx, "add meeting",
		`INSERT INTO meetings (`+meetingColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING`,
		m.ID, string(m.Tenant), m.Reserve, m.No, m.Topic, int64(m.Owner), int64(m.Host), m.App, int64(m.Source), int64(m.Status), m.Locked, m.InitialType, m.AutoRecord, m.Peak,
		ms(m.CreatedAt), ms(m.StartedAt), ms(m.EndedAt))
	return orNone(n, err, errConflict)
}

// SaveMeeting stores what may change of a meeting when its stored status is from;
// false means that it was not. Its recording follows it to another owner.
func (db *DB) SaveMeeting(ctx context.Context, m meeting.Meeting, from meeting.Status) (moved bool, err error) {
	n, err := db.exec(ctx, "save meeting",
		`UPDATE meetings SET topic = $1, owner = $2, host = $3, status = $4, locked = $5, auto_record = $6, peak = $7, started_at_ms = $8, ended_at_ms = $9
		WHERE id = $10 AND tenant = $11 AND status = $12`,
		m.Topic, int64(m.Owner), int64(m.Host), int64(m.Status), m.Locked, m.AutoRecord, m.Peak, ms(m.StartedAt), ms(m.EndedAt),
		m.ID, string(m.Tenant), int64(from))
	if err != nil || n == 0 {
		return false, err
	}
	_, err = db.exec(ctx, "save meeting", `UPDATE recordings SET owner = $1 WHERE meeting = $2 AND tenant = $3 AND owner <> $1`, int64(m.Owner), m.ID, string(m.Tenant))
	return err == nil, err
}

// MeetingByID returns a meeting of tenant t or meeting.ErrNotFound.
func (db *DB) MeetingByID(ctx context.Context, t tenant.Key, id int64) (meeting.Meeting, error) {
	r := db.reader(ctx).QueryRowContext(ctx, `SELECT `+meetingColumns+` FROM meetings WHERE id = $1 AND tenant = $2`, id, string(t))
	return get("read meeting", r, scanMeeting, meeting.ErrNotFound)
}

// MeetingInRoom returns a meeting by its SFU room, in any tenant: the SFU knows
// none. meeting.ErrNotFound when there is none.
func (db *DB) MeetingInRoom(ctx context.Context, id int64) (meeting.Meeting, error) {
	r := db.reader(ctx).QueryRowContext(ctx, `SELECT `+meetingColumns+` FROM meetings WHERE id = $1`, id)
	return get("read meeting", r, scanMeeting, meeting.ErrNotFound)
}

// ActiveMeeting returns the meeting of a reserve that has not ended, or meeting.ErrNoActiveMeeting.
func (db *DB) ActiveMeeting(ctx context.Context, t tenant.Key, reserve int64) (meeting.Meeting, error) {
	r := db.reader(ctx).QueryRowContext(ctx, activeMeetingQuery, reserve, string(t))
	return get("read active meeting", r, scanMeeting, meeting.ErrNoActiveMeeting)
}

// Unended lists all meetings that have not ended, of every tenant: for picking up after a restart.
func (db *DB) Unended(ctx context.Context) ([]meeting.Meeting, error) {
	return list(ctx, "list meetings", db.reader(ctx), scanMeeting, unendedQuery)
}

// DeleteMeeting forgets a meeting that nobody ever joined, with those who were
// let in. One that has started stays.
func (db *DB) DeleteMeeting(ctx context.Context, t tenant.Key, id int64) error {
	_, err := db.exec(ctx, "delete meeting",
		`DELETE FROM meetings WHERE id = $1 AND tenant = $2 AND status = $3`, id, string(t), int64(meeting.Calling))
	return err
}

// ByNo lists up to limit started meetings under a number that began in [from, to),
// newest first, and only those behind the meeting after when that is not 0.
func (db *DB) ByNo(ctx context.Context, t tenant.Key, no string, from, to time.Time, after int64, limit int) ([]meeting.Brief, error) {
	return list(ctx, "list meetings", db.reader(ctx), func(r row) (b meeting.Brief, err error) {
		err = r.Scan(&b.ID, &b.Topic, &b.No, at(&b.StartedAt))
		return b, err
	}, byNoQuery, string(t), no, ms(from), ms(to), after, limit)
}
