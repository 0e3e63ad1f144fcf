package recording_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/field"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
)

func TestTheHostStartsAndStops(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		m := w.meets(meeting.Settings{Topic: "Plan"})
		w.wantNews(event.MeetingStarted, event.MeetingJoined)
		zone := 8
		check(t, w.Start(t.Context(), w.host(), m.ID, &zone))
		w.wantState(m, recording.Running, 1, true)
		if r := w.recording(m); r.Timezone != 8 || !r.HasZone || !r.CreatedAt.Equal(w.now) || r.Tenant != m.Tenant {
			t.Errorf("it is %+v", r)
		}
		if running, err := w.Running(t.Context(), m.ID); err != nil || !running {
			t.Errorf("the sign at the door says %v, %v", running, err)
		}
		w.after(7 * time.Second)
		check(t, w.Stop(t.Context(), w.host(), m.ID))
		w.wantState(m, recording.Running, 1, false)
		p := w.parts(w.recording(m))[0]
		if p.StartedBy != w.owner.Num || p.N != 1 || p.StoppedAt.Sub(p.StartedAt) != 7*time.Second || !p.StoppedAt.Equal(w.now) {
			t.Errorf("the part is %+v", p)
		}
		if running, err := w.Running(t.Context(), m.ID); err != nil || running {
			t.Errorf("the sign at the door says %v, %v", running, err)
		}
		for _, e := range w.news.take() {
			if e.App != w.app.ID || e.Tenant != w.org.Key || e.Meeting.ID != m.ID || e.Operator == nil || e.Operator.User != w.owner.Num || e.Operator.Role != event.Host || e.Operator.Type != meeting.UserType {
				t.Errorf("announced %+v", e)
			}
		}
		if w.woken != 2 {
			t.Errorf("the keeper was woken %d times, want once for each commit", w.woken)
		}
		ds, _, err := w.DB.Deliveries(t.Context(), w.org.Key, w.app.ID, 10)
		if err != nil || len(ds) != 0 { // it subscribed to recording_ready only
			t.Errorf("%d deliveries, %v", len(ds), err)
		}
	})
}

// The rules of start and stop, with everything else in order (contract vc.md, recording).
func TestWhoMayStartAndStopWhenAndWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	running := func() int64 { return w.meets(meeting.Settings{}).ID }
	recorded := func() int64 {
		id := running()
		check(t, w.Start(t.Context(), w.host(), id, nil))
		return id
	}
	calling := func() int64 {
		m, _, err := w.meetings.Enter(t.Context(), w.reserve(meeting.Settings{}).No, meeting.Visitor{User: &w.owner})
		check(t, err)
		return m.ID
	}
	ended := func() int64 { m, _ := w.records(); return m.ID }
	left := func() int64 {
		m, p := w.comes(w.reserve(meeting.Settings{}), w.owner)
		check(t, w.meetings.Left(t.Context(), m.ID, p.ID, meeting.LeftByThemselves, w.now))
		return m.ID
	}
	withOther := func() int64 {
		r := w.reserve(meeting.Settings{})
		m, _ := w.comes(r, w.owner)
		w.comes(r, w.other)
		return m.ID
	}
	call := func() int64 { return w.meets(meeting.Settings{InitialType: meeting.OneToOne}).ID }
	stopped := func() int64 {
		id := recorded()
		check(t, w.Stop(t.Context(), w.host(), id))
		return id
	}
	host, other, app, away := w.host(), w.actor(w.other), tenant.Actor{Tenant: w.org.Key, App: w.app.ID}, w.actor(w.Away.Owner)
	for name, c := range map[string]struct {
		who         tenant.Actor
		meeting     func() int64
		start, stop error
	}{
		"the host, not recorded":          {host, running, nil, recording.ErrNotRecording},
		"the host, recorded":              {host, recorded, recording.ErrIsRecording, nil},
		"the host, stopped":               {host, stopped, nil, recording.ErrNotRecording},
		"somebody else inside":            {other, withOther, meeting.ErrNotPermitted, meeting.ErrNotPermitted},
		"somebody outside":                {other, recorded, meeting.ErrNotPermitted, meeting.ErrNotPermitted},
		"an app in its own name":          {app, recorded, meeting.ErrNotPermitted, meeting.ErrNotPermitted},
		"the host, who left":              {host, left, meeting.ErrNotInMeeting, meeting.ErrNotInMeeting},
		"before anybody arrived":          {host, calling, meeting.ErrNotRunning, meeting.ErrNotRunning},
		"after the end":                   {host, ended, meeting.ErrNotRunning, meeting.ErrNotRunning},
		"somebody else, after the end":    {other, ended, meeting.ErrNotRunning, meeting.ErrNotRunning},
		"no such meeting":                 {host, func() int64 { return 1 }, meeting.ErrNotFound, meeting.ErrNotFound},
		"another tenant":                  {away, recorded, meeting.ErrNotFound, meeting.ErrNotFound},
		"the host's number in another":    {tenant.Actor{Tenant: w.Away.Tenant.Key, User: w.owner.Num}, recorded, meeting.ErrNotFound, meeting.ErrNotFound},
		"a call":                          {host, call, recording.ErrSwitchedOff, recording.ErrNotRecording},
		"a call, of which one is a guest": {tenant.Actor{Tenant: w.org.Key}, call, meeting.ErrNotPermitted, meeting.ErrNotPermitted},
	} {
		for what, try := range map[string]struct {
			do   func(int64) error
			want error
		}{
			"start": {func(id int64) error { return w.Start(t.Context(), c.who, id, nil) }, c.start},
			"stop":  {func(id int64) error { return w.Stop(t.Context(), c.who, id) }, c.stop},
		} {
			id := c.meeting()
			before, rows := w.woken, w.Count("recordings")+w.Count("parts")
			w.news.types()
			wants(t, what+": "+name, try.do(id), try.want)
			if try.want == nil {
				continue
			}
			w.wantNews()
			if w.woken != before || w.Count("recordings")+w.Count("parts") != rows {
				t.Errorf("%s: %s: something was changed all the same", what, name)
			}
		}
	}
}

