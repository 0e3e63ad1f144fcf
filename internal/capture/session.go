package capture

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	metaFile   = "recording.json"
	eventsFile = "events.jsonl"
	logSuffix  = ".rtpl"

	flushEvery = 200 * time.Millisecond // at most this much is lost with the process
	syncEvery  = 5 * time.Second        // at most about this much is lost with the power

	// keepFree is what pictures must leave free on the disk, so that sound and the timeline go on.
	keepFree = 64 << 20

	// maxLate bounds the events that wait for a full disk: hours of people coming and going.
	maxLate = 1 << 20
)

// ErrInUse means that another session, here or in another process, writes to the folder.
var ErrInUse = errors.New("capture: folder is being written")

// Session writes one recording's folder. Its methods may be called from any goroutine.
type Session struct {
	meta   Meta
	root   *os.Root
	events *os.File

	// What it needs of the machine; replaced in tests.
	writeFile func(*os.File, []byte) (int, error)
	freeBytes func() (uint64, error)

	eventMu sync.Mutex // orders the lines of the timeline, guards the fields below
	late    []byte     // lines that the disk has refused so far
	size    int64      // length of the timeline up to the last whole line

	mu      sync.Mutex // guards the fields below
	logs    map[*TrackLog]struct{}
	parts   map[int]bool // true while running
	nextLog int
	shed    bool  // the disk is nearly full: pictures are dropped
	trouble error // what went wrong last with the disk; nil when it recovered
	closed  bool

	appeared chan struct{} // a file was made: sync soon
	stop     chan struct{}
	loops    sync.WaitGroup
}

