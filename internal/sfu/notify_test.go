package sfu

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/livekit/protocol/webhook"
)

// lines is a Listener that writes down what it is told.
type lines struct{ strings.Builder }

func (l *lines) Joined(_ string, p Participant, _ time.Time) { fmt.Fprintf(l, "+%s ", p.SID) }
func (l *lines) Left(_ string, p Participant, why LeaveReason, _ time.Time) {
	fmt.Fprintf(l, "-%s:%s ", p.SID, why)
}
func (l *lines) TrackPublished(_ string, p Participant, t Track, _ time.Time) {
	fmt.Fprintf(l, "+%s/%s ", p.SID, t.SID)
}
func (l *lines) TrackUnpublished(_ string, p Participant, t Track, _ time.Time) {
	fmt.Fprintf(l, "-%s/%s ", p.SID, t.SID)
}
func (l *lines) RoomFinished(room string, _ time.Time) { fmt.Fprintf(l, "end of %s ", room) }

func TestWhateverOrderLiveKitTellsInTheListenerHearsItInOrder(t *testing.T) {
	about := func(event, sid string, kind livekit.ParticipantInfo_Kind, track string, why livekit.DisconnectReason) *livekit.WebhookEvent {
		e := &livekit.WebhookEvent{Event: event, Room: &livekit.Room{Name: "r"}}
		if sid != "" {
			e.Participant = &livekit.ParticipantInfo{Sid: sid, Identity: "id-" + sid, Kind: kind, DisconnectReason: why}
		}
		if track != "" {
			e.Track = &livekit.TrackInfo{Sid: track}
		}
		return e
	}
	joined := func(sid string) *livekit.WebhookEvent {
		return about(webhook.EventParticipantJoined, sid, 0, "", 0)
	}
	left := func(sid string) *livekit.WebhookEvent {
		return about(webhook.EventParticipantLeft, sid, 0, "", livekit.DisconnectReason_PARTICIPANT_REMOVED)
	}
	published := func(sid, track string) *livekit.WebhookEvent {
		return about(webhook.EventTrackPublished, sid, 0, track, 0)
	}
	unpublished := func(sid, track string) *livekit.WebhookEvent {
		return about(webhook.EventTrackUnpublished, sid, 0, track, 0)
	}
	recorder := about(webhook.EventParticipantJoined, "x", livekit.ParticipantInfo_EGRESS, "", 0)
	finished := about(webhook.EventRoomFinished, "", 0, "", 0)
	for name, c := range map[string]struct {
		told []*livekit.WebhookEvent
		want string
	}{
		"in order":                     {[]*livekit.WebhookEvent{joined("a"), published("a", "t"), unpublished("a", "t"), left("a"), finished}, "+a +a/t -a/t -a:kicked end of r"},
		"track before its participant": {[]*livekit.WebhookEvent{published("a", "t"), joined("a")}, "+a +a/t -a/t -a:meeting_ended end of r"},
		"track gone before joined":     {[]*livekit.WebhookEvent{published("a", "t"), unpublished("a", "t"), joined("a"), finished}, "+a -a:meeting_ended end of r"},
		"participant before its track": {[]*livekit.WebhookEvent{joined("a"), published("a", "t"), left("a"), unpublished("a", "t"), finished}, "+a +a/t -a/t -a:kicked end of r"},
		"twice":                        {[]*livekit.WebhookEvent{joined("a"), joined("a"), published("a", "t"), published("a", "t"), left("a"), left("a"), finished}, "+a +a/t -a/t -a:kicked end of r"},
		"never connected":              {[]*livekit.WebhookEvent{about(webhook.EventParticipantConnectionAborted, "a", 0, "", 0), finished}, "end of r"},
		"room over with people in it":  {[]*livekit.WebhookEvent{joined("b"), joined("a"), finished, left("a"), left("b")}, "+b +a -a:meeting_ended -b:meeting_ended end of r"},
		"only a recorder":              {[]*livekit.WebhookEvent{recorder, left("x"), finished}, "end of r"},
		"stopped":                      {[]*livekit.WebhookEvent{joined("a")}, "+a -a:meeting_ended end of r"},
	} {
		t.Run(name, func(t *testing.T) {
			l := &lines{}
			n := newNotifier(l)
			go n.run()
			for _, e := range c.told {
				if err := n.QueueNotify(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			n.Stop(false)
			n.Stop(true)
			<-n.done
			if err := n.QueueNotify(t.Context(), joined("late")); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(l.String()); got != c.want {
				t.Errorf("heard %q, want %q", got, c.want)
			}
		})
	}
}

func TestWatchersHearOfJoinsBeforeTheListener(t *testing.T) {
	l := &lines{}
	n := newNotifier(l)
	stop := n.watch("r", func(p Participant) { fmt.Fprintf(l, "watch:%s ", p.SID) })
	n.joined("r", &livekit.ParticipantInfo{Sid: "a"}, time.Now())
	n.joined("other", &livekit.ParticipantInfo{Sid: "b"}, time.Now())
	stop()
	stop()
	n.joined("r", &livekit.ParticipantInfo{Sid: "c"}, time.Now())
	if got, want := strings.TrimSpace(l.String()), "watch:a +a +b +c"; got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
}
