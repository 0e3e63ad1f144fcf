package compose

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"huilu/internal/capture"
	"huilu/internal/people/mark"
)

// The kit films people that never were, sends them through RTP packets and keeps those with package capture. What a film
// shows can be read back out of the result: package mark puts who it is and the number of the frame into every picture, and
// a lamp and a tone into the first tenth of every second.

// roll is an encoded film: frames for one decoder.
type roll struct {
	mime   string
	fps    int
	frames [][]byte
}

// rollKey says what is on a roll. Rolls are made once for all tests.
type rollKey struct {
	who    int
	codec  string // "vp8", "h264" or "opus"
	w, h   int
	fps    int
	frames int
	first  int // number of the first frame
	gop    int
}

var rolls sync.Map // rollKey -> func() (roll, error)

func develop(t testing.TB, k rollKey) roll {
	t.Helper()
	made, _ := rolls.LoadOrStore(k, sync.OnceValues(func() (roll, error) { return k.encode() }))
	r, err := made.(func() (roll, error))()
	if err != nil {
		t.Fatalf("film %+v: %v", k, err)
	}
	return r
}

func (k rollKey) encode() (r roll, err error) {
	in := []string{"-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", k.w, k.h), "-r", fmt.Sprint(k.fps), "-i", "-"}
	gop := fmt.Sprint(max(k.gop, 1))
	feed, split := k.film, splitIVF
	var out []string
	switch k.codec {
	case "vp8":
		r.mime = "video/VP8"
		out = []string{"-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1500k", "-g", gop, "-f", "ivf", "-"}
	case "h264":
		r.mime, split = "video/H264", splitH264
		out = []string{"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline", "-g", gop,
			"-x264-params", "aud=1:scenecut=0", "-f", "h264", "-"}
	case "opus":
		r.mime, feed, split = "audio/opus", k.record, splitOgg
		in = []string{"-v", "error", "-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "-"}
		out = []string{"-c:a", "libopus", "-b:a", "48k", "-f", "ogg", "-"}
	}
	cmd := exec.Command("ffmpeg", append(in, out...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return r, err
	}
	if err := cmd.Start(); err != nil {
		return r, err
	}
	feedErr := feed(stdin)
	stdin.Close()
	if err := cmd.Wait(); err != nil || feedErr != nil {
		return r, fmt.Errorf("%v, %v: %s", err, feedErr, stderr.Bytes())
	}
	r.fps = k.fps
	r.frames = split(stdout.Bytes())
	return r, nil
}

// film draws the pictures: a colour of their own, a bar that moves, the lamp and the strip.
func (k rollKey) film(w io.Writer) error {
	tile := image.Rect(0, 0, k.w, k.h)
	img := image.NewYCbCr(tile, image.YCbCrSubsampleRatio420)
	for i := range img.Cb {
		angle := 2.4 * float64(k.who)
		img.Cb[i], img.Cr[i] = uint8(128+40*math.Cos(angle)), uint8(128+40*math.Sin(angle))
	}
	gray := &image.Gray{Pix: img.Y, Stride: img.YStride, Rect: tile}
	for n := k.first; n < k.first+k.frames; n++ {
		for y := range k.h {
			mark.Fill(gray, image.Rect(0, y, k.w, y+1), uint8(100+60*y/k.h))
		}
		x := k.w * (n % k.fps) / k.fps
		mark.Fill(gray, image.Rect(x, k.h*2/3, x+k.w/10, k.h*5/6), 200)
		lamp := uint8(16)
		if mark.LampOn(n, k.fps) {
			lamp = 235
		}
		mark.Fill(gray, mark.Lamp(tile), lamp)
		mark.Draw(gray, tile, mark.Code{Index: k.who, FPS: k.fps, Frame: n})
		for _, plane := range [][]byte{img.Y, img.Cb, img.Cr} {
			if _, err := w.Write(plane); err != nil {
				return err
			}
		}
	}
	return nil
}

// record makes the sound: a tone in the first tenth of each second. A frame is 20 ms.
func (k rollKey) record(w io.Writer) error {
	tone := mark.Tone(k.who)
	for n := range k.frames {
		pcm := make([]byte, 0, 960*2)
		for i := range 960 {
			at := float64((k.first+n)*960+i) / 48000
			v := 0.0
			in, length := at-math.Floor(at), mark.FlashLength.Seconds()
			if in < length { // quiet enough for several at once, and without a click at its ends
				v = 0.1 * math.Sin(2*math.Pi*tone*at) * min(1, in/0.001, (length-in)/0.001)
			}
			pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(v*32767)))
		}
		if _, err := w.Write(pcm); err != nil {
			return err
		}
	}
	return nil
}

