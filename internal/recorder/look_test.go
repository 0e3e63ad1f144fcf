package recorder_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"huilu/internal/capture"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
)

// logged is what was found in one log.
type logged struct {
	capture.Track
	packets  int
	gaps     int   // sequence numbers that are missing
	frames   []int // places in the loop, in the order they arrived; -1 for frames nobody sent
	reports  int   // sender reports
	foreign  int   // sender reports of other tracks
	damage   []error
	from, to time.Time // arrival of the first and last packet
}

// readLogs opens a folder and takes its logs apart.
func readLogs(t testing.TB, dir string) (events []capture.Event, logs []logged) {
	t.Helper()
	rec, err := capture.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	if events, err = rec.Timeline(); err != nil {
		t.Fatal(err)
	}
	for _, track := range rec.Tracks() {
		logs = append(logs, readLog(t, track))
	}
	return events, logs
}

func readLog(t testing.TB, track capture.Track) logged {
	t.Helper()
	all, err := material()
	if err != nil {
		t.Fatal(err)
	}
	l := logged{Track: track}
	s := map[string]*stuff{webrtc.MimeTypeH264: all["h264"], webrtc.MimeTypeVP8: all["vp8"], webrtc.MimeTypeOpus: all["opus"]}[track.Mime]
	if s == nil {
		t.Fatalf("log %s has codec %q", track.File, track.Mime)
	}
	seen := map[uint16]bool{}
	var first, last uint16
	f := framer{mime: track.Mime}
	for r, err := range track.Records() {
		if err != nil {
			l.damage = append(l.damage, err)
			continue
		}
		if r.Type == capture.SR {
			var sr rtcp.SenderReport
			if err := sr.Unmarshal(r.Payload); err != nil || sr.SSRC != track.SSRC {
				l.foreign++
			}
			l.reports++
			continue
		}
		var p rtp.Packet
		if err := p.Unmarshal(r.Payload); err != nil {
			t.Fatalf("log %s holds what is no RTP: %v", track.File, err)
		}
		if l.packets++; l.packets == 1 {
			first, l.from = p.SequenceNumber, r.At
		}
		if int16(p.SequenceNumber-last) > 0 || l.packets == 1 {
			last = p.SequenceNumber
		}
		seen[p.SequenceNumber], l.to = true, r.At
		f.add(&p)
	}
	if l.packets > 0 {
		for n := first; n != last; n++ {
			if !seen[n] {
				l.gaps++
			}
		}
	}
	for _, frame := range f.done() {
		i, ok := s.index[sum(track.Mime, frame)]
		if !ok {
			i = -1
		}
		l.frames = append(l.frames, i)
	}
	return l
}

// framer puts packets together to frames, trusting their order.
type framer struct {
	mime   string
	h264   codecs.H264Packet
	ts     uint32
	frames [][]byte
}

func (f *framer) add(p *rtp.Packet) {
	var b []byte
	var err error
	switch {
	case len(p.Payload) == 0:
		return // padding only
	case f.mime == webrtc.MimeTypeH264:
		b, err = f.h264.Unmarshal(p.Payload)
	case f.mime == webrtc.MimeTypeVP8:
		b, err = (&codecs.VP8Packet{}).Unmarshal(p.Payload)
	default:
		b = p.Payload
	}
	if err != nil {
		return
	}
	if len(f.frames) == 0 || f.ts != p.Timestamp {
		f.frames, f.ts = append(f.frames, nil), p.Timestamp
	}
	f.frames[len(f.frames)-1] = append(f.frames[len(f.frames)-1], b...)
}

func (f *framer) done() [][]byte { return f.frames }

// breaks counts the places where a frame does not follow the one before it in the loop, leaving out what nobody sent.
func (l logged) breaks(size int) (n int) {
	last := -1
	for _, i := range l.frames {
		if i < 0 {
			continue
		}
		if last >= 0 && i != (last+1)%size {
			n++
		}
		last = i
	}
	return n
}

// real counts the frames somebody sent.
func (l logged) real() (n int) {
	for _, i := range l.frames {
		if i >= 0 {
			n++
		}
	}
	return n
}

// story prints events without their times, for comparison and complaint.
func story(events []capture.Event, types ...capture.EventType) string {
	var b strings.Builder
	for _, e := range events {
		if len(types) == 0 || slices.Contains(types, e.Type) {
			fmt.Fprintln(&b, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", e.Type, e.ParticipantID, e.Source, e.Reason)), " "))
		}
	}
	return b.String()
}
