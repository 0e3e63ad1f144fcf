package pages

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

func (b *browser) home(cursor string) (l listJSON[meetingJSON]) {
	b.t.Helper()
	path := "/api/meetings"
	if cursor != "" {
		path += "?cursor=" + cursor
	}
	b.get(path).into(b.t, &l)
	return l
}

func TestTheHomePageHasWhatIsMineNewestFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.reserve("Waiting", meeting.Settings{}, "")
	w.recordMeeting()
	w.runMeeting()
	w.reserve("Later", meeting.Settings{}, "")

	var topics []string
	olga := w.as(w.olga).home("")
	for _, m := range olga.Items {
		topics = append(topics, m.Topic+" "+m.Status)
		if !m.IsOwner || m.URL != w.baseURL+"/j/"+m.MeetingNo {
			t.Errorf("%+v", m)
		}
	}
	if wants := []string{"Later reserved", "Weekly running", w.secretTopic + " ended", "Waiting reserved"}; !slices.Equal(topics, wants) || olga.Next != nil {
		t.Fatalf("olga sees %q, want %q", topics, wants)
	}
	recorded := olga.Items[2]
	if r := recorded.Recording; r == nil || r.State != recording.Ready || *r.MinuteToken != w.minute || *r.DurationMS != 60_000 || recorded.Participants != 2 || *recorded.EndMS-*recorded.StartMS != 62_000 {
		t.Errorf("the recorded meeting: %+v", recorded)
	}
	if waiting := olga.Items[0]; waiting.MeetingID != nil || waiting.Recording != nil || waiting.StartMS != nil {
		t.Errorf("the waiting one: %+v", waiting)
	}

	mia := w.as(w.mia).home("")
	if len(mia.Items) != 2 || mia.Items[0].IsOwner || *mia.Items[0].MeetingID != w.running.Room() {
		t.Fatalf("mia, who was in two: %+v", mia)
	}
	if r := mia.Items[1].Recording; r.State != recording.Ready || r.MinuteToken != nil {
		t.Errorf("mia may know that it was recorded, not where it is: %+v", r)
	}
	for name, u := range map[string]tenant.User{"administrator": w.ada, "stranger": w.bob} {
		if l := w.as(u).home(""); len(l.Items) != 0 {
			t.Errorf("the %s sees %+v", name, l.Items)
		}
	}
}

func TestTheHomePageShowsEachStateOfARecording(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.recordMeeting()
	b := w.as(w.olga)
	show := func(state recording.State, progress float64, cause string) recordingJSON {
		_, err := w.db.Pool().Exec(`UPDATE recordings SET state = $1, progress = $2, cause = $3`, string(state), progress, cause)
		check(t, err)
		return *b.home("").Items[0].Recording
	}
	if r := show(recording.Processing, 0.5, ""); r.State != "processing" || r.Progress == nil || *r.Progress != 0.5 || r.MinuteToken != nil || r.DurationMS != nil {
		t.Errorf("processing: %+v", r)
	}
	if r := show(recording.Processing, 0, ""); r.Progress != nil {
		t.Errorf("just begun: %+v", r)
	}
	if r := show(recording.Failed, 0.5, "ffmpeg is missing"); r.State != "failed" || r.Cause == nil || *r.Cause != "ffmpeg is missing" || r.Progress != nil {
		t.Errorf("failed: %+v", r)
	}
	for _, s := range []recording.State{recording.Running, recording.Empty, recording.Deleted} {
		if r := show(s, 0, ""); r.State != s || r.MinuteToken != nil || r.Cause != nil {
			t.Errorf("%s: %+v", s, r)
		}
	}
	_, err := w.db.Pool().Exec(`DELETE FROM minutes; DELETE FROM parts; DELETE FROM recordings`)
	check(t, err)
	if r := b.home("").Items[0].Recording; r == nil || r.State != "none" {
		t.Errorf("never recorded: %+v", r)
	}
}

func TestPagesOfTheHomeListMeetWithoutGapOrRepetition(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	const n = 2*homePage + 5
	for i := range n {
		w.clock.pass(time.Second)
		w.reserve(fmt.Sprint(i), meeting.Settings{}, "")
	}
	b := w.as(w.olga)
	var seen []string
	for cursor := ""; ; {
		l := b.home(cursor)
		if len(l.Items) > homePage {
			t.Fatalf("%d on a page", len(l.Items))
		}
		for _, m := range l.Items {
			seen = append(seen, m.Topic)
		}
		if l.Next == nil {
			break
		}
		cursor = *l.Next
	}
	if len(seen) != n {
		t.Fatalf("%d of %d", len(seen), n)
	}
	for i, topic := range seen {
		if topic != fmt.Sprint(n-1-i) {
			t.Fatalf("place %d has %s", i, topic)
		}
	}
	want(t, "cursor that is none", b.get("/api/meetings?cursor=x"), 400, "invalid")
}
