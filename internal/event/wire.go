package event

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// Wire writes events as apps receive them (contract events.md §2, §5). It is safe for concurrent use.
type Wire struct {
	ids    tenant.IDs
	people People
	base   string
}

// People looks up the user_id of somebody an event mentions.
type People interface {
	UserByNum(ctx context.Context, t tenant.Key, n tenant.UserNum) (tenant.User, error)
}

// NewWire returns a Wire. publicBase is the address people reach the server at,
// such as https://meet.example.org; minutes live below it.
func NewWire(ids tenant.IDs, people People, publicBase string) *Wire {
	return &Wire{ids: ids, people: people, base: strings.TrimRight(publicBase, "/")}
}

// The structs below have their fields in the order of the contract's examples.

type envelope struct {
	Schema string `json:"schema"`
	Header header `json:"header"`
	Event  any    `json:"event"`
}

type header struct {
	EventID    string `json:"event_id"`
	EventType  Type   `json:"event_type"`
	CreateTime string `json:"create_time"` // when it is sent, unix milliseconds
	Token      string `json:"token"`
	AppID      string `json:"app_id"`
	TenantKey  string `json:"tenant_key"`
}

type wireID struct {
	UnionID string `json:"union_id,omitempty"`
	UserID  string `json:"user_id,omitempty"` // only for apps with the scope contact:user.employee_id:readonly
	OpenID  string `json:"open_id,omitempty"`
}

type wireUser struct {
	ID   wireID `json:"id"` // empty for guests
	Role Role   `json:"user_role,omitempty"`
	Type int    `json:"user_type,omitempty"`
}

type wireMeeting struct {
	ID              string   `json:"id"`
	Topic           string   `json:"topic"`
	MeetingNo       string   `json:"meeting_no"`
	MeetingSource   int      `json:"meeting_source"`
	StartTime       string   `json:"start_time"` // unix seconds, "0" before
	EndTime         string   `json:"end_time"`   // unix seconds, "0" while it runs
	HostUser        wireUser `json:"host_user"`
	Owner           wireUser `json:"owner"`
	CalendarEventID string   `json:"calendar_event_id"` // empty: there is no calendar here
}

type meetingBody struct {
	Meeting     wireMeeting `json:"meeting"`
	Operator    wireUser    `json:"operator"` // empty id when an app or nobody did it
	LeaveReason int         `json:"leave_reason,omitempty"`
	LeaveUser   *wireUser   `json:"leave_user,omitempty"`
}

type readyBody struct {
	Meeting  readyMeeting `json:"meeting"`
	URL      string       `json:"url"`
	Duration string       `json:"duration"` // milliseconds
}

type readyMeeting struct {
	ID        string     `json:"id"`
	Topic     string     `json:"topic"`
	MeetingNo string     `json:"meeting_no"`
	Owner     readyOwner `json:"owner"`
}

type readyOwner struct {
	ID wireID `json:"id"`
}

// Body returns the plain request body of one attempt: compact JSON that
// JavaScript would write in the same bytes. An error is the database's.
func (w *Wire) Body(ctx context.Context, a tenant.App, d Delivery, now time.Time) ([]byte, error) {
	r := rendering{ctx: ctx, w: w, app: a, tenant: d.Tenant, ids: make(map[tenant.UserNum]wireID)}
	event, err := r.event(d.Event)
	if err != nil {
		return nil, fmt.Errorf("write event %s for app %s: %w", d.ID, a.ID, err)
	}
	return compact(envelope{Schema: "2.0", Event: event, Header: header{
		EventID: d.ID, EventType: d.Event.Type, CreateTime: decimal(now.UnixMilli()),
		Token: string(a.Events.VerificationToken), AppID: a.ID, TenantKey: string(d.Tenant),
	}})
}

// rendering is the writing of one event for one app.
type rendering struct {
	ctx    context.Context
	w      *Wire
	app    tenant.App
	tenant tenant.Key
	ids    map[tenant.UserNum]wireID
}

func (r *rendering) event(e Event) (any, error) {
	if e.Type == RecordingReady {
		return r.ready(e)
	}
	host, err1 := r.user(Person{User: e.Meeting.Host, Role: Host, Type: person})
	owner, err2 := r.user(Person{User: e.Meeting.Owner, Role: ownerRole(e.Meeting), Type: person})
	operator, err3 := r.operator(e.Operator)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	b := meetingBody{Operator: operator, Meeting: wireMeeting{
		ID: decimal(e.Meeting.ID), Topic: e.Meeting.Topic, MeetingNo: e.Meeting.No, MeetingSource: e.Meeting.Source,
		StartTime: seconds(e.Meeting.StartAt), EndTime: seconds(e.Meeting.EndAt), HostUser: host, Owner: owner,
	}}
	if e.Type == MeetingLeft {
		b.LeaveReason, b.LeaveUser = e.LeaveReason, &operator
	}
	return b, nil
}

func (r *rendering) ready(e Event) (any, error) {
	if e.Ready == nil {
		return nil, fmt.Errorf("%s carries no recording", e.Type)
	}
	owner, err := r.id(e.Meeting.Owner)
	return readyBody{
		Meeting:  readyMeeting{ID: decimal(e.Meeting.ID), Topic: e.Meeting.Topic, MeetingNo: e.Meeting.No, Owner: readyOwner{ID: owner}},
		URL:      r.w.base + "/minutes/" + e.Ready.Minute,
		Duration: decimal(e.Ready.Duration.Milliseconds()),
	}, err
}

// person is user_type of somebody with an account.
const person = 1

func ownerRole(m Meeting) Role {
	if m.Owner == m.Host {
		return Host
	}
	return Participant
}

func (r *rendering) operator(p *Person) (wireUser, error) {
	if p == nil {
		return wireUser{}, nil
	}
	return r.user(*p)
}

// user keeps the object of nobody (User is zero, no guest either) free of role and type.
func (r *rendering) user(p Person) (wireUser, error) {
	if p.User == 0 && p.Type == person {
		return wireUser{}, nil
	}
	id, err := r.id(p.User)
	return wireUser{ID: id, Role: p.Role, Type: p.Type}, err
}

// id returns the ids of a person as the app may see them. Somebody whose account
// is gone keeps the two ids that need no account.
func (r *rendering) id(n tenant.UserNum) (wireID, error) {
	if n == 0 {
		return wireID{}, nil
	}
	if id, known := r.ids[n]; known {
		return id, nil
	}
	id := wireID{UnionID: r.w.ids.Union(r.app, n), OpenID: r.w.ids.Open(r.app, n)}
	if r.app.Scopes.Has(scope.UserID) {
		u, err := r.w.people.UserByNum(r.ctx, r.tenant, n)
		if err != nil && !errors.Is(err, tenant.ErrNotFound) {
			return id, err
		}
		id.UserID = u.UserID
	}
	r.ids[n] = id
	return id, nil
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func seconds(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return decimal(t.Unix())
}
