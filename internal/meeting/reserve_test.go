package meeting_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"huilu/internal/field"
	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

func TestReservesObeyTheContractsRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	day := 24 * time.Hour
	for _, tt := range []struct {
		name   string
		change func(*meeting.ReserveSpec)
		field  string
		reason error
	}{
		{"all is well", func(*meeting.ReserveSpec) {}, "", nil},
		{"just thirty days", func(s *meeting.ReserveSpec) { s.EndAt = w.clock.Add(30 * day) }, "", nil},
		{"more than thirty days", func(s *meeting.ReserveSpec) { s.EndAt = w.clock.Add(30*day + time.Second) }, "end_time", nil},
		{"in the past", func(s *meeting.ReserveSpec) { s.EndAt = w.clock }, "end_time", nil},
		{"no end", func(s *meeting.ReserveSpec) { s.EndAt = time.Time{} }, "end_time", nil},
		{"a call needs no end", func(s *meeting.ReserveSpec) { s.EndAt, s.Settings.InitialType = time.Time{}, 2 }, "", nil},
		{"a call is not recorded", func(s *meeting.ReserveSpec) { s.Settings.InitialType, s.Settings.AutoRecord = 2, true }, "meeting_settings.auto_record", meeting.ErrRecordParam},
		{"no such type", func(s *meeting.ReserveSpec) { s.Settings.InitialType = 3 }, "meeting_settings.meeting_initial_type", nil},
		{"nobody owns it", func(s *meeting.ReserveSpec) { s.Owner = 0 }, "owner_id", nil},
		{"a stranger owns it", func(s *meeting.ReserveSpec) { s.Owner = 42 }, "owner_id", nil},
		{"password of letters", func(s *meeting.ReserveSpec) { s.Password = ptr("abcd") }, "meeting_settings.password", meeting.ErrBadPassword},
		{"password of three", func(s *meeting.ReserveSpec) { s.Password = ptr("123") }, "meeting_settings.password", meeting.ErrBadPassword},
		{"password of nine", func(s *meeting.ReserveSpec) { s.Password = ptr("123456789") }, "", nil},
		{"password of ten", func(s *meeting.ReserveSpec) { s.Password = ptr("1234567890") }, "meeting_settings.password", meeting.ErrBadPassword},
		{"topic too long", func(s *meeting.ReserveSpec) { s.Settings.Topic = strings.Repeat("会", meeting.MaxTopic+1) }, "meeting_settings.topic", nil},
		{"topic just right", func(s *meeting.ReserveSpec) { s.Settings.Topic = strings.Repeat("会", meeting.MaxTopic) }, "", nil},
		{"eleven hosts", func(s *meeting.ReserveSpec) { s.Settings.AssignHosts = make([]tenant.UserNum, 11) }, "meeting_settings.assign_host_list", meeting.ErrTooManyHosts},
		{"a stranger as host", func(s *meeting.ReserveSpec) { s.Settings.AssignHosts = []tenant.UserNum{42} }, "meeting_settings.assign_host_list", meeting.ErrBadHost},
		{"no such permission", func(s *meeting.ReserveSpec) { s.Settings.ActionPermissions = permission(4, 2, 1, "1") }, "meeting_settings.action_permissions.permission", nil},
		{"no such field", func(s *meeting.ReserveSpec) { s.Settings.ActionPermissions = permission(3, 4, 1, "1") }, "meeting_settings.action_permissions.permission_checkers.check_field", nil},
		{"no such mode", func(s *meeting.ReserveSpec) { s.Settings.ActionPermissions = permission(3, 2, 3, "1") }, "meeting_settings.action_permissions.permission_checkers.check_mode", nil},
		{"an empty list", func(s *meeting.ReserveSpec) { s.Settings.ActionPermissions = permission(3, 2, 1) }, "meeting_settings.action_permissions.permission_checkers.check_list", nil},
	} {
		spec := meeting.ReserveSpec{Owner: w.owner.Num, EndAt: w.clock.Add(time.Hour), Settings: meeting.Settings{Topic: "T"}}
		tt.change(&spec)
		_, err := w.Apply(t.Context(), tenant.Actor{Tenant: w.org.Key, App: "cli_a"}, spec)
		var bad *field.Error
		switch {
		case tt.field == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.field != "" && (!errors.As(err, &bad) || bad.Name != tt.field):
			t.Errorf("%s: %v, want a complaint about %s", tt.name, err, tt.field)
		case tt.reason != nil && !errors.Is(err, tt.reason):
			t.Errorf("%s: %v, want %v", tt.name, err, tt.reason)
		}
	}
}

func num(n tenant.UserNum) string { return strconv.FormatInt(int64(n), 10) }

func ptr[T any](v T) *T { return &v }

func permission(what, checkField, mode int, list ...string) []meeting.ActionPermission {
	return []meeting.ActionPermission{{Permission: what, Checkers: []meeting.Checker{{Field: checkField, Mode: mode, List: list}}}}
}

