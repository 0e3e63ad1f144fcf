package meeting

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"huilu/internal/event"
	"huilu/internal/field"
	"huilu/internal/ident"
	"huilu/internal/tenant"
)

// DoorSign is what somebody in front of a meeting may know before being let in.
type DoorSign struct {
	Topic            string // empty, as Owner, to whom the meeting is not open
	Owner            string // name
	Running          bool
	GuestsAllowed    bool
	PasswordRequired bool  // of this visitor: the owner needs none
	Meeting          int64 // zero before somebody joined
}

// Visitor is somebody who wants in: a person with an account, or a guest with a name.
type Visitor struct {
	User     *tenant.User // nil for a guest
	Name     string       // guests only
	Password string
}

func (v Visitor) key() visitor {
	if v.User == nil {
		return visitor{}
	}
	return visitor{user: v.User.Num, tenant: v.User.Tenant}
}

// Door reads the sign at the door of a meeting number. ErrExpired when nobody meets there.
func (s *Service) Door(ctx context.Context, no string, v Visitor) (DoorSign, error) {
	r, err := s.store.LiveReserve(ctx, no, s.now())
	if errors.Is(err, ErrReserveNotFound) {
		return DoorSign{}, ErrExpired
	} else if err != nil {
		return DoorSign{}, err
	}
	owner, err := s.people.UserByNum(ctx, r.Tenant, r.Owner)
	if err != nil {
		return DoorSign{}, err
	}
	sign := DoorSign{
		GuestsAllowed:    r.admits(MayJoin, visitor{}),
		PasswordRequired: r.Password != "" && v.key().user != r.Owner,
	}
	if r.admits(MayJoin, v.key()) { // nine digits can be guessed: others learn that somebody meets here, not about what
		sign.Topic, sign.Owner = r.Settings.Topic, owner.Name
	}
	m, err := s.store.ActiveMeeting(ctx, r.Tenant, r.ID)
	if errors.Is(err, ErrNoActiveMeeting) {
		return sign, nil
	}
	sign.Running, sign.Meeting = m.Status == Running, m.ID
	return sign, err
}

// Enter lets a visitor in: the first one starts the meeting. The participant is
// fresh each time; it counts as inside once the SFU has seen it.
func (s *Service) Enter(ctx context.Context, no string, v Visitor) (m Meeting, p Participant, err error) {
	err = s.store.Within(ctx, func(ctx context.Context) error {
		now := s.now()
		r, err := s.store.LiveReserve(ctx, no, now)
		if errors.Is(err, ErrReserveNotFound) {
			return ErrExpired
		} else if err != nil {
			return err
		}
		name, err := r.letIn(v)
		if err != nil {
			return err
		}
		if m, err = s.open(ctx, r, v, now); err != nil {
			return err
		}
		if err := s.room(ctx, m, v); err != nil {
			return err
		}
		p = Participant{ID: ident.Secret(20), Meeting: m.ID, Tenant: m.Tenant, User: v.key().user, Name: name, Role: event.Participant, CreatedAt: now}
		return s.store.AddParticipant(ctx, p)
	})
	return m, p, err
}

// letIn decides whether v may enter and returns the name to show.
func (r Reserve) letIn(v Visitor) (string, error) {
	if !r.admits(MayJoin, v.key()) {
		if v.User == nil {
			return "", ErrLoginNeeded
		}
		return "", ErrJoinNotAllowed
	}
	if r.Password != "" && v.key().user != r.Owner && subtle.ConstantTimeCompare([]byte(r.Password), []byte(v.Password)) != 1 {
		return "", ErrWrongPassword
	}
	if v.User != nil {
		return v.User.Name, nil
	}
	name, ok := field.Line(v.Name)
	if !ok || !field.Visible(name) || utf8.RuneCountInString(name) > 50 {
		return "", field.Invalid("name", "must have 1 to 50 characters on one line")
	}
	return name, nil
}

// open returns the meeting of r that has not ended, or makes it.
func (s *Service) open(ctx context.Context, r Reserve, v Visitor, now time.Time) (Meeting, error) {
	m, err := s.store.ActiveMeeting(ctx, r.Tenant, r.ID)
	if !errors.Is(err, ErrNoActiveMeeting) {
		return m, err
	}
	m = Meeting{
		ID: s.nums.Next(now), Tenant: r.Tenant, Reserve: r.ID, No: r.No, Topic: r.Settings.Topic, Owner: r.Owner, Host: r.Owner,
		App: r.App, Source: OpenPlatform, Status: Calling, InitialType: r.Settings.InitialType, AutoRecord: r.Settings.AutoRecord, CreatedAt: now,
	}
	if r.App == "" {
		m.Source = Instant
	}
	if v.User != nil && v.User.Tenant == r.Tenant {
		m.Host = v.User.Num // until the owner comes
	}
	return m, s.store.AddMeeting(ctx, m)
}

// room refuses who was removed, and everybody when the meeting is locked or full; host and owner always get in.
func (s *Service) room(ctx context.Context, m Meeting, v Visitor) error {
	if k := v.key().user; k != 0 && (k == m.Host || k == m.Owner) {
		return nil
	}
	if m.Locked {
		return ErrLocked
	}
	removed, err := s.removed(ctx, m, v)
	switch {
	case err != nil:
		return err
	case removed:
		return ErrRemoved
	}
	n, err := s.store.CountInside(ctx, m.ID)
	if err == nil && n >= s.opt.MaxInside {
		err = ErrFull
	}
	return err
}

// removed tells whether the host has removed v from m before. Guests cannot be recognised.
func (s *Service) removed(ctx context.Context, m Meeting, v Visitor) (bool, error) {
	k := v.key().user
	if k == 0 {
		return false, nil
	}
	ps, err := s.store.Participants(ctx, m.Tenant, m.ID)
	return slices.ContainsFunc(ps, func(p Participant) bool { return p.User == k && p.Reason == Kicked }), err
}

// MayConnect reports whether somebody who was let in may connect to the room now. What lets them in there is good for
// longer than it was meant: not for who was removed, nor after the end, nor when others have filled the meeting meanwhile.
func (s *Service) MayConnect(ctx context.Context, meeting int64, participant string) (bool, error) {
	m, err := s.store.MeetingInRoom(ctx, meeting)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	p, err := s.store.ParticipantByID(ctx, meeting, participant)
	switch {
	case errors.Is(err, ErrTargetNotInside):
		return false, nil
	case err != nil:
		return false, err
	case m.Status == Ended, p.Reason == Kicked:
		return false, nil
	case p.Inside(), p.User != 0 && (p.User == m.Host || p.User == m.Owner):
		return true, nil
	}
	n, err := s.store.CountInside(ctx, m.ID)
	return n < s.opt.MaxInside, err
}
