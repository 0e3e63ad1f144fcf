package compose

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"
)

// Element ids of Matroska (RFC 9559), as they are written.
const (
	idEBML        = 0x1A45DFA3
	idDocType     = 0x4282
	idDocVersion  = 0x4287
	idDocRead     = 0x4285
	idSegment     = 0x18538067
	idInfo        = 0x1549A966
	idScale       = 0x2AD7B1
	idMuxingApp   = 0x4D80
	idWritingApp  = 0x5741
	idTracks      = 0x1654AE6B
	idTrackEntry  = 0xAE
	idTrackNumber = 0xD7
	idTrackUID    = 0x73C5
	idTrackType   = 0x83
	idLacing      = 0x9C
	idCodec       = 0x86
	idPrivate     = 0x63A2
	idVideo       = 0xE0
	idWidth       = 0xB0
	idHeight      = 0xBA
	idAudio       = 0xE1
	idSampling    = 0xB5
	idChannels    = 0x9F
	idCluster     = 0x1F43B675
	idTimestamp   = 0xE7
	idSimpleBlock = 0xA3
)

const (
	// mkvTick is the unit of time in our files: 0.1 ms, finer than the usual 1 ms, so that rounding is not heard as drift.
	mkvTick = 100 * time.Microsecond
	// clusterTicks is when a new cluster begins; a block's time within one is a signed 16-bit number.
	clusterTicks = 20000
	clusterBytes = 1 << 20
)

// mkvTrack says what a file holds.
type mkvTrack struct {
	codec         string // "V_VP8", "V_MPEG4/ISO/AVC", "A_OPUS"
	private       []byte // what the decoder has to know beforehand
	width, height int    // of the first picture; zero for sound
}

// mkvWriter writes a Matroska file of one track, for ffmpeg to read. It keeps times as they are given, the first one as
// well, does no work in the background and holds one cluster in memory. Why it is ours:
// docs/adr/0007-the-composer-feeds-ffmpeg.md.
type mkvWriter struct {
	w       io.Writer
	cluster bytes.Buffer
	base    int64 // time of the cluster
	last    int64 // time of the block before
}

// newMKV writes the head of a file.
func newMKV(w io.Writer, t mkvTrack) (*mkvWriter, error) {
	kind := uint64(1)
	shape := element(idVideo, join(uintElement(idWidth, uint64(t.width)), uintElement(idHeight, uint64(t.height))))
	if t.width == 0 {
		kind = 2
		shape = element(idAudio, join(element(idSampling, binary.BigEndian.AppendUint64(nil, math.Float64bits(48000))),
			uintElement(idChannels, 2)))
	}
	entry := join(uintElement(idTrackNumber, 1), uintElement(idTrackUID, 1), uintElement(idTrackType, kind),
		uintElement(idLacing, 0), element(idCodec, []byte(t.codec)))
	if t.private != nil {
		entry = append(entry, element(idPrivate, t.private)...)
	}
	head := join(
		element(idEBML, join(element(idDocType, []byte("matroska")), uintElement(idDocVersion, 4), uintElement(idDocRead, 2))),
		elementID(idSegment), []byte{0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, // until the end of the file
		element(idInfo, join(uintElement(idScale, uint64(mkvTick)), element(idMuxingApp, []byte("huilu")),
			element(idWritingApp, []byte("huilu")))),
		element(idTracks, element(idTrackEntry, append(entry, shape...))),
	)
	if _, err := w.Write(head); err != nil {
		return nil, fmt.Errorf("matroska head: %w", err)
	}
	return &mkvWriter{w: w, last: -1}, nil
}

// write adds one frame. Times must not be negative; one that does not lie behind the one before is moved there.
func (m *mkvWriter) write(at time.Duration, key bool, data []byte) error {
	t := max(int64((at+mkvTick/2)/mkvTick), m.last+1)
	m.last = t
	if m.cluster.Len() > 0 && (t-m.base > clusterTicks || m.cluster.Len() > clusterBytes) {
		if err := m.flush(); err != nil {
			return err
		}
	}
	if m.cluster.Len() == 0 {
		m.base = t
		m.cluster.Write(uintElement(idTimestamp, uint64(t)))
	}
	flags := byte(0)
	if key {
		flags = 0x80
	}
	m.cluster.Write(elementID(idSimpleBlock))
	m.cluster.Write(size(len(data) + 4))
	m.cluster.Write([]byte{0x81}) // track 1
	m.cluster.Write(binary.BigEndian.AppendUint16(nil, uint16(t-m.base)))
	m.cluster.WriteByte(flags)
	m.cluster.Write(data)
	return nil
}

// flush writes the cluster being gathered. Call it at the end.
func (m *mkvWriter) flush() error {
	if m.cluster.Len() == 0 {
		return nil
	}
	_, err := m.w.Write(join(elementID(idCluster), size(m.cluster.Len())))
	if err == nil {
		_, err = m.cluster.WriteTo(m.w)
	}
	m.cluster.Reset()
	if err != nil {
		return fmt.Errorf("matroska cluster: %w", err)
	}
	return nil
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func elementID(id uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, id)
	return bytes.TrimLeft(b, "\x00")
}

// size writes a length in eight bytes: longer than needed, and never wrong.
func size(n int) []byte { return binary.BigEndian.AppendUint64(nil, 1<<56|uint64(n)) }

func element(id uint32, body []byte) []byte { return join(elementID(id), size(len(body)), body) }

func uintElement(id uint32, v uint64) []byte {
	b := bytes.TrimLeft(binary.BigEndian.AppendUint64(nil, v), "\x00")
	if len(b) == 0 {
		b = []byte{0}
	}
	return element(id, b)
}

// opusHead is the decoder configuration of Opus (RFC 7845, 5.1): stereo, nothing to skip.
func opusHead() []byte {
	h := append([]byte("OpusHead"), 1, 2, 0, 0)
	h = binary.LittleEndian.AppendUint32(h, 48000)
	return append(h, 0, 0, 0)
}
