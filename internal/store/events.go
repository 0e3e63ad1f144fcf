package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"huilu/internal/event"
	"huilu/internal/tenant"
)

var _ event.Store = (*DB)(nil)

// deliveryColumns fetch the event along with the delivery, also behind RETURNING.
const deliveryColumns = `id, app, tenant, state, attempts, due_at_ms, created_at_ms, (SELECT body FROM events WHERE events.id = deliveries.event)`

func scanDelivery(r row) (d event.Delivery, err error) {
	err = r.Scan(&d.ID, &d.App, &d.Tenant, &d.State, &d.Attempts, at(&d.DueAt), at(&d.CreatedAt), decoded(&d.Event))
	return d, err
}

// AddEvent stores an event and its deliveries in the transaction of ctx;
// ErrNoTransaction outside of one, because an event without its cause would be a lie.
func (db *DB) AddEvent(ctx context.Context, e event.Event, ds []event.Delivery) error {
	if db.txnOf(ctx) == nil {
		return fmt.Errorf("add event %s: %w", e.Type, ErrNoTransaction)
	}
	body, err := text(e)
	if err != nil {
		return err
	}
	id := db.nums.Next(e.At)
	_, err = db.exec(ctx, "add event",
		`INSERT INTO events (id, tenant, type, at_ms, body) VALUES ($1, $2, $3, $4, $5)`, id, string(e.Tenant), string(e.Type), ms(e.At), body)
	if err != nil {
		return err
	}
	for _, d := range ds {
		_, err = db.exec(ctx, "add delivery",
			`INSERT INTO deliveries (id, event, app, tenant, state, attempts, due_at_ms, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			d.ID, id, d.App, string(d.Tenant), string(d.State), d.Attempts, ms(d.DueAt), ms(d.CreatedAt))
		if err != nil {
			return err
		}
	}
	return nil
}

// Claim takes up to n pending deliveries due at now, of every tenant, and holds
// them until the lease ends or Settle is called. Of one app at most perApp are held at a
// time, those claimed earlier and by other nodes counted in. Those due longest come first.
func (db *DB) Claim(ctx context.Context, now time.Time, lease time.Duration, n, perApp int) ([]event.Delivery, error) {
	apps, err := db.appsWithDue(ctx, now)
	if err != nil || len(apps) == 0 {
		return nil, err // most looks end here and have written nothing
	}
	var claimed []event.Delivery
	// One commit for all apps. What must not interleave is held by a lock on the app, see claimOf.
	err = db.within(ctx, sql.LevelDefault, func(ctx context.Context) error {
		claimed = nil
		for _, app := range apps {
			ds, err := db.claimOf(ctx, app, now, now.Add(lease), n-len(claimed), perApp)
			if err != nil {
				return err
			}
			if claimed = append(claimed, ds...); len(claimed) >= n {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(claimed, func(a, b event.Delivery) int { return a.DueAt.Compare(b.DueAt) })
	return claimed, nil
}

// appsWithDue lists apps with something to deliver, the longest waiting first. It looks at one
// row of each app's queue, not at the queues, which are long when a receiver is down for hours.
func (db *DB) appsWithDue(ctx context.Context, now time.Time) ([]string, error) {
	return list(ctx, "find due deliveries", db.reader(ctx), func(r row) (id string, err error) {
		var due int64
		err = r.Scan(&id, &due)
		return id, err
	}, appsWithDueQuery, ms(now))
}

const appsWithDueQuery = `SELECT id, due_at_ms FROM (SELECT apps.id AS id, (SELECT due_at_ms FROM deliveries
		WHERE app = apps.id AND state = 'pending' AND due_at_ms <= $1 AND lease_until_ms <= $1 ORDER BY due_at_ms LIMIT 1) AS due_at_ms FROM apps) AS queues
	WHERE due_at_ms IS NOT NULL ORDER BY due_at_ms, id`

// claimOf takes up to n due deliveries of one app, so that at most perApp are held. Another
// node that is counting the same app's right now is left to it.
func (db *DB) claimOf(ctx context.Context, app string, now, until time.Time, n, perApp int) ([]event.Delivery, error) {
	_, err := number(db.writer(ctx).QueryRowContext(ctx, `SELECT 1 FROM apps WHERE id = $1`+db.skipLocked, app))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	held, err := number(db.writer(ctx).QueryRowContext(ctx, countHeldQuery, app, ms(now)))
	if err != nil {
		return nil, fmt.Errorf("count held deliveries: %w", err)
	}
	if n = min(n, perApp-int(held)); n <= 0 {
		return nil, nil // also because a negative LIMIT means none at all to SQLite
	}
	return list(ctx, "claim deliveries", db.writer(ctx), scanDelivery, claimQuery, ms(until), app, ms(now), n)
}

const (
	countHeldQuery = `SELECT count(*) FROM deliveries WHERE app = $1 AND state = 'pending' AND lease_until_ms > 0 AND lease_until_ms > $2`
	claimQuery     = `UPDATE deliveries SET lease_until_ms = $1 WHERE id IN (SELECT id FROM deliveries
			WHERE app = $2 AND state = 'pending' AND due_at_ms <= $3 AND lease_until_ms <= $3 ORDER BY due_at_ms, id LIMIT $4)
		RETURNING ` + deliveryColumns
)

// Settle records an attempt, moves the delivery to Delivered, Failed, or Pending
// again at next, and ends its lease. A delivery that has left Pending, or whose attempt
// a.N somebody else has settled after the lease had run out, is left alone. The id comes from Claim, which is for every tenant.
func (db *DB) Settle(ctx context.Context, a event.Attempt, s event.State, next time.Time) error {
	return db.Within(ctx, func(ctx context.Context) error {
		moved, err := db.exec(ctx, "settle delivery",
			`UPDATE deliveries SET state = $1, attempts = $2, due_at_ms = CASE WHEN $3 THEN $4 ELSE due_at_ms END, lease_until_ms = 0
			WHERE id = $5 AND state = 'pending' AND attempts = $6`,
			string(s), a.N, s == event.Pending, ms(next), a.Delivery, a.N-1)
		if err != nil || moved == 0 {
			return err
		}
		_, err = db.exec(ctx, "add attempt",
			`INSERT INTO attempts (delivery, n, at_ms, latency_ms, status, error, body) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			a.Delivery, a.N, ms(a.At), a.Latency.Milliseconds(), a.Status, a.Error, a.Body)
		return err
	})
}

