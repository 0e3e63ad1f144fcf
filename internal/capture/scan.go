package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// Damage is a stretch of a file that holds no whole record. As an error it says where; reading goes on behind it.
type Damage struct {
	File   string
	Offset int64
	Bytes  int64
	Torn   bool // reaches to the end of the file: the last record was cut, or is still being written
}

// Error implements error.
func (d *Damage) Error() string {
	what := "damaged"
	if d.Torn {
		what = "torn"
	}
	return fmt.Sprintf("capture: %s: %d bytes %s at offset %d", d.File, d.Bytes, what, d.Offset)
}

const (
	scanBuffer = 256 << 10
	slabSize   = 256 << 10
	// farApart is how much later or earlier than its neighbour a record can be without being taken for damage. It only
	// narrows the search for the next whole record; the checksum decides.
	farApart = 48 * time.Hour
)

// scanner finds the whole records of a stream.
type scanner struct {
	r    *bufio.Reader
	file string
	off  int64
	last int64  // arrival of the last whole record, unix ns; 0 when unknown
	slab []byte // payloads are cut from it, so that a record costs no allocation of its own
}

func newScanner(r io.Reader, file string, off int64, near time.Time) *scanner {
	s := &scanner{r: bufio.NewReaderSize(r, scanBuffer), file: file, off: off}
	if !near.IsZero() {
		s.last = near.UnixNano()
	}
	return s
}

// next returns the next whole record. The error is io.EOF at the end, a *Damage for a stretch that was skipped (call
// again to go on behind it), or the reader's own.
func (s *scanner) next() (Record, error) {
	b, err := s.r.Peek(headerSize)
	if len(b) == 0 {
		return Record{}, err // io.EOF, or trouble
	}
	if n := recordSize(b); n > 0 {
		if b, err = s.r.Peek(n); len(b) == n && whole(b) {
			return s.take(b), nil
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return Record{}, err
	}
	return Record{}, s.skip()
}

// recordSize returns the size of the record that begins with b, or 0 when none can begin so.
func recordSize(b []byte) int {
	if len(b) < headerSize || b[0] != byte(RTP) && b[0] != byte(SR) {
		return 0
	}
	n := binary.BigEndian.Uint32(b[1:])
	if n == 0 || n > maxPayload {
		return 0
	}
	return headerSize + int(n) + crcSize
}

// whole says whether b is exactly one record with the right checksum.
func whole(b []byte) bool {
	end := len(b) - crcSize
	return crc32.Checksum(b[:end], castagnoli) == binary.BigEndian.Uint32(b[end:])
}

// take turns b, which is whole and at the front of the reader, into a record.
func (s *scanner) take(b []byte) Record {
	payload := b[headerSize : len(b)-crcSize]
	if len(s.slab) < len(payload) {
		s.slab = make([]byte, slabSize)
	}
	kept := s.slab[:len(payload):len(payload)]
	s.slab = s.slab[copy(kept, payload):]
	s.last = int64(binary.BigEndian.Uint64(b[5:]))
	rec := Record{
		Type: RecordType(b[0]), At: time.Unix(0, s.last).UTC(), Payload: kept,
		Offset: s.off, Next: s.off + int64(len(b)),
	}
	s.off = rec.Next
	_, _ = s.r.Discard(len(b)) // cannot fail: b was peeked
	return rec
}

// skip moves to the next place where a whole record begins, or to the end. It returns the damage, or the reader's error.
func (s *scanner) skip() error {
	d := &Damage{File: s.file, Offset: s.off}
	at := 1 // the first byte begins no record
	for {
		window, err := s.r.Peek(scanBuffer)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		end := err != nil
		n, found := s.find(window, at, end)
		_, _ = s.r.Discard(n)
		s.off += int64(n)
		if found || end {
			d.Bytes, d.Torn = s.off-d.Offset, !found
			return d
		}
		at = 0
	}
}

// find looks for a whole record in window from at on. When none is found it returns how much can be given up.
func (s *scanner) find(window []byte, at int, end bool) (n int, found bool) {
	for i := at; i < len(window); i++ {
		if b := window[i]; b != byte(RTP) && b != byte(SR) {
			continue
		}
		if !end && len(window)-i < maxRecord {
			return i, false // it may reach beyond the window
		}
		size := recordSize(window[i:])
		if size > 0 && size <= len(window)-i && s.near(window[i:]) && whole(window[i:i+size]) {
			return i, true
		}
	}
	return len(window), false
}

// near says whether the record that begins with b arrived in the neighbourhood of the last whole one.
func (s *scanner) near(b []byte) bool {
	ns := int64(binary.BigEndian.Uint64(b[5:]))
	return s.last == 0 || ns > s.last-int64(farApart) && ns < s.last+int64(farApart)
}

// countRecords returns how many records the whole records in b are.
func countRecords(b []byte) (n uint64) {
	for size := recordSize(b); size > 0 && size <= len(b); size = recordSize(b) {
		b = b[size:]
		n++
	}
	return n
}
