package pages

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// mine is Home in SQL that SQLite and PostgreSQL both understand. It looks at no
// more than limit rows of each kind, whatever the number of meetings stored.
type mine struct{ db *sql.DB }

const mineQuery = `
SELECT m.id, m.id, m.no, m.topic, '', m.status, m.owner, m.started_at_ms, m.ended_at_ms,
	(SELECT COUNT(DISTINCT CASE WHEN p.user_num = 0 THEN p.id ELSE CAST(p.user_num AS TEXT) END)
		FROM participants p WHERE p.meeting = m.id AND p.joined_at_ms > 0),
	COALESCE(r.state, ''), COALESCE(r.minute, ''), COALESCE(r.duration_ms, 0), COALESCE(r.progress, 0), COALESCE(r.cause, '')
FROM meetings m LEFT JOIN recordings r ON r.meeting = m.id
WHERE m.tenant = $1 AND m.started_at_ms > 0 AND m.id IN (
	SELECT id FROM (SELECT id FROM meetings WHERE tenant = $1 AND owner = $2 AND id < $3 AND started_at_ms > 0 ORDER BY id DESC LIMIT $4) AS owned
	UNION
	SELECT meeting FROM (SELECT DISTINCT meeting FROM participants WHERE user_num = $2 AND tenant = $1 AND meeting < $3 AND joined_at_ms > 0 ORDER BY meeting DESC LIMIT $4) AS visited)
UNION ALL
SELECT id, 0, no, '', settings, 1, owner, 0, 0, 0, '', '', 0, 0, ''
FROM reserves
WHERE tenant = $1 AND (owner = $2 OR creator = $2) AND id < $3 AND deleted_at_ms = 0 AND end_at_ms > $5
	AND NOT EXISTS (SELECT 1 FROM meetings m WHERE m.reserve = reserves.id AND m.started_at_ms > 0)
ORDER BY 1 DESC LIMIT $4`

func (s mine) Mine(ctx context.Context, t tenant.Key, u tenant.UserNum, now time.Time, before int64, limit int) ([]Line, error) {
	rows, err := s.db.QueryContext(ctx, mineQuery, string(t), int64(u), before, limit, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var lines []Line
	for rows.Next() {
		var l Line
		var settings string
		var started, ended, duration int64
		if err := rows.Scan(&l.ID, &l.Meeting, &l.No, &l.Topic, &settings, &l.Status, &l.Owner, &started, &ended, &l.Participants,
			&l.State, &l.Minute, &duration, &l.Progress, &l.Cause); err != nil {
			return nil, err
		}
		if settings != "" {
			var v struct {
				Topic string `json:"topic"`
			}
			if err := json.Unmarshal([]byte(settings), &v); err != nil {
				return nil, err
			}
			l.Topic = v.Topic
		}
		l.StartedAt, l.EndedAt, l.Duration = instant(started), instant(ended), time.Duration(duration)*time.Millisecond
		lines = append(lines, l)
	}
	return lines, rows.Err()
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// liveRecordings adds to the service whether a meeting is being recorded.
type liveRecordings struct {
	*recording.Service
	db *sql.DB
}

const runningQuery = `SELECT COUNT(*) FROM recordings r JOIN parts p ON p.recording = r.id WHERE r.meeting = $1 AND p.stopped_at_ms = 0`

func (s liveRecordings) Running(ctx context.Context, meetingID int64) (bool, error) {
	var n int
	err := s.db.QueryRowContext(ctx, runningQuery, meetingID).Scan(&n)
	return n > 0, err
}
