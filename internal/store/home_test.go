package store_test

import (
	"testing"
	"time"

	"huilu/internal/library"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
)

func TestHomePageListsWhatSomebodyReservedOwnsOrTookPartIn(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, key, owner, other := t.Context(), w.Home.Tenant.Key, w.Home.Owner.Num, w.Home.Other.Num
		mine := func(u tenant.UserNum, before int64, limit int) []library.Line {
			t.Helper()
			return must[[]library.Line](t)(w.DB.Mine(ctx, key, u, storetest.Now, before, limit))
		}
		ended := w.Meeting(w.Home, meeting.Ended)
		for range 2 { // reloaded the page
			w.Participant(ended, other, storetest.Now, storetest.Now.Add(time.Second))
			w.Participant(ended, 0, storetest.Now, storetest.Now.Add(time.Second))
		}
		w.Participant(ended, 99, time.Time{}, time.Time{}) // never arrived
		r := w.Recording(ended, recording.Processing)
		check(t, w.DB.Recordings().SetProgress(ctx, r.ID, 0.5))
		waiting := w.Reserve(w.Home)
		running := w.Meeting(w.Home, meeting.Running)
		calling := w.Reserve(w.Home) // somebody was let in but has not arrived: still waits
		check(t, w.DB.AddMeeting(ctx, w.NewMeeting(calling, meeting.Calling)))
		gone := w.Reserve(w.Home)
		gone.DeletedAt = storetest.Now
		check(t, w.DB.SaveReserve(ctx, gone))
		over := w.NewReserve(w.Home)
		over.EndAt = storetest.Now
		check(t, w.DB.AddReserve(ctx, over))
		w.Meeting(w.Away, meeting.Running)

		line := func(m meeting.Meeting) library.Line {
			return library.Line{ID: m.ID, Meeting: m.ID, No: m.No, Topic: m.Topic, Status: m.Status, Owner: m.Owner, StartedAt: m.StartedAt, EndedAt: m.EndedAt}
		}
		rest := func(r meeting.Reserve) library.Line {
			return library.Line{ID: r.ID, No: r.No, Topic: r.Settings.Topic, Status: meeting.Calling, Owner: r.Owner}
		}
		recorded := line(ended)
		recorded.Participants, recorded.State, recorded.Progress = 3, recording.Processing, 0.5
		want := []library.Line{rest(calling), line(running), rest(waiting), recorded}
		same(t, "the owner's", mine(owner, 1<<62, 10), want)
		same(t, "the first page", mine(owner, 1<<62, 2), want[:2])
		same(t, "the second page", mine(owner, want[1].ID, 2), want[2:])
		same(t, "of who reserved two and was in one", mine(other, 1<<62, 10), []library.Line{rest(calling), rest(waiting), recorded})
		same(t, "of who never arrived", mine(99, 1<<62, 10), []library.Line(nil))
		same(t, "of nobody", mine(0, 1<<62, 10), []library.Line(nil))
	})
}
