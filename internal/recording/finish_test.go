package recording_test

import (
	"errors"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/ident"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
)

func result() recording.Result {
	return recording.Result{Duration: 59_876 * time.Millisecond, Minute: recording.MinuteFile{File: "a/recording.mp4", Poster: "a/poster.jpg", Size: 1 << 33, SHA256: "00ff", Defects: []string{"a gap"}}}
}

func TestAFinishedRecordingIsReadyAnnouncedAndCanBeFetched(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		m, r := w.records()
		_, err := w.Fetch(t.Context(), w.host(), m.ID)
		wants(t, "before", err, recording.ErrProcessing)
		w.after(30 * time.Second)
		token := ident.Minute()
		check(t, w.Finish(t.Context(), r.ID, token, result()))
		r = w.recording(m)
		if r.State != recording.Ready || r.Minute != token || r.Duration != result().Duration || r.Progress != 1 || !r.DoneAt.Equal(w.now) || r.Cause != "" {
			t.Errorf("it is %+v", r)
		}
		es := w.news.take()
		if len(es) != 1 || es[0].Type != event.RecordingReady || es[0].Ready == nil || *es[0].Ready != (event.Ready{Minute: token, Duration: result().Duration}) || es[0].App != w.app.ID || es[0].Meeting.ID != m.ID || !es[0].Meeting.EndAt.Equal(m.EndedAt) {
			t.Errorf("announced %+v", es)
		}
		ds, _, err := w.DB.Deliveries(t.Context(), w.org.Key, w.app.ID, 10)
		if err != nil || len(ds) != 1 || ds[0].Event.Type != event.RecordingReady {
			t.Errorf("%d deliveries, %v", len(ds), err)
		}
		kept, err := w.DB.MinuteByToken(t.Context(), w.org.Key, token)
		if err != nil || kept.Owner != w.owner.Num || kept.Title != "Plan" || kept.Meeting != m.ID || kept.Duration != result().Duration || kept.File != "a/recording.mp4" || kept.Poster != "a/poster.jpg" || kept.Size != 1<<33 || len(kept.Defects) != 1 || !kept.StartedAt.Equal(r.CreatedAt) {
			t.Errorf("the minute is %+v, %v", kept, err)
		}
		f, err := w.Fetch(t.Context(), w.host(), m.ID)
		if err != nil || f.Minute != token || f.Duration != result().Duration || f.RecordingID != r.ID {
			t.Errorf("fetched %+v, %v", f, err)
		}
		for name, c := range map[string]struct {
			who  tenant.Actor
			want error
		}{
			"an app":              {tenant.Actor{Tenant: w.org.Key, App: w.app.ID}, nil},
			"somebody else":       {w.actor(w.other), recording.ErrNotOwner},
			"somebody elsewhere":  {w.actor(w.Away.Owner), meeting.ErrNotFound},
			"an app elsewhere":    {tenant.Actor{Tenant: w.Away.Tenant.Key}, meeting.ErrNotFound},
			"the owner elsewhere": {tenant.Actor{Tenant: w.Away.Tenant.Key, User: w.owner.Num}, meeting.ErrNotFound},
		} {
			_, err := w.Fetch(t.Context(), c.who, m.ID)
			wants(t, name, err, c.want)
		}
	})
}

func TestManyFinishesMakeOneMinuteAndOneEvent(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		m, r := w.records()
		for _, err := range race(func() error { return w.Finish(t.Context(), r.ID, ident.Minute(), result()) }) {
			wants(t, "a rival", err, nil)
		}
		w.wantNews(event.RecordingReady)
		w.wantState(m, recording.Ready, 1, false)
		f, err := w.Fetch(t.Context(), w.host(), m.ID)
		check(t, err)
		if _, err := w.DB.MinuteByToken(t.Context(), w.org.Key, f.Minute); err != nil || w.Count("minutes") != 1 {
			t.Errorf("%d minutes, that of the winner: %v", w.Count("minutes"), err)
		}
	})
}

