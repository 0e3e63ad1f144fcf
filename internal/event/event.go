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
	"time"

	"huilu/internal/tenant"
)

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
