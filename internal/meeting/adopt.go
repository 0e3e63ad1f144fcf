package meeting

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huilu/internal/event"
	"huilu/internal/field"
	"huilu/internal/ident"
	"huilu/internal/tenant"
)

// Adopt makes a meeting that happened elsewhere one that has ended here, with
// its owner as the only participant. No events are written: nothing happened now. It
// joins the transaction of ctx, so that the recording can be added with it.
func (s *Service) Adopt(ctx context.Context, owner tenant.User, topic string, startedAt time.Time, length time.Duration) (Meeting, error) {
	topic = strings.TrimSpace(topic)
	if n := utf8.RuneCountInString(topic); n < 1 || n > MaxTopic || !utf8.ValidString(topic) || strings.ContainsFunc(topic, unicode.IsControl) {
		return Meeting{}, field.Invalid("topic", "must have 1 to %d characters on one line", MaxTopic)
	}
	now := s.now()
	if startedAt.After(now) {
		return Meeting{}, field.Invalid("started_at", "must not be in the future")
	}
	m := Meeting{
		ID: s.nums.Next(now), Tenant: owner.Tenant, No: ident.MeetingNo(), Topic: topic, Owner: owner.Num, Host: owner.Num,
		Source: Instant, Status: Ended, InitialType: 1, Peak: 1, CreatedAt: startedAt, StartedAt: startedAt, EndedAt: startedAt.Add(length),
	}
	err := s.store.Within(ctx, func(ctx context.Context) error {
		if err := s.store.AddMeeting(ctx, m); err != nil {
			return err
		}
		return s.store.AddParticipant(ctx, Participant{
			ID: ident.Secret(20), Meeting: m.ID, Tenant: m.Tenant, User: owner.Num, Name: owner.Name, Role: event.Participant,
			CreatedAt: startedAt, JoinedAt: m.StartedAt, LeftAt: m.EndedAt, Reason: LeftAtEnd,
		})
	})
	return m, err
}
