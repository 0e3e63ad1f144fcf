package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"huilu/internal/app"
	"huilu/internal/ident"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// step is the distance of the ids of two meetings: as if one began every few milliseconds.
const step = 1 << 24

// archive is a database with many meetings, all of them ended and recorded.
type archive struct {
	first int64 // id of the first meeting; the others follow in steps
	n     int
}

// id is the id of meeting i.
func (a archive) id(i int) int64 { return a.first + int64(i)*step }

// batch is how many rows are written in one transaction.
const batch = 100_000

// fill stores n meetings with ready recordings. Meeting i belongs to owners[i%len(owners)].
//
// One meeting and its recording are stored as the server does it; the others are copies of those rows with other ids and
// owners, which SQLite makes by itself: a million take seconds instead of minutes.
func fill(ctx context.Context, c *app.Core, t tenant.Key, owners []tenant.User, n int) (archive, error) {
	var nums ident.Numbers
	now := time.Now().Add(-10 * 365 * 24 * time.Hour)
	m := meeting.Meeting{
		ID: nums.Next(now), Tenant: t, No: ident.MeetingNo(), Topic: "Weekly meeting of the team 周会", Owner: owners[0].Num, Host: owners[0].Num,
		Source: meeting.OpenPlatform, Status: meeting.Ended, InitialType: 1, Peak: 2, CreatedAt: now, StartedAt: now, EndedAt: now.Add(time.Hour),
	}
	r := recording.Recording{ID: recording.ID(m.ID + 1), Tenant: t, Meeting: m.ID, State: recording.Ready, Minute: ident.Minute(),
		Duration: time.Hour, Attempts: 1, Progress: 1, CreatedAt: now, DoneAt: now.Add(time.Hour)}
	if err := c.DB.AddMeeting(ctx, m); err != nil {
		return archive{}, err
	}
	if err := c.DB.Recordings().Add(ctx, r); err != nil {
		return archive{}, err
	}
	owner := fmt.Sprintf("CASE i %% %d", len(owners))
	for i, u := range owners {
		owner += fmt.Sprintf(" WHEN %d THEN %d", i, u.Num)
	}
	owner += " END"
	id := fmt.Sprintf("id + i * %d", step)
	for from := 1; from < n; from += batch {
		to := min(from+batch, n)
		copies := []struct {
			table, key string
			changed    map[string]string
		}{
			{"meetings", "id", map[string]string{
				"id": id, "owner": owner, "no": "100000000 + i"}},
			{"recordings", "meeting", map[string]string{
				"id": id, "meeting": fmt.Sprintf("meeting + i * %d", step), "owner": owner, "minute": "'obcn' || substr(lower(hex(randomblob(10))), 1, 20)"}},
		}
		for _, k := range copies {
			if err := clone(ctx, c, k.table, k.key, m.ID, k.changed, from, to); err != nil {
				return archive{}, fmt.Errorf("fill %s: %w", k.table, err)
			}
		}
	}
	_, err := c.DB.Pool().ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)") // or every look-up would search a log of hundreds of megabytes
	return archive{first: m.ID, n: n}, err
}

// clone copies the row of a table whose key is id, numbered from up to but without to. changed gives the columns that are not
// the same, as SQL with the row's columns and the copy's number i.
func clone(ctx context.Context, c *app.Core, table, key string, id int64, changed map[string]string, from, to int) error {
	rows, err := c.DB.Pool().QueryContext(ctx, "SELECT name FROM pragma_table_info('"+table+"')")
	if err != nil {
		return err
	}
	defer rows.Close()
	var names, values []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		value := name
		if v, ok := changed[name]; ok {
			value = v
		}
		names, values = append(names, name), append(values, value)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	_, err = c.DB.Pool().ExecContext(ctx, fmt.Sprintf(
		`WITH RECURSIVE numbers (i) AS (SELECT %d UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < %d)
		INSERT INTO %s (%s) SELECT %s FROM %s, numbers WHERE %s = %d`,
		from, to, table, strings.Join(names, ", "), strings.Join(values, ", "), table, key, id))
	return err
}
