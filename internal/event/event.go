// Package event tells apps what happened, and does not forget.
//
//	domain, in its transaction        event.Service.Announce ── outbox row + one delivery per receiving app
//	committed                         Deliverer picks due deliveries, renders the body for that app, posts it
//	200 within 3 s                    delivered; otherwise again after 15 s, 5 min, 1 h, 6 h; then failed
//
// An event exists if and only if its cause was committed. What is stored is neutral: people as numbers, the meeting
// as it was at that moment. The ids a receiver sees, its token and its encryption belong to that app and are made when
// sending, so a rotated secret does not lose an event. Event ids are the same over all attempts (contract events.md §2, §3).
package event

import (
	"context"
	"slices"
	"time"

	"huilu/internal/ident"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// Type is the event_type of the wire.
type Type string

// The events this server sends (contract events.md §5).
const (
	MeetingStarted   Type = "vc.meeting.meeting_started_v1"
	MeetingEnded     Type = "vc.meeting.meeting_ended_v1"
	MeetingJoined    Type = "vc.meeting.join_meeting_v1"
	MeetingLeft      Type = "vc.meeting.leave_meeting_v1"
	RecordingStarted Type = "vc.meeting.recording_started_v1"
	RecordingEnded   Type = "vc.meeting.recording_ended_v1"
	RecordingReady   Type = "vc.meeting.recording_ready_v1"
	ShareStarted     Type = "vc.meeting.share_started_v1"
	ShareEnded       Type = "vc.meeting.share_ended_v1"
)

// Kind describes a type for the console and says which scopes let an app receive it (any one).
type Kind struct {
	Type           Type
	TextEN, TextZH string
	Scopes         []string
}

var meetingScopes = []string{scope.MeetingRead, scope.MeetingEventRead}

var kinds = []Kind{
	{MeetingStarted, "A meeting starts", "会议开始", meetingScopes},
	{MeetingEnded, "A meeting ends", "会议结束", meetingScopes},
	{MeetingJoined, "Somebody joins", "有人加入会议", meetingScopes},
	{MeetingLeft, "Somebody leaves", "有人离开会议", meetingScopes},
	{RecordingStarted, "Recording starts", "录制开始", meetingScopes},
	{RecordingEnded, "Recording stops", "录制停止", meetingScopes},
	{RecordingReady, "The recording can be fetched", "录制文件已生成", meetingScopes},
	{ShareStarted, "Somebody shares a screen", "屏幕共享开始", meetingScopes},
	{ShareEnded, "Screen sharing stops", "屏幕共享结束", meetingScopes},
}

// Kinds lists every type an app can subscribe to.
func Kinds() []Kind { return slices.Clone(kinds) }

// KindOf returns the description of a type.
func KindOf(t Type) (Kind, bool) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Type == t })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

// Role of a person in a meeting, as events carry it (contract vc.md §1, user_role).
type Role int

// The roles of events.
const (
	Participant Role = 1
	Host        Role = 2
	CoHost      Role = 3
)

// Person is somebody an event mentions. Guests have no number.
type Person struct {
	User tenant.UserNum `json:"user"`
	Role Role           `json:"role,omitempty"`
	Type int            `json:"type"` // user_type of the wire: 1 person with an account, 5 guest
}

// Meeting is the meeting as it was when the event happened.
type Meeting struct {
	ID      int64          `json:"id"`
	No      string         `json:"no"`
	Topic   string         `json:"topic"`
	Source  int            `json:"source"` // meeting_source of the wire
	StartAt time.Time      `json:"start_at,omitzero"`
	EndAt   time.Time      `json:"end_at,omitzero"`
	Host    tenant.UserNum `json:"host,omitempty"`
	Owner   tenant.UserNum `json:"owner"`
}

// Ready is what recording_ready adds.
type Ready struct {
	Minute   string        `json:"minute"` // minute token; the URL is made from it when sending
	Duration time.Duration `json:"duration_ns"`
}

// Event is something that happened, as stored.
type Event struct {
	Type        Type       `json:"type"`
	Tenant      tenant.Key `json:"tenant"`
	App         string     `json:"app,omitempty"` // the app that reserved the meeting
	At          time.Time  `json:"at"`
	Meeting     Meeting    `json:"meeting"`
	Operator    *Person    `json:"operator,omitempty"`
	LeaveReason int        `json:"leave_reason,omitempty"` // 1 left, 2 meeting ended, 3 kicked
	Ready       *Ready     `json:"ready,omitempty"`
}

// State of a delivery.
type State string

// A delivery is Pending until it is Delivered or has Failed for good.
const (
	Pending   State = "pending"
	Delivered State = "delivered"
	Failed    State = "failed"
)

// Delivery is one event on its way to one app. Its ID is the event_id that the app sees.
type Delivery struct {
	ID        string
	App       string
	Tenant    tenant.Key
	Event     Event
	State     State
	Attempts  int       // made so far
	DueAt     time.Time // when the next attempt is due
	CreatedAt time.Time
}

// Attempt is one try to deliver.
type Attempt struct {
	Delivery string
	N        int // 1 is the first
	At       time.Time
	Latency  time.Duration
	Status   int    // HTTP status, 0 when there was no answer
	Error    string // empty for success
	Body     string // first bytes of the answer
}

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
	k, known := KindOf(e.Type)
	return known && !a.Disabled && a.Events.URL != "" &&
		slices.Contains(a.Events.Types, string(e.Type)) && a.Scopes.HasAny(k.Scopes...) &&
		(s.audience == EveryApp || a.ID == e.App)
}
