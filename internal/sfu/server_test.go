package sfu_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"huilu/internal/sfu"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"
	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"google.golang.org/protobuf/proto"
)

func TestStoppingInTheMiddleOfAMeetingEndsIt(t *testing.T) {
	d := newDiary()
	s, url, stop := start(t, config(t), d)
	gone := make(chan struct{})
	cb := lksdk.NewRoomCallback()
	cb.OnDisconnected = func() { close(gone) }
	alice := enter(t, s, url, sfu.Join{Room: "6911", Identity: "alice", Name: "Alice", CanPublish: true}, cb)
	publishTone(t, alice)
	d.wait(t, "6911: alice published audio microphone")
	stop()
	want := "6911: alice unpublished audio microphone\n6911: alice left: meeting_ended\n6911: finished"
	if got := d.text(); !strings.HasSuffix(got, want) {
		t.Errorf("the listener heard:\n%s\nwant at the end:\n%s", got, want)
	}
	select {
	case <-gone:
	case <-time.After(patience):
		t.Error("Alice still believes she is connected")
	}
}

func TestSeveralServersLiveInOneProcess(t *testing.T) {
	for i := range 3 {
		d := newDiary()
		s, url, _ := start(t, config(t), d)
		enter(t, s, url, sfu.Join{Room: "6911", Identity: fmt.Sprint("person", i)}, nil)
		d.wait(t, fmt.Sprintf("6911: person%d () joined", i))
		if people, err := s.Participants(t.Context(), "6911"); err != nil || len(people) != 1 {
			t.Errorf("server %d has %+v, %v; want its own participant only", i, people, err)
		}
	}
}

// A recorder on the same machine must get in also when the address told to people does not lead back here.
func TestThisMachineGetsInThroughAnAddressThatIsNotItsOwn(t *testing.T) {
	c := config(t)
	c.NodeIP = "203.0.113.7" // reserved for documentation: nobody answers there
	s, url, _ := start(t, c, newDiary())
	enter(t, s, url, sfu.Join{Room: "6911", Identity: "recorder-1", Hidden: true, Recorder: true}, nil)
}

func TestThisProcessGetsInWithoutTLS(t *testing.T) {
	s, _, stop := start(t, config(t), newDiary())
	url, err := s.LocalURL()
	if again, err2 := s.LocalURL(); err != nil || err2 != nil || again != url || !strings.HasPrefix(url, "ws://127.0.0.1:") {
		t.Fatalf("LocalURL = %q, %v, then %q, %v; want the same loopback address", url, err, again, err2)
	}
	enter(t, s, url, sfu.Join{Room: "6911", Identity: "recorder-1", Hidden: true, Recorder: true}, nil)
	if status, _ := get(t, url, "/rtc/validate", ""); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d, want 401", status)
	}
	stop()
	if _, err := http.Get("http" + strings.TrimPrefix(url, "ws")); err == nil {
		t.Error("the local listener outlives the server")
	}
}