// CountPending counts the deliveries of every tenant that are pending, claimed
// ones too. It is for the operator's metrics.
func (db *DB) CountPending(ctx context.Context) (int, error) {
	n, err := number(db.reader(ctx).QueryRowContext(ctx, `SELECT count(*) FROM deliveries WHERE state = 'pending'`))
	if err != nil {
		return 0, fmt.Errorf("count pending deliveries: %w", err)
	}
	return int(n), nil
}

// NextDue returns when the next pending delivery can be claimed; ok is false when
// there is none. One that somebody is at can be claimed when the lease ends.
func (db *DB) NextDue(ctx context.Context, _ time.Time) (due time.Time, ok bool, err error) {
	var n sql.NullInt64
	if err = db.reader(ctx).QueryRowContext(ctx, nextDueQuery).Scan(&n); err != nil {
		return time.Time{}, false, fmt.Errorf("find next delivery: %w", err)
	}
	return fromMS(n.Int64), n.Valid, nil
}

// Two looks at the ends of two indexes, because a queue that waits for a receiver can be long. Held are only a few.
const nextDueQuery = `SELECT MIN(t) FROM (
	SELECT MIN(due_at_ms) AS t FROM deliveries WHERE state = 'pending' AND lease_until_ms = 0
	UNION ALL
	SELECT MIN(CASE WHEN lease_until_ms > due_at_ms THEN lease_until_ms ELSE due_at_ms END) FROM deliveries WHERE state = 'pending' AND lease_until_ms > 0
) AS ends`

// Deliveries lists the latest deliveries of one app of tenant t with their attempts, newest first.
func (db *DB) Deliveries(ctx context.Context, t tenant.Key, app string, limit int) ([]event.Delivery, map[string][]event.Attempt, error) {
	const latest = ` FROM deliveries WHERE tenant = $1 AND app = $2 ORDER BY created_at_ms DESC, id LIMIT $3`
	ds, err := list(ctx, "list deliveries", db.reader(ctx), scanDelivery, `SELECT `+deliveryColumns+latest, string(t), app, limit)
	if err != nil {
		return nil, nil, err
	}
	all, err := list(ctx, "list attempts", db.reader(ctx), func(r row) (a event.Attempt, err error) {
		err = r.Scan(&a.Delivery, &a.N, at(&a.At), length(&a.Latency), &a.Status, &a.Error, &a.Body)
		return a, err
	}, `SELECT delivery, n, at_ms, latency_ms, status, error, body FROM attempts WHERE delivery IN (SELECT id`+latest+`) ORDER BY delivery, n`,
		string(t), app, limit)
	of := make(map[string][]event.Attempt, len(ds))
	for _, a := range all {
		of[a.Delivery] = append(of[a.Delivery], a)
	}
	return ds, of, err
}
