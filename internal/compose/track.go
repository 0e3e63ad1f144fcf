package compose

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/pion/rtp"

	"huilu/internal/capture"
)

// entry is one line of a converted track's index.
type entry struct {
	at     int64 // unix ns
	off    int64 // where its bytes begin
	size   uint32
	sum    uint32 // crc32c of its bytes
	chain  uint32 // crc32c of the sums from the last key frame up to here: what a decoder has seen
	run    uint16 // see packet
	width  uint16 // of key frames, else 0
	height uint16
	key    bool
	behind bool // frames were lost right before it
}

const entrySize = 36

func (e entry) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(e.at))
	b = binary.BigEndian.AppendUint64(b, uint64(e.off))
	b = binary.BigEndian.AppendUint32(b, e.size)
	b = binary.BigEndian.AppendUint32(b, e.sum)
	b = binary.BigEndian.AppendUint32(b, e.chain)
	b = binary.BigEndian.AppendUint16(b, e.run)
	b = binary.BigEndian.AppendUint16(b, e.width)
	b = binary.BigEndian.AppendUint16(b, e.height)
	var flags [2]byte
	if e.key {
		flags[0] = 1
	}
	if e.behind {
		flags[1] = 1
	}
	return append(b, flags[:]...)
}

func parseEntry(b []byte) entry {
	return entry{
		at: int64(binary.BigEndian.Uint64(b)), off: int64(binary.BigEndian.Uint64(b[8:])),
		size: binary.BigEndian.Uint32(b[16:]), sum: binary.BigEndian.Uint32(b[20:]),
		chain: binary.BigEndian.Uint32(b[24:]), run: binary.BigEndian.Uint16(b[28:]),
		width: binary.BigEndian.Uint16(b[30:]), height: binary.BigEndian.Uint16(b[32:]), key: b[34] == 1, behind: b[35] == 1,
	}
}

// media is a track after conversion: its good frames in one file, and their index in another.
type media struct {
	capture.TrackMeta
	log   string // name of the log it was made of
	codec string // Matroska's name for it

	data  *os.File
	index *os.File
	count int // frames

	keys      []keyFrame
	stretches []stretch // of picture
	first     int64     // unix ns of the first and the last frame
	last      int64
	packets   int
	stats     assembled
	damaged   int64 // bytes of the log that could not be read
	failed    error // why the log could not be read to its end; nil when it was
	gaps      []gap
}

// keyFrame is where decoding can begin.
type keyFrame struct {
	n  int // number of its entry
	at int64
}

// stretch is a time in which pictures of one shape came without a long pause. Half-open, unix ns.
type stretch struct {
	from, to int64 // to is the time of the last picture
	shape    shape
}

// gap is a time without pictures because packets were lost.
type gap struct{ from, to int64 }

// freezeFor is how long a camera's last picture stands when no other comes; then the card with the name takes its place.
// A shared screen that does not change sends nothing, so it stands until it ends.
const freezeFor = int64(5e9)

// tellGap is the loss of picture from which on a Defect tells of it.
const tellGap = int64(1e9)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errCodec means that a track is in a codec this package does not read.
var errCodec = errors.New("codec is not supported")

// codecOf returns Matroska's name of a codec and what reads its payloads.
func codecOf(mime string) (string, payloads, error) {
	switch strings.ToLower(mime) {
	case "video/vp8":
		return "V_VP8", vp8{}, nil
	case "video/h264":
		return "V_MPEG4/ISO/AVC", &h264{}, nil
	case "audio/opus":
		return "A_OPUS", opus{}, nil
	}
	return "", nil, fmt.Errorf("%s: %w", mime, errCodec)
}

// convert reads a log and writes its good frames to dir. The caller closes the result.
func convert(ctx context.Context, t capture.Track, dir string) (m *media, err error) {
	name, codec, err := codecOf(t.Mime)
	if err != nil {
		return nil, err
	}
	m = &media{TrackMeta: t.TrackMeta, log: t.File, codec: name}
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	base := filepath.Join(dir, strings.TrimSuffix(t.File, filepath.Ext(t.File)))
	if m.data, err = os.Create(base + ".data"); err != nil {
		return nil, err
	}
	if m.index, err = os.Create(base + ".index"); err != nil {
		return nil, err
	}
	c := newConverter(m, codec)
	if err = c.run(ctx, t.Records()); err != nil {
		return nil, fmt.Errorf("convert %s: %w", t.File, err)
	}
	if err = m.settle(c.lines()); err != nil {
		return nil, fmt.Errorf("index %s: %w", t.File, err)
	}
	return m, nil
}

