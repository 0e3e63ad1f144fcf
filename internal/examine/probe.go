package examine

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Probe is what the container says, and how well it says it.
type Probe struct {
	Bytes     int64    `json:"bytes"`
	FastStart bool     `json:"fast_start"` // moov before mdat
	Boxes     []string `json:"boxes"`      // top-level types in order, repetitions left out
	Streams   []Stream `json:"streams"`
}

// Stream is one track of the file.
type Stream struct {
	Kind       string  `json:"kind"`  // video, audio, …
	Codec      string  `json:"codec"` // h264, aac, …
	Profile    string  `json:"profile,omitempty"`
	Width      int     `json:"width,omitempty"`
	Height     int     `json:"height,omitempty"`
	FrameRate  float64 `json:"frame_rate,omitempty"`
	SampleRate int     `json:"sample_rate,omitempty"`
	Channels   int     `json:"channels,omitempty"`

	Packets   int     `json:"packets"`
	KeyFrames int     `json:"key_frames,omitempty"`
	Start     Seconds `json:"start_s"`        // first time that is presented
	End       Seconds `json:"end_s"`          // where the last packet in presentation order ends
	Step      Seconds `json:"step_s"`         // from one packet to the next, in the median
	LongStep  Seconds `json:"longest_step_s"` // and at most
	Disorder  int     `json:"disorder"`       // packets whose decoding time is not after their predecessor's
	Doubled   int     `json:"doubled"`        // packets that share a presentation time with another

	times []float64 // presentation times of the packets in order, in seconds
}

// Duration is how long the stream is presented.
func (s Stream) Duration() Seconds { return s.End - s.Start }

// Stream returns the first stream of a kind, or nil.
func (p *Probe) Stream(kind string) *Stream {
	for i := range p.Streams {
		if p.Streams[i].Kind == kind {
			return &p.Streams[i]
		}
	}
	return nil
}

// ProbeFile reads a file's boxes and, with ffprobe, each packet's times. It
// does not decode. The error wraps ErrNotMP4 where that is the reason.
func ProbeFile(ctx context.Context, file string) (*Probe, error) {
	p := &Probe{}
	if err := p.readBoxes(file); err != nil {
		return nil, err
	}
	ticks, err := p.readStreams(ctx, file)
	if err != nil {
		return nil, err
	}
	books := make([]ledger, len(p.Streams))
	_, err = child(ctx, func(r io.Reader) error { return readPackets(r, books) },
		"ffprobe", "-v", "error", "-show_entries", "packet=stream_index,pts,dts,duration,flags",
		"-of", "compact=p=0", "file:"+file)
	if err != nil {
		return nil, err
	}
	for i := range p.Streams {
		books[i].close(&p.Streams[i], ticks[i])
	}
	return p, nil
}

