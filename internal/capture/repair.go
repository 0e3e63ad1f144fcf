package capture

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// Report tells what Repair found and did.
type Report struct {
	Cut     []Damage // torn ends, now removed
	Damaged []Damage // damage in the middle, left in place: readers step over it
	Stopped []Event  // rec_stop events that were missing, now added
}

// Changed says whether the folder was not in order.
func (r Report) Changed() bool { return len(r.Cut)+len(r.Stopped) > 0 }

// Repair puts a folder in order after its writer died: torn ends are cut off, and parts without rec_stop get one at the
// time of their last whole record or event.
//
// It can be interrupted and run again at any time; a second run finds nothing to do. ErrInUse when the folder is being
// written. Nothing that could be read before is lost.
func Repair(dir string) (rep Report, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return rep, fmt.Errorf("capture: repair: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	events, err := openEvents(root)
	if err != nil {
		return rep, fmt.Errorf("capture: repair: %w", err)
	}
	defer func() { err = errors.Join(err, events.Close()) }()
	if err := rep.repair(root, events); err != nil {
		return rep, fmt.Errorf("capture: repair: %w", err)
	}
	return rep, nil
}

func (rep *Report) repair(root *os.Root, events *os.File) error {
	all, damage, err := readEvents(root)
	if err != nil {
		return err
	}
	for _, err := range damage {
		if d, ok := errors.AsType[*Damage](err); ok {
			if err := rep.settle(root, *d); err != nil {
				return err
			}
		}
	}
	if err := endTornLine(events); err != nil {
		return err
	}
	last, err := rep.repairLogs(root, all)
	if err != nil {
		return err
	}
	return errors.Join(rep.stopParts(events, all, last), events.Sync(), syncRoot(root))
}

// settle cuts a torn end off and remembers any other damage.
func (rep *Report) settle(root *os.Root, d Damage) error {
	if !d.Torn {
		rep.Damaged = append(rep.Damaged, d)
		return nil
	}
	f, err := root.OpenFile(d.File, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(d.Offset), f.Sync(), f.Close()); err != nil {
		return err
	}
	rep.Cut = append(rep.Cut, d)
	return nil
}

// repairLogs cuts the logs' torn ends and returns when each part's last whole record arrived.
func (rep *Report) repairLogs(root *os.Root, events []Event) (map[int]time.Time, error) {
	told := map[string]*TrackMeta{}
	for _, e := range events {
		if e.Type == TrackBegin && e.Track != nil {
			told[e.File] = e.Track
		}
	}
	names, err := logNames(root)
	if err != nil {
		return nil, err
	}
	last := map[int]time.Time{}
	for _, name := range names {
		t, headErr := openTrack(root, name, told[name])
		if headErr != nil {
			rep.Damaged = append(rep.Damaged, Damage{File: name})
		}
		if t.Kind == "" {
			continue // nothing says what it is
		}
		if err := rep.repairLog(root, t, last); err != nil {
			return nil, err
		}
	}
	return last, nil
}

func (rep *Report) repairLog(root *os.Root, t Track, last map[int]time.Time) error {
	for rec, err := range t.Records() {
		if d, ok := errors.AsType[*Damage](err); ok {
			if t.start == 0 && d.Offset == 0 {
				continue // the damaged header, told of already
			}
			if err := rep.settle(root, *d); err != nil {
				return err
			}
			continue
		} else if err != nil {
			return err
		}
		if rec.At.After(last[t.Part]) {
			last[t.Part] = rec.At
		}
	}
	return nil
}

// stopParts adds the missing rec_stop events.
func (rep *Report) stopParts(f io.Writer, events []Event, last map[int]time.Time) error {
	running := map[int]bool{}
	for _, e := range events {
		if e.Part == 0 {
			continue
		}
		if e.At.After(last[e.Part]) {
			last[e.Part] = e.At
		}
		switch e.Type {
		case RecStart:
			running[e.Part] = true
		case RecStop:
			running[e.Part] = false
		}
	}
	for part, on := range running {
		if on {
			rep.Stopped = append(rep.Stopped, Event{At: last[part], Type: RecStop, Part: part, Reason: "repaired"})
		}
	}
	slices.SortFunc(rep.Stopped, func(a, b Event) int { return cmp.Compare(a.Part, b.Part) })
	for _, e := range rep.Stopped {
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := f.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}
