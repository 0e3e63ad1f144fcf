package meeting_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/field"
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

func TestTheLogTellsWhenPeopleMetAndNotWhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{Topic: "Salaries"}, "4711")
	m, _ := w.comes(r.No, &w.owner)
	w.clock = w.clock.Add(time.Minute)
	if _, p, err := w.Enter(t.Context(), r.No, meeting.Visitor{User: &w.other, Password: "4711"}); err != nil {
		t.Fatal(err)
	} else if err := w.Joined(t.Context(), m.ID, p.ID, w.clock); err != nil {
		t.Fatal(err)
	}
	w.clock = w.clock.Add(time.Minute)
	if err := w.End(t.Context(), tenant.Actor{Tenant: w.org.Key, User: w.owner.Num}, m.ID); err != nil {
		t.Fatal(err)
	}
	log := w.log.String()
	for _, line := range []string{`msg="meeting started"`, `msg="meeting ended"`, "length=2m0s peak=2", "meeting=" + m.Room()} {
		if want := map[bool]int{true: 2, false: 1}[strings.HasPrefix(line, "meeting=")]; strings.Count(log, line) != want {
			t.Errorf("%q stands in the log %d times, want %d:\n%s", line, strings.Count(log, line), want, log)
		}
	}
	for _, secret := range []string{r.No, "4711", "Salaries"} { // whoever reads logs is not therefore invited
		if strings.Contains(log, secret) {
			t.Errorf("%q stands in the log:\n%s", secret, log)
		}
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

func TestSomebodyRemovedIsNotLetInAgainByAnotherDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	m, owner := w.comes(r.No, &w.owner)
	_, other := w.comes(r.No, &w.other)
	for _, p := range []meeting.Participant{owner, other} { // an owner who made somebody else the host can be removed, too
		w.rooms.take(m.Room(), p.ID)
		if err := w.Left(t.Context(), m.ID, p.ID, meeting.Kicked, w.clock); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := w.Enter(t.Context(), r.No, meeting.Visitor{User: &w.other}); !errors.Is(err, meeting.ErrRemoved) {
		t.Errorf("a removed person asks for another ticket: %v", err)
	}
	if _, _, err := w.Enter(t.Context(), r.No, meeting.Visitor{User: &w.owner}); err != nil {
		t.Errorf("the owner's own meeting: %v", err)
	}
	w.clock = w.clock.Add(emptyAfter + time.Second)
	w.sweep()
	if _, _, err := w.Enter(t.Context(), r.No, meeting.Visitor{User: &w.other}); err != nil {
		t.Errorf("the next meeting under the number: %v", err)
	}
}

func TestATicketIsGoodForWhatItWasSignedForOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{ActionPermissions: []meeting.ActionPermission{meeting.GuestsWelcome()}}, "")
	m, owner := w.comes(r.No, &w.owner)
	ticket := func(u *tenant.User) meeting.Participant {
		t.Helper()
		_, p, err := w.Enter(t.Context(), r.No, meeting.Visitor{User: u, Name: "Guest"})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	may := func(what string, meetingID int64, participant string, want bool) {
		t.Helper()
		if ok, err := w.MayConnect(t.Context(), meetingID, participant); err != nil || ok != want {
			t.Errorf("%s may connect: %v, %v; want %v", what, ok, err, want)
		}
	}
	early, page := ticket(nil), ticket(&w.owner)
	may("a guest with a ticket", m.ID, early.ID, true)
	may("whoever is inside, again", m.ID, owner.ID, true)
	may("somebody with a made-up identity", m.ID, owner.ID+"#2", false)
	may("somebody with another meeting's ticket", m.ID+1, early.ID, false)
	_, second := w.comes(r.No, nil)
	w.comes(r.No, &w.other) // full: three inside
	may("a ticket from when there was room", m.ID, early.ID, false)
	may("the owner's second page", m.ID, page.ID, true)
	may("whoever is inside a full meeting, again", m.ID, second.ID, true)
	if err := w.Left(t.Context(), m.ID, second.ID, meeting.Kicked, w.clock); err != nil {
		t.Fatal(err)
	}
	may("whoever was removed", m.ID, second.ID, false)
	may("a ticket, when there is room again", m.ID, early.ID, true)
	if err := w.End(t.Context(), tenant.Actor{Tenant: w.org.Key, User: w.owner.Num}, m.ID); err != nil {
		t.Fatal(err)
	}
	may("the owner after the end", m.ID, owner.ID, false)
	may("a guest after the end", m.ID, early.ID, false)
}

func TestTheHostIsOfTheMeetingsTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{ActionPermissions: []meeting.ActionPermission{meeting.GuestsWelcome()}}, "")
	m, _ := w.comes(r.No, &w.owner)
	_, guest := w.comes(r.No, nil)
	_, foreigner := w.comes(r.No, &tenant.User{Num: 77, Tenant: "ffffffffffffffff", Name: "Foreigner"})
	host := tenant.Actor{Tenant: w.org.Key, User: w.owner.Num}
	for who, p := range map[string]meeting.Participant{"a guest": guest, "somebody of another tenant": foreigner} {
		if err := w.GiveHost(t.Context(), host, m.ID, p.ID); !errors.Is(err, meeting.ErrBadHost) {
			t.Errorf("%s as host: %v", who, err)
		}
	}
	if h := w.is(m).Host; h != w.owner.Num {
		t.Errorf("the host is %d now", h)
	}
}

func TestAGuestsNameIsALineThatOthersCanRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{ActionPermissions: []meeting.ActionPermission{meeting.GuestsWelcome()}}, "")
	for given, want := range map[string]string{
		" Lin Hua ": "Lin Hua", "会录": "会录", "\u202eauH niL": "auH niL", "Lin\u200b": "Lin", strings.Repeat("会", 50): strings.Repeat("会", 50),
		"": "", " \u200b\u202e": "", "\u3164": "", "a\nb": "", "a\x1b[31m": "", "\xff": "", "a\u2028b": "", strings.Repeat("x", 51): "",
	} {
		_, p, err := w.Enter(t.Context(), r.No, meeting.Visitor{Name: given})
		if _, refused := errors.AsType[*field.Error](err); p.Name != want || refused != (want == "") {
			t.Errorf("%q is let in as %q, %v; want %q", given, p.Name, err, want)
		}
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

func TestAfterACrashPeopleLeftWhenTheServerWasLastAliveAndMayComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	m, p := w.comes(r.No, &w.owner)
	_, second := w.comes(r.No, &w.other)
	alive := w.clock.Add(time.Hour)
	w.clock = alive.Add(60 * time.Hour) // a weekend
	w.rooms.take(m.Room(), p.ID)
	w.rooms.take(m.Room(), second.ID)
	w.Resumed(alive)
	w.clock = w.clock.Add(2 * time.Second)
	w.sweep()
	if got := w.is(m); got.Status != meeting.Running {
		t.Fatalf("it ended before anybody could come back: %+v", got)
	}
	w.rooms.put(m.Room(), second.ID) // whose page connects again by itself
	if err := w.Joined(t.Context(), m.ID, second.ID, w.clock); err != nil {
		t.Fatal(err)
	}
	stays, err := w.Participants(t.Context(), w.is(m))
	if err != nil || len(stays) != 2 {
		t.Fatalf("%v, %v", stays, err)
	}
	for _, s := range stays {
		if s.ID == p.ID && !s.LeftAt.Equal(alive) {
			t.Errorf("the one who stayed away left at %s, want %s", s.LeftAt, alive)
		}
		if s.ID == second.ID && !s.Inside() {
			t.Errorf("the one who came back is %+v", s)
		}
	}
	w.clock = w.clock.Add(time.Minute)
	w.goes(m, second)
	gone := w.clock
	w.clock = w.clock.Add(emptyAfter + time.Second)
	w.sweep()
	if got := w.is(m); got.Status != meeting.Ended || !got.EndedAt.Equal(gone) {
		t.Errorf("it is %+v, want ended at %s", got, gone)
	}
}

func TestAMeetingNobodyComesBackToEndsWhenTheServerWasLastAlive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	m, p := w.comes(r.No, &w.owner)
	alive := w.clock.Add(time.Hour)
	w.clock = alive.Add(60 * time.Hour)
	w.rooms.take(m.Room(), p.ID)
	w.Resumed(alive)
	w.sweep()
	w.clock = w.clock.Add(emptyAfter + time.Second)
	w.sweep()
	if got := w.is(m); got.Status != meeting.Ended || !got.EndedAt.Equal(alive) {
		t.Errorf("it is %+v, want ended at %s", got, alive)
	}
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
