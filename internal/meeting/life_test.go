package meeting_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

func wantNews(t *testing.T, w *world, want ...event.Type) {
	t.Helper()
	if got := w.news.types(); !slices.Equal(got, want) {
		t.Errorf("announced %v, want %v", got, want)
	}
}

func TestTheFirstJoinStartsTheMeeting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{Topic: "Plan"}, "")
	m, p, err := w.Enter(t.Context(), r.No, meeting.Visitor{User: &w.other})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.is(m); got.Status != meeting.Calling || !got.StartedAt.IsZero() {
		t.Errorf("before anybody arrived it is %+v", got)
	}
	wantNews(t, w)
	w.clock = w.clock.Add(time.Second)
	for range 2 { // the SFU's news and the sweep may both tell
		if err := w.Joined(t.Context(), m.ID, p.ID, w.clock); err != nil {
			t.Fatal(err)
		}
	}
	got := w.is(m)
	if got.Status != meeting.Running || !got.StartedAt.Equal(w.clock) || got.Peak != 1 || got.Host != w.other.Num || got.Owner != w.owner.Num {
		t.Errorf("after the first join it is %+v", got)
	}
	wantNews(t, w, event.MeetingStarted, event.MeetingJoined)
}

func TestTheOwnerBecomesHostOnComing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	m, _ := w.comes(r.No, &w.other)
	_, p := w.comes(r.No, &w.owner)
	if got := w.is(m); got.Host != w.owner.Num || w.rooms.hosts[m.Room()] != p.ID {
		t.Errorf("the host is %d, shown as %q; want the owner, %q", got.Host, w.rooms.hosts[m.Room()], p.ID)
	}
}

func TestAMeetingNobodyArrivedInNeverWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	m, _, err := w.Enter(t.Context(), r.No, meeting.Visitor{User: &w.owner})
	if err != nil {
		t.Fatal(err)
	}
	w.clock = w.clock.Add(meeting.ArrivalWindow)
	w.sweep()
	w.is(m)
	w.clock = w.clock.Add(time.Millisecond)
	w.sweep()
	if _, err := w.db.MeetingByID(t.Context(), w.org.Key, m.ID); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
	wantNews(t, w)
}

func TestAnEmptyMeetingEndsAtTheLastLeaveButWaitsForAReload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	m, p := w.comes(r.No, &w.owner)
	w.clock = w.clock.Add(time.Minute)
	w.goes(m, p)
	w.clock = w.clock.Add(emptyAfter / 2)
	w.sweep()
	_, p = w.comes(r.No, &w.owner) // the page was loaded again
	w.clock = w.clock.Add(time.Minute)
	w.sweep()
	if got := w.is(m); got.Status != meeting.Running {
		t.Fatalf("with the owner back it is %+v", got)
	}
	left := w.clock
	w.goes(m, p)
	w.clock = w.clock.Add(emptyAfter + time.Second)
	w.sweep()
	w.sweep()
	if got := w.is(m); got.Status != meeting.Ended || !got.EndedAt.Equal(left) {
		t.Errorf("it is %+v, want ended at %s", got, left)
	}
	wantNews(t, w, event.MeetingStarted, event.MeetingJoined, event.MeetingLeft, event.MeetingJoined, event.MeetingLeft, event.MeetingEnded)
}

func TestTheHostEndsItForEverybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	m, _ := w.comes(r.No, &w.owner)
	_, second := w.comes(r.No, &w.other)
	w.news.types()
	actor := func(u tenant.User) tenant.Actor { return tenant.Actor{Tenant: w.org.Key, App: "cli_x", User: u.Num} }

	if err := w.End(t.Context(), actor(w.other), m.ID); !errors.Is(err, meeting.ErrNotPermitted) {
		t.Errorf("somebody who is not the host: %v", err)
	}
	if err := w.End(t.Context(), tenant.Actor{Tenant: "ffffffffffffffff", User: w.owner.Num}, m.ID); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("another tenant: %v", err)
	}
	w.clock = w.clock.Add(time.Minute)
	if err := w.End(t.Context(), actor(w.owner), m.ID); err != nil {
		t.Fatal(err)
	}
	for _, e := range w.news.events[:2] {
		if e.LeaveReason != int(meeting.LeftAtEnd) {
			t.Errorf("%s carries reason %d, want 2: the meeting ended", e.Type, e.LeaveReason)
		}
	}
	wantNews(t, w, event.MeetingLeft, event.MeetingLeft, event.MeetingEnded)
	if !slices.Contains(w.rooms.closed, m.Room()) {
		t.Error("the room was not closed")
	}
	if err := w.End(t.Context(), actor(w.owner), m.ID); !errors.Is(err, meeting.ErrNotRunning) {
		t.Errorf("ending it again: %v", err)
	}
	if err := w.Left(t.Context(), m.ID, second.ID, meeting.LeftByThemselves, w.clock); err != nil {
		t.Errorf("the SFU's late news of a leave: %v", err)
	}
	wantNews(t, w)
	next, _ := w.comes(r.No, &w.owner)
	if next.ID == m.ID {
		t.Error("the next meeting under the number must be another one")
	}
}

func TestAHostWhoIsOutsideCannotEndIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	m, p := w.comes(r.No, &w.owner)
	w.comes(r.No, &w.other)
	w.goes(m, p)
	if err := w.End(t.Context(), tenant.Actor{Tenant: w.org.Key, User: w.owner.Num}, m.ID); !errors.Is(err, meeting.ErrNotInMeeting) {
		t.Errorf("got %v", err)
	}
}

func TestWhoeverWasRemovedStaysOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{ActionPermissions: []meeting.ActionPermission{meeting.GuestsWelcome()}}, "")
	m, _ := w.comes(r.No, &w.owner)
	_, guest := w.comes(r.No, nil)
	host := tenant.Actor{Tenant: w.org.Key, User: w.owner.Num}
	if err := w.Kick(t.Context(), host, m.ID, guest.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.Left(t.Context(), m.ID, guest.ID, meeting.Kicked, w.clock); err != nil {
		t.Fatal(err)
	}
	w.rooms.put(m.Room(), guest.ID) // with the token they still have
	if err := w.Joined(t.Context(), m.ID, guest.ID, w.clock); err != nil {
		t.Fatal(err)
	}
	if len(w.rooms.kicked) != 2 || len(w.rooms.inside[m.Room()]) != 1 {
		t.Errorf("removed %d times, inside are %v", len(w.rooms.kicked), w.rooms.inside[m.Room()])
	}
	if err := w.Kick(t.Context(), host, m.ID, guest.ID); !errors.Is(err, meeting.ErrTargetNotInside) {
		t.Errorf("removing them again: %v", err)
	}
}

func TestTheSweepNoticesWhatTheNewsMissed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	m, p, err := w.Enter(t.Context(), r.No, meeting.Visitor{User: &w.owner})
	if err != nil {
		t.Fatal(err)
	}
	w.rooms.put(m.Room(), p.ID)
	w.sweep()
	wantNews(t, w, event.MeetingStarted, event.MeetingJoined)
	w.rooms.take(m.Room(), p.ID) // as after a restart of the server
	w.sweep()
	wantNews(t, w, event.MeetingLeft)
	w.clock = w.clock.Add(emptyAfter + time.Second)
	w.sweep()
	wantNews(t, w, event.MeetingEnded)
}

func TestManyAtTheDoorMeetInOneMeeting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	var wg sync.WaitGroup
	ids := make([]int64, 16)
	for i := range ids {
		wg.Go(func() {
			m, _, err := w.Enter(t.Context(), r.No, meeting.Visitor{User: &w.owner})
			if err != nil {
				t.Error(err)
			}
			ids[i] = m.ID
		})
	}
	wg.Wait()
	if slices.Sort(ids); ids[0] != ids[len(ids)-1] || ids[0] == 0 {
		t.Errorf("meetings %v, want one", ids)
	}
}

func TestAFullMeetingLetsOnlyItsHostIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	for range 3 {
		w.comes(r.No, &w.other)
	}
	owner := meeting.Visitor{User: &w.owner}
	if _, _, err := w.Enter(t.Context(), r.No, owner); err != nil {
		t.Errorf("the owner: %v", err)
	}
	third := w.person("third")
	if _, _, err := w.Enter(t.Context(), r.No, meeting.Visitor{User: &third}); !errors.Is(err, meeting.ErrFull) {
		t.Errorf("one too many: %v", err)
	}
}
