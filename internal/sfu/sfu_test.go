package sfu_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"huilu/internal/sfu"

	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

const patience = 20 * time.Second // for what normally takes well under a second, on a machine that does other things too

// diary is a Listener that writes down what it is told.
type diary struct {
	mu    sync.Mutex
	lines []string
	grew  chan struct{}
}

func newDiary() *diary { return &diary{grew: make(chan struct{}, 1)} }

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
	d.mu.Unlock()
	select {
	case d.grew <- struct{}{}:
	default:
	}
}

func (d *diary) Joined(room string, p sfu.Participant, _ time.Time) {
	d.add("%s: %s (%s) joined", room, p.Identity, p.Name)
}
func (d *diary) Left(room string, p sfu.Participant, why sfu.LeaveReason, _ time.Time) {
	d.add("%s: %s left: %s", room, p.Identity, why)
}
func (d *diary) TrackPublished(room string, p sfu.Participant, t sfu.Track, _ time.Time) {
	d.add("%s: %s published %s %s", room, p.Identity, t.Kind, t.Source)
}
func (d *diary) TrackUnpublished(room string, p sfu.Participant, t sfu.Track, _ time.Time) {
	d.add("%s: %s unpublished %s %s", room, p.Identity, t.Kind, t.Source)
}
func (d *diary) RoomFinished(room string, _ time.Time) { d.add("%s: finished", room) }

func (d *diary) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines, "\n")
}

// wait returns when the diary has the line.
func (d *diary) wait(t *testing.T, line string) {
	t.Helper()
	deadline := time.After(patience)
	for !strings.Contains(d.text()+"\n", line+"\n") {
		select {
		case <-d.grew:
		case <-deadline:
			t.Fatalf("never heard %q; heard:\n%s", line, d.text())
		}
	}
}

// freePort returns a port that was free a moment ago, for UDP and TCP.
func freePort(t *testing.T) int {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		u, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		_ = l.Close()
		if err == nil {
			_ = u.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func config(t *testing.T) sfu.Config {
	port := freePort(t)
	return sfu.Config{
		NodeIP: "127.0.0.1", UDPPort: port, TCPPort: port, Loopback: true,
		Key: "huilu", Secret: "a secret of at least thirty-two characters",
		DepartureTimeout: time.Second,
	}
}

// start runs a server until the test ends and returns it with the address of its signalling.
func start(t *testing.T, c sfu.Config, l sfu.Listener) (s *sfu.Server, url string, stop func()) {
	t.Helper()
	s, err := sfu.New(c, l, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run did not return")
		}
	})
	t.Cleanup(stop)
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	return s, "ws" + strings.TrimPrefix(web.URL, "http"), stop
}

// enter joins a room with the real client.
func enter(t *testing.T, s *sfu.Server, url string, j sfu.Join, cb *lksdk.RoomCallback) *lksdk.Room {
	t.Helper()
	token, err := s.Token(j)
	if err != nil {
		t.Fatal(err)
	}
	if cb == nil {
		cb = lksdk.NewRoomCallback()
	}
	room, err := lksdk.ConnectToRoomWithToken(url, token, cb)
	if err != nil {
		t.Fatalf("%s does not get in: %v", j.Identity, err)
	}
	t.Cleanup(room.Disconnect)
	return room
}

// publishTone publishes a microphone that sends opus silence until the test ends.
func publishTone(t *testing.T, room *lksdk.Room) *lksdk.LocalTrackPublication {
	t.Helper()
	track, err := lksdk.NewLocalSampleTrack(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := room.LocalParticipant.PublishTrack(track, &lksdk.TrackPublicationOptions{Name: "mic", Source: 2})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-t.Context().Done():
				return
			case <-tick.C:
				_ = track.WriteSample(media.Sample{Data: []byte{0xf8, 0xff, 0xfe}, Duration: 20 * time.Millisecond}, nil)
			}
		}
	}()
	return pub
}

func TestPeopleMeetAndTheListenerHearsItInOrder(t *testing.T) {
	d := newDiary()
	s, url, _ := start(t, config(t), d)
	heard := make(chan struct{})
	cb := lksdk.NewRoomCallback()
	cb.OnTrackSubscribed = func(track *webrtc.TrackRemote, _ *lksdk.RemoteTrackPublication, _ *lksdk.RemoteParticipant) {
		if _, _, err := track.ReadRTP(); err == nil {
			close(heard)
		}
	}
	enter(t, s, url, sfu.Join{Room: "6911", Identity: "bob", Name: "Bob"}, cb)
	alice := enter(t, s, url, sfu.Join{Room: "6911", Identity: "alice", Name: "Alice", CanPublish: true}, nil)
	publishTone(t, alice)
	select {
	case <-heard:
	case <-time.After(patience):
		t.Fatal("Bob never heard Alice")
	}
	enter(t, s, url, sfu.Join{Room: "6911", Identity: "recorder-1", Hidden: true, Recorder: true}, nil)
	d.wait(t, "6911: alice published audio microphone")

	tracks, err := s.PublishedTracks(t.Context(), "6911")
	if err != nil || len(tracks) != 1 || tracks[0].Participant.Identity != "alice" || tracks[0].Track.Mime != "audio/opus" {
		t.Errorf("published tracks = %+v, %v; want Alice's audio/opus", tracks, err)
	}
	people, err := s.Participants(t.Context(), "6911")
	if err != nil || len(people) != 2 {
		t.Errorf("participants = %+v, %v; want Bob and Alice without the recorder", people, err)
	}
	if err := s.Kick(t.Context(), "6911", "bob"); err != nil {
		t.Error(err)
	}
	d.wait(t, "6911: bob left: kicked")
	if err := s.CloseRoom(t.Context(), "6911"); err != nil {
		t.Error(err)
	}
	d.wait(t, "6911: finished")
	want := strings.Join([]string{
		"6911: bob (Bob) joined", "6911: alice (Alice) joined", "6911: alice published audio microphone",
		"6911: bob left: kicked", "6911: alice unpublished audio microphone", "6911: alice left: meeting_ended", "6911: finished",
	}, "\n")
	if got := d.text(); got != want {
		t.Errorf("the listener heard:\n%s\nwant:\n%s", got, want)
	}
}
