package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/ident"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/scope"
	"huilu/internal/store"
	"huilu/internal/tenant"
)

// Now is when everything in a World happens. It has milliseconds, so that a
// test notices when they get lost.
var Now = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// World is a database with two tenants that must not see each other.
type World struct {
	DB         *store.DB
	Home, Away Org
	t          testing.TB
	nums       ident.Numbers
}

// Org is a tenant with an app and two people.
type Org struct {
	Tenant       tenant.Tenant
	App          tenant.App
	Owner, Other tenant.User
}

// NewWorld fills an empty database.
func NewWorld(t testing.TB, db *store.DB) *World {
	t.Helper()
	w := &World{DB: db, t: t}
	w.Home, w.Away = w.org("home"), w.org("away")
	return w
}

// Number returns a number that was not used before.
func (w *World) Number() int64 { return w.nums.Next(Now) }

func (w *World) org(name string) Org {
	w.t.Helper()
	o := Org{Tenant: tenant.Tenant{Key: tenant.Key(ident.TenantKey()), Num: w.Number(), Name: name, Recording: true, CreatedAt: Now}}
	w.check(w.DB.AddTenant(w.t.Context(), o.Tenant))
	o.App = w.NewApp(o.Tenant, name+" app")
	o.Owner, o.Other = w.user(o.Tenant, name+".owner"), w.user(o.Tenant, name+".other")
	return o
}

// NewApp stores another app of a tenant, with something in every field.
func (w *World) NewApp(t tenant.Tenant, name string) tenant.App {
	w.t.Helper()
	a := tenant.App{
		ID: ident.AppID(), Num: w.Number(), Tenant: t.Key, DeveloperNum: t.Num, Name: name, Type: tenant.Custom, SecretHash: []byte{0, 1, 0xfe, 0xff},
		Scopes: scope.Set{scope.Meeting, scope.RecordRead}, Redirects: []string{"https://example.org/back"}, CreatedAt: Now,
		Events: tenant.Subscription{URL: "https://example.org/events", Types: []string{string(event.RecordingReady)}, EncryptKey: "encrypt-me", VerificationToken: "verify-me"},
	}
	w.check(w.DB.AddApp(w.t.Context(), a))
	return a
}

func (w *World) user(t tenant.Tenant, name string) tenant.User {
	w.t.Helper()
	u := tenant.User{Num: tenant.UserNum(w.Number()), Tenant: t.Key, UserID: ident.UserID(), Name: name, Email: name + "@example.org", Role: tenant.Member, CreatedAt: Now}
	w.check(w.DB.AddUser(w.t.Context(), u, "hash of "+name))
	return u
}

// NewReserve returns a reserve of o's owner that is not stored yet.
func (w *World) NewReserve(o Org) meeting.Reserve {
	return meeting.Reserve{
		ID: w.Number(), Tenant: o.Tenant.Key, No: ident.MeetingNo(), Owner: o.Owner.Num, Creator: o.Other.Num, App: o.App.ID, Password: "1234",
		Settings: meeting.Settings{Topic: "Weekly", InitialType: 1, AutoRecord: true, AssignHosts: []tenant.UserNum{o.Other.Num},
			ActionPermissions: []meeting.ActionPermission{{Permission: 3, Checkers: []meeting.Checker{{Field: 1, Mode: 1, List: []string{"7"}}}}}},
		EndAt: Now.Add(time.Hour), CreatedAt: Now,
	}
}

// Reserve stores a reserve of o's owner.
func (w *World) Reserve(o Org) meeting.Reserve {
	w.t.Helper()
	r := w.NewReserve(o)
	w.check(w.DB.AddReserve(w.t.Context(), r))
	return r
}

