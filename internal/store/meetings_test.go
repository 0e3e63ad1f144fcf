package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/meeting"
	"huilu/internal/minute"
	"huilu/internal/store/storetest"
)

func TestReserveComesBackAsItWasStored(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, r := t.Context(), w.Reserve(w.Home)
		same(t, "by id", must[meeting.Reserve](t)(w.DB.ReserveByID(ctx, r.Tenant, r.ID)), r)
		same(t, "by number", must[meeting.Reserve](t)(w.DB.LiveReserve(ctx, r.No, storetest.Now)), r)
		r.Password, r.Settings, r.EndAt = "", meeting.Settings{Topic: "Other"}, storetest.Now.Add(2*time.Hour)
		check(t, w.DB.SaveReserve(ctx, r))
		same(t, "saved", must[meeting.Reserve](t)(w.DB.ReserveByID(ctx, r.Tenant, r.ID)), r)
	})
}

func TestMeetingNumberIsHeldByOneLiveReserve(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, r := t.Context(), w.Reserve(w.Home)
		next := w.NewReserve(w.Away)
		next.No = r.No
		err := w.DB.Within(ctx, func(ctx context.Context) error {
			wants(t, "second reserve", w.DB.AddReserve(ctx, next), meeting.ErrNumberTaken)
			return w.DB.AddReserve(ctx, w.NewReserve(w.Away)) // the transaction is still good for another number
		})
		check(t, err)

		next.CreatedAt, next.EndAt = r.EndAt, r.EndAt.Add(time.Hour) // r has just expired
		_, err = w.DB.LiveReserve(ctx, r.No, r.EndAt)
		wants(t, "at the end", err, meeting.ErrReserveNotFound)
		check(t, w.DB.AddReserve(ctx, next))
		same(t, "next holder", must[meeting.Reserve](t)(w.DB.LiveReserve(ctx, r.No, r.EndAt)), next)

		r.EndAt = next.EndAt.Add(time.Hour)
		wants(t, "the first wants it back", w.DB.SaveReserve(ctx, r), meeting.ErrNumberTaken)
		next.DeletedAt = next.CreatedAt
		check(t, w.DB.SaveReserve(ctx, next))
		_, err = w.DB.LiveReserve(ctx, r.No, next.CreatedAt)
		wants(t, "deleted", err, meeting.ErrReserveNotFound)
		check(t, w.DB.SaveReserve(ctx, r))
		same(t, "holder again", must[meeting.Reserve](t)(w.DB.LiveReserve(ctx, r.No, next.CreatedAt)), r)
	})
}

func TestManyReservesForOneNumberGetItOnce(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		n := race(t, func(int) (bool, error) {
			r := w.NewReserve(w.Home)
			r.No = "123456789"
			err := w.DB.AddReserve(t.Context(), r)
			if errors.Is(err, meeting.ErrNumberTaken) {
				return false, nil
			}
			return err == nil, err
		})
		if n != 1 {
			t.Errorf("%d reserves hold the number", n)
		}
	})
}

func TestMeetingComesBackAsItWasStored(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, m := t.Context(), w.Meeting(w.Home, meeting.Running)
		same(t, "by id", must[meeting.Meeting](t)(w.DB.MeetingByID(ctx, m.Tenant, m.ID)), m)
		same(t, "by room", must[meeting.Meeting](t)(w.DB.MeetingInRoom(ctx, m.ID)), m)
		same(t, "active", must[meeting.Meeting](t)(w.DB.ActiveMeeting(ctx, m.Tenant, m.Reserve)), m)
	})
}

func TestReserveHasOneMeetingThatHasNotEnded(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		r := w.Reserve(w.Home)
		met := make([]int64, rivals)
		made := race(t, func(n int) (made bool, err error) {
			err = w.DB.Within(t.Context(), func(ctx context.Context) error {
				made = false
				m, err := w.DB.ActiveMeeting(ctx, r.Tenant, r.ID)
				if errors.Is(err, meeting.ErrNoActiveMeeting) {
					made, m = true, w.NewMeeting(r, meeting.Calling)
					err = w.DB.AddMeeting(ctx, m)
				}
				met[n] = m.ID
				return err
			})
			return made, err
		})
		if made != 1 {
			t.Errorf("%d meetings were made", made)
		}
		for _, id := range met {
			if id != met[0] {
				t.Errorf("people are in different meetings: %v", met)
				break
			}
		}
		m := must[meeting.Meeting](t)(w.DB.MeetingInRoom(t.Context(), met[0]))
		if err := w.DB.AddMeeting(t.Context(), w.NewMeeting(r, meeting.Running)); err == nil {
			t.Error("a second meeting was made without looking")
		}
		m.Status = meeting.Ended
		if moved := must[bool](t)(w.DB.SaveMeeting(t.Context(), m, meeting.Calling)); !moved {
			t.Error("the meeting did not end")
		}
		check(t, w.DB.AddMeeting(t.Context(), w.NewMeeting(r, meeting.Running)))
		check(t, w.DB.AddMeeting(t.Context(), w.NewMeeting(r, meeting.Ended)))
	})
}

