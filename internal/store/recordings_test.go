package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/minute"
	"huilu/internal/recording"
	"huilu/internal/store/storetest"
)

func TestRecordingComesBackAsItWasStored(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, s, r := t.Context(), w.DB.Recordings(), w.Recording(w.Meeting(w.Home, meeting.Running), recording.Running)
		same(t, "by id", must[recording.Recording](t)(s.ByID(ctx, r.ID)), r)
		same(t, "by meeting", must[recording.Recording](t)(s.ByMeeting(ctx, r.Tenant, r.Meeting)), r)
		_, err := s.ByID(ctx, 1)
		wants(t, "unknown id", err, recording.ErrNotFound)
		_, err = s.ByMeeting(ctx, r.Tenant, 1)
		wants(t, "unknown meeting", err, recording.ErrNotFound)
		_, err = s.ByMeeting(ctx, w.Away.Tenant.Key, r.Meeting)
		wants(t, "another tenant", err, recording.ErrNotFound)
	})
}

func TestMeetingHasOneRecording(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		m, s := w.Meeting(w.Home, meeting.Running), w.DB.Recordings()
		made := race(t, func(int) (made bool, err error) {
			err = w.DB.Within(t.Context(), func(ctx context.Context) error {
				made = false
				_, err := s.ByMeeting(ctx, m.Tenant, m.ID)
				if errors.Is(err, recording.ErrNotFound) {
					made = true
					err = s.Add(ctx, recording.Recording{ID: recording.ID(w.Number()), Tenant: m.Tenant, Meeting: m.ID, State: recording.Running, CreatedAt: storetest.Now})
				}
				return err
			})
			return made, err
		})
		if made != 1 || w.Count("recordings") != 1 {
			t.Errorf("%d were made, %d are stored", made, w.Count("recordings"))
		}
	})
}

func TestOneOfManyAdvancesWins(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		s, r := w.DB.Recordings(), w.Recording(w.Meeting(w.Home, meeting.Ended), recording.Processing)
		r.State, r.Minute, r.Duration, r.Cause, r.Attempts, r.Progress, r.DoneAt = recording.Ready, "obcn", 61234*time.Millisecond, "none", 3, 0.75, storetest.Now
		if n := race(t, func(int) (bool, error) { return s.Advance(t.Context(), r, recording.Processing) }); n != 1 {
			t.Errorf("%d advances won", n)
		}
		if n := race(t, func(int) (moved bool, err error) {
			err = w.DB.Within(t.Context(), func(ctx context.Context) (err error) {
				moved, err = s.Advance(ctx, r, recording.Ready)
				r := r
				r.State = recording.Deleted
				if moved {
					_, err = s.Advance(ctx, r, recording.Ready)
				}
				return err
			})
			return moved, err
		}); n != 1 {
			t.Errorf("%d transactions won", n)
		}
		r.State = recording.Deleted
		same(t, "recording", must[recording.Recording](t)(s.ByID(t.Context(), r.ID)), r)
		r.Tenant = w.Away.Tenant.Key
		if moved := must[bool](t)(s.Advance(t.Context(), r, recording.Deleted)); moved {
			t.Error("another tenant moved it")
		}
	})
}

func TestFactsTellEverythingTheAnswerDependsOn(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, s := t.Context(), w.DB.Recordings()
		facts := func(m meeting.Meeting) recording.Facts {
			t.Helper()
			return must[recording.Facts](t)(s.Facts(ctx, w.Home.Tenant.Key, m.ID))
		}
		same(t, "no such meeting", facts(meeting.Meeting{ID: 1}), recording.Facts{})
		same(t, "another tenant's meeting", facts(w.Meeting(w.Away, meeting.Ended)), recording.Facts{})

		m := w.Meeting(w.Home, meeting.Ended)
		want := recording.Facts{Found: true, TenantRecords: true, Owner: m.Owner, InitialType: 1, Status: meeting.Ended}
		same(t, "never recorded", facts(m), want)
		r := w.Recording(m, recording.Processing)
		want.State, want.RecordingID = recording.Processing, r.ID
		same(t, "processing", facts(m), want)
		r.State, r.Minute, r.Duration = recording.Ready, "obcn", 61234*time.Millisecond
		must[bool](t)(s.Advance(ctx, r, recording.Processing))
		want.State, want.Minute, want.Duration = recording.Ready, "obcn", 61234*time.Millisecond
		same(t, "ready", facts(m), want)
		w.Home.Tenant.Recording = false
		check(t, w.DB.SaveTenant(ctx, w.Home.Tenant))
		want.TenantRecords = false
		same(t, "switched off", facts(m), want)
		check(t, w.DB.Within(ctx, func(ctx context.Context) error {
			r.State = recording.Deleted
			must[bool](t)(s.Advance(ctx, r, recording.Ready))
			want.State = recording.Deleted
			same(t, "inside a transaction", must[recording.Facts](t)(s.Facts(ctx, m.Tenant, m.ID)), want)
			return nil
		}))
	})
}

