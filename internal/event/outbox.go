package event

import (
	"context"
	"slices"
	"time"

	"huilu/internal/ident"
	"huilu/internal/tenant"
)

// Store is what this package needs of the database.
type Store interface {
	// AddEvent stores an event and its deliveries in the transaction of ctx; outside of one it fails.
	AddEvent(ctx context.Context, e Event, d []Delivery) error
	// AfterCommit runs f once the transaction of ctx has committed, at once when there is none; never when it rolled back.
	AfterCommit(ctx context.Context, f func())
	// Claim takes up to n pending deliveries due at now, those due longest first, and holds each until now+lease
	// or until it is settled. Of one app at most perApp are held at a time, the ones claimed earlier counted
	// in, so that a slow receiver delays nobody else.
	Claim(ctx context.Context, now time.Time, lease time.Duration, n, perApp int) ([]Delivery, error)
	// Settle records an attempt, moves the delivery to Delivered, Failed or Pending again at next, and ends its lease.
	// A delivery that has left Pending, or has had that attempt settled by somebody else, is left alone without an error:
	// its lease had run out and another process was faster.
	Settle(ctx context.Context, a Attempt, s State, next time.Time) error
	// NextDue returns when the earliest pending, unclaimed delivery is due; ok is false when there is none.
	NextDue(ctx context.Context, now time.Time) (due time.Time, ok bool, err error)
	// CountPending counts the deliveries of every tenant that are pending, claimed ones too.
	CountPending(ctx context.Context) (int, error)
	// Deliveries lists the latest deliveries of one app with their attempts, newest first.
	Deliveries(ctx context.Context, t tenant.Key, app string, limit int) ([]Delivery, map[string][]Attempt, error)
}

// Apps is what this package needs to know of apps and people.
type Apps interface {
	Apps(ctx context.Context, t tenant.Key) ([]tenant.App, error)
	AppByID(ctx context.Context, id string) (tenant.App, error)
	UserByNum(ctx context.Context, t tenant.Key, n tenant.UserNum) (tenant.User, error)
}

// Audience says which apps receive the events of a meeting.
type Audience string

// ReservingApp is the contract's rule ("only meetings reserved through the Open
// API"); EveryApp sends to all subscribed apps of the tenant, whoever made the meeting.
const (
	ReservingApp Audience = "reserving-app"
	EveryApp     Audience = "every-app"
)

// Service writes events into the outbox. It is safe for concurrent use.
type Service struct {
	store    Store
	apps     Apps
	audience Audience
	wake     func()
}

// NewService returns a Service; wake is called after the commit of each
// announcement that somebody receives, and should make the deliverer look.
func NewService(store Store, apps Apps, audience Audience, wake func()) *Service {
	return &Service{store: store, apps: apps, audience: audience, wake: wake}
}

// Announce stores e for every app that should hear of it, inside the transaction of ctx.
func (s *Service) Announce(ctx context.Context, e Event) error {
	apps, err := s.apps.Apps(ctx, e.Tenant)
	if err != nil {
		return err
	}
	var ds []Delivery
	for _, a := range apps {
		if s.receives(a, e) {
			ds = append(ds, Delivery{ID: ident.EventID(), App: a.ID, Tenant: e.Tenant, State: Pending, DueAt: e.At, CreatedAt: e.At})
		}
	}
	if err := s.store.AddEvent(ctx, e, ds); err != nil {
		return err
	}
	if len(ds) > 0 {
		s.store.AfterCommit(ctx, s.wake) // earlier, the deliverer would look and see nothing
	}
	return nil
}

func (s *Service) receives(a tenant.App, e Event) bool {
	return refusal(a, e.Type) == "" && (s.audience == EveryApp || a.ID == e.App)
}

// refusal says why app a is not to have events of type t, in words; nothing when
// it is. It is asked when the event happens and again before each attempt: who
// disables an app, takes away its URL, its subscription or its scope does not
// want the events that wait for their next attempt to arrive afterwards.
func refusal(a tenant.App, t Type) string {
	k, known := KindOf(t)
	switch {
	case !known:
		return "this server does not send events of this type"
	case a.Disabled:
		return "the app is disabled"
	case a.Events.URL == "":
		return "the app has no request URL"
	case !slices.Contains(a.Events.Types, string(t)):
		return "the app is not subscribed to this event"
	case !a.Scopes.HasAny(k.Scopes...):
		return "the app has none of the scopes of this event"
	}
	return ""
}
