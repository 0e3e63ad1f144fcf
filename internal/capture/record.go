package capture

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// RecordType says what a record carries.
type RecordType uint8

// The types of records.
const (
	RTP RecordType = 1 // an RTP packet as received
	SR  RecordType = 2 // one RTCP sender report of the track's own SSRC
)

// Record is one packet of a log.
type Record struct {
	Type    RecordType
	At      time.Time // arrival
	Payload []byte    // the packet; the caller may keep it
	Offset  int64     // where the record starts in its file
	Next    int64     // where the one after it starts; give it to RecordsFrom to read on
}

const (
	magic      = "RTPL1"
	headerSize = 1 + 4 + 8 // type, length, time
	crcSize    = 4
	// maxPayload bounds a packet: a UDP path carries about 1500 bytes, so ten times that is damage, not data.
	maxPayload = 16 << 10
	maxRecord  = headerSize + maxPayload + crcSize
	maxMeta    = 64 << 10 // a meta line longer than this is damage
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord adds one record to buf. It is the hot path of recording: one append, one checksum.
func appendRecord(buf []byte, typ RecordType, at time.Time, payload []byte) []byte {
	start := len(buf)
	buf = append(buf, byte(typ))
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(payload)))
	buf = binary.BigEndian.AppendUint64(buf, uint64(at.UnixNano()))
	buf = append(buf, payload...)
	return binary.BigEndian.AppendUint32(buf, crc32.Checksum(buf[start:], castagnoli))
}

// header returns the two lines a log begins with.
func header(m TrackMeta) ([]byte, error) {
	line, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("meta line: %w", err)
	}
	line = append(line, '\n')
	head := fmt.Appendf(nil, "%s %08x\n", magic, crc32.Checksum(line, castagnoli))
	return append(head, line...), nil
}

const magicLine = len(magic) + 1 + 8 + 1

var errHeader = errors.New("header is damaged")

// parseHeader reads the two lines at the start of b and returns where the records begin.
func parseHeader(b []byte) (m TrackMeta, size int, err error) {
	var sum uint32
	if len(b) < magicLine {
		return m, 0, errHeader
	}
	if _, err := fmt.Sscanf(string(b[:magicLine]), magic+" %08x\n", &sum); err != nil {
		return m, 0, errHeader
	}
	line := b[magicLine:]
	for i, c := range line {
		if c != '\n' {
			continue
		}
		line = line[:i+1]
		if crc32.Checksum(line, castagnoli) != sum || json.Unmarshal(line, &m) != nil {
			return TrackMeta{}, 0, errHeader
		}
		return m, magicLine + i + 1, nil
	}
	return m, 0, errHeader
}
