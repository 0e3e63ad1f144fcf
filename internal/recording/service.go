package recording

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"huilu/internal/event"
	"huilu/internal/field"
	"huilu/internal/ident"
	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

// Service starts, stops, finishes and hands out recordings. It is safe for concurrent use.
type Service struct {
	store    Store
	meetings Meetings
	tenants  Tenants
	news     Announcer
	jobs     Jobs
	nums     *ident.Numbers
	now      func() time.Time
	log      *slog.Logger
	changed  func()                                          // called after open parts changed, to wake the keeper
	inside   func(ctx context.Context, id ID, part int) bool // see AwaitRecorder
}

// NewService returns a Service. changed is called after each commit that opened or closed a part.
func NewService(store Store, meetings Meetings, tenants Tenants, news Announcer, jobs Jobs, nums *ident.Numbers, now func() time.Time, log *slog.Logger, changed func()) *Service {
	return &Service{store: store, meetings: meetings, tenants: tenants, news: news, jobs: jobs, nums: nums, now: now, log: log, changed: changed}
}

// AwaitRecorder makes Start return only when inside says that the recorder of the
// part is in the room, or after awaitLimit. Call it before the service is used.
func (s *Service) AwaitRecorder(inside func(ctx context.Context, id ID, part int) bool) {
	s.inside = inside
}

// awaitLimit is how long a start waits for its recorder. One that takes longer is tried on; the start stands.
const awaitLimit = 5 * time.Second

// Fetch answers GET recording: the facts when the recording may be handed out to
// the actor, else the rule that refuses (see Decide).
func (s *Service) Fetch(ctx context.Context, a tenant.Actor, meetingID int64) (Facts, error) {
	f, err := s.store.Facts(ctx, a.Tenant, meetingID)
	if err != nil {
		return Facts{}, err
	}
	return f, Decide(f, a.User)
}

// Running reports whether a meeting is being recorded right now, whoever asks: it is what the sign at its door says.
func (s *Service) Running(ctx context.Context, meetingID int64) (bool, error) {
	open, err := s.store.OpenParts(ctx)
	return slices.ContainsFunc(open, func(p Open) bool { return p.Meeting == meetingID }), err
}

// Start begins a part and returns when its recorder is in the room. The meeting
// must run and the actor be its host, inside it. zone is the hours from UTC of the time shown in the file, −12 to 12, nil for none.
func (s *Service) Start(ctx context.Context, a tenant.Actor, meetingID int64, zone *int) error {
	if zone != nil && (*zone < -12 || *zone > 12) {
		return field.Invalid("timezone", "must be from -12 to 12")
	}
	var p Part
	err := s.store.Within(ctx, func(ctx context.Context) error {
		m, err := s.meetings.MustHost(ctx, a, meetingID) // in here: a meeting that is just ending must not get a part
		if err == nil {
			p, err = s.open(ctx, m, a.User, zone, s.now())
		}
		return err
	})
	if err != nil || s.inside == nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, awaitLimit)
	defer cancel()
	if !s.inside(wait, p.Recording, p.N) {
		s.log.WarnContext(ctx, "recording was started but its recorder is not in the room yet; it is tried again", "recording", p.Recording, "meeting", meetingID, "part", p.N)
	}
	return nil
}

