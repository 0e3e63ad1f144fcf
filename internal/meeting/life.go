package meeting

import (
	"context"
	"errors"
	"slices"
	"time"

	"huilu/internal/event"
)

// Joined notes that the SFU sees a participant. It starts a meeting that was
// calling. Calling it again, or late, is harmless.
func (s *Service) Joined(ctx context.Context, meeting int64, participant string, at time.Time) error {
	var m Meeting
	stranger, begun := false, false
	err := s.store.Within(ctx, func(ctx context.Context) (err error) {
		if m, err = s.store.MeetingInRoom(ctx, meeting); err != nil {
			return err
		}
		p, err := s.store.ParticipantByID(ctx, meeting, participant)
		if stranger = errors.Is(err, ErrTargetNotInside) || m.Status == Ended || p.Reason == Kicked; stranger {
			return nil
		}
		if err != nil || p.Inside() {
			return err
		}
		if p.JoinedAt.IsZero() {
			p.JoinedAt = at
		}
		p.LeftAt, p.Reason = time.Time{}, 0
		if err := s.store.SaveParticipant(ctx, p); err != nil {
			return err
		}
		begun = m.Status == Calling
		return s.arrive(ctx, &m, p, at)
	})
	switch {
	case err != nil:
		return err
	case begun:
		s.log.InfoContext(ctx, "meeting started", "tenant", m.Tenant, "meeting", meeting)
	case stranger: // a token outlived its meeting, or whoever was removed used theirs again
		return s.rooms.Kick(ctx, m.Room(), participant)
	}
	return s.showHost(ctx, m)
}

// arrive updates the meeting for a participant who has just come in.
func (s *Service) arrive(ctx context.Context, m *Meeting, p Participant, at time.Time) error {
	from := m.Status
	if p.User != 0 && p.User == m.Owner {
		m.Host = m.Owner
	}
	if from == Calling {
		m.Status, m.StartedAt = Running, at
	}
	inside, err := s.store.CountInside(ctx, m.ID)
	if err != nil {
		return err
	}
	m.Peak = max(m.Peak, inside)
	if moved, err := s.store.SaveMeeting(ctx, *m, from); err != nil || !moved {
		return errors.Join(err, ErrNotRunning)
	}
	if from == Calling {
		if err := s.started(ctx, *m, p, at); err != nil {
			return err
		}
	}
	return s.news.Announce(ctx, m.event(event.MeetingJoined, at, p.person(*m)))
}

