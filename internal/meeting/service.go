package meeting

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"huilu/internal/event"
	"huilu/internal/ident"
	"huilu/internal/tenant"
)

// Limits of meetings.
const (
	MaxInside     = 100                 // people in one meeting
	ArrivalWindow = time.Minute         // from being let in to arriving, else the meeting never was
	Visible       = 90 * 24 * time.Hour // how long GET meeting knows a meeting (contract vc.md §4)
)

// Options are the settings of a Service.
type Options struct {
	EmptyAfter time.Duration // how long a meeting waits for somebody to come back before it ends
	MaxInside  int
}

// Service runs reserves and meetings. It is safe for concurrent use.
type Service struct {
	store     Store
	people    People
	news      Announcer
	rooms     Rooms
	followers []Follower
	nums      *ident.Numbers
	now       func() time.Time
	log       *slog.Logger
	opt       Options

	mu    sync.Mutex // guards what follows: see Resumed
	begun time.Time
	alive time.Time // zero once a sweep has settled who is gone
}

// NewService returns a Service. Followers are added with Follow before it is used.
func NewService(store Store, people People, news Announcer, rooms Rooms, nums *ident.Numbers, now func() time.Time, log *slog.Logger, opt Options) *Service {
	return &Service{store: store, people: people, news: news, rooms: rooms, nums: nums, now: now, log: log, opt: opt}
}

// Resumed says that the server begins now, and when the one before it was last known to run; zero when there was none, or
// nobody knows. Who was inside then and is not back when the first sweep looks left at that time, not now: the server may
// have been away for days. And whoever the restart cut off has the usual time to come back. Call it before Run.
func (s *Service) Resumed(alive time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun = s.now(); alive.Before(s.begun) { // otherwise the clock was set back
		s.alive = alive
	}
}

// Follow adds somebody who is told about starts and ends in the same transaction.
func (s *Service) Follow(f Follower) { s.followers = append(s.followers, f) }

// Get returns a meeting: to an app any of its tenant, to a person only their own.
func (s *Service) Get(ctx context.Context, a tenant.Actor, id int64) (Meeting, error) {
	m, err := s.store.MeetingByID(ctx, a.Tenant, id)
	switch {
	case err != nil:
		return Meeting{}, err
	case s.now().Sub(m.CreatedAt) > Visible:
		return Meeting{}, ErrNotFound
	case !a.IsApp() && a.User != m.Owner:
		return Meeting{}, ErrNotPermitted
	}
	return m, nil
}

// OfAnyAge returns a meeting also when it is too old for Get, which is a rule about who asks from outside.
func (s *Service) OfAnyAge(ctx context.Context, t tenant.Key, id int64) (Meeting, error) {
	return s.store.MeetingByID(ctx, t, id)
}

// ReserveOf returns the reserve of a meeting, for its password and settings. An imported meeting has an empty one.
func (s *Service) ReserveOf(ctx context.Context, m Meeting) (Reserve, error) {
	if m.Reserve == 0 {
		return Reserve{Tenant: m.Tenant, No: m.No, Owner: m.Owner, DeletedAt: m.EndedAt}, nil
	}
	return s.store.ReserveByID(ctx, m.Tenant, m.Reserve)
}

// Participants lists every stay in a meeting, by time of joining; people who were let in but never arrived are left out.
func (s *Service) Participants(ctx context.Context, m Meeting) ([]Participant, error) {
	return s.store.Participants(ctx, m.Tenant, m.ID)
}

// MustHost returns the meeting when it runs and the actor is its host and inside,
// which every action inside a meeting demands (122001, 121005, 122003).
func (s *Service) MustHost(ctx context.Context, a tenant.Actor, id int64) (Meeting, error) {
	m, err := s.store.MeetingByID(ctx, a.Tenant, id)
	switch {
	case err != nil:
		return Meeting{}, err
	case m.Status != Running:
		return Meeting{}, ErrNotRunning
	case a.User == 0 || a.User != m.Host:
		return Meeting{}, ErrNotPermitted
	}
	inside, err := s.stayOf(ctx, m, a.User)
	if err == nil && inside == "" {
		err = ErrNotInMeeting
	}
	return m, err
}

