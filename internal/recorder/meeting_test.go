package recorder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"huilu/internal/capture"
	"huilu/internal/recorder"
	"huilu/internal/sfu"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/h264reader"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/pion/webrtc/v4/pkg/media/oggreader"
)

const (
	patience = 40 * time.Second // for conditions that normally hold within a second, on a machine that does other things too
	fps      = 30
	loop     = 4 // seconds of material, sent again and again
)

// eventually waits until ok says true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// --- a media server ---

type nobody struct{}

func (nobody) Joined(string, sfu.Participant, time.Time)                      {}
func (nobody) Left(string, sfu.Participant, sfu.LeaveReason, time.Time)       {}
func (nobody) TrackPublished(string, sfu.Participant, sfu.Track, time.Time)   {}
func (nobody) TrackUnpublished(string, sfu.Participant, sfu.Track, time.Time) {}
func (nobody) RoomFinished(string, time.Time)                                 {}

type server struct {
	*sfu.Server
	url string
	*wires
}

// wires is the listener of the signalling. It can cut all its connections.
type wires struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (w *wires) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, c)
	return c, err
}

// made returns how many connections there have been.
func (w *wires) made() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.conns)
}

// cut ends the connections from the first-th on, as a proxy that restarts does. It returns how many those were.
func (w *wires) cut(first int) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns[first:] {
		if c != nil && c.Close() == nil {
			n++
		}
	}
	return n
}

// serve runs a media server. stop ends it and waits.
func serve() (s *server, stop func(), err error) {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		return nil, nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	m, err := sfu.New(sfu.Config{
		NodeIP: "127.0.0.1", UDPPort: port, TCPPort: port, Loopback: true, Key: "huilu", Secret: strings.Repeat("s", 32),
	}, nobody{}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = m.Run(ctx) }()
	web := httptest.NewUnstartedServer(m.Handler())
	w := &wires{Listener: web.Listener}
	web.Listener = w
	web.Start()
	return &server{m, "ws" + strings.TrimPrefix(web.URL, "http"), w}, func() { cancel(); <-done; web.Close() }, nil
}

func newServer(t testing.TB) *server {
	t.Helper()
	s, stop, err := serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return s
}

func (s *server) connector() recorder.Connector {
	return recorder.Embedded(s.Server, func() string { return s.url })
}

// record starts recording a room into a new folder.
func (s *server) record(t testing.TB, c recorder.Connector, room string) (run *recorder.Run, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "rec")
	session, err := capture.Create(dir, capture.Meta{RecordingID: "rec", MeetingID: room})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	run, err = recorder.New(c, slog.New(slog.DiscardHandler)).Start(t.Context(), room, session, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Stop() })
	return run, dir
}

// --- material ---

// stuff is what people send: the frames of one loop of a codec.
type stuff struct {
	capability webrtc.RTPCodecCapability
	frames     [][]byte
	every      time.Duration
	index      map[uint32]int // checksum of a frame → its place in the loop
}

// material renders the three kinds of stuff, once per test process.
var material = sync.OnceValues(func() (map[string]*stuff, error) {
	dir, rendered := os.LookupEnv(materialVar) // a child takes its parent's
	if !rendered {
		var err error
		if dir, err = os.MkdirTemp("", "huilu-recorder"); err != nil {
			return nil, err
		}
		if err := os.Setenv(materialVar, dir); err != nil {
			return nil, err
		}
	}
	h264, vp8, opus := filepath.Join(dir, "a.h264"), filepath.Join(dir, "a.ivf"), filepath.Join(dir, "a.ogg")
	picture := []string{"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=1280x720:r=%d:d=%d", fps, loop)}
	for _, args := range [][]string{
		append(picture, "-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-bf", "0", "-g", "60", "-b:v", "1500k",
			"-maxrate", "1500k", "-bufsize", "750k", "-pix_fmt", "yuv420p", "-x264-params", "aud=1:sliced-threads=0", h264),
		append(picture, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "16", "-g", "60", "-b:v", "1500k", vp8),
		{"-f", "lavfi", "-i", fmt.Sprintf("sine=f=440:d=%d", loop), "-af", "vibrato", "-c:a", "libopus", "-b:a", "48k", "-page_duration", "20000", opus},
	} {
		if rendered {
			break
		}
		out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-nostdin"}, args...)...).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("ffmpeg %v: %w\n%s", args, err, out)
		}
	}
	all := map[string]*stuff{}
	for name, read := range map[string]func() (*stuff, error){
		"h264": func() (*stuff, error) { return readH264(h264) },
		"vp8":  func() (*stuff, error) { return readVP8(vp8) },
		"opus": func() (*stuff, error) { return readOpus(opus) },
	} {
		s, err := read()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		s.index = map[uint32]int{}
		for i, f := range s.frames {
			s.index[sum(s.capability.MimeType, f)] = i
		}
		all[name] = s
	}
	return all, nil
})

