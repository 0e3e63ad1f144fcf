package people_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"huilu/internal/capture"
	"huilu/internal/people"
	"huilu/internal/recorder"
	"huilu/internal/sfu"
)

// patience is for what normally takes well under a second, on a machine that does other things too.
const patience = 40 * time.Second

type nobody struct{}

func (nobody) Joined(string, sfu.Participant, time.Time)                      {}
func (nobody) Left(string, sfu.Participant, sfu.LeaveReason, time.Time)       {}
func (nobody) TrackPublished(string, sfu.Participant, sfu.Track, time.Time)   {}
func (nobody) TrackUnpublished(string, sfu.Participant, sfu.Track, time.Time) {}
func (nobody) RoomFinished(string, time.Time)                                 {}

// place is a media server with one room.
type place struct {
	*sfu.Server
	url string
}

const room = "6911188411934433028"

func newPlace(t *testing.T) *place {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	s, err := sfu.New(sfu.Config{
		NodeIP: "127.0.0.1", UDPPort: port, TCPPort: port, Loopback: true, Key: "huilu", Secret: strings.Repeat("s", 32),
	}, nobody{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	return &place{s, "ws" + strings.TrimPrefix(web.URL, "http")}
}

// join lets a person in.
func (p *place) join(t *testing.T, who people.Person, o people.Options) *people.Session {
	t.Helper()
	m, err := people.Prepare(t.Context(), who, 4*time.Second, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := p.Token(sfu.Join{Room: room, Identity: who.Name, Name: who.Name, CanPublish: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	s, err := people.Join(ctx, p.url, token, m, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Leave)
	return s
}

// turn turns a person's camera and microphone on or off.
func turn(t *testing.T, s *people.Session, on bool) {
	t.Helper()
	if err := errors.Join(s.SetCamera(on), s.SetMicrophone(on)); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until ok says true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// heard is what a log says about when its packets belong.
type heard struct {
	capture.Track
	reports  []rtcp.SenderReport
	stamps   []uint32    // RTP time of each frame or packet with something in it
	arrivals []time.Time // and when it came
}

func listen(t *testing.T, track capture.Track) heard {
	t.Helper()
	h := heard{Track: track}
	for r, err := range track.Records() {
		if err != nil {
			t.Fatalf("%s: %v", track.File, err)
		}
		if r.Type == capture.SR {
			var sr rtcp.SenderReport
			if err := sr.Unmarshal(r.Payload); err != nil {
				t.Fatal(err)
			}
			h.reports = append(h.reports, sr)
			continue
		}
		var p rtp.Packet
		if err := p.Unmarshal(r.Payload); err != nil {
			t.Fatal(err)
		}
		if len(p.Payload) > 0 && (len(h.stamps) == 0 || h.stamps[len(h.stamps)-1] != p.Timestamp) {
			h.stamps, h.arrivals = append(h.stamps, p.Timestamp), append(h.arrivals, r.At)
		}
	}
	return h
}

// instants maps RTP times to wall clock by the median of all reports, as a composer does.
func (h heard) instants() []time.Time {
	var offsets []int64
	base := h.stamps[0]
	since := func(ts uint32) int64 { return int64(int32(ts-base)) * int64(time.Second) / int64(h.ClockRate) }
	for _, sr := range h.reports {
		at := int64(sr.NTPTime>>32-2208988800)*int64(time.Second) + int64(sr.NTPTime&0xffffffff*uint64(time.Second)>>32)
		offsets = append(offsets, at-since(sr.RTPTime))
	}
	slices.Sort(offsets)
	list := make([]time.Time, len(h.stamps))
	for i, ts := range h.stamps {
		list[i] = time.Unix(0, offsets[len(offsets)/2]+since(ts))
	}
	return list
}

// off is how far an instant is from the nearest one that belongs to a unit, in ms: units divide each second evenly.
func off(at time.Time, perSecond int) float64 {
	units := float64(at.Nanosecond()) / 1e9 * float64(perSecond)
	return math.Abs(units-math.Round(units)) / float64(perSecond) * 1000
}

func TestReportsPutEveryFrameAtItsTrueInstant(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	dir := filepath.Join(t.TempDir(), "rec")
	session, err := capture.Create(dir, capture.Meta{RecordingID: "rec", MeetingID: room})
	if err != nil {
		t.Fatal(err)
	}
	connector := recorder.Embedded(p.Server, func() string { return p.url })
	run, err := recorder.New(connector, slog.New(slog.DiscardHandler)).Start(t.Context(), room, session, 1)
	if err != nil {
		t.Fatal(err)
	}
	ada := p.join(t, people.Person{Name: "Ada", Index: 0}, people.Options{})
	bob := p.join(t, people.Person{Name: "Bob", Index: 1, Codec: "vp8", Width: 640, Height: 360, FPS: 25}, people.Options{Subscribe: true})
	sent := func(s *people.Session) int { n, _ := s.Sent(); return int(n) }
	eventually(t, "four seconds of Ada", func() bool { return sent(ada) > 120 })
	turn(t, ada, false)
	bobs := sent(bob)
	eventually(t, "two seconds without Ada", func() bool { return sent(bob) > bobs+50 })
	turn(t, ada, true)
	adas := sent(ada)
	eventually(t, "four more seconds of Ada", func() bool { return sent(ada) > adas+120 })
	if bob.Received() == 0 {
		t.Error("Bob subscribed and received nothing")
	}
	if err := run.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	rec, err := capture.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	if len(rec.Tracks()) != 4 {
		t.Fatalf("%d tracks recorded, want 4", len(rec.Tracks()))
	}
	for _, track := range rec.Tracks() {
		h := listen(t, track)
		name := track.Name + "'s " + string(track.Source)
		if len(h.reports) == 0 {
			t.Errorf("%s: no sender report in ten seconds", name)
			continue
		}
		perSecond := map[string]int{"Ada's camera": 30, "Bob's camera": 25, "Ada's microphone": 50, "Bob's microphone": 50}[name]
		var offs, late []float64
		for i, at := range h.instants() {
			offs = append(offs, off(at, perSecond))
			late = append(late, h.arrivals[i].Sub(at).Seconds()*1000)
		}
		slices.Sort(offs)
		slices.Sort(late)
		typical := offs[len(offs)/2]
		t.Logf("%s: %d units, %d reports, off by %.2f ms (median) to %.2f ms, late by %.1f (median) to %.1f ms",
			name, len(offs), len(h.reports), typical, offs[len(offs)-1], late[len(late)/2], late[len(late)-1])
		// The server estimates how long reports travel, per track; on loopback that is below a millisecond, on a busy machine
		// some.
		if typical > 5 {
			t.Errorf("%s: by its sender reports the typical unit is %.2f ms off its instant", name, typical)
		}
		if math.Abs(late[len(late)/2]) > 20 {
			t.Errorf("%s: the typical unit arrives %.1f ms after its instant", name, late[len(late)/2])
		}
	}
}

func TestALeftSessionSendsNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := p.join(t, people.Person{Name: "Cy", Index: 2, Width: 320, Height: 180}, people.Options{CameraOff: true})
	eventually(t, "sound is sent", func() bool { _, n := s.Sent(); return n > 10 })
	turn(t, s, false)
	if n, _ := s.Sent(); n != 0 {
		t.Errorf("%d pictures sent with the camera off", n)
	}
	screen, err := people.Prepare(t.Context(), people.Person{Name: "screen", Index: 20, Width: 640, Height: 360}, 2*time.Second, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ShareScreen(screen); err != nil {
		t.Fatal(err)
	}
	if err := s.ShareScreen(screen); err == nil {
		t.Error("a second screen was shared")
	}
	sources := func() (list []string) {
		tracks, _ := p.PublishedTracks(t.Context(), room)
		for _, tr := range tracks {
			list = append(list, tr.Track.Source)
		}
		slices.Sort(list)
		return list
	}
	eventually(t, "microphone and screen are published", func() bool {
		return slices.Equal(sources(), []string{"microphone", "screen"})
	})
	if err := s.StopScreen(); err != nil {
		t.Error(err)
	}
	eventually(t, "the screen is gone", func() bool { return len(sources()) == 1 })
	turn(t, s, true)
	eventually(t, "the camera is there", func() bool { return slices.Equal(sources(), []string{"camera", "microphone"}) })
	s.Leave()
	pictures, sounds := s.Sent()
	s.Leave()
	eventually(t, "the room is empty", func() bool { return len(sources()) == 0 })
	if a, b := s.Sent(); a != pictures || b != sounds {
		t.Error("something was sent after Leave")
	}
}

func TestAKickedPersonKnowsIt(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := p.join(t, people.Person{Name: "Dan", Index: 3, Width: 320, Height: 180}, people.Options{})
	if err := p.Kick(t.Context(), room, "Dan"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Ended():
	case <-time.After(patience):
		t.Fatal("Dan never noticed")
	}
	if s.Why() == "" {
		t.Error("no reason was given")
	}
}

func TestAWrongTokenDoesNotJoin(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	m, err := people.Prepare(t.Context(), people.Person{Name: "Eve", Width: 320, Height: 180}, 2*time.Second, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	if _, err := people.Join(ctx, p.url, "no token", m, people.Options{}); err == nil {
		t.Error("joined with a wrong token")
	}
}
