package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"huilu/internal/job"
	"huilu/internal/recording"
)

var _ job.Store = Jobs{}

// Jobs is the part of the database that package job asks for.
type Jobs struct{ *DB }

// Jobs returns the database as package job sees it.
func (db *DB) Jobs() Jobs { return Jobs{db} }

// Enqueue makes a recording due at now in the transaction of ctx;
// ErrNoTransaction outside of one: the job must appear with the state that asks for it, or not at all.
func (s Jobs) Enqueue(ctx context.Context, id recording.ID, now time.Time) error {
	if s.txnOf(ctx) == nil {
		return ErrNoTransaction
	}
	_, err := s.exec(ctx, "enqueue composition",
		`INSERT INTO compositions (recording, version, tries, due_at_ms, holder, lease_until_ms, error, created_at_ms) VALUES ($1, 1, 0, $2, '', 0, '', $2)
		ON CONFLICT (recording) DO UPDATE SET version = compositions.version + 1, tries = 0, due_at_ms = excluded.due_at_ms`,
		int64(id), ms(now))
	return err
}

// Claim takes up to n jobs of every tenant that are due at now and that nobody
// holds, the longest waiting first, and holds them until then.
func (s Jobs) Claim(ctx context.Context, holder string, now, until time.Time, n int) ([]job.Job, error) {
	// Most looks find nothing; they take no lock and write nothing.
	waiting, err := number(s.reader(ctx).QueryRowContext(ctx, `SELECT count(*) FROM compositions WHERE due_at_ms <= $1 AND lease_until_ms <= $1`, ms(now)))
	if err != nil {
		return nil, fmt.Errorf("look for compositions: %w", err)
	}
	if waiting == 0 || n <= 0 {
		return nil, nil
	}
	// The condition stands twice: on PostgreSQL a rival may have changed the row between the look and the update.
	return list(ctx, "claim compositions", s.writer(ctx), func(r row) (j job.Job, err error) {
		err = r.Scan(&j.Recording, &j.Version, &j.Tries)
		return j, err
	}, `WITH due AS MATERIALIZED (SELECT recording FROM compositions
			WHERE due_at_ms <= $1 AND lease_until_ms <= $1 ORDER BY due_at_ms, recording LIMIT $2`+s.skipLocked+`)
		UPDATE compositions SET holder = $3, lease_until_ms = $4, tries = tries + 1
		WHERE recording IN (SELECT recording FROM due) AND due_at_ms <= $1 AND lease_until_ms <= $1
		RETURNING recording, version, tries`,
		ms(now), n, holder, ms(until))
}

// Extend holds a job until then; false means that holder no longer has it. One
// whose lease ran out but that nobody took is still held.
func (s Jobs) Extend(ctx context.Context, j job.Job, holder string, until time.Time) (held bool, err error) {
	n, err := s.exec(ctx, "extend lease",
		`UPDATE compositions SET lease_until_ms = $1 WHERE recording = $2 AND holder = $3`, ms(until), int64(j.Recording), holder)
	return n == 1, err
}

// Done removes a job, or makes it free when it was enqueued again since it was claimed.
func (s Jobs) Done(ctx context.Context, j job.Job, holder string) error {
	return s.within(ctx, sql.LevelDefault, func(ctx context.Context) error {
		n, err := s.exec(ctx, "finish composition",
			`DELETE FROM compositions WHERE recording = $1 AND holder = $2 AND version = $3`, int64(j.Recording), holder, j.Version)
		if err != nil || n == 1 {
			return err
		}
		_, err = s.exec(ctx, "free composition",
			`UPDATE compositions SET holder = '', lease_until_ms = 0 WHERE recording = $1 AND holder = $2`, int64(j.Recording), holder)
		return err
	})
}

// Release gives a job back, to be claimed from due on, or earlier when it was
// enqueued again since it was claimed. A try that was cut short does not count.
func (s Jobs) Release(ctx context.Context, j job.Job, holder string, due time.Time, cause string, counts bool) error {
	uncounted := 0
	if !counts {
		uncounted = 1
	}
	_, err := s.exec(ctx, "release composition",
		`UPDATE compositions SET holder = '', lease_until_ms = 0, error = $1,
			due_at_ms = CASE WHEN version = $2 THEN $3 ELSE due_at_ms END, tries = CASE WHEN version = $2 THEN tries - $4 ELSE tries END
		WHERE recording = $5 AND holder = $6`,
		cause, j.Version, ms(due), uncounted, int64(j.Recording), holder)
	return err
}

// NextDue returns when the next job can be claimed; ok is false when there is
// none. One that is held can be claimed when its lease ends.
func (s Jobs) NextDue(ctx context.Context) (due time.Time, ok bool, err error) {
	var n sql.NullInt64
	err = s.reader(ctx).QueryRowContext(ctx,
		`SELECT MIN(CASE WHEN lease_until_ms > due_at_ms THEN lease_until_ms ELSE due_at_ms END) FROM compositions`).Scan(&n)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("find next composition: %w", err)
	}
	return fromMS(n.Int64), n.Valid, nil
}

// ClaimChore moves a chore that is due at now to next; false means that it is not due, perhaps because another node was faster.
func (s Jobs) ClaimChore(ctx context.Context, name string, now, next time.Time) (bool, error) {
	n, err := s.exec(ctx, "claim chore",
		`INSERT INTO chores (name, due_at_ms) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET due_at_ms = excluded.due_at_ms WHERE chores.due_at_ms <= $3`, name, ms(next), ms(now))
	return n == 1, err
}
