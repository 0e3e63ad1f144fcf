package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"huilu/internal/capture"
	"huilu/internal/recorder"
	"huilu/internal/recording"
)

// recorders lets the keeper run hidden recorders: each appends to the capture
// folder of its recording, as the folder's next part.
type recorders struct {
	recorder *recorder.Recorder
	rooms    *rooms
	folder   string // of the capture folders
}

func (r recorders) Inside(ctx context.Context, p recording.Open) (bool, error) {
	ids, err := r.rooms.Inside(ctx, strconv.FormatInt(p.Meeting, 10))
	return len(ids) > 0, err
}

func (r recorders) Record(ctx context.Context, p recording.Open) (func() error, error) {
	room := strconv.FormatInt(p.Meeting, 10)
	s, err := capture.Create(r.dir(p.Recording), capture.Meta{RecordingID: p.Recording.String(), MeetingID: room, Topic: p.Topic})
	if err != nil {
		return nil, err
	}
	run, err := r.recorder.Start(ctx, room, s, s.LastPart()+1)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return func() error { return errors.Join(run.Stop(), s.Close()) }, nil
}

func (r recorders) Repair(_ context.Context, id recording.ID) error {
	if _, err := os.Stat(r.dir(id)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	_, err := capture.Repair(r.dir(id))
	return err
}

func (r recorders) Show(ctx context.Context, meeting int64, since time.Time) error {
	return r.rooms.Show(ctx, meeting, since)
}

func (r recorders) dir(id recording.ID) string { return filepath.Join(r.folder, id.String()) }