func TestAFinishThatCannotBeAnnouncedDidNotHappen(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		m, r := w.records()
		w.news.fail = errors.New("the disk is full")
		wants(t, "finish", w.Finish(t.Context(), r.ID, ident.Minute(), result()), w.news.fail)
		w.news.fail = nil
		w.wantState(m, recording.Processing, 1, false)
		if n := w.Count("minutes"); n != 0 {
			t.Errorf("%d minutes", n)
		}
		check(t, w.Finish(t.Context(), r.ID, ident.Minute(), result()))
		w.wantNews(event.RecordingReady)
	})
}

// GET meeting forgets after 90 days; the recording of a meeting does not.
func TestAnOldMeetingsRecordingCanStillBeFinished(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	m, r := w.records()
	check(t, w.Fail(t.Context(), r.ID, "no ffmpeg"))
	w.after(2 * meeting.Visible)
	check(t, w.Retry(t.Context(), w.org.Key, m.ID))
	check(t, w.Finish(t.Context(), r.ID, ident.Minute(), result()))
	w.wantNews(event.RecordingReady)
	_, err := w.Fetch(t.Context(), w.host(), m.ID)
	wants(t, "fetch", err, nil)
}

func TestAnImportedVideoIsTheRecordingOfAMeetingHoweverOld(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		for _, age := range []time.Duration{time.Hour, 3 * 365 * 24 * time.Hour} {
			m, err := w.meetings.Adopt(t.Context(), w.owner, "Old talk", w.now.Add(-age), 59_876*time.Millisecond)
			check(t, err)
			r, err := w.Adopt(t.Context(), m)
			check(t, err)
			w.wantState(m, recording.Processing, 0, false)
			check(t, w.Finish(t.Context(), r.ID, ident.Minute(), result()))
			f, err := w.Fetch(t.Context(), w.host(), m.ID)
			if err != nil || f.Duration != result().Duration || f.Owner != w.owner.Num {
				t.Errorf("%s old: %+v, %v", age, f, err)
			}
			w.wantNews(event.RecordingReady)
		}
	})
}

func TestWhatCannotBeProducedEndsOnceAndSaysWhy(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			end   func(recording.ID) error
			state recording.State
			want  error
		}{
			{func(id recording.ID) error { return w.Fail(t.Context(), id, "why") }, recording.Failed, recording.ErrProduction},
			{func(id recording.ID) error { return w.Discard(t.Context(), id, "why") }, recording.Empty, recording.ErrNotFound},
		} {
			m, r := w.records()
			w.after(time.Second)
			check(t, c.end(r.ID))
			r = w.recording(m)
			if r.State != c.state || r.Cause != "why" || !r.DoneAt.Equal(w.now) || r.Minute != "" {
				t.Errorf("it is %+v", r)
			}
			_, err := w.Fetch(t.Context(), w.host(), m.ID)
			wants(t, string(c.state), err, c.want)
			// A worker that was slow, or believed dead, changes nothing any more.
			check(t, w.Finish(t.Context(), r.ID, ident.Minute(), result()))
			check(t, w.Fail(t.Context(), r.ID, "late"))
			check(t, w.Discard(t.Context(), r.ID, "late"))
			check(t, w.Progress(t.Context(), r.ID, 0.5))
			if got := w.recording(m); got != r {
				t.Errorf("it became %+v", got)
			}
			w.wantNews()
		}
		if n := w.Count("minutes"); n != 0 {
			t.Errorf("%d minutes", n)
		}
	})
}

func TestAReadyRecordingStaysReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	m, r := w.records()
	check(t, w.Finish(t.Context(), r.ID, ident.Minute(), result()))
	r = w.recording(m)
	check(t, w.Fail(t.Context(), r.ID, "late"))
	check(t, w.Discard(t.Context(), r.ID, "late"))
	check(t, w.Progress(t.Context(), r.ID, 0.5))
	wants(t, "retry", w.Retry(t.Context(), w.org.Key, m.ID), recording.ErrMoved)
	_, err := w.Claim(t.Context(), r.ID)
	wants(t, "claim", err, recording.ErrMoved)
	if got := w.recording(m); got != r {
		t.Errorf("it became %+v", got)
	}
}

