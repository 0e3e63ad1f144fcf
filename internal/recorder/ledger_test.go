package recorder

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"huilu/internal/capture"
	"huilu/internal/sfu"

	"github.com/livekit/protocol/livekit"
)

func someone(sid string, tracks ...sfu.Track) sfu.Participant {
	return sfu.Participant{Identity: "id-" + strings.TrimRight(sid, "'"), SID: sid, Name: "Name", Tracks: tracks}
}

func TestTheTimelineIsWhatDiffersBetweenTwoLooks(t *testing.T) {
	cam, mic := sfu.Track{SID: "C", Kind: "video", Source: "camera"}, sfu.Track{SID: "M", Kind: "audio", Source: "microphone"}
	muted := mic
	muted.Muted = true
	for name, c := range map[string]struct {
		before, after []sfu.Participant
		want          string
	}{
		"nothing":            {nil, nil, ""},
		"the same":           {[]sfu.Participant{someone("a", cam)}, []sfu.Participant{someone("a", cam)}, ""},
		"comes":              {nil, []sfu.Participant{someone("a")}, "join"},
		"comes with camera":  {nil, []sfu.Participant{someone("a", cam, muted)}, "join, published camera, published microphone muted"},
		"publishes":          {[]sfu.Participant{someone("a")}, []sfu.Participant{someone("a", cam)}, "published camera"},
		"mutes":              {[]sfu.Participant{someone("a", mic)}, []sfu.Participant{someone("a", muted)}, "mute microphone muted"},
		"unmutes":            {[]sfu.Participant{someone("a", muted)}, []sfu.Participant{someone("a", mic)}, "unmute microphone"},
		"unpublishes":        {[]sfu.Participant{someone("a", cam, mic)}, []sfu.Participant{someone("a", mic)}, "unpublished camera"},
		"goes":               {[]sfu.Participant{someone("a", cam)}, nil, "unpublished camera, leave"},
		"goes as one comes":  {[]sfu.Participant{someone("a")}, []sfu.Participant{someone("b")}, "leave, join"},
		"comes back at once": {[]sfu.Participant{someone("a", cam)}, []sfu.Participant{someone("a'", mic)}, "unpublished camera, leave, join, published microphone"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(3)
			now := time.Now()
			l.update(c.before, now)
			var got []string
			for _, e := range l.update(c.after, now) {
				if e.Part != 3 || !e.At.Equal(now) || e.ParticipantID == "" || e.Name != "Name" {
					t.Errorf("event %+v lacks part, time, participant or name", e)
				}
				line := strings.TrimSpace(string(e.Type) + " " + string(e.Source))
				if e.Muted {
					line += " muted"
				}
				got = append(got, line)
			}
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("noted %q, want %q", s, c.want)
			}
			var sids []string
			for _, p := range c.after {
				for _, t := range p.Tracks {
					sids = append(sids, t.SID)
				}
			}
			if len(l.published()) != len(sids) {
				t.Errorf("published = %v, want %v", l.published(), sids)
			}
		})
	}
}

func TestWhoComesBackIsToldFromWhoComes(t *testing.T) {
	l := newLedger(1)
	l.update([]sfu.Participant{someone("a")}, time.Now())
	for p, want := range map[string]bool{"a": false, "a'": true, "b": false} {
		if got := l.rejoined(someone(p)); got != want {
			t.Errorf("rejoined(%s) = %v, want %v", p, got, want)
		}
	}
	l.update(nil, time.Now())
	if !l.rejoined(someone("a'")) {
		t.Error("who left and comes back is taken for somebody new")
	}
}

func TestTheMailboxKeepsOrderAndRefusesWhenClosed(t *testing.T) {
	m := newMailbox()
	for i := range 100 {
		if !m.put(i) {
			t.Fatal("an open mailbox refuses")
		}
	}
	<-m.wake
	got := m.take()
	if len(got) != 100 || !slices.IsSortedFunc(got, func(a, b message) int { return a.(int) - b.(int) }) {
		t.Errorf("took %v", got)
	}
	m.put("unread")
	if left := m.close(); len(left) != 1 || left[0] != "unread" {
		t.Errorf("left over: %v, want the unread one", left)
	}
	if m.put("late") || len(m.take()) > 0 {
		t.Error("a closed mailbox takes messages")
	}
}

func TestAPanicEndsOneTrackAndNoMeeting(t *testing.T) {
	var log strings.Builder
	r := newRun(&Recorder{log: slog.New(slog.NewTextHandler(&log, nil))}, "room", nil, 1)
	s := &sink{run: r, sid: "TR_1"}
	if err := s.guard(func() error { panic("bad packet") }); err == nil || !strings.Contains(err.Error(), "bad packet") {
		t.Errorf("guard = %v, want the panic as an error", err)
	}
	plain := errors.New("plain")
	if err := s.guard(func() error { return plain }); !errors.Is(err, plain) {
		t.Errorf("guard = %v, want the error as it is", err)
	}
	s.copy() // no track: a nil dereference
	msgs := r.inbox.take()
	if ended, ok := msgs[len(msgs)-1].(sinkEnded); !ok || ended.sink != s || ended.err == nil {
		t.Errorf("after a panic the run hears %+v, want the track's end", msgs)
	}
	r.handle(linkUp{}) // no link: a nil dereference
	if got := strings.Count(log.String(), "recorder panicked"); got != 3 || !strings.Contains(log.String(), "stack=") {
		t.Errorf("%d panics are logged, want 3 with their stacks:\n%s", got, log.String())
	}
}

func TestRetriesGetSlowerUpToALimit(t *testing.T) {
	var got []string
	for _, n := range []int{0, 1, 2, 5, 6, 100} {
		got = append(got, fmt.Sprint(retryAfter(n)))
	}
	if s := strings.Join(got, " "); s != "100ms 200ms 400ms 3.2s 5s 5s" {
		t.Errorf("pauses %s", s)
	}
}

func TestSourcesAreToldApart(t *testing.T) {
	for in, want := range map[int32]capture.Source{0: capture.Camera, 1: capture.Camera, 3: capture.Screen} {
		if got := source(livekit.TrackSource(in), capture.Video); got != want {
			t.Errorf("video source %d is %s, want %s", in, got, want)
		}
	}
	for in, want := range map[int32]capture.Source{0: capture.Microphone, 2: capture.Microphone, 4: capture.ScreenAudio} {
		if got := source(livekit.TrackSource(in), capture.Audio); got != want {
			t.Errorf("audio source %d is %s, want %s", in, got, want)
		}
	}
}