func splitIVF(b []byte) (frames [][]byte) {
	for b = b[32:]; len(b) > 12; {
		n := 12 + int(binary.LittleEndian.Uint32(b))
		frames = append(frames, b[12:n])
		b = b[n:]
	}
	return frames
}

func splitH264(b []byte) (frames [][]byte) {
	aud := []byte{0, 0, 0, 1, nalAUD}
	for _, f := range bytes.Split(b, aud)[1:] {
		frames = append(frames, slices.Concat(aud, f))
	}
	return frames
}

func splitOgg(b []byte) (packets [][]byte) {
	var packet []byte
	for len(b) > 27 {
		table := b[27 : 27+int(b[26])]
		b = b[27+len(table):]
		for _, n := range table {
			packet = append(packet, b[:n]...)
			b = b[n:]
			if n < 255 {
				packets = append(packets, packet)
				packet = nil
			}
		}
	}
	return packets[2:] // without the two headers
}

// scene writes a capture folder. Its times count from the start of the first part.
type scene struct {
	t     testing.TB
	dir   string
	start time.Time
	s     *capture.Session
	part  *capture.Part
	sids  int
}

func newScene(t testing.TB) *scene {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "capture")
	s, err := capture.Create(dir, capture.Meta{RecordingID: "rec1", MeetingID: "6911188411934433028", Topic: "Weekly 周会"})
	if err != nil {
		t.Fatal(err)
	}
	c := &scene{t: t, dir: dir, s: s, start: time.Now().Add(-time.Hour)}
	c.begin(0)
	t.Cleanup(func() { s.Close() })
	return c
}

func (c *scene) at(d time.Duration) time.Time { return c.start.Add(d) }

// begin starts the next part.
func (c *scene) begin(at time.Duration) {
	p, err := c.s.Part(c.s.LastPart()+1, c.at(at))
	c.must(err)
	c.part = p
}

func (c *scene) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *scene) stop(at time.Duration) { c.must(c.part.Stop(c.at(at))) }

func (c *scene) note(at time.Duration, e capture.Event) {
	e.At, e.Part = c.at(at), c.part.Number()
	c.must(c.s.Note(e))
}

func (c *scene) join(at time.Duration, id, name string) {
	c.note(at, capture.Event{Type: capture.Join, ParticipantID: id, Name: name})
}

func (c *scene) leave(at time.Duration, id string) {
	c.note(at, capture.Event{Type: capture.Leave, ParticipantID: id})
}

func (c *scene) speak(at time.Duration, ids ...string) {
	c.note(at, capture.Event{Type: capture.Speakers, Speakers: ids})
}

// track is a published track being sent.
type track struct {
	c    *scene
	log  *capture.TrackLog
	meta capture.TrackMeta
	rand *rand.Rand

	seq   uint16
	ticks uint32  // RTP time at the scene's start
	drift float64 // how much faster than true the sender's clock runs
	delay time.Duration
	ntp   time.Duration // how far the reports' clock is off

	// What happens on the way.
	harm     func(n int) trouble // for packet n; nil: nothing
	noReport bool
	sent     int
	late     []latePacket
	payload  rtp.Payloader
}

type latePacket struct {
	at time.Time
	b  []byte
}