// sum names a frame by what the way through the SFU does not change: in H.264 the slices.
func sum(mime string, frame []byte) uint32 {
	if mime != webrtc.MimeTypeH264 {
		return crc32.ChecksumIEEE(frame)
	}
	r, err := h264reader.NewReader(bytes.NewReader(frame))
	if err != nil {
		return 0
	}
	h := crc32.NewIEEE()
	for n, err := r.NextNAL(); err == nil; n, err = r.NextNAL() {
		if n.UnitType <= h264reader.NalUnitTypeCodedSliceIdr {
			h.Write(n.Data)
		}
	}
	return h.Sum32()
}

func readH264(name string) (*stuff, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	s := &stuff{
		capability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000,
			SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
		every: time.Second / fps,
	}
	for _, f := range bytes.SplitAfter(b, []byte{0, 0, 0, 1, 9}) { // access unit delimiters begin the frames
		f = bytes.TrimSuffix(f, []byte{0, 0, 0, 1, 9})
		if len(f) > 2 {
			s.frames = append(s.frames, append([]byte{0, 0, 0, 1, 9}, f...))
		}
	}
	return s, nil
}

func readVP8(name string) (*stuff, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	r, _, err := ivfreader.NewWith(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	s := &stuff{capability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, every: time.Second / fps}
	for {
		f, _, err := r.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			return s, nil
		} else if err != nil {
			return nil, err
		}
		s.frames = append(s.frames, f)
	}
}

func readOpus(name string) (*stuff, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	r, _, err := oggreader.NewWith(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	s := &stuff{capability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, every: 20 * time.Millisecond}
	for {
		f, head, err := r.ParseNextPage()
		if errors.Is(err, io.EOF) {
			return s, nil
		} else if err != nil {
			return nil, err
		}
		if head.GranulePosition > 0 && len(f) > 0 { // pages of 20 ms hold one packet
			s.frames = append(s.frames, f)
		}
	}
}

// --- people ---

type person struct {
	room *lksdk.Room
	pubs map[string]*lksdk.LocalTrackPublication // by kind of stuff
	stop context.CancelFunc
	pump sync.WaitGroup

	mu   sync.Mutex
	sent map[string]int // frames given to the track
}

// enter lets somebody join and publish kinds of stuff until they leave.
func (s *server) enter(room, identity string, kinds ...string) (*person, error) {
	token, err := s.Token(join(room, identity))
	if err != nil {
		return nil, err
	}
	return enter(s.url, token, kinds...)
}

func enter(url, token string, kinds ...string) (*person, error) {
	all, err := material()
	if err != nil {
		return nil, err
	}
	r, err := lksdk.ConnectToRoomWithToken(url, token, lksdk.NewRoomCallback(), lksdk.WithLogger(sfu.ClientLog(slog.New(slog.DiscardHandler))))
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &person{room: r, pubs: map[string]*lksdk.LocalTrackPublication{}, sent: map[string]int{}, stop: stop}
	for _, k := range kinds {
		if err := p.publish(ctx, k, all[k]); err != nil {
			p.leave()
			return nil, err
		}
	}
	return p, nil
}

func (p *person) publish(ctx context.Context, kind string, s *stuff) error {
	track, err := lksdk.NewLocalSampleTrack(s.capability)
	if err != nil {
		return err
	}
	o := &lksdk.TrackPublicationOptions{Name: kind, Source: livekit.TrackSource_MICROPHONE}
	if kind != "opus" {
		o.Source, o.VideoWidth, o.VideoHeight = livekit.TrackSource_CAMERA, 1280, 720
	}
	if p.pubs[kind], err = p.room.LocalParticipant.PublishTrack(track, o); err != nil {
		return err
	}
	p.pump.Go(func() {
		begin := time.Now()
		tick := time.NewTicker(s.every / 2)
		defer tick.Stop()
		for i := 0; ; {
			for ; time.Since(begin) >= time.Duration(i)*s.every; i++ {
				_ = track.WriteSample(media.Sample{Data: s.frames[i%len(s.frames)], Duration: s.every}, nil)
				p.mu.Lock()
				p.sent[kind] = i + 1
				p.mu.Unlock()
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return nil
}

func (p *person) frames(kind string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[kind]
}

func (p *person) leave() {
	p.stop()
	p.pump.Wait()
	p.room.Disconnect()
}

func (s *server) mustEnter(t testing.TB, room, identity string, kinds ...string) *person {
	t.Helper()
	p, err := s.enter(room, identity, kinds...)
	if err != nil {
		t.Fatalf("%s does not get in: %v", identity, err)
	}
	t.Cleanup(p.leave)
	return p
}

// join is the right of an ordinary person.
func join(room, identity string) sfu.Join {
	return sfu.Join{Room: room, Identity: identity, Name: strings.ToUpper(identity), CanPublish: true}
}
