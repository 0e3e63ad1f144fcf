package store

import (
	"context"
	"fmt"

	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

const participantColumns = `id, meeting, tenant, user_num, name, role, created_at_ms, joined_at_ms, left_at_ms, reason`

func scanParticipant(r row) (p meeting.Participant, err error) {
	err = r.Scan(&p.ID, &p.Meeting, &p.Tenant, &p.User, &p.Name, &p.Role, at(&p.CreatedAt), at(&p.JoinedAt), at(&p.LeftAt), &p.Reason)
	return p, err
}

// AddParticipant stores somebody who was let into a meeting.
func (db *DB) AddParticipant(ctx context.Context, p meeting.Participant) error {
	_, err := db.exec(ctx, "add participant",
		`INSERT INTO participants (`+participantColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		p.ID, p.Meeting, string(p.Tenant), int64(p.User), p.Name, int64(p.Role), ms(p.CreatedAt), ms(p.JoinedAt), ms(p.LeftAt), int64(p.Reason))
	return err
}

// SaveParticipant stores a changed Name, Role, JoinedAt, LeftAt or Reason;
// meeting.ErrTargetNotInside when the meeting of p has no such participant.
func (db *DB) SaveParticipant(ctx context.Context, p meeting.Participant) error {
	n, err := db.exec(ctx, "save participant",
		`UPDATE participants SET name = $1, role = $2, joined_at_ms = $3, left_at_ms = $4, reason = $5 WHERE id = $6 AND meeting = $7 AND tenant = $8`,
		p.Name, int64(p.Role), ms(p.JoinedAt), ms(p.LeftAt), int64(p.Reason), p.ID, p.Meeting, string(p.Tenant))
	return orNone(n, err, meeting.ErrTargetNotInside)
}

// ParticipantByID returns a participant of a meeting or meeting.ErrTargetNotInside.
// It takes no tenant because the SFU, which asks, knows none; the meeting belongs to one.
func (db *DB) ParticipantByID(ctx context.Context, m int64, id string) (meeting.Participant, error) {
	r := db.reader(ctx).QueryRowContext(ctx, `SELECT `+participantColumns+` FROM participants WHERE id = $1 AND meeting = $2`, id, m)
	return get("read participant", r, scanParticipant, meeting.ErrTargetNotInside)
}

// Participants lists everybody who was let into a meeting, the first first.
func (db *DB) Participants(ctx context.Context, t tenant.Key, m int64) ([]meeting.Participant, error) {
	return list(ctx, "list participants", db.reader(ctx), scanParticipant,
		`SELECT `+participantColumns+` FROM participants WHERE meeting = $1 AND tenant = $2 ORDER BY created_at_ms, id`, m, string(t))
}

// CountInside counts who is in a meeting now. It takes no tenant because the
// caller holds the meeting, and a number tells nothing.
func (db *DB) CountInside(ctx context.Context, m int64) (int, error) {
	n, err := number(db.reader(ctx).QueryRowContext(ctx,
		`SELECT count(*) FROM participants WHERE meeting = $1 AND joined_at_ms > 0 AND left_at_ms = 0`, m))
	if err != nil {
		return 0, fmt.Errorf("count participants: %w", err)
	}
	return int(n), nil
}