// trouble is what a packet meets.
type trouble struct {
	lost, twice bool
	late        time.Duration
}

// publish announces a track and begins its log.
func (c *scene) publish(at time.Duration, who string, src capture.Source, mime string) *track {
	c.t.Helper()
	c.sids++
	m := capture.TrackMeta{
		Part: c.part.Number(), ParticipantID: who, SID: fmt.Sprintf("TR_%d", c.sids), Source: src, Mime: mime,
		Kind: capture.Video, ClockRate: 90000, SSRC: 0xdeadbe00 + uint32(c.sids), PayloadType: 96, StartedAt: c.at(at),
	}
	tr := &track{c: c, rand: rand.New(rand.NewPCG(1, uint64(c.sids))), seq: 65500, ticks: 4294000000, delay: 15 * time.Millisecond}
	switch mime {
	case "video/VP8":
		tr.payload = &codecs.VP8Payloader{EnablePictureID: true}
	case "video/H264":
		tr.payload = &codecs.H264Payloader{}
	default:
		tr.payload = &codecs.OpusPayloader{}
		m.Kind, m.ClockRate, m.Channels = capture.Audio, 48000, 2
	}
	c.note(at, capture.Event{Type: capture.Published, ParticipantID: who, TrackSID: m.SID, Kind: m.Kind, Source: src})
	var err error
	tr.log, err = c.s.Track(m)
	c.must(err)
	tr.meta = m
	return tr
}

func (tr *track) event(at time.Duration, typ capture.EventType) {
	tr.c.note(at, capture.Event{Type: typ, ParticipantID: tr.meta.ParticipantID, TrackSID: tr.meta.SID, Kind: tr.meta.Kind, Source: tr.meta.Source})
}

// rtpTime is what the sender's clock shows.
func (tr *track) rtpTime(at time.Duration) uint32 {
	return tr.ticks + uint32(int64(at.Seconds()*(1+tr.drift)*float64(tr.meta.ClockRate)))
}

// send sends frames that are taken at a time and after it, with a sender report every three seconds.
func (tr *track) send(from time.Duration, r roll) {
	step := 20 * time.Millisecond
	if r.fps > 0 {
		step = time.Second / time.Duration(r.fps)
	}
	for i, f := range r.frames {
		at := from + time.Duration(i)*step
		if i%int(3*time.Second/step) == int(time.Second/step) {
			tr.report(at)
		}
		tr.frame(at, f)
	}
	tr.deliver(tr.c.at(24 * time.Hour))
}

// deliver writes the late packets that have arrived by now.
func (tr *track) deliver(now time.Time) {
	for len(tr.late) > 0 && tr.late[0].at.Before(now) {
		tr.c.must(tr.log.RTP(tr.late[0].at, tr.late[0].b))
		tr.late = tr.late[1:]
	}
}

func (tr *track) frame(at time.Duration, data []byte) {
	payloads := tr.payload.Payload(1200, data)
	for i, p := range payloads {
		tr.packet(at, p, tr.meta.Kind == capture.Video && i == len(payloads)-1)
	}
}

func (tr *track) packet(at time.Duration, payload []byte, marker bool) {
	p := rtp.Packet{Header: rtp.Header{Version: 2, Marker: marker, PayloadType: 96, SequenceNumber: tr.seq, Timestamp: tr.rtpTime(at), SSRC: tr.meta.SSRC}, Payload: payload}
	tr.seq++
	b, err := p.Marshal()
	tr.c.must(err)
	var t trouble
	if tr.harm != nil {
		t = tr.harm(tr.sent)
	}
	tr.sent++
	arrival := tr.c.at(at + tr.delay + time.Duration(tr.rand.IntN(5))*time.Millisecond)
	if t.lost {
		return
	}
	if t.late > 0 {
		tr.late = append(tr.late, latePacket{arrival.Add(t.late), b})
		return
	}
	tr.deliver(arrival)
	tr.c.must(tr.log.RTP(arrival, b))
	if t.twice {
		tr.c.must(tr.log.RTP(arrival.Add(time.Millisecond), b))
	}
}

