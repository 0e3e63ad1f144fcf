package recording

import (
	"context"

	"huilu/internal/meeting"
)

// Adopt gives a meeting that ended a recording made elsewhere: it is processing
// until Finish. It joins the transaction of ctx, so that all of it appears at once.
func (s *Service) Adopt(ctx context.Context, m meeting.Meeting) (Recording, error) {
	r := Recording{ID: ID(s.nums.Next(s.now())), Tenant: m.Tenant, Meeting: m.ID, State: Processing, CreatedAt: m.StartedAt}
	return r, s.store.Within(ctx, func(ctx context.Context) error { return s.store.Add(ctx, r) })
}
