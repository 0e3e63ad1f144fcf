package capture

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Errors of the writing side.
var (
	ErrClosed  = errors.New("capture: log is closed")
	ErrTooBig  = errors.New("capture: packet is larger than any RTP packet")
	ErrBacklog = errors.New("capture: disk does not keep up, packet dropped")
)

// maxBacklog bounds what waits in memory for a slow or full disk: half a minute of 720p, or hours of sound.
const maxBacklog = 8 << 20

// TrackLog writes one log. Its methods may be called from any goroutine.
type TrackLog struct {
	s    *Session
	meta TrackMeta
	name string
	file *os.File

	mu      sync.Mutex // guards the fields below: the only lock on the hot path, never held during I/O
	buf     []byte     // whole records waiting to be flushed
	spare   []byte     // the other buffer, so that steady state allocates nothing
	shed    bool       // no room for pictures: drop what comes
	closed  bool
	stats   TrackStats
	dropped uint64 // packets lost since the last truncated event
	told    time.Time
	wait    time.Duration // from told until the next truncated event

	disk  sync.Mutex // held while flushing; guards the fields below
	size  int64      // length of the file up to the last whole record
	dirty bool       // written since the last fsync
}

// TrackStats counts what a log has taken.
type TrackStats struct {
	Packets uint64 // RTP packets accepted
	Reports uint64 // sender reports accepted
	Bytes   uint64 // bytes of both, with record headers
	Dropped uint64 // packets refused because the disk was full or too slow
}

// Name returns the log's file name within the capture folder.
func (t *TrackLog) Name() string { return t.name }

// Meta returns what the log was opened with.
func (t *TrackLog) Meta() TrackMeta { return t.meta }

// Stats returns the counts so far.
func (t *TrackLog) Stats() TrackStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

// RTP appends a packet as it was received. It copies packet and does no I/O.
//
// A packet that is not taken is counted and answered with ErrBacklog; the timeline tells of it later. ErrClosed
// follows Close.
func (t *TrackLog) RTP(at time.Time, packet []byte) error { return t.append(RTP, at, packet) }

// SenderReport appends one RTCP sender report of the track's own SSRC. It copies rtcp and does no I/O.
func (t *TrackLog) SenderReport(at time.Time, rtcp []byte) error { return t.append(SR, at, rtcp) }

func (t *TrackLog) append(typ RecordType, at time.Time, payload []byte) error {
	if len(payload) == 0 || len(payload) > maxPayload {
		return ErrTooBig
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return ErrClosed
	}
	if t.shed || len(t.buf) > maxBacklog {
		t.stats.Dropped++
		t.dropped++
		return ErrBacklog
	}
	before := len(t.buf)
	t.buf = appendRecord(t.buf, typ, at, payload)
	t.stats.Bytes += uint64(len(t.buf) - before)
	if typ == SR {
		t.stats.Reports++
	} else {
		t.stats.Packets++
	}
	return nil
}

// flush writes what has gathered. A failed write is undone, so that the file never holds half a record; sound is kept
// in memory for the next try, pictures are dropped, because they fill any memory soon.
func (t *TrackLog) flush() error {
	t.disk.Lock()
	defer t.disk.Unlock()
	t.mu.Lock()
	data := t.buf
	t.buf, t.spare = t.spare[:0], nil
	t.mu.Unlock()

	var err error
	if len(data) > 0 {
		err = t.write(data)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.spare = data[:0]
		return nil
	}
	if t.meta.Kind == Audio {
		t.spare, t.buf = nil, append(data, t.buf...)
		return err
	}
	lost := countRecords(data)
	t.stats.Dropped += lost
	t.dropped += lost
	t.spare = data[:0]
	return err
}

// write appends whole records to the file. The caller holds disk.
func (t *TrackLog) write(data []byte) error {
	n, err := t.s.writeFile(t.file, data)
	if err != nil {
		if n > 0 {
			err = errors.Join(err, t.file.Truncate(t.size))
		}
		return fmt.Errorf("log %s: %w", t.name, err)
	}
	t.size += int64(len(data))
	t.dirty = true
	return nil
}

// sync makes what was written survive a power cut.
func (t *TrackLog) sync() error {
	t.disk.Lock()
	dirty := t.dirty
	t.dirty = false
	t.disk.Unlock()
	if !dirty {
		return nil
	}
	if err := t.file.Sync(); err != nil { // outside the lock: a slow fsync must not hold up flushing
		t.disk.Lock()
		t.dirty = true
		t.disk.Unlock()
		return fmt.Errorf("log %s: %w", t.name, err)
	}
	return nil
}

// setShed switches dropping on or off, see Session.shed.
func (t *TrackLog) setShed(on bool) {
	t.mu.Lock()
	t.shed = on
	t.mu.Unlock()
}

// Pauses between truncated events of a track while packets go on being lost: a full disk is not to be filled with them.
const (
	firstWait = time.Second
	maxWait   = time.Minute
)

// takeDropped returns the packets lost since it last did so, when it is time to tell of them.
func (t *TrackLog) takeDropped(now time.Time, last bool) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	since := now.Sub(t.told)
	if t.dropped == 0 || !last && since < t.wait {
		return 0
	}
	if since > 2*t.wait { // a new trouble
		t.wait = firstWait
	} else {
		t.wait = min(2*t.wait, maxWait)
	}
	n := t.dropped
	t.dropped, t.told = 0, now
	return n
}

// Close is End now.
func (t *TrackLog) Close() error { return t.End(time.Now()) }

// End flushes, syncs and closes the log and notes track_end at the given time. Calling it again is harmless.
func (t *TrackLog) End(at time.Time) error {
	t.mu.Lock()
	was := t.closed
	t.closed = true
	t.mu.Unlock()
	if was {
		return nil
	}
	t.s.forget(t)
	err := errors.Join(t.flush(), t.sync())
	t.s.reportDropped(t, true)
	e := t.meta.about(TrackEnd, at)
	e.File = t.name
	return errors.Join(err, t.s.Note(e), t.file.Close())
}
