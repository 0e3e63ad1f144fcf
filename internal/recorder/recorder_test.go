package recorder_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"huilu/internal/capture"
	"huilu/internal/recorder"
	"huilu/internal/sfu"
)

// follow waits until the run stores packets at a steady rate of at least n more.
func follow(t testing.TB, run *recorder.Run, n uint64) {
	t.Helper()
	before := run.Stats().Packets
	eventually(t, "packets are stored", func() bool { return run.Stats().Packets >= before+n })
}

func TestEverythingTwoPeopleSendIsRecorded(t *testing.T) {
	s := newServer(t)
	alice := s.mustEnter(t, "room", "alice", "h264", "opus")
	run, dir := s.record(t, s.connector(), "room")
	bob := s.mustEnter(t, "room", "bob", "vp8", "opus")
	eventually(t, "four tracks are recorded", func() bool { return run.Stats().Tracks == 4 })
	follow(t, run, 600)
	bob.pubs["opus"].SetMuted(true)
	eventually(t, "the mute is noted", func() bool { e, _ := readLogs(t, dir); return strings.Contains(story(e), "mute bob") })
	follow(t, run, 300)
	bob.pubs["opus"].SetMuted(false)
	follow(t, run, 1200)
	begun := map[string]int{"alice h264": alice.frames("h264"), "bob vp8": bob.frames("vp8")}
	follow(t, run, 300)
	if err := run.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := run.Stop(); err != nil || !run.Published() {
		t.Errorf("second Stop: %v, published %v; want nil, true", err, run.Published())
	}
	events, logs := readLogs(t, dir)
	if len(logs) != 4 {
		t.Fatalf("%d logs, want 4:\n%s", len(logs), story(events))
	}
	all, _ := material()
	for _, l := range logs {
		t.Logf("%s %s: %d packets, %d frames (%d not sent by anybody), %d reports, %s", l.ParticipantID, l.Mime, l.packets, len(l.frames),
			len(l.frames)-l.real(), l.reports, l.to.Sub(l.from))
		if l.gaps > 0 || len(l.damage) > 0 {
			t.Errorf("%s %s: %d packets missing, damage %v", l.ParticipantID, l.Mime, l.gaps, l.damage)
		}
		if l.reports == 0 || l.foreign > 0 {
			t.Errorf("%s %s: %d sender reports, %d of other tracks; want some and none", l.ParticipantID, l.Mime, l.reports, l.foreign)
		}
		kind := map[string]string{"video/H264": "h264", "video/VP8": "vp8", "audio/opus": "opus"}[l.Mime]
		allowed := 0
		if l.ParticipantID == "bob" && kind == "opus" {
			allowed = 1 // where he was muted
		}
		if n := l.breaks(len(all[kind].frames)); n > allowed {
			t.Errorf("%s %s: the order of frames breaks %d times, want at most %d", l.ParticipantID, l.Mime, n, allowed)
		}
		if want := begun[l.ParticipantID+" "+kind]; l.real() < want-2*fps-fps/2 { // what came before the first key frame is lost
			t.Errorf("%s %s: %d frames recorded of at least %d sent", l.ParticipantID, l.Mime, l.real(), want)
		}
	}
	want := []string{"rec_start", "join alice", "published alice camera", "published alice microphone", "join bob", "published bob camera",
		"published bob microphone", "mute bob microphone", "unmute bob microphone", "rec_stop"}
	got := strings.Split(strings.TrimSpace(story(events, capture.RecStart, capture.RecStop, capture.RecRejoin, capture.Join, capture.Leave,
		capture.Published, capture.Unpublished, capture.Mute, capture.Unmute)), "\n")
	if slices.Sort(got[1 : len(got)-1]); got[0] != want[0] || got[len(got)-1] != want[len(want)-1] {
		t.Errorf("timeline begins with %q and ends with %q", got[0], got[len(got)-1])
	}
	slices.Sort(want[1 : len(want)-1])
	if !slices.Equal(got, want) {
		t.Errorf("timeline (sorted):\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// blind is a connector that does not tell who joins.
type blind struct{ recorder.Connector }

func (blind) Watch(string, func(sfu.Participant)) func() { return func() {} }

// The client library takes a rejoin for an older state when the person had muted before, and drops all of it.
func TestSomebodyWhoComesBackUnderTheSameIdentityIsRecorded(t *testing.T) {
	for name, mutes := range map[string]int{"who never muted": 0, "after several mutes": 6} {
		for told, wrap := range map[string]func(recorder.Connector) recorder.Connector{
			"told by the server": func(c recorder.Connector) recorder.Connector { return c },
			"found by watchdog":  func(c recorder.Connector) recorder.Connector { return blind{c} },
		} {
			t.Run(name+", "+told, func(t *testing.T) {
				s := newServer(t)
				run, dir := s.record(t, wrap(s.connector()), "room")
				s.mustEnter(t, "room", "bob", "opus")
				first := s.mustEnter(t, "room", "alice", "opus")
				eventually(t, "both are recorded", func() bool { return run.Stats().Tracks == 2 })
				for range mutes {
					first.pubs["opus"].SetMuted(true)
					first.pubs["opus"].SetMuted(false)
				}
				again := s.mustEnter(t, "room", "alice", "opus")
				sid := again.pubs["opus"].SID()
				var log logged
				eventually(t, "the new session is recorded", func() bool {
					_, logs := readLogs(t, dir)
					i := slices.IndexFunc(logs, func(l logged) bool { return l.SID == sid && l.packets > 50 })
					if i >= 0 {
						log = logs[i]
					}
					return i >= 0
				})
				if err := run.Stop(); err != nil {
					t.Fatal(err)
				}
				events, logs := readLogs(t, dir)
				all, _ := material()
				t.Logf("first packet of the new session is number %d of what was sent, %d other connections", log.frames[0], run.Stats().Rejoins)
				for _, l := range logs {
					if l.ParticipantID == "bob" && (l.gaps > 0 || l.breaks(len(all["opus"].frames)) > 0 || log.to.Sub(l.to) > time.Second) {
						t.Errorf("Bob's recording suffered: %d packets missing, frames %v, ends %s, Alice's %s", l.gaps, l.frames, l.to, log.to)
					}
				}
				if n := strings.Count(story(events), "join alice"); n != 2 {
					t.Errorf("Alice joined %d times in the timeline, want 2:\n%s", n, story(events))
				}
			})
		}
	}
}

func TestKickedRecorderComesBack(t *testing.T) {
	s := newServer(t)
	s.mustEnter(t, "room", "alice", "h264", "opus")
	run, dir := s.record(t, s.connector(), "room")
	eventually(t, "Alice is recorded", func() bool { return run.Stats().Tracks == 2 })
	follow(t, run, 300)
	if err := s.Kick(t.Context(), "room", "recorder-1-1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Alice is recorded again", func() bool { return run.Stats().Tracks == 4 })
	follow(t, run, 600)
	if err := run.Stop(); err != nil {
		t.Fatal(err)
	}
	events, logs := readLogs(t, dir)
	if len(logs) != 4 || !strings.Contains(story(events), "rec_rejoin disconnected: removed by server") {
		t.Fatalf("%d logs, want 4; timeline:\n%s", len(logs), story(events))
	}
	for _, l := range logs {
		t.Logf("%s: %d packets from %s to %s", l.Mime, l.packets, l.from.Format("05.000"), l.to.Format("05.000"))
		if l.gaps > 0 || l.real() == 0 {
			t.Errorf("log of %s: %d packets missing, %d frames", l.Mime, l.gaps, l.real())
		}
	}
	if n := strings.Count(story(events), "join alice"); n != 1 || strings.Contains(story(events), "leave") {
		t.Errorf("who was there must not depend on the recorder's connection:\n%s", story(events))
	}
}

func TestCutSignallingIsBridgedByAnotherConnection(t *testing.T) {
	s := newServer(t)
	s.mustEnter(t, "room", "alice", "h264", "opus")
	others := s.made()
	run, dir := s.record(t, s.connector(), "room")
	eventually(t, "Alice is recorded", func() bool { return run.Stats().Tracks == 2 })
	follow(t, run, 300)
	if n := s.cut(others); n == 0 {
		t.Fatal("nothing was cut")
	}
	bob := s.mustEnter(t, "room", "bob", "opus")
	eventually(t, "Alice goes on and Bob is recorded", func() bool { return run.Stats().Tracks == 5 })
	follow(t, run, 600)
	if err := run.Stop(); err != nil {
		t.Fatal(err)
	}
	events, logs := readLogs(t, dir)
	if len(logs) != 5 || !slices.ContainsFunc(logs, func(l logged) bool { return l.SID == bob.pubs["opus"].SID() && l.real() > 0 }) ||
		!strings.Contains(story(events), "rec_rejoin reconnecting") {
		t.Fatalf("%d logs, want Alice's four and Bob's:\n%s", len(logs), story(events))
	}
	all, _ := material()
	var before, after logged // of Alice's sound
	for _, l := range logs {
		if l.ParticipantID == "alice" && l.Kind == capture.Audio {
			before, after = after, l
		}
	}
	loop := len(all["opus"].frames)
	lost := (after.frames[0] - before.frames[len(before.frames)-1] - 1 + loop) % loop
	if lost > loop/2 { // the new log begins before the old one ends: nothing is lost
		lost = 0
	}
	t.Logf("%d packets of sound lost (%d ms)", lost, 20*lost)
	if before.gaps > 0 || after.gaps > 0 || strings.Contains(story(events), "leave") {
		t.Errorf("%d and %d packets missing within the logs; timeline:\n%s", before.gaps, after.gaps, story(events))
	}
}

func TestARoomThatIsOverIsNotMadeAnew(t *testing.T) {
	s := newServer(t)
	alice := s.mustEnter(t, "room", "alice", "opus")
	run, dir := s.record(t, s.connector(), "room")
	follow(t, run, 50)
	if err := s.CloseRoom(t.Context(), "room"); err != nil {
		t.Fatal(err)
	}
	alice.leave()
	eventually(t, "the leave is noted", func() bool { e, _ := readLogs(t, dir); return strings.Contains(story(e), "leave alice") })
	for begin := time.Now(); time.Since(begin) < time.Second; time.Sleep(50 * time.Millisecond) { // several tries of the recorder
		if _, err := s.Participants(t.Context(), "room"); err == nil {
			t.Fatal("the recorder opened the room again")
		}
	}
	if err := run.Stop(); err != nil {
		t.Error(err)
	}
}

func TestARoomWhereNobodyPublishesLeavesNothingButTheTimeline(t *testing.T) {
	s := newServer(t)
	s.mustEnter(t, "room", "alice")
	run, dir := s.record(t, s.connector(), "room")
	eventually(t, "Alice is noted", func() bool { e, _ := readLogs(t, dir); return strings.Contains(story(e), "join alice") })
	if err := run.Stop(); err != nil {
		t.Fatal(err)
	}
	events, logs := readLogs(t, dir)
	if got, want := story(events), "rec_start\njoin alice\nrec_stop\n"; got != want || len(logs) > 0 || run.Published() {
		t.Errorf("timeline:\n%s%d logs, published %v; want\n%s0, false", got, len(logs), run.Published(), want)
	}
}

func TestPartsOfOneMeetingShareAFolder(t *testing.T) {
	s := newServer(t)
	s.mustEnter(t, "room", "alice", "opus")
	dir := t.TempDir()
	session, err := capture.Create(dir, capture.Meta{RecordingID: "rec"})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	r := recorder.New(s.connector(), discard)
	for part := 1; part <= 2; part++ {
		run, err := r.Start(t.Context(), "room", session, part)
		if err != nil {
			t.Fatal(err)
		}
		follow(t, run, 50)
		if err := run.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	events, logs := readLogs(t, dir)
	if len(logs) != 2 || logs[0].Part != 1 || logs[1].Part != 2 {
		t.Errorf("logs %+v, want one of each part", logs)
	}
	one := "rec_start\njoin alice\npublished alice microphone\ntrack alice microphone\ntrack_end alice microphone\nrec_stop\n"
	if got := story(slices.DeleteFunc(events, func(e capture.Event) bool { return e.Type == capture.Speakers })); got != one+one {
		t.Errorf("timeline:\n%s\nwant twice:\n%s", got, one)
	}
	if _, err := r.Start(t.Context(), "room", session, 2); err == nil {
		t.Error("part 2 can be begun twice")
	}
}