func TestTheTimeZoneIsHoursOnTheMap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	m := w.meets(meeting.Settings{})
	for _, zone := range []int{-13, 13, 1 << 40} {
		var f *field.Error
		if err := w.Start(t.Context(), w.host(), m.ID, &zone); !errors.As(err, &f) || f.Name != "timezone" {
			t.Errorf("%d: %v", zone, err)
		}
	}
	w.wantState(m, "", 0, false)
	for _, zone := range []int{-12, 0, 12} {
		m := w.meets(meeting.Settings{})
		check(t, w.Start(t.Context(), w.host(), m.ID, &zone))
		if r := w.recording(m); r.Timezone != zone || !r.HasZone {
			t.Errorf("%d: %+v", zone, r)
		}
	}
}

func TestASwitchedOffTenantRecordsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	running := w.meets(meeting.Settings{})
	w.org.Recording = false
	check(t, w.DB.SaveTenant(t.Context(), w.org))
	wants(t, "start", w.Start(t.Context(), w.host(), running.ID, nil), recording.ErrSwitchedOff)
	w.news.types()
	m := w.meets(meeting.Settings{AutoRecord: true})
	w.wantNews(event.MeetingStarted, event.MeetingJoined) // the meeting does not suffer
	w.wantState(m, "", 0, false)
	if m.Status != meeting.Running || !w.logged("recording is switched off") {
		t.Errorf("the meeting is %v, logged %s", m.Status, &w.log)
	}
	check(t, w.ends(m))
	w.wantNews(event.MeetingLeft, event.MeetingEnded)
	w.wantState(m, "", 0, false)
}