func (s *Service) started(ctx context.Context, m Meeting, p Participant, at time.Time) error {
	if err := s.news.Announce(ctx, m.event(event.MeetingStarted, at, p.person(m))); err != nil {
		return err
	}
	for _, f := range s.followers {
		if err := f.MeetingStarted(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// Left notes that the SFU sees a participant no more. The meeting goes on: it
// ends when nobody has come back for a while (Sweep).
func (s *Service) Left(ctx context.Context, meeting int64, participant string, reason LeaveReason, at time.Time) error {
	var m Meeting
	err := s.store.Within(ctx, func(ctx context.Context) (err error) {
		if m, err = s.store.MeetingInRoom(ctx, meeting); err != nil {
			return err
		}
		p, err := s.store.ParticipantByID(ctx, meeting, participant)
		if errors.Is(err, ErrTargetNotInside) || (err == nil && (!p.Inside() || m.Status == Ended)) {
			return nil
		} else if err != nil {
			return err
		}
		return s.leave(ctx, m, p, reason, at)
	})
	if err != nil || m.Status == Ended {
		return err
	}
	return s.showHost(ctx, m)
}

func (s *Service) leave(ctx context.Context, m Meeting, p Participant, reason LeaveReason, at time.Time) error {
	p.LeftAt, p.Reason = at, reason
	if err := s.store.SaveParticipant(ctx, p); err != nil {
		return err
	}
	e := m.event(event.MeetingLeft, at, p.person(m))
	e.LeaveReason = int(reason)
	return s.news.Announce(ctx, e)
}

// Shared notes that a participant began (on) or stopped sharing a screen.
func (s *Service) Shared(ctx context.Context, meeting int64, participant string, on bool, at time.Time) error {
	return s.store.Within(ctx, func(ctx context.Context) error {
		m, err := s.store.MeetingInRoom(ctx, meeting)
		if err != nil {
			return err
		}
		p, err := s.store.ParticipantByID(ctx, meeting, participant)
		if err != nil {
			return err
		}
		typ := event.ShareEnded
		if on {
			typ = event.ShareStarted
		}
		return s.news.Announce(ctx, m.event(typ, at, p.person(m)))
	})
}

// end ends a meeting in one transaction: whoever is inside leaves, followers
// are told, the events are written. Then the room is closed.
func (s *Service) end(ctx context.Context, id int64, operator *event.Person, at time.Time) error {
	var m Meeting
	err := s.store.Within(ctx, func(ctx context.Context) (err error) {
		if m, err = s.store.MeetingInRoom(ctx, id); err != nil {
			return err
		}
		m.Status, m.EndedAt = Ended, at
		if moved, err := s.store.SaveMeeting(ctx, m, Running); err != nil {
			return err
		} else if !moved {
			return ErrNotRunning
		}
		if err := s.allLeave(ctx, m, at); err != nil {
			return err
		}
		if err := s.news.Announce(ctx, m.event(event.MeetingEnded, at, operator)); err != nil {
			return err
		}
		for _, f := range s.followers {
			if err := f.MeetingEnded(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "meeting ended", "tenant", m.Tenant, "meeting", id, "length", at.Sub(m.StartedAt).Round(time.Second), "peak", m.Peak)
	if err := s.rooms.CloseRoom(ctx, m.Room()); err != nil {
		s.log.WarnContext(ctx, "the meeting has ended but its room did not close; people may see it a while longer", "meeting", id, "err", err)
	}
	return nil
}

func (s *Service) allLeave(ctx context.Context, m Meeting, at time.Time) error {
	ps, err := s.store.Participants(ctx, m.Tenant, m.ID)
	if err != nil {
		return err
	}
	for _, p := range ps {
		if !p.Inside() {
			continue
		}
		if err := s.leave(ctx, m, p, LeftAtEnd, at); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) showHost(ctx context.Context, m Meeting) error {
	stay, err := s.stayOf(ctx, m, m.Host)
	if err != nil {
		return err
	}
	return s.rooms.ShowHost(ctx, m.Room(), stay)
}

// sweepEvery is how often meetings are held against what the SFU sees. News from
// the SFU is immediate; the sweep is for what was missed and for meetings that empty.
const sweepEvery = 2 * time.Second

// Run sweeps until ctx ends. After a restart this is what notices that everybody is gone.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "meetings could not be checked; those that are over will end late", "err", err)
		}
	}
}

// Sweep makes the meetings that have not ended agree with the SFU, forgets those
// nobody arrived in, and ends those that have been empty for a while.
func (s *Service) Sweep(ctx context.Context) error {
	s.mu.Lock()
	r := restart{s.begun, s.alive}
	s.mu.Unlock()
	ms, err := s.store.Unended(ctx)
	for _, m := range ms {
		err = errors.Join(err, s.sweep(ctx, m, r))
	}
	if err == nil {
		s.mu.Lock()
		s.alive = time.Time{}
		s.mu.Unlock()
	}
	return err
}

// restart is what a sweep has to know of it, see Resumed.
type restart struct{ begun, alive time.Time }

// left is when somebody left of whom only the absence is known.
func (r restart) left(p Participant, now time.Time) time.Time {
	if r.alive.IsZero() || !p.JoinedAt.Before(r.begun) {
		return now
	}
	return later(p.JoinedAt, r.alive)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *Service) sweep(ctx context.Context, m Meeting, r restart) error {
	ps, err := s.store.Participants(ctx, m.Tenant, m.ID) // before asking the SFU: who is missing there has really left
	if err != nil {
		return err
	}
	inside, err := s.rooms.Inside(ctx, m.Room())
	if err != nil {
		return err
	}
	now := s.now()
	if err := s.agree(ctx, m, ps, inside, r); err != nil {
		return err
	}
	if len(inside) > 0 {
		return nil
	}
	switch m.Status {
	case Calling:
		if now.Sub(m.CreatedAt) > ArrivalWindow {
			return s.store.DeleteMeeting(ctx, m.Tenant, m.ID)
		}
	case Running:
		if last := lastLeave(ps, m.StartedAt); !slices.ContainsFunc(ps, Participant.Inside) && now.Sub(later(last.at, r.begun)) > s.opt.EmptyAfter {
			return s.end(ctx, m.ID, last.who, last.at)
		}
	}
	return nil
}

// agree tells the meeting who has come or gone without the SFU's news arriving.
func (s *Service) agree(ctx context.Context, m Meeting, ps []Participant, inside []string, r restart) error {
	var errs error
	now := s.now()
	known := make(map[string]bool)
	for _, p := range ps {
		known[p.ID] = p.Inside()
		if p.Inside() && !slices.Contains(inside, p.ID) {
			errs = errors.Join(errs, s.Left(ctx, m.ID, p.ID, LeftByThemselves, r.left(p, now)))
		}
	}
	for _, id := range inside {
		if !known[id] {
			errs = errors.Join(errs, s.Joined(ctx, m.ID, id, now))
		}
	}
	return errs
}

type leaving struct {
	who *event.Person
	at  time.Time
}

// lastLeave finds who left last; from is the time when nobody has.
func lastLeave(ps []Participant, from time.Time) leaving {
	l := leaving{at: from}
	for _, p := range ps {
		if p.LeftAt.After(l.at) {
			l = leaving{at: p.LeftAt, who: &event.Person{User: p.User, Role: event.Participant, Type: p.UserType()}}
		}
	}
	return l
}
