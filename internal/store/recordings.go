package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

var _ recording.Store = Recordings{}

// Recordings is the part of the database that package recording asks for.
type Recordings struct{ *DB }

// Recordings returns the database as package recording sees it. Its methods
// have names that are too short for all of DB.
func (db *DB) Recordings() Recordings { return Recordings{db} }

const (
	recordingColumns = `id, tenant, meeting, state, timezone, has_zone, minute, duration_ms, cause, attempts, progress, created_at_ms, done_at_ms`

	inStateQuery = `SELECT ` + recordingColumns + ` FROM recordings WHERE state = $1 ORDER BY id`

	factsQuery = `SELECT t.recording, m.owner, m.initial_type, m.status, r.state, r.id, r.minute, r.duration_ms
		FROM meetings m JOIN tenants t ON t.key = m.tenant LEFT JOIN recordings r ON r.meeting = m.id
		WHERE m.id = $1 AND m.tenant = $2`
)

func scanRecording(r row) (v recording.Recording, err error) {
	err = r.Scan(&v.ID, &v.Tenant, &v.Meeting, &v.State, &v.Timezone, &v.HasZone, &v.Minute, length(&v.Duration), &v.Cause, &v.Attempts, &v.Progress, at(&v.CreatedAt), at(&v.DoneAt))
	return v, err
}

// Facts returns what the answer to GET recording depends on, by one query that
// looks up three keys and so takes as long for a million recordings as for one.
func (s Recordings) Facts(ctx context.Context, t tenant.Key, m int64) (recording.Facts, error) {
	if s.glances != nil && s.txnOf(ctx) == nil {
		if f, ok := s.glances.facts(t, m); ok {
			return f, nil
		}
	}
	f := recording.Facts{Found: true}
	var owner, status int64
	var id, millis sql.NullInt64
	var state, minute sql.NullString
	err := s.ask(ctx, s.hot.facts, factsQuery, m, string(t)).
		Scan(&f.TenantRecords, &owner, &f.InitialType, &status, &state, &id, &minute, &millis)
	if errors.Is(err, sql.ErrNoRows) {
		return recording.Facts{}, nil
	} else if err != nil {
		return recording.Facts{}, fmt.Errorf("read facts of meeting %d: %w", m, err)
	}
	f.Owner, f.Status = tenant.UserNum(owner), meeting.Status(status)
	f.State, f.RecordingID = recording.State(state.String), recording.ID(id.Int64)
	f.Minute, f.Duration = minute.String, time.Duration(millis.Int64)*time.Millisecond
	return f, nil
}

// Add stores a new recording. A second one of the same meeting is impossible:
// the transaction starts over and finds the first.
func (s Recordings) Add(ctx context.Context, r recording.Recording) error {
	n, err := s.exec(ctx, "add recording",
		`INSERT INTO recordings (`+recordingColumns+`, owner) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
			(SELECT owner FROM meetings WHERE id = $3)) ON CONFLICT DO NOTHING`,
		int64(r.ID), string(r.Tenant), r.Meeting, string(r.State), r.Timezone, r.HasZone, r.Minute, r.Duration.Milliseconds(), r.Cause, r.Attempts, r.Progress, ms(r.CreatedAt), ms(r.DoneAt))
	return orNone(n, err, errConflict)
}

// ByMeeting returns the recording of a meeting of tenant t, or recording.ErrNotFound.
func (s Recordings) ByMeeting(ctx context.Context, t tenant.Key, m int64) (recording.Recording, error) {
	r := s.reader(ctx).QueryRowContext(ctx, `SELECT `+recordingColumns+` FROM recordings WHERE meeting = $1 AND tenant = $2`, m, string(t))
	return get("read recording", r, scanRecording, recording.ErrNotFound)
}

// ByID returns a recording of any tenant, or recording.ErrNotFound: the composer
// has a job with an id, which never comes from outside.
func (s Recordings) ByID(ctx context.Context, id recording.ID) (recording.Recording, error) {
	r := s.reader(ctx).QueryRowContext(ctx, `SELECT `+recordingColumns+` FROM recordings WHERE id = $1`, int64(id))
	return get("read recording", r, scanRecording, recording.ErrNotFound)
}

// Advance saves r when its stored state is from; false means that it was not.
func (s Recordings) Advance(ctx context.Context, r recording.Recording, from recording.State) (moved bool, err error) {
	n, err := s.exec(ctx, "advance recording",
		`UPDATE recordings SET state = $1, timezone = $2, has_zone = $3, minute = $4, duration_ms = $5, cause = $6, attempts = $7, progress = $8, done_at_ms = $9
		WHERE id = $10 AND tenant = $11 AND state = $12`,
		string(r.State), r.Timezone, r.HasZone, r.Minute, r.Duration.Milliseconds(), r.Cause, r.Attempts, r.Progress, ms(r.DoneAt),
		int64(r.ID), string(r.Tenant), string(from))
	return n == 1, err
}

// SetProgress notes how far a composition is, 0 to 1. The id is the composer's own.
func (s Recordings) SetProgress(ctx context.Context, id recording.ID, progress float64) error {
	_, err := s.exec(ctx, "set progress",
		`UPDATE recordings SET progress = $1 WHERE id = $2 AND state = $3`, progress, int64(id), string(recording.Processing))
	return err
}

// InState lists recordings of every tenant in a state, the oldest first: for picking up after a restart.
func (s Recordings) InState(ctx context.Context, state recording.State) ([]recording.Recording, error) {
	return list(ctx, "list recordings", s.reader(ctx), scanRecording, inStateQuery, string(state))
}