func TestAFailedRecordingIsTriedAgainWhenAsked(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		m, r := w.records()
		wants(t, "while it is processing", w.Retry(t.Context(), w.org.Key, m.ID), recording.ErrMoved)
		_, err := w.Claim(t.Context(), r.ID)
		check(t, err)
		check(t, w.Progress(t.Context(), r.ID, 0.5))
		check(t, w.Fail(t.Context(), r.ID, "no ffmpeg"))
		check(t, w.settle(r))
		wants(t, "by another tenant", w.Retry(t.Context(), w.Away.Tenant.Key, m.ID), recording.ErrNotFound)
		wants(t, "of no meeting", w.Retry(t.Context(), w.org.Key, 1), recording.ErrNotFound)
		check(t, w.Retry(t.Context(), w.org.Key, m.ID))
		if got := w.recording(m); got.State != recording.Processing || got.Cause != "" || !got.DoneAt.IsZero() || got.Progress != 0 || got.Attempts != 0 || w.Count("compositions") != 1 {
			t.Errorf("it is %+v with %d jobs", got, w.Count("compositions"))
		}
		w.wantNews()
		discarded, d := w.records()
		check(t, w.Discard(t.Context(), d.ID, "nothing was published"))
		wants(t, "of an empty one", w.Retry(t.Context(), w.org.Key, discarded.ID), recording.ErrMoved)
	})
}

// settle takes the job of r off the queue, as its worker does in the end.
func (w *world) settle(r recording.Recording) error {
	js, err := w.DB.Jobs().Claim(w.t.Context(), "test", w.now, w.now.Add(time.Minute), 10)
	for _, j := range js {
		err = errors.Join(err, w.DB.Jobs().Done(w.t.Context(), j, "test"))
	}
	return err
}

func TestEachClaimCounts(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		m, r := w.records()
		for _, err := range race(func() error { _, err := w.Claim(t.Context(), r.ID); return err }) {
			wants(t, "a claim", err, nil)
		}
		got, err := w.Claim(t.Context(), r.ID)
		if err != nil || got.Attempts != 17 || w.recording(m).Attempts != 17 || got.ID != r.ID || got.State != recording.Processing {
			t.Errorf("claimed %+v, %v", got, err)
		}
		running := w.meets(meeting.Settings{AutoRecord: true})
		_, err = w.Claim(t.Context(), w.recording(running).ID)
		wants(t, "while it is recorded", err, recording.ErrMoved)
		_, err = w.Claim(t.Context(), 1)
		wants(t, "of nothing", err, recording.ErrNotFound)
		w.news.types()
		wants(t, "finish of nothing", w.Finish(t.Context(), 1, ident.Minute(), result()), recording.ErrNotFound)
		wants(t, "fail of nothing", w.Fail(t.Context(), 1, ""), recording.ErrNotFound)
		w.wantNews()
	})
}

func TestARestartPicksUpWhatWasBeingProcessed(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		_, lost := w.records()
		ready, r := w.records()
		check(t, w.Finish(t.Context(), r.ID, ident.Minute(), result()))
		w.meets(meeting.Settings{AutoRecord: true})
		for range 3 { // until no job is left, as if their rows had been lost
			check(t, w.settle(r))
		}
		if n := w.Count("compositions"); n != 0 {
			t.Fatalf("%d jobs", n)
		}
		for range 2 {
			check(t, w.Resume(t.Context()))
		}
		js, err := w.DB.Jobs().Claim(t.Context(), "test", w.now, w.now.Add(time.Minute), 10)
		if err != nil || len(js) != 1 || js[0].Recording != lost.ID {
			t.Errorf("jobs %+v, %v", js, err)
		}
		w.wantState(ready, recording.Ready, 1, false)
	})
}