// open adds a part to the meeting's recording, and the recording when it is the first.
func (s *Service) open(ctx context.Context, m meeting.Meeting, by tenant.UserNum, zone *int, now time.Time) (Part, error) {
	t, err := s.tenants.TenantByKey(ctx, m.Tenant)
	if err != nil {
		return Part{}, err
	}
	if !t.Recording || m.InitialType == meeting.OneToOne {
		return Part{}, ErrSwitchedOff
	}
	r, err := s.store.ByMeeting(ctx, m.Tenant, m.ID)
	if errors.Is(err, ErrNotFound) {
		r = Recording{ID: ID(s.nums.Next(now)), Tenant: m.Tenant, Meeting: m.ID, State: Running, CreatedAt: now}
		if zone != nil {
			r.Timezone, r.HasZone = *zone, true
		}
		err = s.store.Add(ctx, r)
	}
	if err != nil {
		return Part{}, err
	}
	parts, err := s.store.Parts(ctx, r.ID)
	if err != nil {
		return Part{}, err
	}
	if n := len(parts); n > 0 && parts[n-1].StoppedAt.IsZero() {
		return Part{}, ErrIsRecording
	}
	p := Part{Recording: r.ID, N: len(parts) + 1, StartedBy: by, StartedAt: now}
	if err := s.store.AddPart(ctx, p); err != nil {
		return Part{}, err
	}
	s.store.AfterCommit(ctx, s.changed)
	return p, s.announce(ctx, event.RecordingStarted, m, by, now)
}

// Stop ends the running part. The recording goes on to processing when the meeting ends.
func (s *Service) Stop(ctx context.Context, a tenant.Actor, meetingID int64) error {
	return s.store.Within(ctx, func(ctx context.Context) error {
		m, err := s.meetings.MustHost(ctx, a, meetingID)
		if err != nil {
			return err
		}
		r, err := s.store.ByMeeting(ctx, m.Tenant, m.ID)
		if errors.Is(err, ErrNotFound) {
			return ErrNotRecording
		} else if err != nil {
			return err
		}
		closed, err := s.close(ctx, r, m, a.User, s.now())
		if err == nil && !closed {
			return ErrNotRecording
		}
		return err
	})
}

// close ends the part that is open, if one is.
func (s *Service) close(ctx context.Context, r Recording, m meeting.Meeting, by tenant.UserNum, now time.Time) (bool, error) {
	parts, err := s.store.Parts(ctx, r.ID)
	if err != nil || len(parts) == 0 {
		return false, err
	}
	closed, err := s.store.ClosePart(ctx, r.ID, parts[len(parts)-1].N, now)
	if err != nil || !closed {
		return false, err
	}
	s.store.AfterCommit(ctx, s.changed)
	return true, s.announce(ctx, event.RecordingEnded, m, by, now)
}

func (s *Service) announce(ctx context.Context, t event.Type, m meeting.Meeting, by tenant.UserNum, now time.Time) error {
	if by == 0 {
		by = m.Host // auto_record acts in the host's name
	}
	e := event.Event{Type: t, Tenant: m.Tenant, App: m.App, At: now, Meeting: m.Snapshot(), Operator: &event.Person{User: by, Role: event.Host, Type: meeting.UserType}}
	return s.news.Announce(ctx, e)
}

// MeetingStarted opens the first part of a meeting that is to be recorded from its start.
func (s *Service) MeetingStarted(ctx context.Context, m meeting.Meeting) error {
	if !m.AutoRecord {
		return nil
	}
	_, err := s.open(ctx, m, 0, nil, m.StartedAt)
	if errors.Is(err, ErrSwitchedOff) {
		s.log.WarnContext(ctx, "the meeting asked for automatic recording, but recording is switched off in its tenant", "meeting", m.ID, "tenant", m.Tenant)
		return nil
	}
	return err
}