func TestImportedMeetingsNeedNoReserve(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		for range 2 {
			m := w.NewMeeting(meeting.Reserve{Tenant: w.Home.Tenant.Key}, meeting.Running)
			check(t, w.DB.AddMeeting(t.Context(), m))
		}
		_, err := w.DB.ActiveMeeting(t.Context(), w.Home.Tenant.Key, 0)
		wants(t, "active meeting of no reserve", err, meeting.ErrNoActiveMeeting)
	})
}

func TestMeetingIsSavedOnlyFromTheStatusItWasReadIn(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, m := t.Context(), w.Meeting(w.Home, meeting.Running)
		ended := m
		ended.Status, ended.EndedAt, ended.Host, ended.Locked, ended.Peak, ended.Topic, ended.AutoRecord, ended.Owner = meeting.Ended, storetest.Now.Add(time.Hour), 7, false, 9, "New", false, 8
		if n := race(t, func(int) (bool, error) { return w.DB.SaveMeeting(ctx, ended, meeting.Running) }); n != 1 {
			t.Errorf("ended %d times", n)
		}
		same(t, "meeting", must[meeting.Meeting](t)(w.DB.MeetingByID(ctx, m.Tenant, m.ID)), ended)
	})
}

func TestOnlyAMeetingNobodyJoinedIsForgotten(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx := t.Context()
		calling, running := w.Meeting(w.Home, meeting.Calling), w.Meeting(w.Home, meeting.Running)
		w.Participant(calling, 7, time.Time{}, time.Time{})
		check(t, w.DB.DeleteMeeting(ctx, w.Away.Tenant.Key, calling.ID))
		same(t, "after another tenant's try", must[meeting.Meeting](t)(w.DB.MeetingInRoom(ctx, calling.ID)), calling)
		check(t, w.DB.DeleteMeeting(ctx, calling.Tenant, calling.ID))
		check(t, w.DB.DeleteMeeting(ctx, calling.Tenant, calling.ID))
		check(t, w.DB.DeleteMeeting(ctx, running.Tenant, running.ID))
		_, err := w.DB.MeetingInRoom(ctx, calling.ID)
		wants(t, "calling", err, meeting.ErrNotFound)
		same(t, "running", must[meeting.Meeting](t)(w.DB.MeetingInRoom(ctx, running.ID)), running)
		same(t, "participants", w.Count("participants"), 0)
	})
}

func TestUnendedMeetingsOfAllTenantsArePickedUp(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		want := []meeting.Meeting{w.Meeting(w.Home, meeting.Calling), w.Meeting(w.Away, meeting.Running)}
		w.Meeting(w.Home, meeting.Ended)
		same(t, "unended", must[[]meeting.Meeting](t)(w.DB.Unended(t.Context())), want)
	})
}

func TestListByNumberPagesFromTheNewest(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, r := t.Context(), w.Reserve(w.Home)
		var ids []int64
		for n := range 5 {
			m := w.NewMeeting(r, meeting.Ended)
			m.StartedAt = storetest.Now.Add(time.Duration(n/2) * time.Minute) // two begin at the same instant
			check(t, w.DB.AddMeeting(ctx, m))
			ids = append(ids, m.ID)
		}
		check(t, w.DB.AddMeeting(ctx, w.NewMeeting(r, meeting.Calling))) // has not started
		w.Meeting(w.Home, meeting.Ended)                                 // has another number
		from, to := storetest.Now, storetest.Now.Add(2*time.Minute)
		page := func(after int64, limit int) (got []int64) {
			t.Helper()
			for _, b := range must[[]meeting.Brief](t)(w.DB.ByNo(ctx, r.Tenant, r.No, from, to, after, limit)) {
				got = append(got, b.ID)
			}
			return got
		}
		same(t, "all but the one at the end of the interval", page(0, 10), []int64{ids[3], ids[2], ids[1], ids[0]})
		same(t, "first page", page(0, 3), []int64{ids[3], ids[2], ids[1]})
		same(t, "second page", page(ids[1], 3), []int64{ids[0]})
		same(t, "behind the last", page(ids[0], 3), []int64(nil))
		same(t, "behind another tenant's", page(w.Meeting(w.Away, meeting.Ended).ID, 3), []int64(nil))
		first := must[[]meeting.Brief](t)(w.DB.ByNo(ctx, r.Tenant, r.No, from, to, 0, 1))[0]
		same(t, "line", first, meeting.Brief{ID: ids[3], Topic: "Weekly", No: r.No, StartedAt: storetest.Now.Add(time.Minute)})
	})
}