// report writes a sender report, as the SFU's clock has it.
func (tr *track) report(at time.Duration) {
	if tr.noReport {
		return
	}
	noise := time.Duration(tr.rand.IntN(3)-1) * time.Millisecond
	when := tr.c.at(at + tr.ntp + noise)
	ntp := uint64(when.Unix()+ntpEpoch)<<32 | uint64(when.Nanosecond())<<32/1e9
	b, err := (&rtcp.SenderReport{SSRC: tr.meta.SSRC, NTPTime: ntp, RTPTime: tr.rtpTime(at)}).Marshal()
	tr.c.must(err)
	tr.c.must(tr.log.SenderReport(tr.c.at(at+tr.delay), b))
}

// close writes everything to the disk.
func (c *scene) close() string {
	c.t.Helper()
	c.must(c.s.Close())
	return c.dir
}

// compose composes a folder and wants no error.
func composed(t *testing.T, dir string) Result {
	t.Helper()
	r, err := (&Composer{}).Compose(t.Context(), input(t, dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func input(t testing.TB, dir string) Input {
	work := t.TempDir()
	return Input{Capture: dir, Work: filepath.Join(work, "work"), Out: filepath.Join(t.ArtifactDir(), "out")}
}

// look decodes a file's pictures and hands them over one by one; img is used again.
func look(t testing.TB, file string, see func(n int, img *image.Gray)) {
	t.Helper()
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", file, "-fps_mode", "passthrough", "-vf", "extractplanes=y", "-f", "rawvideo", "-")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	img := image.NewGray(image.Rect(0, 0, Width, Height))
	for n := 0; ; n++ {
		if _, err := io.ReadFull(out, img.Pix); err != nil {
			break
		}
		see(n, img)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func (r rect) image() image.Rectangle { return image.Rect(r.x, r.y, r.x+r.w, r.y+r.h) }

// sight is who is seen at a place, frame by frame: the strip's code, or nothing.
type sight []*mark.Code

// watchPlaces reads the strips at several places of every frame.
func watchPlaces(t testing.TB, file string, places ...rect) []sight {
	t.Helper()
	seen := make([]sight, len(places))
	look(t, file, func(_ int, img *image.Gray) {
		for i, p := range places {
			var code *mark.Code
			if c, err := mark.Read(img, p.image()); err == nil {
				code = &c
			}
			seen[i] = append(seen[i], code)
		}
	})
	return seen
}

// shows fails the test unless a person is seen in all frames of an interval with a clock that is right: what was filmed at
// a time is shown at that time, within slack frames.
func (s sight) shows(t *testing.T, who int, from, to time.Duration, slack float64) {
	t.Helper()
	for n := int(from.Seconds() * FrameRate); n < int(to.Seconds()*FrameRate); n++ {
		if n >= len(s) {
			t.Fatalf("the file ends after %d frames", len(s))
		}
		at := position(n)
		switch c := s[n]; {
		case c == nil:
			t.Fatalf("nobody is seen at %v (frame %d), want person %d", at, n, who)
		case c.Index != who:
			t.Fatalf("person %d is seen at %v (frame %d), want %d", c.Index, at, n, who)
		case math.Abs(c.Seconds()-at.Seconds())*FrameRate > slack:
			t.Fatalf("person %d at %v shows what was filmed at %.3f s", who, at, c.Seconds())
		}
	}
}

// empty fails the test if anybody is seen in an interval.
func (s sight) empty(t *testing.T, from, to time.Duration) {
	t.Helper()
	for n := int(from.Seconds() * FrameRate); n < int(to.Seconds()*FrameRate); n++ {
		if s[n] != nil {
			t.Fatalf("person %d is seen at %v, want nobody", s[n].Index, position(n))
		}
	}
}

func createFile(dir, name string) (*os.File, error) { return os.Create(filepath.Join(dir, name)) }
