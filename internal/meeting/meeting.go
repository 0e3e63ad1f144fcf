// Package meeting is the life of a meeting: reserve, meeting, participant.
//
//	reserve ──first join──▶ calling ──SFU sees somebody──▶ running ──host, API or last leave──▶ ended
//	   │                        └── nobody came within a minute: forgotten
//	   └── a 9-digit meeting number and a URL /j/<number>, until it expires or is deleted
//
// A reserve can spawn several meetings over time, at most one of them not ended. The meeting's id exists from the
// first join on (contract vc.md §3, "Life cycle"). Who was in it comes from the SFU, not from what pages claim. Every
// change of state commits together with its events. What a recording does when a meeting starts or
// ends is told to Followers in the same transaction.
package meeting

import (
	"context"
	"errors"
	"strconv"
	"time"

	"huilu/internal/event"
	"huilu/internal/field"
	"huilu/internal/tenant"
)

// Reserve is a meeting number and the rules of the meetings under it.
type Reserve struct {
	ID        int64
	Tenant    tenant.Key
	No        string
	Owner     tenant.UserNum
	Creator   tenant.UserNum // the person who reserved; zero when an app did in its own name
	App       string         // the app that reserved; empty for a page
	Password  string         // 4 to 9 digits, or empty for none
	Settings  Settings
	EndAt     time.Time // the number is freed then
	CreatedAt time.Time
	DeletedAt time.Time
}

// Settings is meeting_settings of the wire (contract vc.md §3), kept as given.
type Settings struct {
	Topic             string             `json:"topic,omitempty"`
	ActionPermissions []ActionPermission `json:"action_permissions,omitempty"`
	InitialType       int                `json:"meeting_initial_type,omitempty"` // 1 group meeting, 2 one-to-one call
	Connect           bool               `json:"meeting_connect,omitempty"`
	Call              *CallSetting       `json:"call_setting,omitempty"`
	AutoRecord        bool               `json:"auto_record,omitempty"`
	AssignHosts       []tenant.UserNum   `json:"assign_hosts,omitempty"`
}

// ActionPermission lets those who pass one of its checkers do one thing.
type ActionPermission struct {
	Permission int       `json:"permission"` // 1 be host, 2 invite, 3 join
	Checkers   []Checker `json:"permission_checkers"`
}

// Checker is an allow-list or a deny-list.
type Checker struct {
	Field int      `json:"check_field"` // 1 user id, 2 user type, 3 tenant key
	Mode  int      `json:"check_mode"`  // 1 allow, 2 deny
	List  []string `json:"check_list"`  // user ids are kept as UserNum in decimal
}

// CallSetting is the callee of a one-to-one call.
type CallSetting struct {
	Callee Callee `json:"callee"`
}

// Callee is a telephone or SIP address.
type Callee struct {
	ID       string   `json:"id,omitempty"`
	UserType int      `json:"user_type"`
	PSTN     *PSTNSIP `json:"pstn_sip_info,omitempty"`
}

// PSTNSIP is a telephone number with the name to show for it.
type PSTNSIP struct {
	Nickname    string `json:"nickname,omitempty"`
	MainAddress string `json:"main_address"`
}

// OneToOne is the initial type of telephone calls; they cannot be recorded.
const OneToOne = 2

// Expired reports whether the reserve's number has been freed at now.
func (r Reserve) Expired(now time.Time) bool { return !now.Before(r.EndAt) }

// Live reports whether people may still meet under the reserve.
func (r Reserve) Live(now time.Time) bool { return r.DeletedAt.IsZero() && !r.Expired(now) }

// Status is meeting.status of the wire.
type Status int

// The states of a meeting.
const (
	Calling Status = 1 // somebody was let in but has not arrived
	Running Status = 2
	Ended   Status = 3
)

// Source is meeting_source of the wire.
type Source int

// Where meetings come from.
const (
	Instant      Source = 2
	OpenPlatform Source = 4
)

// Meeting is one time that people met.
type Meeting struct {
	ID          int64
	Tenant      tenant.Key
	Reserve     int64
	No          string
	Topic       string
	Owner       tenant.UserNum
	Host        tenant.UserNum
	App         string // the app that reserved it; empty for a page
	Source      Source
	Status      Status
	Locked      bool
	InitialType int
	AutoRecord  bool
	Peak        int // most people at once
	CreatedAt   time.Time
	StartedAt   time.Time
	EndedAt     time.Time
}

// Room is the meeting's name in the SFU.
func (m Meeting) Room() string { return strconv.FormatInt(m.ID, 10) }

// Participant is one stay of one person: fresh for every page load.
type Participant struct {
	ID        string
	Meeting   int64
	Tenant    tenant.Key
	User      tenant.UserNum // zero for a guest
	Name      string
	Role      event.Role
	CreatedAt time.Time // when the person was let in
	JoinedAt  time.Time // when the SFU saw them; zero before
	LeftAt    time.Time // zero while inside
	Reason    LeaveReason
}

// UserType is user_type of the wire: 1 with an account, 5 guest.
func (p Participant) UserType() int {
	if p.User == 0 {
		return GuestType
	}
	return UserType
}

// The user types this server's participants have.
const (
	UserType  = 1
	GuestType = 5
)

// Inside reports whether the participant is in the meeting now.
func (p Participant) Inside() bool { return !p.JoinedAt.IsZero() && p.LeftAt.IsZero() }

// LeaveReason is leave_reason of the wire.
type LeaveReason int

