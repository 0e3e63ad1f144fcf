package capture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"time"
)

// Recording reads a capture folder, also while it is being written: what has been flushed is there.
type Recording struct {
	root   *os.Root
	meta   Meta
	tracks []Track
	damage []error
}

// Track is one log of a recording.
type Track struct {
	TrackMeta
	File string // name within the folder

	root  *os.Root
	start int64 // where the records begin; 0 when the header is damaged
}

// Open opens the folder for reading. Damage does not fail it, see Damage; a folder without a readable recording.json does.
func Open(dir string) (*Recording, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	r := &Recording{root: root}
	if err := r.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("capture: %w", err), root.Close())
	}
	return r, nil
}

func (r *Recording) load() (err error) {
	if r.meta, err = readMeta(r.root); err != nil {
		return err
	}
	events, damage, err := readEvents(r.root)
	if err != nil {
		return err
	}
	r.damage = damage
	told := map[string]*TrackMeta{} // what the timeline knows, for logs whose header is damaged
	for _, e := range events {
		if e.Type == TrackBegin && e.Track != nil {
			told[e.File] = e.Track
		}
	}
	names, err := logNames(r.root)
	if err != nil {
		return err
	}
	for _, name := range names {
		t, err := openTrack(r.root, name, told[name])
		if err != nil {
			r.damage = append(r.damage, err)
		}
		if t.Kind != "" {
			r.tracks = append(r.tracks, t)
		}
	}
	slices.SortStableFunc(r.tracks, func(a, b Track) int {
		return cmp.Or(cmp.Compare(a.Part, b.Part), a.StartedAt.Compare(b.StartedAt))
	})
	return nil
}

// openTrack reads a log's header. When it is damaged the timeline's word is taken, and the damage is returned as well.
func openTrack(root *os.Root, name string, told *TrackMeta) (Track, error) {
	f, err := root.Open(name)
	if err != nil {
		return Track{}, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, maxMeta))
	if err != nil {
		return Track{}, err
	}
	m, size, err := parseHeader(head)
	if err == nil {
		return Track{TrackMeta: m, File: name, root: root, start: int64(size)}, nil
	}
	err = fmt.Errorf("capture: %s: %w", name, err)
	if told == nil {
		return Track{}, err
	}
	return Track{TrackMeta: *told, File: name, root: root}, err
}

func readMeta(root *os.Root) (m Meta, err error) {
	b, err := root.ReadFile(metaFile)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("%s: %w", metaFile, err)
	}
	return m, nil
}

// readEvents returns the whole lines of the timeline in the order of their times, and what is damaged.
func readEvents(root *os.Root) (events []Event, damage []error, err error) {
	b, err := root.ReadFile(eventsFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	var off int64
	for line := range bytes.Lines(b) {
		var e Event
		torn := line[len(line)-1] != '\n'
		if err := json.Unmarshal(line, &e); (err != nil || e.Type == "") && len(bytes.TrimSpace(line)) > 0 {
			damage = append(damage, &Damage{File: eventsFile, Offset: off, Bytes: int64(len(line)), Torn: torn})
		} else if err == nil {
			events = append(events, e)
		}
		off += int64(len(line))
	}
	slices.SortStableFunc(events, func(a, b Event) int { return a.At.Compare(b.At) })
	return events, damage, nil
}

// Close gives the folder free. Tracks of the recording cannot be read afterwards.
func (r *Recording) Close() error { return r.root.Close() }

// Meta returns what the folder belongs to.
func (r *Recording) Meta() Meta { return r.meta }

// Damage tells what could not be read of headers and timeline when the folder was opened. Damage within a log turns up
// while its records are read.
func (r *Recording) Damage() []error { return r.damage }

// Tracks returns the logs by part and time of their start. A log that nothing describes any more is left out, see Damage.
func (r *Recording) Tracks() []Track { return slices.Clone(r.tracks) }

// Timeline reads the events again, in the order of their times. Damaged lines are left out, see Damage.
func (r *Recording) Timeline() ([]Event, error) {
	events, _, err := readEvents(r.root)
	if err != nil {
		return nil, fmt.Errorf("capture: timeline: %w", err)
	}
	return events, nil
}

// Records yields the log's records in the order they arrived.
//
// A *Damage is yielded as an error in its place, and the records behind it follow; any other error is the last thing
// yielded. In a log that is still being written a torn end only means: not yet.
func (t Track) Records() iter.Seq2[Record, error] { return t.RecordsFrom(0) }

// RecordsFrom yields the records from an offset on, which was some record's Next; 0 means from the start.
func (t Track) RecordsFrom(offset int64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		f, err := t.root.Open(t.File)
		if err != nil {
			yield(Record{}, fmt.Errorf("capture: %w", err))
			return
		}
		defer f.Close()
		offset := max(offset, t.start)
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			yield(Record{}, fmt.Errorf("capture: %s: %w", t.File, err))
			return
		}
		scan(f, t.File, offset, t.StartedAt, yield)
	}
}

// scan yields the records of r, which starts at offset of the file called name.
func scan(r io.Reader, name string, offset int64, near time.Time, yield func(Record, error) bool) {
	s := newScanner(r, name, offset, near)
	for {
		rec, err := s.next()
		if errors.Is(err, io.EOF) {
			return
		}
		_, damaged := errors.AsType[*Damage](err)
		if err != nil && !damaged {
			err = fmt.Errorf("capture: %s: %w", name, err)
		}
		if !yield(rec, err) || err != nil && !damaged {
			return
		}
	}
}