// Create makes the folder dir for a recording, or opens it again for a later part, and starts writing in the background.
//
// An existing folder must belong to the same recording. ErrInUse when it is being written. Close ends the session.
func Create(dir string, m Meta) (*Session, error) {
	if err := makeFolder(dir); err != nil {
		return nil, fmt.Errorf("capture folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("capture folder: %w", err)
	}
	s := &Session{
		root: root, writeFile: (*os.File).Write, logs: map[*TrackLog]struct{}{}, parts: map[int]bool{},
		appeared: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	s.freeBytes = func() (uint64, error) { return freeBytes(dir) }
	if err := s.open(m); err != nil {
		if s.events != nil {
			err = errors.Join(err, s.events.Close())
		}
		return nil, errors.Join(fmt.Errorf("capture of recording %s: %w", m.RecordingID, err), root.Close())
	}
	s.loops.Go(s.flushLoop)
	s.loops.Go(s.syncLoop)
	return s, nil
}

// makeFolder makes dir and lets its name survive a power cut.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(dir))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func freeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// open locks the folder and reads what is there already.
func (s *Session) open(m Meta) (err error) {
	if s.events, err = openEvents(s.root); err != nil {
		return err
	}
	if s.meta, err = settleMeta(s.root, m); err != nil {
		return err
	}
	if err := endTornLine(s.events); err != nil {
		return err
	}
	st, err := s.events.Stat()
	if err != nil {
		return err
	}
	s.size = st.Size()
	events, _, err := readEvents(s.root)
	if err != nil {
		return err
	}
	for _, e := range events {
		switch e.Type {
		case RecStart:
			s.parts[e.Part] = true
		case RecStop:
			s.parts[e.Part] = false
		}
	}
	names, err := logNames(s.root)
	if err != nil {
		return err
	}
	for _, name := range names {
		var n int
		if _, err := fmt.Sscanf(name, "%d"+logSuffix, &n); err == nil {
			s.nextLog = max(s.nextLog, n)
		}
	}
	return syncRoot(s.root)
}

// openEvents opens the timeline for appending and takes its lock. The system gives the lock back when the process dies.
func openEvents(root *os.Root) (*os.File, error) {
	f, err := root.OpenFile(eventsFile, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o640)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// settleMeta writes recording.json, or checks that the one there speaks of the same recording.
func settleMeta(root *os.Root, m Meta) (Meta, error) {
	switch have, err := readMeta(root); {
	case err == nil && have.RecordingID != m.RecordingID:
		return Meta{}, fmt.Errorf("folder belongs to recording %q", have.RecordingID)
	case err == nil:
		return have, nil
	case !errors.Is(err, fs.ErrNotExist):
		return Meta{}, err
	}
	if m.CreatedAt.IsZero() {
		m.CreatedAt = time.Now().UTC()
	}
	b, err := json.Marshal(m)
	if err != nil {
		return Meta{}, err
	}
	return m, writeWhole(root, metaFile, append(b, '\n'))
}

// writeWhole makes a file appear whole or not at all.
func writeWhole(root *os.Root, name string, b []byte) error {
	f, err := root.Create(name + ".tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := root.Rename(name+".tmp", name); err != nil {
		return err
	}
	return syncRoot(root)
}

func syncRoot(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// endTornLine closes a line that a crash cut, so that the next event starts on its own.
func endTornLine(f *os.File) error {
	st, err := f.Stat()
	if err != nil || st.Size() == 0 {
		return err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], st.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = f.Write([]byte{'\n'})
	return err
}

// Meta returns what the folder belongs to.
func (s *Session) Meta() Meta { return s.meta }

// LastPart returns the highest part begun so far, 0 when there is none.
func (s *Session) LastPart() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := 0
	for n := range s.parts {
		last = max(last, n)
	}
	return last
}

// Part is one stretch of recording, from a start to its stop.
type Part struct {
	s *Session
	n int
}

// Part begins part n at the given time and notes rec_start. Each number can be begun once.
func (s *Session) Part(n int, at time.Time) (*Part, error) {
	if n < 1 {
		return nil, fmt.Errorf("capture: part %d: parts are numbered from 1", n)
	}
	s.mu.Lock()
	_, exists := s.parts[n]
	s.parts[n] = true
	s.mu.Unlock()
	if exists {
		return nil, fmt.Errorf("capture: part %d has been begun before", n)
	}
	if err := s.note(Event{At: at, Type: RecStart, Part: n}, false); err != nil {
		s.mu.Lock()
		delete(s.parts, n)
		s.mu.Unlock()
		return nil, err
	}
	s.soon()
	return &Part{s: s, n: n}, nil
}

// Number returns the part's number.
func (p *Part) Number() int { return p.n }

// Stop notes rec_stop at the given time. Close the part's logs first. Calling it again is harmless.
func (p *Part) Stop(at time.Time) error {
	p.s.mu.Lock()
	running := p.s.parts[p.n]
	p.s.parts[p.n] = false
	p.s.mu.Unlock()
	if !running {
		return nil
	}
	err := p.s.Note(Event{At: at, Type: RecStop, Part: p.n})
	return errors.Join(err, p.s.events.Sync())
}

// Track begins a log for one subscription and notes it in the timeline. The name of its file is made here and holds
// nothing of m; m.StartedAt is filled in when zero.
func (s *Session) Track(m TrackMeta) (*TrackLog, error) {
	if m.Kind != Audio && m.Kind != Video {
		return nil, fmt.Errorf("capture: track %s: unknown kind %q", m.SID, m.Kind)
	}
	if m.StartedAt.IsZero() {
		m.StartedAt = time.Now().UTC()
	}
	s.mu.Lock()
	s.nextLog++
	name := fmt.Sprintf("%04d%s", s.nextLog, logSuffix)
	shed := s.shed && m.Kind == Video
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	t, err := s.newLog(name, m)
	if err != nil {
		return nil, fmt.Errorf("capture: log of track %s: %w", m.SID, err)
	}
	t.shed = shed
	s.mu.Lock()
	closed = s.closed
	if !closed {
		s.logs[t] = struct{}{}
	}
	s.mu.Unlock()
	if closed { // Close ran meanwhile and would not see this log
		return nil, errors.Join(ErrClosed, t.file.Close())
	}
	s.soon()
	e := m.about(TrackBegin, m.StartedAt)
	e.File, e.Track = name, &m
	if err := s.Note(e); err != nil {
		return t, nil // the log describes itself; the timeline's trouble is kept in Err
	}
	return t, nil
}

func (s *Session) newLog(name string, m TrackMeta) (*TrackLog, error) {
	head, err := header(m)
	if err != nil {
		return nil, err
	}
	f, err := s.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return nil, err
	}
	if _, err := s.writeFile(f, head); err != nil {
		return nil, errors.Join(err, f.Close(), s.root.Remove(name))
	}
	size := 4 << 10 // a little more than a quarter of a second of sound
	if m.Kind == Video {
		size = 64 << 10
	}
	return &TrackLog{
		s: s, meta: m, name: name, file: f, size: int64(len(head)), dirty: true,
		buf: make([]byte, 0, size), spare: make([]byte, 0, size),
	}, nil
}

// Note appends one event to the timeline, straight to the file. e.At is filled in when zero.
//
// While the disk refuses, events wait in memory and Err tells of it: who came and went while the disk was full is not
// forgotten. ErrBacklog when too many wait.
func (s *Session) Note(e Event) error { return s.note(e, true) }

// note is Note; when not patient, what the disk refuses is forgotten and its complaint returned.
func (s *Session) note(e Event, patient bool) error {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("capture: event %s: %w", e.Type, err)
	}
	s.eventMu.Lock()
	defer s.eventMu.Unlock()
	before := len(s.late)
	if before+len(line) > maxLate {
		return fmt.Errorf("capture: event %s: %w", e.Type, ErrBacklog)
	}
	s.late = append(append(s.late, line...), '\n')
	err = s.writeLate()
	if err != nil {
		s.setTrouble(err)
	}
	if err == nil || patient {
		return nil
	}
	s.late = s.late[:before]
	return fmt.Errorf("capture: event %s: %w", e.Type, err)
}

// writeLate writes the lines that wait, all or none. The caller holds eventMu.
func (s *Session) writeLate() error {
	if len(s.late) == 0 {
		return nil
	}
	n, err := s.writeFile(s.events, s.late)
	if err != nil {
		if n > 0 {
			err = errors.Join(err, s.events.Truncate(s.size))
		}
		return fmt.Errorf("capture: timeline: %w", err)
	}
	s.size += int64(len(s.late))
	s.late = s.late[:0]
	return nil
}

// flushEvents tries again what the disk refused before.
func (s *Session) flushEvents() error {
	s.eventMu.Lock()
	defer s.eventMu.Unlock()
	return s.writeLate()
}

// Err returns what is wrong with the disk now: writes that fail, or too little room for pictures. Nil when all is well.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble
}

func (s *Session) setTrouble(err error) {
	s.mu.Lock()
	s.trouble = err
	s.mu.Unlock()
}

// Close ends the open logs, syncs everything and gives the folder free. It does not end running parts: Repair would,
// and so does Part.Stop before. Calling it again is harmless.
func (s *Session) Close() error {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	s.mu.Unlock()
	if was {
		return nil
	}
	close(s.stop)
	s.loops.Wait()
	var errs []error
	for _, t := range s.openLogs() {
		errs = append(errs, t.Close())
	}
	errs = append(errs, s.flushEvents(), s.events.Sync(), syncRoot(s.root), s.events.Close(), s.root.Close())
	return errors.Join(errs...)
}

func (s *Session) forget(t *TrackLog) {
	s.mu.Lock()
	delete(s.logs, t)
	s.mu.Unlock()
}

// logNames lists the folder's logs in the order they were begun.
func logNames(root *os.Root) ([]string, error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), logSuffix) && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