// MeetingEnded closes the open part and hands the recording to the composer.
func (s *Service) MeetingEnded(ctx context.Context, m meeting.Meeting) error {
	r, err := s.store.ByMeeting(ctx, m.Tenant, m.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if _, err := s.close(ctx, r, m, 0, m.EndedAt); err != nil {
		return err
	}
	r.State = Processing
	moved, err := s.store.Advance(ctx, r, Running)
	if err != nil || !moved {
		return err
	}
	return s.jobs.EnqueueCompose(ctx, r.ID)
}

// Claim returns a recording that is to be composed, counting the attempt; ErrMoved when it has left processing.
func (s *Service) Claim(ctx context.Context, id ID) (r Recording, err error) {
	err = s.store.Within(ctx, func(ctx context.Context) error {
		if r, err = s.store.ByID(ctx, id); err != nil {
			return err
		}
		r.Attempts++
		moved, err := s.store.Advance(ctx, r, Processing)
		if err == nil && !moved {
			err = ErrMoved
		}
		return err
	})
	return r, err
}

// Progress notes how far the composition is, 0 to 1.
func (s *Service) Progress(ctx context.Context, id ID, p float64) error {
	return s.store.SetProgress(ctx, id, p)
}

// Finish makes a processed recording ready and announces it once: state, minute
// and recording_ready commit together. Calling it again is harmless.
// token is the minute token the files are stored under.
func (s *Service) Finish(ctx context.Context, id ID, token string, res Result) error {
	return s.store.Within(ctx, func(ctx context.Context) error {
		r, err := s.store.ByID(ctx, id)
		if err != nil {
			return err
		}
		now := s.now()
		r.State, r.Minute, r.Duration, r.Progress, r.DoneAt, r.Cause = Ready, token, res.Duration, 1, now, ""
		moved, err := s.store.Advance(ctx, r, Processing)
		if err != nil || !moved {
			return err
		}
		m, err := s.meetings.OfAnyAge(ctx, r.Tenant, r.Meeting)
		if err != nil {
			return err
		}
		if err := s.store.AddMinute(ctx, r.Tenant, Minute{
			Token: token, Recording: id, Meeting: m.ID, Owner: m.Owner, Title: m.Topic, StartedAt: r.CreatedAt,
			Duration: res.Duration, MinuteFile: res.Minute, CreatedAt: now,
		}); err != nil {
			return err
		}
		return s.news.Announce(ctx, event.Event{
			Type: event.RecordingReady, Tenant: r.Tenant, App: m.App, At: now, Meeting: m.Snapshot(),
			Ready: &event.Ready{Minute: token, Duration: res.Duration},
		})
	})
}

// Discard ends a processed recording as empty: under five seconds, or nothing was published.
func (s *Service) Discard(ctx context.Context, id ID, why string) error {
	return s.leave(ctx, id, Empty, why)
}

// Fail ends a processed recording that cannot be produced. What was captured is kept.
func (s *Service) Fail(ctx context.Context, id ID, cause string) error {
	return s.leave(ctx, id, Failed, cause)
}

func (s *Service) leave(ctx context.Context, id ID, to State, why string) error {
	return s.store.Within(ctx, func(ctx context.Context) error {
		r, err := s.store.ByID(ctx, id)
		if err != nil {
			return err
		}
		r.State, r.Cause, r.DoneAt = to, why, s.now()
		_, err = s.store.Advance(ctx, r, Processing)
		return err
	})
}

// Retry sends a failed recording through the composer once more.
func (s *Service) Retry(ctx context.Context, t tenant.Key, meetingID int64) error {
	return s.store.Within(ctx, func(ctx context.Context) error {
		r, err := s.store.ByMeeting(ctx, t, meetingID)
		if err != nil {
			return err
		}
		r.State, r.Cause, r.DoneAt, r.Progress, r.Attempts = Processing, "", time.Time{}, 0, 0
		moved, err := s.store.Advance(ctx, r, Failed)
		if err != nil {
			return err
		}
		if !moved {
			return ErrMoved
		}
		return s.jobs.EnqueueCompose(ctx, r.ID)
	})
}

// Resume enqueues every recording that is being processed: after a restart, a
// job may have died with the process that ran it.
func (s *Service) Resume(ctx context.Context) error {
	rs, err := s.store.InState(ctx, Processing)
	if err != nil {
		return err
	}
	for _, r := range rs {
		if err := s.store.Within(ctx, func(ctx context.Context) error { return s.jobs.EnqueueCompose(ctx, r.ID) }); err != nil {
			return err
		}
	}
	return nil
}