// End ends a meeting for everybody. Only its host may, from inside.
func (s *Service) End(ctx context.Context, a tenant.Actor, id int64) error {
	m, err := s.MustHost(ctx, a, id)
	if err != nil {
		return err
	}
	return s.end(ctx, m.ID, &event.Person{User: a.User, Role: event.Host, Type: UserType}, s.now())
}

// Kick removes a participant. Only the host may, and not themselves.
func (s *Service) Kick(ctx context.Context, a tenant.Actor, id int64, participant string) error {
	m, p, err := s.target(ctx, a, id, participant)
	if err != nil {
		return err
	}
	return s.rooms.Kick(ctx, m.Room(), p.ID)
}

// Mute silences a participant's microphone. Only the host may.
func (s *Service) Mute(ctx context.Context, a tenant.Actor, id int64, participant string) error {
	m, p, err := s.target(ctx, a, id, participant)
	if err != nil {
		return err
	}
	return s.rooms.Mute(ctx, m.Room(), p.ID)
}

// GiveHost makes another participant with an account in the meeting's tenant the host.
func (s *Service) GiveHost(ctx context.Context, a tenant.Actor, id int64, participant string) error {
	var m Meeting
	var p Participant
	err := s.store.Within(ctx, func(ctx context.Context) (err error) {
		if m, p, err = s.target(ctx, a, id, participant); err != nil {
			return err
		}
		if p.User == 0 {
			return ErrBadHost
		}
		// People of other tenants reach nothing of this one, so a meeting they hosted would have nobody to run it.
		if _, err := s.people.UserByNum(ctx, m.Tenant, p.User); errors.Is(err, tenant.ErrNotFound) {
			return ErrBadHost
		} else if err != nil {
			return err
		}
		m.Host = p.User
		moved, err := s.store.SaveMeeting(ctx, m, Running)
		if err == nil && !moved {
			err = ErrNotRunning
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.rooms.ShowHost(ctx, m.Room(), p.ID)
}

func (s *Service) target(ctx context.Context, a tenant.Actor, id int64, participant string) (Meeting, Participant, error) {
	m, err := s.MustHost(ctx, a, id)
	if err != nil {
		return m, Participant{}, err
	}
	p, err := s.store.ParticipantByID(ctx, m.ID, participant)
	switch {
	case err != nil:
		return m, p, err
	case !p.Inside():
		return m, p, ErrTargetNotInside
	case p.User == a.User:
		return m, p, ErrSelf
	}
	return m, p, nil
}

// ByNo lists meetings under a number that began in [from, to), newest first.
// page continues after the last id of the page before, "" begins.
func (s *Service) ByNo(ctx context.Context, a tenant.Actor, no string, from, to time.Time, page string, size int) (briefs []Brief, next string, err error) {
	var after int64
	if page != "" {
		if after, err = ParseID("page_token", page); err != nil {
			return nil, "", err
		}
	}
	briefs, err = s.store.ByNo(ctx, a.Tenant, no, from, to, after, size+1)
	if err != nil || len(briefs) <= size {
		return briefs, "", err
	}
	briefs = briefs[:size]
	return briefs, Meeting{ID: briefs[size-1].ID}.Room(), nil
}

// stayOf returns the id of a stay of user that is inside, "" when there is none.
func (s *Service) stayOf(ctx context.Context, m Meeting, user tenant.UserNum) (string, error) {
	ps, err := s.store.Participants(ctx, m.Tenant, m.ID)
	for _, p := range ps {
		if p.User == user && p.Inside() {
			return p.ID, err
		}
	}
	return "", err
}

// news about a meeting as it is now.
func (m Meeting) event(t event.Type, at time.Time, operator *event.Person) event.Event {
	return event.Event{Type: t, Tenant: m.Tenant, App: m.App, At: at, Operator: operator, Meeting: m.Snapshot()}
}

// Snapshot is the meeting as events carry it.
func (m Meeting) Snapshot() event.Meeting {
	return event.Meeting{ID: m.ID, No: m.No, Topic: m.Topic, Source: int(m.Source), StartAt: m.StartedAt, EndAt: m.EndedAt, Host: m.Host, Owner: m.Owner}
}

// person of a participant as events carry it.
func (p Participant) person(m Meeting) *event.Person {
	role := event.Participant
	if p.User != 0 && p.User == m.Host {
		role = event.Host
	}
	return &event.Person{User: p.User, Role: role, Type: p.UserType()}
}