func TestParticipantsComeAndGo(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, m := t.Context(), w.Meeting(w.Home, meeting.Running)
		at := func(s int) time.Time { return storetest.Now.Add(time.Duration(s) * time.Second) }
		let := w.Participant(m, 7, time.Time{}, time.Time{})
		inside := w.Participant(m, 0, at(2), time.Time{})
		left := w.Participant(m, 8, at(1), at(9))
		w.Participant(w.Meeting(w.Home, meeting.Running), 9, at(1), time.Time{})
		same(t, "inside", must[int](t)(w.DB.CountInside(ctx, m.ID)), 1)

		let.JoinedAt, let.Role, let.Name = at(3), event.Host, "New"
		check(t, w.DB.SaveParticipant(ctx, let))
		same(t, "participant", must[meeting.Participant](t)(w.DB.ParticipantByID(ctx, m.ID, let.ID)), let)
		same(t, "inside", must[int](t)(w.DB.CountInside(ctx, m.ID)), 2)

		all := map[string]meeting.Participant{let.ID: let, inside.ID: inside, left.ID: left}
		got := must[[]meeting.Participant](t)(w.DB.Participants(ctx, m.Tenant, m.ID))
		for _, p := range got {
			same(t, "participant", p, all[p.ID])
		}
		same(t, "participants", len(got), len(all))
		same(t, "stays", must[[]minute.Stay](t)(w.DB.Stays(ctx, m.Tenant, m.ID)), []minute.Stay{{Name: "Lin 林", JoinedAt: at(1), LeftAt: at(9)}, {Name: "Lin 林", JoinedAt: at(2)}, {Name: "New", JoinedAt: at(3)}})

		_, err := w.DB.ParticipantByID(ctx, m.ID+1, let.ID)
		wants(t, "in another meeting", err, meeting.ErrTargetNotInside)
		let.ID = "nobody"
		wants(t, "save nobody", w.DB.SaveParticipant(ctx, let), meeting.ErrTargetNotInside)
	})
}

func TestTenantsDoNotSeeEachOther(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, r, away := t.Context(), w.Reserve(w.Home), w.Away.Tenant.Key
		m := w.NewMeeting(r, meeting.Running)
		check(t, w.DB.AddMeeting(ctx, m))
		p := w.Participant(m, w.Home.Owner.Num, storetest.Now, time.Time{})
		stolenReserve, stolenMeeting, stolenParticipant, stolenApp, stolenUser := r, m, p, w.Home.App, w.Home.Owner
		stolenReserve.Tenant, stolenMeeting.Tenant, stolenParticipant.Tenant, stolenApp.Tenant, stolenUser.Tenant = away, away, away, away, away
		failing := func(err error) string { return fmt.Sprint(err) }
		for _, c := range []struct {
			what string
			call func() (any, error)
			want string
		}{
			{"reserve", func() (any, error) { return w.DB.ReserveByID(ctx, away, r.ID) }, failing(meeting.ErrReserveNotFound)},
			{"save reserve", func() (any, error) { return nil, w.DB.SaveReserve(ctx, stolenReserve) }, failing(meeting.ErrReserveNotFound)},
			{"meeting", func() (any, error) { return w.DB.MeetingByID(ctx, away, m.ID) }, failing(meeting.ErrNotFound)},
			{"active meeting", func() (any, error) { return w.DB.ActiveMeeting(ctx, away, r.ID) }, failing(meeting.ErrNoActiveMeeting)},
			{"save meeting", func() (any, error) { return w.DB.SaveMeeting(ctx, stolenMeeting, meeting.Running) }, "false"},
			{"by number", func() (any, error) {
				return w.DB.ByNo(ctx, away, m.No, storetest.Now, storetest.Now.Add(time.Hour), 0, 10)
			}, "[]"},
			{"participants", func() (any, error) { return w.DB.Participants(ctx, away, m.ID) }, "[]"},
			{"save participant", func() (any, error) { return nil, w.DB.SaveParticipant(ctx, stolenParticipant) }, failing(meeting.ErrTargetNotInside)},
			{"stays", func() (any, error) { return w.DB.Stays(ctx, away, m.ID) }, "[]"},
			{"home page", func() (any, error) {
				return w.DB.Mine(ctx, away, w.Home.Owner.Num, storetest.Now, 1<<62, 10)
			}, "[]"},
			{"person", func() (any, error) { return w.DB.UserByNum(ctx, away, w.Home.Owner.Num) }, "no such tenant, app or person"},
			{"person by user id", func() (any, error) { return w.DB.UserByUserID(ctx, away, w.Home.Owner.UserID) }, "no such tenant, app or person"},
			{"save person", func() (any, error) { return nil, w.DB.SaveUser(ctx, stolenUser) }, "no such tenant, app or person"},
			{"set password", func() (any, error) { return nil, w.DB.SetPassword(ctx, away, w.Home.Owner.Num, "x") }, "no such tenant, app or person"},
			{"save app", func() (any, error) { return nil, w.DB.SaveApp(ctx, stolenApp) }, "no such tenant, app or person"},
		} {
			got, err := c.call()
			answer := fmt.Sprint(got)
			if err != nil {
				answer = err.Error()
			}
			if answer != c.want {
				t.Errorf("%s: %s, want %s", c.what, answer, c.want)
			}
		}
		same(t, "reserve", must[meeting.Reserve](t)(w.DB.ReserveByID(ctx, r.Tenant, r.ID)), r)
		same(t, "meeting", must[meeting.Meeting](t)(w.DB.MeetingByID(ctx, m.Tenant, m.ID)), m)
	})
}
