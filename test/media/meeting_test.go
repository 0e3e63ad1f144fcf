// Package media_test follows picture and sound through the whole path: people
// publish over WebRTC, the recorder writes their packets, the composer makes a
// file, and the examiner looks and listens whether everything is in it, at its
// time. Nothing of the web or the API takes part.
package media_test

import (
	"context"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huilu/internal/capture"
	"huilu/internal/compose"
	"huilu/internal/examine"
	"huilu/internal/people"
	"huilu/internal/recorder"
	"huilu/internal/sfu"
)

// patience is for what normally takes well under a second, on a machine that
// does other things too.
const patience = 40 * time.Second

// loop is how long people's clocks run before they begin again.
const loop = 20 * time.Second

const room = "6911188411934433028"

type nobody struct{}

func (nobody) Joined(string, sfu.Participant, time.Time)                      {}
func (nobody) Left(string, sfu.Participant, sfu.LeaveReason, time.Time)       {}
func (nobody) TrackPublished(string, sfu.Participant, sfu.Track, time.Time)   {}
func (nobody) TrackUnpublished(string, sfu.Participant, sfu.Track, time.Time) {}
func (nobody) RoomFinished(string, time.Time)                                 {}

// meeting is a media server with one room that can be recorded.
type meeting struct {
	*sfu.Server
	url     string
	capture string
	session *capture.Session
	run     *recorder.Run
	zero    time.Time // when recording began
}

func newMeeting(t *testing.T) *meeting {
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
	m := &meeting{Server: s, url: "ws" + strings.TrimPrefix(web.URL, "http"), capture: filepath.Join(t.TempDir(), "capture")}
	if m.session, err = capture.Create(m.capture, capture.Meta{RecordingID: "rec", MeetingID: room, Topic: "media test"}); err != nil {
		t.Fatal(err)
	}
	return m
}

// record begins recording.
func (m *meeting) record(t *testing.T) {
	t.Helper()
	connector := recorder.Embedded(m.Server, func() string { return m.url })
	run, err := recorder.New(connector, slog.New(slog.DiscardHandler)).Start(t.Context(), room, m.session, 1)
	if err != nil {
		t.Fatal(err)
	}
	m.run, m.zero = run, time.Now()
}

// now is the time since recording began.
func (m *meeting) now() examine.Seconds { return examine.Seconds(time.Since(m.zero).Seconds()) }

// talk lets the meeting go on until that time of the recording.
func (m *meeting) talk(t *testing.T, until examine.Seconds) {
	t.Helper()
	select {
	case <-time.After(time.Until(m.zero.Add(until.Duration()))):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

// draw prepares what somebody shows. It is kept between tests of a run, and done before recording begins.
func draw(t *testing.T, dir string, p people.Person) *people.Media {
	t.Helper()
	m, err := people.Prepare(t.Context(), p, loop, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *meeting) join(t *testing.T, media *people.Media) *people.Session {
	t.Helper()
	name := media.Person.Name
	token, err := m.Token(sfu.Join{Room: room, Identity: name, Name: name, CanPublish: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	s, err := people.Join(ctx, m.url, token, media, people.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Leave)
	return s
}

// compose ends the recording and returns the file.
func (m *meeting) compose(t *testing.T) (file string, length time.Duration) {
	t.Helper()
	length = time.Since(m.zero)
	if err := m.run.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := m.session.Close(); err != nil {
		t.Fatal(err)
	}
	out := t.ArtifactDir()
	began := time.Now()
	c := &compose.Composer{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	r, err := c.Compose(t.Context(), compose.Input{Capture: m.capture, Work: t.TempDir(), Out: out}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("composed %v in %v", r.Duration, time.Since(began))
	for _, d := range r.Defects {
		t.Errorf("defect at %v: %s of %s: %s", d.At, d.Kind, d.Participant, d.Detail)
	}
	return r.File, length
}

// check examines the file and fails with what is wrong.
func check(t *testing.T, file string, length time.Duration, expected ...examine.Expected) *examine.Report {
	t.Helper()
	r, err := examine.Examine(t.Context(), file, examine.Options{Loop: loop, Duration: length, People: expected})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", r)
	for _, c := range r.Bad() {
		t.Errorf("%s\n     (%s)", c, c.Reason)
	}
	return r
}

// settle is after how long a picture that began is surely there: ICE, DTLS and
// signalling take some tenths of a second on a busy machine, the next key frame
// half of one.
const settle = 1.5

func during(from, to examine.Seconds) examine.Interval {
	return examine.Interval{From: from + settle, To: to}
}

func TestEverybodyIsSeenAndHeardInSync(t *testing.T) {
	m, dir := newMeeting(t), t.TempDir()
	ada := draw(t, dir, people.Person{Name: "Ada", Index: 0})
	bob := draw(t, dir, people.Person{Name: "林华", Index: 1, Codec: "vp8", Width: 640, Height: 360, FPS: 25})
	cy := draw(t, dir, people.Person{Name: "Cy", Index: 2, Width: 640, Height: 360, FPS: 20})
	m.join(t, ada)
	m.join(t, bob)
	m.record(t)
	m.talk(t, 4)
	third := m.join(t, cy)
	came := m.now()
	m.talk(t, 9)
	left := m.now()
	third.Leave()
	m.talk(t, 14)
	end := m.now()
	file, length := m.compose(t)
	whole, part := []examine.Interval{during(0, end)}, []examine.Interval{during(came, left)}
	check(t, file, length,
		examine.Expected{Index: 0, Name: "Ada", Seen: whole, Heard: whole},
		examine.Expected{Index: 1, Name: "林华", Seen: whole, Heard: whole},
		examine.Expected{Index: 2, Name: "Cy", Seen: part, Heard: part})
}

func TestMutedCamerasAndSharedScreensAreShownAtTheirTime(t *testing.T) {
	m, dir := newMeeting(t), t.TempDir()
	ada := draw(t, dir, people.Person{Name: "Ada", Index: 0})
	bob := draw(t, dir, people.Person{Name: "Bob", Index: 1, Width: 640, Height: 360})
	slides := draw(t, dir, people.Person{Name: "Slides", Index: 20})
	a := m.join(t, ada)
	b := m.join(t, bob)
	m.record(t)
	m.talk(t, 4)
	off := m.now()
	if err := a.SetCamera(false); err != nil {
		t.Fatal(err)
	}
	m.talk(t, 7)
	on := m.now()
	if err := a.SetCamera(true); err != nil {
		t.Fatal(err)
	}
	m.talk(t, 10)
	shared := m.now()
	if err := b.ShareScreen(slides); err != nil {
		t.Fatal(err)
	}
	m.talk(t, 15)
	stopped := m.now()
	if err := b.StopScreen(); err != nil {
		t.Fatal(err)
	}
	quiet := m.now()
	if err := b.SetMicrophone(false); err != nil {
		t.Fatal(err)
	}
	m.talk(t, 18)
	end := m.now()
	file, length := m.compose(t)
	whole := []examine.Interval{during(0, end)}
	r := check(t, file, length,
		examine.Expected{Index: 0, Name: "Ada", Seen: []examine.Interval{during(0, off), during(on, end)}, Heard: whole},
		examine.Expected{Index: 1, Name: "Bob", Seen: whole, Heard: []examine.Interval{during(0, quiet)}},
		examine.Expected{Index: 20, Name: "the screen", Seen: []examine.Interval{during(shared, stopped)}})
	for _, beep := range r.Person(1).Beeps {
		if beep.At > quiet+0.2 {
			t.Errorf("Bob is heard at %v, muted at %v", beep.At, quiet)
		}
	}
}