func (p *Probe) readBoxes(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	boxes, err := Boxes(f, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	p.Bytes, p.FastStart = info.Size(), FastStart(boxes)
	for _, b := range boxes {
		if len(p.Boxes) == 0 || p.Boxes[len(p.Boxes)-1] != b.Type {
			p.Boxes = append(p.Boxes, b.Type)
		}
	}
	return nil
}

// readStreams fills in what ffprobe says about each stream, and returns the
// length of a tick of each in seconds.
func (p *Probe) readStreams(ctx context.Context, file string) ([]float64, error) {
	var said struct {
		Streams []struct {
			Kind     string `json:"codec_type"`
			Codec    string `json:"codec_name"`
			Profile  string
			Width    int
			Height   int
			Rate     string `json:"avg_frame_rate"`
			Samples  string `json:"sample_rate"`
			Channels int
			Base     string `json:"time_base"`
		}
	}
	_, err := child(ctx, func(r io.Reader) error { return json.NewDecoder(r).Decode(&said) },
		"ffprobe", "-v", "error", "-show_streams", "-of", "json", "file:"+file)
	if err != nil {
		return nil, err
	}
	var bases []float64
	for _, s := range said.Streams {
		samples, _ := strconv.Atoi(s.Samples)
		p.Streams = append(p.Streams, Stream{Kind: s.Kind, Codec: s.Codec, Profile: s.Profile, Width: s.Width,
			Height: s.Height, FrameRate: ratio(s.Rate), SampleRate: samples, Channels: s.Channels})
		bases = append(bases, ratio(s.Base))
	}
	return bases, nil
}

// ratio reads "30000/1001"; 0 when it is not a number.
func ratio(s string) float64 {
	over, under, found := strings.Cut(s, "/")
	a, _ := strconv.ParseFloat(over, 64)
	b, err := strconv.ParseFloat(under, 64)
	if !found || err != nil || b == 0 {
		return 0
	}
	return a / b
}

// packet is one line of ffprobe.
type packet struct {
	stream        int
	pts, dts, len int64
	key, unshown  bool
}

// ledger collects the packets of one stream.
type ledger struct {
	shown []packet
	last  int64 // decoding time of the previous packet
	any   bool
	keys  int
	bad   int
}

// readPackets reads ffprobe's compact lines into the ledgers of the streams.
func readPackets(r io.Reader, books []ledger) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "stream_index=") {
			continue // side data goes on lines of its own
		}
		p, err := parsePacket(lines.Text())
		if err != nil {
			return err
		}
		if p.stream < 0 || p.stream >= len(books) {
			return fmt.Errorf("packet of an unknown stream: %q", lines.Text())
		}
		books[p.stream].add(p)
	}
	return lines.Err()
}

// parsePacket reads stream_index=0|pts=0|dts=0|duration=3000|flags=K__.
func parsePacket(line string) (packet, error) {
	p, timed := packet{}, 0
	for part := range strings.SplitSeq(line, "|") {
		key, value, _ := strings.Cut(part, "=")
		number, err := strconv.ParseInt(value, 10, 64)
		switch key {
		case "stream_index":
			p.stream = int(number)
		case "duration":
			p.len = number // absent where the container does not say
			continue
		case "flags":
			p.key = strings.Contains(value, "K")
			p.unshown = strings.Contains(value, "D")
			continue
		case "pts":
			p.pts = number
		case "dts":
			p.dts = number
		default:
			continue
		}
		if err == nil {
			timed++
		}
	}
	if timed < 3 {
		return p, fmt.Errorf("packet without a time: %q", line)
	}
	return p, nil
}

func (l *ledger) add(p packet) {
	if l.any && p.dts <= l.last {
		l.bad++
	}
	l.any, l.last = true, p.dts
	if p.key {
		l.keys++
	}
	if !p.unshown { // those lie before an edit's beginning: decoded, never presented
		l.shown = append(l.shown, p)
	}
}

// close turns the packets into the figures of the stream. tick is in seconds.
func (l *ledger) close(s *Stream, tick float64) {
	s.Packets, s.Disorder = len(l.shown), l.bad
	if s.Kind == "video" {
		s.KeyFrames = l.keys
	}
	if len(l.shown) == 0 {
		return
	}
	var steps []float64
	slices.SortFunc(l.shown, func(a, b packet) int { return cmp.Compare(a.pts, b.pts) })
	s.times, steps = make([]float64, len(l.shown)), make([]float64, len(l.shown)-1)
	for i, p := range l.shown {
		s.times[i] = float64(p.pts) * tick
		if i == 0 {
			continue
		}
		before := l.shown[i-1]
		if p.pts == before.pts {
			s.Doubled++
		}
		steps[i-1] = float64(p.pts-before.pts) * tick
		s.LongStep = max(s.LongStep, Seconds(steps[i-1]))
	}
	s.Step = Seconds(median(steps))
	last := l.shown[len(l.shown)-1]
	// A negative start is an encoder's run-up, which players do not present.
	s.Start = max(0, Seconds(s.times[0]))
	s.End = Seconds(float64(last.pts+last.len) * tick)
}
