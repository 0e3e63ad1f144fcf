package meeting

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huilu/internal/field"
	"huilu/internal/ident"
	"huilu/internal/tenant"
)

// Limits of reserves (contract vc.md §3).
const (
	MaxAhead      = 30 * 24 * time.Hour // end_time from now
	MaxHosts      = 10
	MaxTopic      = 255            // characters
	callLife      = 24 * time.Hour // of a one-to-one call's number, which has no end_time
	numberRetries = 20
)

// ReserveSpec is what somebody asks for. Person ids have been resolved.
type ReserveSpec struct {
	Owner    tenant.UserNum // ignored when a person reserves: they own it
	EndAt    time.Time      // zero when not given
	Settings Settings
	Password *string // nil: none was chosen, "" none is wanted
}

// Apply reserves a meeting number.
func (s *Service) Apply(ctx context.Context, a tenant.Actor, spec ReserveSpec) (Reserve, error) {
	now := s.now()
	r := Reserve{
		ID: s.nums.Next(now), Tenant: a.Tenant, Owner: spec.Owner, Creator: a.User, App: a.App,
		Settings: spec.Settings, EndAt: spec.EndAt, CreatedAt: now,
	}
	if !a.IsApp() {
		r.Owner = a.User
	}
	if spec.Password != nil {
		r.Password = *spec.Password
	}
	if err := s.check(ctx, &r, now); err != nil {
		return Reserve{}, err
	}
	owner, err := s.people.UserByNum(ctx, a.Tenant, r.Owner)
	if errors.Is(err, tenant.ErrNotFound) {
		return Reserve{}, field.Invalid("owner_id", "must be a person of this tenant")
	} else if err != nil {
		return Reserve{}, err
	}
	if r.Settings.Topic == "" {
		r.Settings.Topic = owner.Name
	}
	return r, s.addWithNumber(ctx, &r)
}

func (s *Service) addWithNumber(ctx context.Context, r *Reserve) error {
	for range numberRetries {
		r.No = ident.MeetingNo()
		if err := s.store.AddReserve(ctx, *r); !errors.Is(err, ErrNumberTaken) {
			return err
		}
	}
	return errors.New("no free meeting number found")
}

// ReserveChange is what an update gives; nil leaves a field as it is, an empty value overwrites it.
type ReserveChange struct {
	EndAt             *time.Time
	Topic             *string
	ActionPermissions *[]ActionPermission
	InitialType       *int
	Call              *CallSetting
	AutoRecord        *bool
	AssignHosts       *[]tenant.UserNum
	Password          *string
}

func (c ReserveChange) apply(r *Reserve) {
	set(&r.EndAt, c.EndAt)
	set(&r.Settings.Topic, c.Topic)
	set(&r.Settings.ActionPermissions, c.ActionPermissions)
	set(&r.Settings.InitialType, c.InitialType)
	set(&r.Settings.AutoRecord, c.AutoRecord)
	set(&r.Settings.AssignHosts, c.AssignHosts)
	set(&r.Password, c.Password)
	if c.Call != nil {
		r.Settings.Call = c.Call
	}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// Update changes a reserve of the actor; a meeting that already runs keeps the settings it started with.
func (s *Service) Update(ctx context.Context, a tenant.Actor, id int64, c ReserveChange) (r Reserve, err error) {
	err = s.store.Within(ctx, func(ctx context.Context) error {
		if r, err = s.Reserve(ctx, a, id); err != nil {
			return err
		}
		now, end := s.now(), r.EndAt
		c.apply(&r)
		if c.EndAt == nil && end.After(now) {
			r.EndAt = end
		}
		if err := s.check(ctx, &r, now); err != nil {
			return err
		}
		return s.store.SaveReserve(ctx, r)
	})
	return r, err
}

// Delete frees the number for good. A meeting that runs goes on.
func (s *Service) Delete(ctx context.Context, a tenant.Actor, id int64) error {
	return s.store.Within(ctx, func(ctx context.Context) error {
		r, err := s.Reserve(ctx, a, id)
		if err != nil {
			return err
		}
		r.DeletedAt = s.now()
		return s.store.SaveReserve(ctx, r)
	})
}

// Reserve returns a reserve to whoever made or owns it, ErrNotPermitted to others of the tenant.
func (s *Service) Reserve(ctx context.Context, a tenant.Actor, id int64) (Reserve, error) {
	r, err := s.store.ReserveByID(ctx, a.Tenant, id)
	switch {
	case err != nil:
		return Reserve{}, err
	case !r.DeletedAt.IsZero():
		return Reserve{}, ErrReserveNotFound
	case a.IsApp() && r.App != a.App, !a.IsApp() && r.Owner != a.User && r.Creator != a.User:
		return Reserve{}, ErrNotPermitted
	}
	return r, nil
}

// Active returns the meeting that runs under a reserve, or ErrNoActiveMeeting.
func (s *Service) Active(ctx context.Context, a tenant.Actor, id int64) (Meeting, error) {
	r, err := s.Reserve(ctx, a, id)
	if err != nil {
		return Meeting{}, err
	}
	return s.store.ActiveMeeting(ctx, a.Tenant, r.ID)
}

// check holds a reserve against the rules and fills in what was left open.
func (s *Service) check(ctx context.Context, r *Reserve, now time.Time) error {
	set := &r.Settings
	if set.InitialType == 0 {
		set.InitialType = 1
	}
	if r.EndAt.IsZero() && set.InitialType == OneToOne {
		r.EndAt = now.Add(callLife)
	}
	switch {
	case set.InitialType != 1 && set.InitialType != OneToOne:
		return field.Invalid("meeting_settings.meeting_initial_type", "must be 1 (group meeting) or 2 (one-to-one call)")
	case r.EndAt.IsZero():
		return field.Invalid("end_time", "is required for a group meeting")
	case !r.EndAt.After(now):
		return field.Invalid("end_time", "must be in the future")
	case r.EndAt.Sub(now) > MaxAhead:
		return field.Invalid("end_time", "must be within 30 days from now")
	case utf8.RuneCountInString(set.Topic) > MaxTopic:
		return field.Invalid("meeting_settings.topic", "must have at most %d characters", MaxTopic)
	case strings.ContainsFunc(set.Topic, unicode.IsControl) || !utf8.ValidString(set.Topic):
		return field.Invalid("meeting_settings.topic", "must be one line of text without control characters")
	case set.InitialType == OneToOne && set.AutoRecord:
		return field.Because(ErrRecordParam, "meeting_settings.auto_record", "is not for one-to-one calls")
	case !isPassword(r.Password):
		return field.Because(ErrBadPassword, "meeting_settings.password", "must be 4 to 9 digits, or empty for none")
	case len(set.AssignHosts) > MaxHosts:
		return field.Because(ErrTooManyHosts, "meeting_settings.assign_host_list", "must name at most %d people", MaxHosts)
	}
	if err := checkPermissions(set.ActionPermissions); err != nil {
		return err
	}
	return s.checkHosts(ctx, r)
}

func (s *Service) checkHosts(ctx context.Context, r *Reserve) error {
	for _, n := range r.Settings.AssignHosts {
		if _, err := s.people.UserByNum(ctx, r.Tenant, n); errors.Is(err, tenant.ErrNotFound) {
			return field.Because(ErrBadHost, "meeting_settings.assign_host_list", "must name people of this tenant")
		} else if err != nil {
			return err
		}
	}
	return nil
}

func isPassword(s string) bool {
	if s == "" {
		return true
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) >= 4 && len(s) <= 9
}
