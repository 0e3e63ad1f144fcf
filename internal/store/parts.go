package store

import (
	"context"
	"time"

	"huilu/internal/recording"
)

const partColumns = `recording, n, started_by, started_at_ms, stopped_at_ms`

func scanPart(r row) (p recording.Part, err error) {
	err = r.Scan(&p.Recording, &p.N, &p.StartedBy, at(&p.StartedAt), at(&p.StoppedAt))
	return p, err
}

// AddPart stores a part that begins. Two open parts of one recording, or two with
// one number, are impossible: the transaction starts over and finds the first.
func (s Recordings) AddPart(ctx context.Context, p recording.Part) error {
	n, err := s.exec(ctx, "add part",
		`INSERT INTO parts (`+partColumns+`) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		int64(p.Recording), p.N, int64(p.StartedBy), ms(p.StartedAt), ms(p.StoppedAt))
	return orNone(n, err, errConflict)
}

// ClosePart ends part n; false means that it had ended already, or does not exist.
func (s Recordings) ClosePart(ctx context.Context, id recording.ID, n int, stopped time.Time) (closed bool, err error) {
	changed, err := s.exec(ctx, "close part",
		`UPDATE parts SET stopped_at_ms = $1 WHERE recording = $2 AND n = $3 AND stopped_at_ms = 0`, ms(stopped), int64(id), n)
	return changed == 1, err
}

// Parts lists the parts of a recording in order. The id comes from a recording that was read through its tenant, or from a job.
func (s Recordings) Parts(ctx context.Context, id recording.ID) ([]recording.Part, error) {
	return list(ctx, "list parts", s.reader(ctx), scanPart,
		`SELECT `+partColumns+` FROM parts WHERE recording = $1 ORDER BY n`, int64(id))
}

// OpenParts lists what should be recorded right now, of every tenant: recorders are made to agree with it.
func (s Recordings) OpenParts(ctx context.Context) ([]recording.Open, error) {
	return list(ctx, "list open parts", s.reader(ctx), func(r row) (o recording.Open, err error) {
		err = r.Scan(&o.Recording, &o.N, &o.StartedBy, at(&o.StartedAt), at(&o.StoppedAt), &o.Tenant, &o.Meeting, &o.Topic)
		return o, err
	}, openPartsQuery)
}

const openPartsQuery = `SELECT p.recording, p.n, p.started_by, p.started_at_ms, p.stopped_at_ms, r.tenant, r.meeting, m.topic
	FROM parts p JOIN recordings r ON r.id = p.recording JOIN meetings m ON m.id = r.meeting
	WHERE p.stopped_at_ms = 0 ORDER BY p.recording`