func (m *media) close() {
	for _, f := range []*os.File{m.data, m.index} {
		if f != nil {
			f.Close() // read-only by now, or thrown away
		}
	}
}

// converter holds one conversion's state. Its memory does not grow with the length of the track, but for one sender
// report every few seconds.
type converter struct {
	m       *media
	order   orderer
	frames  *assembler
	clocks  []*clock
	early   [][]byte // sender reports from before the first packet
	data    *bufio.Writer
	index   *bufio.Writer
	off     int64
	dropped int // frames dropped up to the last good one
	chain   uint32
	buf     []byte
}

func newConverter(m *media, codec payloads) *converter {
	c := &converter{m: m, data: bufio.NewWriterSize(m.data, 1<<18), index: bufio.NewWriterSize(m.index, 1<<14)}
	c.order.rate = int64(cmp.Or(m.ClockRate, 90000))
	c.frames = newAssembler(codec, c.write)
	return c
}

func (c *converter) run(ctx context.Context, records iter.Seq2[capture.Record, error]) error {
	for rec, err := range records {
		if d, ok := errors.AsType[*capture.Damage](err); ok {
			if !d.Torn {
				c.m.damaged += d.Bytes
			}
			continue
		} else if err != nil {
			c.m.failed = err
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		switch rec.Type {
		case capture.RTP:
			c.m.packets++
			err = c.packet(rec)
		case capture.SR:
			c.report(rec.Payload)
		}
		if err != nil {
			return err
		}
	}
	if err := c.order.finish(c.ordered); err != nil {
		return err
	}
	if err := c.frames.finish(); err != nil {
		return err
	}
	c.m.stats = c.frames.count
	return errors.Join(c.data.Flush(), c.index.Flush())
}

func (c *converter) packet(rec capture.Record) error {
	var p rtp.Packet
	if err := p.Unmarshal(rec.Payload); err != nil {
		c.m.damaged += int64(len(rec.Payload))
		return nil
	}
	if c.m.Kind == capture.Audio {
		p.Marker = true // each packet is whole; the sender's marker means the start of talk
	}
	if err := c.order.push(&p, rec.At.UnixNano(), c.ordered); err != nil {
		return err
	}
	for _, b := range c.early {
		c.report(b)
	}
	c.early = nil
	return nil
}

// report notes a sender report of this track. Compound RTCP may hold other tracks' reports, which would be hours off.
func (c *converter) report(b []byte) {
	if !c.order.started {
		c.early = append(c.early, b)
		return
	}
	ssrc, ts, at, err := parseReport(b)
	if err == nil && (c.m.SSRC == 0 || ssrc == c.m.SSRC) {
		c.clock(c.order.run).report(c.order.unrollTime(ts), at)
	}
}

func (c *converter) clock(run int) *clock {
	for len(c.clocks) <= run {
		c.clocks = append(c.clocks, &clock{rate: c.order.rate})
	}
	return c.clocks[run]
}

func (c *converter) ordered(p packet) error {
	if len(p.payload) > 0 {
		c.clock(p.run).packet(p.ts, p.arrival)
	}
	return c.frames.push(p)
}

// write stores a good frame. Its time is still in RTP units; settle turns it into the time of day.
func (c *converter) write(f frame) error {
	e := entry{
		at: f.ts, off: c.off, size: uint32(len(f.data)), sum: crc32.Checksum(f.data, castagnoli),
		run: uint16(f.run), key: f.key, width: uint16(f.width), height: uint16(f.height),
		behind: c.frames.count.dropped > c.dropped,
	}
	if e.key {
		c.chain = 0
	}
	c.chain = crc32.Update(c.chain, castagnoli, binary.BigEndian.AppendUint32(nil, e.sum))
	e.chain = c.chain
	c.dropped = c.frames.count.dropped
	c.off += int64(len(f.data))
	c.m.count++
	c.buf = e.append(c.buf[:0])
	if _, err := c.index.Write(c.buf); err != nil {
		return err
	}
	_, err := c.data.Write(f.data)
	return err
}

func (c *converter) lines() []line {
	lines := make([]line, len(c.clocks))
	for i, k := range c.clocks {
		lines[i] = k.fit()
	}
	return lines
}

// settle rewrites the index with times of day, strictly rising, and notes where decoding can begin and where pictures are
// missing.
func (m *media) settle(lines []line) error {
	out := bufio.NewWriterSize(&offsetWriter{f: m.index}, 1<<14)
	var buf []byte
	n := 0
	for e, err := range m.entries(0, m.count) {
		if err != nil {
			return err
		}
		e.at = lines[e.run].time(e.at)
		if n > 0 {
			e.at = max(e.at, m.last+int64(mkvTick))
		}
		m.note(n, e)
		buf = e.append(buf[:0])
		if _, err := out.Write(buf); err != nil {
			return err
		}
		n++
	}
	return out.Flush()
}

// offsetWriter writes from the start of a file on, while others read it with ReadAt.
type offsetWriter struct {
	f   *os.File
	off int64
}

func (w *offsetWriter) Write(b []byte) (int, error) {
	n, err := w.f.WriteAt(b, w.off)
	w.off += int64(n)
	return n, err
}

// note takes entry n into the summary.
func (m *media) note(n int, e entry) {
	if n == 0 {
		m.first = e.at
	} else if e.behind && e.at-m.last > tellGap {
		m.gaps = append(m.gaps, gap{m.last, e.at})
	}
	if e.key && m.Kind == capture.Video {
		m.keys = append(m.keys, keyFrame{n, e.at})
	}
	if m.Kind == capture.Video {
		m.extend(n, e)
	}
	m.last = e.at
}

// extend adds a picture to the last stretch, or begins another.
func (m *media) extend(n int, e entry) {
	if n > 0 {
		s := &m.stretches[len(m.stretches)-1]
		same := !e.key || s.shape.like(shapeOf(int(e.width), int(e.height)))
		if same && (m.Source == capture.Screen || e.at-s.to <= freezeFor) {
			s.to = e.at
			return
		}
	}
	shape := shapeOf(int(e.width), int(e.height))
	if !e.key {
		shape = m.stretches[len(m.stretches)-1].shape // the first frame is a key frame, see assembler
	}
	m.stretches = append(m.stretches, stretch{from: e.at, to: e.at, shape: shape})
}

// entries yields the index from entry n up to, not including, end.
func (m *media) entries(n, end int) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		buf := make([]byte, 512*entrySize)
		for n < end {
			b := buf[:min(end-n, 512)*entrySize]
			if _, err := m.index.ReadAt(b, int64(n)*entrySize); err != nil {
				yield(entry{}, fmt.Errorf("index of %s: %w", m.log, err))
				return
			}
			for ; len(b) > 0; b = b[entrySize:] {
				if !yield(parseEntry(b), nil) {
					return
				}
				n++
			}
		}
	}
}

// find returns the number of the first entry at or after a time.
func (m *media) find(at int64) (n int, err error) {
	n = sort.Search(m.count, func(i int) bool {
		var b [entrySize]byte
		if _, readErr := m.index.ReadAt(b[:], int64(i)*entrySize); readErr != nil {
			err = fmt.Errorf("index of %s: %w", m.log, readErr)
			return true
		}
		return parseEntry(b[:]).at >= at
	})
	return n, err
}

// keyBefore returns the last key frame at or before a time, or the first there is.
func (m *media) keyBefore(at int64) keyFrame {
	i := sort.Search(len(m.keys), func(i int) bool { return m.keys[i].at > at })
	return m.keys[max(i-1, 0)]
}

// payload reads the bytes of a frame.
func (m *media) payload(e entry, buf []byte) ([]byte, error) {
	if cap(buf) < int(e.size) {
		buf = make([]byte, e.size)
	}
	buf = buf[:e.size]
	if n, err := m.data.ReadAt(buf, e.off); n < len(buf) {
		return nil, fmt.Errorf("frames of %s: %w", m.log, err)
	}
	return buf, nil
}