func TestNoThirdPartyLearnsOfAMeeting(t *testing.T) {
	c := config(t)
	s, url, _ := start(t, c, newDiary())
	token, err := s.Token(sfu.Join{Room: "6911", Identity: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	ws, _, err := websocket.Dial(t.Context(), url+"/rtc?protocol=16&sdk=js&access_token="+token, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	_, b, err := ws.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var m livekit.SignalResponse
	if err := proto.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	servers := m.GetJoin().GetIceServers()
	if len(servers) == 0 {
		t.Error("no server is told, so some clients take their own default")
	}
	for _, server := range servers {
		for _, u := range server.Urls {
			// Never the media port: Chromium would take nothing but STUN's answers from it, and media went over TCP.
			if u != "stun:127.0.0.1:9" {
				t.Errorf("the browser is told to ask %s, want a silent port of this machine", u)
			}
		}
	}
}

// get returns the status and body of a request to the signalling's server.
func get(t *testing.T, url, path, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+strings.TrimPrefix(url, "ws")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestOnlySignallingIsServedAndOnlyWithAToken(t *testing.T) {
	c := config(t)
	s, url, _ := start(t, c, newDiary())
	good, err := s.Token(sfu.Join{Room: "6911", Identity: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(secret string, claims jwt.MapClaims) string {
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	grant := map[string]any{"room": "6911", "roomJoin": true}
	later, earlier := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	for name, r := range map[string]struct {
		path, token string
		want        int
	}{
		"good token":         {"/rtc/validate", good, 200},
		"token in the query": {"/rtc/validate?access_token=" + good, "", 200},
		"no token":           {"/rtc/validate", "", 401},
		"nonsense":           {"/rtc/validate", "nonsense", 401},
		"foreign secret":     {"/rtc/validate", sign(strings.Repeat("x", 32), jwt.MapClaims{"iss": c.Key, "sub": "a", "exp": later, "video": grant}), 401},
		"unknown key":        {"/rtc/validate", sign(c.Secret, jwt.MapClaims{"iss": "other", "sub": "a", "exp": later, "video": grant}), 401},
		"expired":            {"/rtc/validate", sign(c.Secret, jwt.MapClaims{"iss": c.Key, "sub": "a", "exp": earlier, "video": grant}), 401},
		"without a room":     {"/rtc/validate", sign(c.Secret, jwt.MapClaims{"iss": c.Key, "sub": "a", "exp": later}), 401},
		"no web socket":      {"/rtc", good, 404},
		"admin calls":        {"/twirp/livekit.RoomService/ListRooms", good, 404},
		"whip":               {"/whip/v1", good, 404},
		"profiles":           {"/debug/pprof/", good, 404},
		"anything else":      {"/", good, 404},
	} {
		got, body := get(t, url, r.path, r.token)
		if got != r.want || strings.Contains(body, "eyJ") {
			t.Errorf("%s: %d %q, want %d", name, got, body, r.want)
		}
	}
}

func TestWhoMayOnlyListenCannotPublish(t *testing.T) {
	s, url, _ := start(t, config(t), newDiary())
	room := enter(t, s, url, sfu.Join{Room: "6911", Identity: "bob"}, nil)
	p := room.LocalParticipant.Permissions()
	if p.CanPublish || p.CanPublishData || p.CanUpdateMetadata || !p.CanSubscribe {
		t.Errorf("permissions = %v, want subscribing only", p)
	}
}

func TestNobodySendsDataOrChangesWhatOthersSeeOfThem(t *testing.T) {
	s, url, _ := start(t, config(t), newDiary())
	room := enter(t, s, url, sfu.Join{Room: "6911", Identity: "bob", CanPublish: true}, nil)
	if p := room.LocalParticipant.Permissions(); !p.CanPublish || p.CanPublishData || p.CanUpdateMetadata {
		t.Errorf("permissions = %v, want publishing sound and pictures only", p)
	}
}

func TestAGoodTokenIsNotEnough(t *testing.T) {
	c, asked := config(t), make(chan string, 10)
	c.Admit = func(_ context.Context, room, identity string) error {
		asked <- room + " " + identity
		if identity == "removed" {
			return errors.New("the host removed them")
		}
		return nil
	}
	s, url, _ := start(t, c, newDiary())
	for name, r := range map[string]struct {
		join  sfu.Join
		query string
		asked string
		want  int
	}{
		"welcome":                       {sfu.Join{Room: "6911", Identity: "alice", CanPublish: true}, "", "6911 alice", 200},
		"removed":                       {sfu.Join{Room: "6911", Identity: "removed", CanPublish: true}, "", "6911 removed", 401},
		"as somebody nobody knows":      {sfu.Join{Room: "6911", Identity: "alice", CanPublish: true}, "?publish=second", "", 401},
		"recorders are not asked about": {sfu.Join{Room: "6911", Identity: "recorder-1", Recorder: true}, "", "", 200},
	} {
		token, err := s.Token(r.join)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/rtc/validate", "/rtc"} { // the latter is no WebSocket here: 404 is beyond the door
			got, body := get(t, url, path+r.query, token)
			if path == "/rtc" && got == http.StatusNotFound {
				got = 200
			}
			if got != r.want || strings.Contains(body, "host") {
				t.Errorf("%s: %s = %d %q, want %d and no reason", name, path, got, body, r.want)
			}
			who := ""
			if len(asked) > 0 {
				who = <-asked
			}
			if who != r.asked {
				t.Errorf("%s: asked about %q, want %q", name, who, r.asked)
			}
		}
	}
}

func TestSignallingReadsNoBody(t *testing.T) {
	s, url, _ := start(t, config(t), newDiary())
	token, err := s.Token(sfu.Join{Room: "6911", Identity: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// A form of which only the head ever comes: whoever reads it waits, or fills memory and disk.
	fmt.Fprintf(conn, "GET /rtc/validate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=b\r\n"+
		"Content-Length: 1000000000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n", token)
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, len("HTTP/1.1 200"))
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 200" {
		t.Errorf("answer %q, %v; want one before the body has come", answer, err)
	}
}

func TestWhoPublishesWithoutEndIsThrownOut(t *testing.T) {
	d := newDiary()
	s, url, _ := start(t, config(t), d)
	room := enter(t, s, url, sfu.Join{Room: "6911", Identity: "mallory", CanPublish: true}, nil)
	for range 17 {
		track, err := lksdk.NewLocalSampleTrack(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := room.LocalParticipant.PublishTrack(track, &lksdk.TrackPublicationOptions{Name: "mic"}); err != nil {
			break // thrown out already
		}
		go func() {
			for t.Context().Err() == nil && track.WriteSample(media.Sample{Data: []byte{0xf8, 0xff, 0xfe}, Duration: 20 * time.Millisecond}, nil) == nil {
				time.Sleep(20 * time.Millisecond)
			}
		}()
	}
	d.wait(t, "6911: mallory left: kicked")
}

func TestTheSameIdentityReplacesTheFirst(t *testing.T) {
	d := newDiary()
	s, url, _ := start(t, config(t), d)
	enter(t, s, url, sfu.Join{Room: "6911", Identity: "alice", Name: "first"}, nil)
	d.wait(t, "6911: alice (first) joined")
	enter(t, s, url, sfu.Join{Room: "6911", Identity: "alice", Name: "second"}, nil)
	d.wait(t, "6911: alice left: replaced")
	d.wait(t, "6911: alice (second) joined")
	if people, err := s.Participants(t.Context(), "6911"); err != nil || len(people) != 1 {
		t.Errorf("participants = %+v, %v; want one Alice", people, err)
	}
}

func TestAnEmptyRoomEndsAlsoWithARecorderInIt(t *testing.T) {
	d := newDiary()
	s, url, _ := start(t, config(t), d)
	alice := enter(t, s, url, sfu.Join{Room: "6911", Identity: "alice"}, nil)
	enter(t, s, url, sfu.Join{Room: "6911", Identity: "recorder-1", Hidden: true, Recorder: true}, nil)
	d.wait(t, "6911: alice () joined")
	alice.Disconnect()
	d.wait(t, "6911: alice left: left")
	d.wait(t, "6911: finished")
}

func TestAdminCallsReachTheRoom(t *testing.T) {
	d := newDiary()
	s, url, _ := start(t, config(t), d)
	told := make(chan string, 10)
	cb := lksdk.NewRoomCallback()
	cb.OnRoomMetadataChanged = func(m string) { told <- "metadata " + m }
	cb.OnAttributesChanged = func(changed map[string]string, p lksdk.Participant) {
		told <- fmt.Sprint(p.Identity(), " ", changed)
	}
	cb.OnTrackMuted = func(pub lksdk.TrackPublication, p lksdk.Participant) { told <- p.Identity() + " muted" }
	enter(t, s, url, sfu.Join{Room: "6911", Identity: "bob"}, cb)
	alice := enter(t, s, url, sfu.Join{Room: "6911", Identity: "alice", CanPublish: true, Attributes: map[string]string{"host": "1"}}, nil)
	pub := publishTone(t, alice)
	d.wait(t, "6911: alice published audio microphone")
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return s.SetRoomMetadata(t.Context(), "6911", `{"recording":true}`) }, `metadata {"recording":true}`},
		{func() error { return s.SetAttributes(t.Context(), "6911", "alice", map[string]string{"hand": "up"}) }, "alice map[hand:up]"},
		{func() error { return s.Mute(t.Context(), "6911", "alice", pub.SID()) }, "alice muted"},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		for deadline, got := time.After(patience), ""; got != step.want; {
			select {
			case got = <-told:
			case <-deadline:
				t.Fatalf("Bob was never told %q", step.want)
			}
		}
	}
	people, err := s.Participants(t.Context(), "6911")
	if err != nil || len(people) != 2 || people[1].Attributes["host"] != "1" || people[1].Attributes["hand"] != "up" || !people[1].Tracks[0].Muted {
		t.Errorf("participants = %+v, %v; want Alice second, as host, hand up, muted", people, err)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	s, url, _ := start(t, config(t), newDiary())
	enter(t, s, url, sfu.Join{Room: "6911", Identity: "alice"}, nil)
	ctx := t.Context()
	_, noRoom := s.Participants(ctx, "nowhere")
	_, noTracks := s.PublishedTracks(ctx, "nowhere")
	for name, err := range map[string]error{
		"participants": noRoom, "tracks": noTracks,
		"kick nobody":          s.Kick(ctx, "6911", "nobody"),
		"kick nowhere":         s.Kick(ctx, "nowhere", "alice"),
		"metadata nowhere":     s.SetRoomMetadata(ctx, "nowhere", "{}"),
		"attributes of nobody": s.SetAttributes(ctx, "6911", "nobody", map[string]string{"a": "b"}),
		"mute nobody":          s.Mute(ctx, "6911", "nobody", "TR_1"),
	} {
		if !errors.Is(err, sfu.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
	}
	if err := s.CloseRoom(ctx, "nowhere"); err != nil {
		t.Errorf("closing a room that is not there: %v, want nil", err)
	}
	if _, err := s.Token(sfu.Join{Room: "6911"}); err == nil {
		t.Error("a token without an identity is signed")
	}
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	good := config(t)
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*sfu.Config){
		"NodeIP":   func(c *sfu.Config) { c.NodeIP = "example.org" },
		"UDPPort":  func(c *sfu.Config) { c.UDPPort = 0 },
		"TCPPort":  func(c *sfu.Config) { c.TCPPort = 70000 },
		"Key":      func(c *sfu.Config) { c.Key = "" },
		"Secret":   func(c *sfu.Config) { c.Secret = "short" },
		"RedisURL": func(c *sfu.Config) { c.RedisURL = "http://redis" },
	} {
		c := good
		spoil(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s spoiled: %v, want a complaint that names it", want, err)
		}
		if _, err := sfu.New(c, newDiary(), nil); err == nil {
			t.Errorf("%s spoiled: a server is made", want)
		}
	}
}
