package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"huilu/internal/library"
	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

// Mine lists, newest first by ID, what person u of tenant t reserved, owns or took
// part in: every meeting that began, and every reserve under which people may meet at
// now and never did. Only lines with an ID below before, at most limit. It looks at a
// few times limit rows, however many are stored.
func (db *DB) Mine(ctx context.Context, t tenant.Key, u tenant.UserNum, now time.Time, before int64, limit int) ([]library.Line, error) {
	lines, err := list(ctx, "list meetings of a person", db.reader(ctx), scanMeetingLine, meetingLinesQuery, string(t), int64(u), before, limit)
	if err != nil {
		return nil, err
	}
	waiting, err := list(ctx, "list reserves of a person", db.reader(ctx), scanWaitingLine, waitingLinesQuery, string(t), int64(u), before, ms(now), limit)
	if err != nil {
		return nil, err
	}
	lines = append(lines, waiting...)
	slices.SortFunc(lines, func(a, b library.Line) int { return cmp.Compare(b.ID, a.ID) })
	return lines[:min(limit, len(lines))], nil
}

// Someone who reloads the page stays once; guests cannot be told apart, so each of their stays counts.
const meetingLinesQuery = `
WITH owned AS (SELECT id FROM meetings WHERE tenant = $1 AND owner = $2 AND id < $3 AND started_at_ms > 0 ORDER BY id DESC LIMIT $4),
visited AS (SELECT DISTINCT meeting AS id FROM participants
	WHERE user_num = $2 AND user_num <> 0 AND meeting < $3 AND tenant = $1 AND joined_at_ms > 0 ORDER BY meeting DESC LIMIT $4)
SELECT m.id, m.no, m.topic, m.status, m.owner, m.started_at_ms, m.ended_at_ms,
	(SELECT count(DISTINCT CASE WHEN p.user_num = 0 THEN p.id ELSE CAST(p.user_num AS TEXT) END) FROM participants p WHERE p.meeting = m.id AND p.joined_at_ms > 0),
	COALESCE(r.state, ''), COALESCE(r.minute, ''), COALESCE(r.duration_ms, 0), COALESCE(r.progress, 0), COALESCE(r.cause, '')
FROM meetings m LEFT JOIN recordings r ON r.meeting = m.id
WHERE m.id IN (SELECT id FROM owned UNION SELECT id FROM visited) ORDER BY m.id DESC LIMIT $4`

func scanMeetingLine(r row) (l library.Line, err error) {
	err = r.Scan(&l.ID, &l.No, &l.Topic, &l.Status, &l.Owner, at(&l.StartedAt), at(&l.EndedAt), &l.Participants,
		&l.State, &l.Minute, length(&l.Duration), &l.Progress, &l.Cause)
	l.Meeting = l.ID
	return l, err
}

const waitingLinesQuery = `
SELECT id, no, settings, owner FROM reserves
WHERE tenant = $1 AND (owner = $2 OR creator = $2) AND id < $3 AND deleted_at_ms = 0 AND end_at_ms > $4
	AND NOT EXISTS (SELECT 1 FROM meetings m WHERE m.reserve = reserves.id AND m.started_at_ms > 0)
ORDER BY id DESC LIMIT $5`

func scanWaitingLine(r row) (l library.Line, err error) {
	var settings meeting.Settings
	err = r.Scan(&l.ID, &l.No, decoded(&settings), &l.Owner)
	l.Topic, l.Status = settings.Topic, meeting.Calling
	return l, err
}