func TestAMeetingThatAskedForItIsRecordedFromItsStart(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		m := w.meets(meeting.Settings{AutoRecord: true})
		w.wantState(m, recording.Running, 1, true)
		p := w.parts(w.recording(m))[0]
		if !p.StartedAt.Equal(m.StartedAt) || p.StartedBy != 0 {
			t.Errorf("the part is %+v", p)
		}
		es := w.news.take()
		if len(es) != 3 || es[0].Type != event.MeetingStarted || es[1].Type != event.RecordingStarted || es[2].Type != event.MeetingJoined || es[1].Operator.User != m.Host || w.woken != 1 {
			t.Errorf("announced %+v, woken %d", es, w.woken)
		}
		wants(t, "start", w.Start(t.Context(), w.host(), m.ID, nil), recording.ErrIsRecording)
		check(t, w.Stop(t.Context(), w.host(), m.ID))
		w.after(time.Second)
		zone := 8
		check(t, w.Start(t.Context(), w.host(), m.ID, &zone))
		w.wantState(m, recording.Running, 2, true)
		if r := w.recording(m); r.HasZone {
			t.Errorf("the second part gave the first a clock: %+v", r)
		}
	})
}

func TestWhenTheMeetingEndsEverythingIsHandedOnAtOnce(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		m := w.meets(meeting.Settings{})
		check(t, w.Start(t.Context(), w.host(), m.ID, nil))
		w.after(time.Minute)
		check(t, w.Stop(t.Context(), w.host(), m.ID))
		w.after(time.Minute)
		check(t, w.Start(t.Context(), w.host(), m.ID, nil))
		w.after(time.Minute)
		w.news.types()
		check(t, w.ends(m))
		w.wantNews(event.MeetingLeft, event.MeetingEnded, event.RecordingEnded)
		w.wantState(m, recording.Processing, 2, false)
		m = w.stored(m.ID)
		if ps := w.parts(w.recording(m)); !ps[1].StoppedAt.Equal(m.EndedAt) || ps[1].N != 2 || ps[0].StoppedAt.After(ps[1].StartedAt) {
			t.Errorf("the parts are %+v", ps)
		}
		if w.Count("compositions") != 1 || w.Count("recordings") != 1 || w.woken != 4 {
			t.Errorf("%d jobs, %d recordings, woken %d times", w.Count("compositions"), w.Count("recordings"), w.woken)
		}
		wants(t, "ending again", w.ends(m), meeting.ErrNotRunning)
		w.wantNews()
	})
}

func TestAStoppedRecordingIsHandedOnToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	m := w.meets(meeting.Settings{})
	check(t, w.Start(t.Context(), w.host(), m.ID, nil))
	w.after(time.Minute)
	check(t, w.Stop(t.Context(), w.host(), m.ID))
	stopped := w.now
	w.after(time.Minute)
	w.news.types()
	check(t, w.ends(m))
	w.wantNews(event.MeetingLeft, event.MeetingEnded) // it had ended before
	w.wantState(m, recording.Processing, 1, false)
	if p := w.parts(w.recording(m))[0]; !p.StoppedAt.Equal(stopped) {
		t.Errorf("the part grew to %s", p.StoppedAt)
	}
	never := w.meets(meeting.Settings{})
	check(t, w.ends(never))
	w.wantState(never, "", 0, false)
	if n := w.Count("compositions"); n != 1 {
		t.Errorf("%d jobs, one of them for nothing", n)
	}
}

func TestBeingToldTwiceOfAnEndMakesNoSecondJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	m, r := w.records()
	check(t, w.settle(r))
	check(t, w.DB.Within(t.Context(), func(ctx context.Context) error { return w.MeetingEnded(ctx, m) }))
	w.wantState(m, recording.Processing, 1, false)
	w.wantNews()
	if n := w.Count("compositions"); n != 0 {
		t.Errorf("%d jobs", n)
	}
}

// State, events and job commit together or not at all: whatever fails, nothing has happened.
func TestAFailureLeavesNothingHalfDone(t *testing.T) {
	away := errors.New("the disk is full")
	both(t, func(t *testing.T, w *world) {
		m := w.meets(meeting.Settings{})
		check(t, w.Start(t.Context(), w.host(), m.ID, nil))
		w.after(time.Minute)
		w.news.types()
		woken, events := w.woken, w.Count("events")
		nothing := func(what string, err error, s recording.State, open bool) {
			t.Helper()
			wants(t, what, err, away)
			w.wantState(m, s, 1, open)
			w.wantNews()
			if w.woken != woken || w.Count("compositions") != 0 || w.Count("minutes") != 0 || w.Count("events") != events {
				t.Errorf("%s: woken %d times, %d jobs, %d minutes", what, w.woken-woken, w.Count("compositions"), w.Count("minutes"))
			}
		}
		w.jobs.fail = away
		nothing("the job", w.ends(m), recording.Running, true)
		w.jobs.fail, w.news.fail = nil, away
		nothing("the events", w.ends(m), recording.Running, true)
		nothing("the event of a stop", w.Stop(t.Context(), w.host(), m.ID), recording.Running, true)
		if w.stored(m.ID).Status != meeting.Running {
			t.Error("the meeting has ended without its recording")
		}
		fresh := w.meetsQuietly()
		wants(t, "the event of a start", w.Start(t.Context(), w.host(), fresh.ID, nil), away)
		w.wantState(fresh, "", 0, false)
		w.news.fail = nil
		w.news.types()
		check(t, w.ends(m))
		w.wantState(m, recording.Processing, 1, false)
	})
}