func TestOnlyWhoMadeOrOwnsAReserveSeesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	for _, tt := range []struct {
		name  string
		actor tenant.Actor
		want  error
	}{
		{"the app that made it", tenant.Actor{Tenant: w.org.Key, App: r.App}, nil},
		{"another app", tenant.Actor{Tenant: w.org.Key, App: "cli_other"}, meeting.ErrNotPermitted},
		{"its owner through another app", tenant.Actor{Tenant: w.org.Key, App: "cli_other", User: w.owner.Num}, nil},
		{"a colleague through the app that made it", tenant.Actor{Tenant: w.org.Key, App: r.App, User: w.other.Num}, meeting.ErrNotPermitted},
		{"another tenant", tenant.Actor{Tenant: "ffffffffffffffff", App: r.App}, meeting.ErrReserveNotFound},
	} {
		if _, err := w.Reserve(t.Context(), tt.actor, r.ID); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if tt.want == nil {
			continue
		}
		if err := w.Delete(t.Context(), tt.actor, r.ID); !errors.Is(err, tt.want) {
			t.Errorf("%s deletes it: %v, want %v", tt.name, err, tt.want)
		}
		if _, err := w.Update(t.Context(), tt.actor, r.ID, meeting.ReserveChange{Topic: ptr("mine")}); !errors.Is(err, tt.want) {
			t.Errorf("%s changes it: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestAnUpdateKeepsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{Topic: "Old", AutoRecord: true}, "1234")
	actor := tenant.Actor{Tenant: w.org.Key, App: r.App}
	got, err := w.Update(t.Context(), actor, r.ID, meeting.ReserveChange{Topic: ptr("New")})
	if err != nil || got.Settings.Topic != "New" || !got.Settings.AutoRecord || got.Password != "1234" || !got.EndAt.Equal(r.EndAt) {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = w.Update(t.Context(), actor, r.ID, meeting.ReserveChange{Password: ptr(""), AutoRecord: ptr(false)})
	if err != nil || got.Password != "" || got.Settings.AutoRecord || got.Settings.Topic != "New" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAnExpiredOrDeletedNumberIsFree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.reserve(meeting.Settings{}, "")
	v := meeting.Visitor{User: &w.owner}
	if _, err := w.Door(t.Context(), r.No, v); err != nil {
		t.Fatal(err)
	}
	w.clock = r.EndAt
	if _, err := w.Door(t.Context(), r.No, v); !errors.Is(err, meeting.ErrExpired) {
		t.Errorf("expired: %v", err)
	}
	actor := tenant.Actor{Tenant: w.org.Key, App: r.App}
	if _, err := w.Update(t.Context(), actor, r.ID, meeting.ReserveChange{EndAt: ptr(w.clock.Add(time.Hour))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Door(t.Context(), r.No, v); err != nil {
		t.Errorf("extended: %v", err)
	}
	if err := w.Delete(t.Context(), actor, r.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Door(t.Context(), r.No, v); !errors.Is(err, meeting.ErrExpired) {
		t.Errorf("deleted: %v", err)
	}
}

func TestWhoMayJoin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	foreign := &tenant.User{Num: 77, Tenant: "ffffffffffffffff", Name: "Foreigner"}
	all := map[string]meeting.Visitor{"owner": {User: &w.owner}, "colleague": {User: &w.other}, "foreigner": {User: foreign}, "guest": {Name: "G"}}
	otherNum := w.other.Num
	for _, tt := range []struct {
		name string
		set  []meeting.ActionPermission
		may  []string
	}{
		{"no rule", nil, []string{"owner", "colleague"}},
		{"guests welcome", []meeting.ActionPermission{meeting.GuestsWelcome()}, []string{"owner", "colleague", "foreigner", "guest"}},
		{"one colleague", permission(3, 1, 1, num(otherNum)), []string{"owner", "colleague"}},
		{"anybody but one colleague", permission(3, 1, 2, num(otherNum)), []string{"owner", "foreigner", "guest"}},
		{"people with accounts", permission(3, 2, 1, "1"), []string{"owner", "colleague", "foreigner"}},
		{"the other tenant", permission(3, 3, 1, "ffffffffffffffff"), []string{"owner", "foreigner"}},
		{"a rule about hosts only", permission(1, 1, 1, "1"), []string{"owner", "colleague"}},
		{"two rules join with or", append(permission(3, 1, 1, num(otherNum)), permission(3, 3, 1, "ffffffffffffffff")...), []string{"owner", "colleague", "foreigner"}},
	} {
		r := w.reserve(meeting.Settings{ActionPermissions: tt.set}, "")
		for who, v := range all {
			_, _, err := w.Enter(t.Context(), r.No, v)
			if slices.Contains(tt.may, who) != (err == nil) {
				t.Errorf("%s: %s gets %v", tt.name, who, err)
			}
			if err != nil && !errors.Is(err, meeting.ErrJoinNotAllowed) && !errors.Is(err, meeting.ErrLoginNeeded) {
				t.Errorf("%s: %s is refused by %v", tt.name, who, err)
			}
		}
	}
}