// NewMeeting returns a meeting under r that is not stored yet.
func (w *World) NewMeeting(r meeting.Reserve, s meeting.Status) meeting.Meeting {
	m := meeting.Meeting{
		ID: w.Number(), Tenant: r.Tenant, Reserve: r.ID, No: r.No, Topic: r.Settings.Topic, Owner: r.Owner, Host: r.Creator, App: r.App,
		Source: meeting.OpenPlatform, Status: s, Locked: true, InitialType: 1, AutoRecord: true, Peak: 3, CreatedAt: Now,
	}
	if s != meeting.Calling {
		m.StartedAt = Now.Add(time.Second)
	}
	if s == meeting.Ended {
		m.EndedAt = Now.Add(time.Minute)
	}
	return m
}

// Meeting stores a meeting of o under a reserve of its own.
func (w *World) Meeting(o Org, s meeting.Status) meeting.Meeting {
	w.t.Helper()
	m := w.NewMeeting(w.Reserve(o), s)
	w.check(w.DB.AddMeeting(w.t.Context(), m))
	return m
}

// Participant stores somebody in a meeting; who is zero for a guest.
func (w *World) Participant(m meeting.Meeting, who tenant.UserNum, joined, left time.Time) meeting.Participant {
	w.t.Helper()
	p := meeting.Participant{ID: ident.Secret(20), Meeting: m.ID, Tenant: m.Tenant, User: who, Name: "Lin 林", Role: event.Participant, CreatedAt: Now, JoinedAt: joined, LeftAt: left}
	if !left.IsZero() {
		p.Reason = meeting.Kicked
	}
	w.check(w.DB.AddParticipant(w.t.Context(), p))
	return p
}

// Recording stores the recording of m.
func (w *World) Recording(m meeting.Meeting, s recording.State) recording.Recording {
	w.t.Helper()
	r := recording.Recording{ID: recording.ID(w.Number()), Tenant: m.Tenant, Meeting: m.ID, State: s, Timezone: -8, HasZone: true, CreatedAt: Now}
	w.check(w.DB.Recordings().Add(w.t.Context(), r))
	return r
}

// Minute stores the minute of r.
func (w *World) Minute(r recording.Recording, owner tenant.UserNum) recording.Minute {
	w.t.Helper()
	m := recording.Minute{
		Token: ident.Minute(), Recording: r.ID, Meeting: r.Meeting, Owner: owner, Title: "Weekly", StartedAt: Now, Duration: 61234 * time.Millisecond, CreatedAt: Now.Add(time.Minute),
		MinuteFile: recording.MinuteFile{File: "a/recording.mp4", Poster: "a/poster.jpg", Size: 5 << 30, SHA256: "00ff", Defects: []string{"a gap"}},
	}
	w.check(w.DB.Recordings().AddMinute(w.t.Context(), r.Tenant, m))
	return m
}

// Announce stores an event with a delivery due at due for each app, and returns the deliveries.
func (w *World) Announce(due time.Time, apps ...tenant.App) []event.Delivery {
	w.t.Helper()
	e := event.Event{Type: event.RecordingReady, Tenant: apps[0].Tenant, App: apps[0].ID, At: Now, Meeting: event.Meeting{ID: w.Number(), Topic: "Weekly", StartAt: Now},
		Operator: &event.Person{User: 7, Role: event.Host, Type: 1}, Ready: &event.Ready{Minute: "obcn", Duration: time.Minute}}
	var ds []event.Delivery
	for _, a := range apps {
		ds = append(ds, event.Delivery{ID: ident.EventID(), App: a.ID, Tenant: a.Tenant, Event: e, State: event.Pending, DueAt: due, CreatedAt: Now})
	}
	w.check(w.DB.Within(w.t.Context(), func(ctx context.Context) error { return w.DB.AddEvent(ctx, e, ds) }))
	return ds
}

// Count counts the rows of a table.
func (w *World) Count(table string) (n int) {
	w.t.Helper()
	w.check(w.DB.Pool().QueryRowContext(w.t.Context(), fmt.Sprintf("SELECT count(*) FROM %s", table)).Scan(&n))
	return n
}

func (w *World) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}