// Why people leave.
const (
	LeftByThemselves LeaveReason = 1
	LeftAtEnd        LeaveReason = 2
	Kicked           LeaveReason = 3
)

// What rules refuse. The surface maps them to the contract's codes.
var (
	ErrNotFound        = errors.New("no such meeting")                             // 122002
	ErrReserveNotFound = errors.New("no such reserve")                             // 121004
	ErrNoActiveMeeting = errors.New("no meeting is running under this reserve")    // 121004
	ErrNotPermitted    = errors.New("only its owner or host may do this")          // 121005
	ErrNotRunning      = errors.New("the meeting is not running")                  // 122001
	ErrNotInMeeting    = errors.New("whoever does this must be in the meeting")    // 122003
	ErrTargetNotInside = errors.New("that person is not in the meeting")           // 122004
	ErrSelf            = errors.New("nobody can do this to themselves")            // 122005
	ErrFull            = errors.New("the meeting is full")                         // 122006
	ErrLocked          = errors.New("the meeting is locked")                       // 122008
	ErrRecordParam     = errors.New("one-to-one calls cannot be recorded")         // 123002
	ErrTooManyHosts    = errors.New("at most 10 hosts may be assigned")            // 123003
	ErrBadHost         = errors.New("a host to be assigned is not of this tenant") // 123004
	ErrBadPassword     = errors.New("the password must be 4 to 9 digits")          // 123006
	ErrWrongPassword   = errors.New("the meeting password is wrong")
	ErrLoginNeeded     = errors.New("this meeting is for people who are signed in")
	ErrRemoved         = errors.New("the host has removed this person")
	ErrJoinNotAllowed  = errors.New("this meeting is not open to you")
	ErrExpired         = errors.New("this meeting number is no longer in use")
)

// ParseID reads a meeting or reserve id: a positive int64 in decimal.
func ParseID(name, s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || s[0] == '+' {
		return 0, field.Invalid(name, "must be a positive decimal number of up to 19 digits")
	}
	return n, nil
}

// Brief is a line of list_by_no.
type Brief struct {
	ID        int64
	Topic, No string
	StartedAt time.Time
}

// Store is what this package needs of the database. Lookups return the Err…NotFound of what they look for.
type Store interface {
	Within(ctx context.Context, f func(context.Context) error) error

	AddReserve(ctx context.Context, r Reserve) error // ErrNumberTaken when No is in use by a live reserve
	SaveReserve(ctx context.Context, r Reserve) error
	ReserveByID(ctx context.Context, t tenant.Key, id int64) (Reserve, error)
	// LiveReserve finds the reserve that holds a meeting number at now, in any tenant: the number is what a stranger at the door has.
	LiveReserve(ctx context.Context, no string, now time.Time) (Reserve, error)

	AddMeeting(ctx context.Context, m Meeting) error
	SaveMeeting(ctx context.Context, m Meeting, from Status) (moved bool, err error) // compare-and-set on Status
	MeetingByID(ctx context.Context, t tenant.Key, id int64) (Meeting, error)
	// MeetingInRoom finds a meeting by its SFU room, in any tenant: the SFU knows none.
	MeetingInRoom(ctx context.Context, id int64) (Meeting, error)
	// ActiveMeeting returns the meeting of a reserve that has not ended, or ErrNoActiveMeeting.
	ActiveMeeting(ctx context.Context, t tenant.Key, reserve int64) (Meeting, error)
	// Unended lists all meetings that have not ended, of every tenant: for picking up after a restart.
	Unended(ctx context.Context) ([]Meeting, error)
	DeleteMeeting(ctx context.Context, t tenant.Key, id int64) error // one that nobody ever joined
	// ByNo lists started meetings under a number that began in [from, to), newest first, after the given id when not 0.
	ByNo(ctx context.Context, t tenant.Key, no string, from, to time.Time, after int64, limit int) ([]Brief, error)

	AddParticipant(ctx context.Context, p Participant) error
	SaveParticipant(ctx context.Context, p Participant) error
	ParticipantByID(ctx context.Context, meeting int64, id string) (Participant, error) // ErrTargetNotInside when there is none
	Participants(ctx context.Context, t tenant.Key, meeting int64) ([]Participant, error)
	CountInside(ctx context.Context, meeting int64) (int, error)
}

// ErrNumberTaken tells the service to draw another meeting number.
var ErrNumberTaken = errors.New("meeting number is in use")

// Announcer puts an event into the outbox in the transaction of ctx.
type Announcer interface {
	Announce(ctx context.Context, e event.Event) error
}

// Follower is told about a meeting in the transaction that changes it.
type Follower interface {
	MeetingStarted(ctx context.Context, m Meeting) error
	MeetingEnded(ctx context.Context, m Meeting) error
}

// Rooms is what the SFU does for meetings. Called after the commit; calling twice is harmless.
type Rooms interface {
	CloseRoom(ctx context.Context, room string) error
	Kick(ctx context.Context, room, identity string) error
	// Mute silences the microphone of one participant; they may switch it on again.
	Mute(ctx context.Context, room, identity string) error
	// ShowHost tells everybody in the room who hosts it; identity is empty while the host is away.
	ShowHost(ctx context.Context, room, identity string) error
	// Inside lists who is connected. An unknown room has nobody inside.
	Inside(ctx context.Context, room string) ([]string, error)
}

// People is what this package needs to know of people and tenants.
type People interface {
	UserByNum(ctx context.Context, t tenant.Key, n tenant.UserNum) (tenant.User, error)
}