// meetsQuietly has a meeting begin although events fail.
func (w *world) meetsQuietly() meeting.Meeting {
	w.t.Helper()
	fail := w.news.fail
	defer func() { w.news.fail = fail }()
	w.news.fail = nil
	return w.meets(meeting.Settings{})
}

// Start asks who runs the meeting and writes in one transaction: a meeting that
// ends at the same moment cannot get a part that nobody closes.
func TestStartAndEndAtTheSameMomentLeaveNoOpenPart(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		for range 5 {
			m := w.meets(meeting.Settings{})
			i := make(chan int, 16)
			for n := range cap(i) {
				i <- n
			}
			race(func() error {
				if <-i == 7 {
					return w.meetings.End(t.Context(), w.host(), m.ID)
				}
				return w.Start(t.Context(), w.host(), m.ID, nil)
			})
			if w.stored(m.ID).Status != meeting.Ended {
				t.Fatal("the meeting did not end")
			}
			r := w.recording(m)
			for _, p := range w.parts(r) {
				if p.StoppedAt.IsZero() {
					t.Errorf("part %d of a meeting that has ended is open", p.N)
				}
			}
			if r.State != "" && r.State != recording.Processing {
				t.Errorf("the meeting has ended, its recording is %q", r.State)
			}
		}
	})
}

func TestOneOfManyStartsAndStopsCounts(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		m := w.meets(meeting.Settings{})
		w.news.types()
		wantOne(t, race(func() error { return w.Start(t.Context(), w.host(), m.ID, nil) }), recording.ErrIsRecording)
		wantOne(t, race(func() error { return w.Stop(t.Context(), w.host(), m.ID) }), recording.ErrNotRecording)
		w.wantState(m, recording.Running, 1, false)
		w.wantNews(event.RecordingStarted, event.RecordingEnded)
	})
}

// wantOne fails unless one of all succeeded and the rest were refused with want.
func wantOne(t *testing.T, errs []error, want error) {
	t.Helper()
	winners := 0
	for _, err := range errs {
		if err == nil {
			winners++
		} else if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if winners != 1 {
		t.Errorf("%d of %d counted", winners, len(errs))
	}
}

func TestAStartReturnsWhenItsRecorderIsInTheRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	var asked []recording.Open
	arrives := true
	w.AwaitRecorder(func(_ context.Context, id recording.ID, part int) bool {
		open, err := w.DB.Recordings().OpenParts(context.Background()) // what its keeper sees
		check(t, err)
		if i := slices.IndexFunc(open, func(o recording.Open) bool { return o.Recording == id && o.N == part }); i >= 0 {
			asked = append(asked, open[i])
		}
		return arrives
	})
	m := w.meets(meeting.Settings{})
	check(t, w.Start(t.Context(), w.host(), m.ID, nil))
	wants(t, "a second start", w.Start(t.Context(), w.host(), m.ID, nil), recording.ErrIsRecording)
	check(t, w.Stop(t.Context(), w.host(), m.ID))
	arrives = false
	check(t, w.Start(t.Context(), w.host(), m.ID, nil)) // the start stands; the keeper goes on trying
	if len(asked) != 2 || asked[0].Meeting != m.ID || asked[1].N != 2 || !w.logged("not in the room yet") {
		t.Errorf("waited for %+v, logged %s", asked, &w.log)
	}
}