func TestRecordingHasOneOpenPart(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, s := t.Context(), w.DB.Recordings()
		m := w.Meeting(w.Home, meeting.Running)
		r := w.Recording(m, recording.Running)
		at := func(n int) time.Time { return storetest.Now.Add(time.Duration(n) * time.Minute) }
		first := recording.Part{Recording: r.ID, N: 1, StartedBy: 7, StartedAt: at(0)}
		check(t, s.AddPart(ctx, first))
		if err := s.AddPart(ctx, recording.Part{Recording: r.ID, N: 2, StartedAt: at(1)}); err == nil {
			t.Error("a second part is open")
		}
		same(t, "open", must[[]recording.Open](t)(s.OpenParts(ctx)), []recording.Open{{Part: first, Tenant: r.Tenant, Meeting: r.Meeting, Topic: m.Topic}})
		if n := race(t, func(int) (bool, error) { return s.ClosePart(ctx, r.ID, 1, at(2)) }); n != 1 {
			t.Errorf("closed %d times", n)
		}
		if closed := must[bool](t)(s.ClosePart(ctx, r.ID, 9, at(2))); closed {
			t.Error("a part that is not there was closed")
		}
		second := recording.Part{Recording: r.ID, N: 2, StartedAt: at(3)}
		check(t, s.AddPart(ctx, second))
		must[bool](t)(s.ClosePart(ctx, r.ID, 2, at(4)))
		first.StoppedAt, second.StoppedAt = at(2), at(4)
		same(t, "parts", must[[]recording.Part](t)(s.Parts(ctx, r.ID)), []recording.Part{first, second})
		same(t, "open in the end", must[[]recording.Open](t)(s.OpenParts(ctx)), []recording.Open(nil))
	})
}

func TestRecordingsInAStateOfAllTenantsArePickedUp(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, s := t.Context(), w.DB.Recordings()
		want := []recording.Recording{w.Recording(w.Meeting(w.Home, meeting.Ended), recording.Processing), w.Recording(w.Meeting(w.Away, meeting.Ended), recording.Processing)}
		ready := w.Recording(w.Meeting(w.Home, meeting.Ended), recording.Ready)
		same(t, "processing", must[[]recording.Recording](t)(s.InState(ctx, recording.Processing)), want)
		check(t, s.SetProgress(ctx, want[0].ID, 0.5))
		check(t, s.SetProgress(ctx, ready.ID, 0.5))
		same(t, "progress while processing", must[recording.Recording](t)(s.ByID(ctx, want[0].ID)).Progress, 0.5)
		same(t, "progress afterwards", must[recording.Recording](t)(s.ByID(ctx, ready.ID)).Progress, 0.0)
	})
}

func TestMinuteIsFoundByItsTenantAndByALink(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, r := t.Context(), w.Recording(w.Meeting(w.Home, meeting.Ended), recording.Ready)
		m := w.Minute(r, 7)
		want := minute.Minute{Token: m.Token, Tenant: r.Tenant, Meeting: r.Meeting, Owner: 7, Title: m.Title, StartedAt: m.StartedAt, Duration: m.Duration,
			File: m.File, Poster: m.Poster, Size: m.Size, Defects: m.Defects, CreatedAt: m.CreatedAt}
		same(t, "by token", must[minute.Minute](t)(w.DB.MinuteByToken(ctx, r.Tenant, m.Token)), want)
		same(t, "by link", must[minute.Minute](t)(w.DB.MinuteForLink(ctx, m.Token)), want)
		_, err := w.DB.MinuteByToken(ctx, w.Away.Tenant.Key, m.Token)
		wants(t, "another tenant", err, minute.ErrNotFound)
		_, err = w.DB.MinuteForLink(ctx, "unknown")
		wants(t, "unknown", err, minute.ErrNotFound)
		m.Token = "another"
		if err := w.DB.Recordings().AddMinute(ctx, r.Tenant, m); err == nil {
			t.Error("a recording has two minutes")
		}
	})
}
