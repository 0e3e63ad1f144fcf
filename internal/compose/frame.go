package compose

import "errors"

// frame is one whole picture, or one packet of sound, as a decoder wants it.
type frame struct {
	ts      int64 // RTP timestamp, unrolled
	run     int   // see packet
	arrival int64 // unix ns, of its first packet
	key     bool  // can be decoded without what was before
	width   int   // pixels; of key frames only
	height  int
	data    []byte
}

// payloads is what differs between codecs: how packets make a frame.
type payloads interface {
	// head says whether a payload begins a frame, or something that may stand at its beginning.
	head(payload []byte) bool
	// frame joins the payloads of one frame. A frame to be left out has no data.
	frame(parts [][]byte) (frame, error)
}

var errPayload = errors.New("payload does not fit its codec")

// assembler makes frames of packets in order. After a loss it hands out nothing until the next key frame: what a decoder
// makes of half the data is worse than a picture that stands still.
type assembler struct {
	codec payloads
	out   func(frame) error
	count assembled

	first  packet   // of the frame being gathered
	parts  [][]byte // its payloads; empty between frames
	broken bool     // its beginning is missing
	blind  bool     // no key frame since the last loss
	last   int64    // number of the packet before
	begun  bool
}

// assembled counts what became of the packets.
type assembled struct {
	lost    int // packets that never came
	good    int // frames handed out
	dropped int // frames left out because they, or what they build on, are broken
	blank   int // pictures the SFU made up
}

func newAssembler(codec payloads, out func(frame) error) *assembler {
	return &assembler{codec: codec, out: out, blind: true}
}

// push takes the next packet in order of its number.
func (a *assembler) push(p packet) error {
	if a.begun && p.seq != a.last+1 {
		a.spoil(int(p.seq - a.last - 1))
	}
	a.begun, a.last = true, p.seq
	if len(p.payload) == 0 {
		return nil // padding: it only fills the line
	}
	if len(a.parts) > 0 && p.ts != a.first.ts { // the sender did not mark the end
		if err := a.finish(); err != nil {
			return err
		}
	}
	if len(a.parts) == 0 {
		a.first, a.broken = p, !a.codec.head(p.payload)
	}
	a.parts = append(a.parts, p.payload)
	if p.marker {
		return a.finish()
	}
	return nil
}

// spoil notes a loss: the frame being gathered is broken, and those behind it cannot be trusted.
func (a *assembler) spoil(lost int) {
	if len(a.parts) > 0 {
		a.count.dropped++
	}
	a.count.lost += lost
	a.parts, a.blind = nil, true
}

// finish ends the frame being gathered and hands it out if a decoder can use it.
func (a *assembler) finish() error {
	parts := a.parts
	a.parts = nil
	if len(parts) == 0 {
		return nil
	}
	f, err := a.codec.frame(parts)
	switch {
	case a.broken || err != nil: // counted; a bad frame is no reason to lose the track
		a.count.dropped++
		a.blind = true
		return nil
	case len(f.data) == 0:
		a.count.blank++
		return nil
	case a.blind && !f.key:
		a.count.dropped++
		return nil
	}
	a.blind = false
	f.ts, f.run, f.arrival = a.first.ts, a.first.run, a.first.arrival
	a.count.good++
	return a.out(f)
}
