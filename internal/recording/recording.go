// Package recording is the life of a meeting's recording, and who may have it.
//
//	           start                 meeting ends                composed and checked
//	(nothing) ───────▶ recording ─────────────────▶ processing ───────────────────────▶ ready
//	                       │ ▲                        │      │                            │
//	                  stop └─┘ start                  │      └─ under 5 s, or nothing     └─ deleted or expired
//	                 (another part)                   │         published ──▶ empty            ──▶ deleted
//	                                                  └─ cannot be produced ──▶ failed ──retry──▶ processing
//
// A meeting has at most one recording. Each start and stop is a part of it: one file, one minute, one
// recording_ready, after the meeting ended. States change only here, by compare-and-set, in the transaction that also
// holds their event and their job. What is captured lies in capture/<recording id> and outlives every crash: the
// Keeper makes the recorders that run agree with the parts that are open, the composer takes it from there.
package recording

import (
	"context"
	"errors"
	"strconv"
	"time"

	"huilu/internal/event"
	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

// State of a recording.
type State string

// The states; see the package comment for how they follow each other.
const (
	Running    State = "recording"
	Processing State = "processing"
	Ready      State = "ready"
	Empty      State = "empty"
	Failed     State = "failed"
	Deleted    State = "deleted"
)

// ID names a recording, and its capture folder.
type ID int64

// String is the decimal form, as folders are named.
func (i ID) String() string { return strconv.FormatInt(int64(i), 10) }

// MinLength is the shortest recording that becomes a file (contract vc.md, GET recording).
const MinLength = 5 * time.Second

// Recording is everything recorded of one meeting.
type Recording struct {
	ID        ID
	Tenant    tenant.Key
	Meeting   int64
	State     State
	Timezone  int // hours from UTC of the clock shown in the file, −12 to 12; HasZone tells whether one was asked for
	HasZone   bool
	Minute    string        // minute token, set when ready
	Duration  time.Duration // of the file
	Cause     string        // why it failed, for people
	Attempts  int           // compositions begun
	Progress  float64       // of the composition, 0 to 1
	CreatedAt time.Time
	DoneAt    time.Time // when it left processing
}

// Part is one stretch between a start and a stop.
type Part struct {
	Recording ID
	N         int            // 1 is the first
	StartedBy tenant.UserNum // zero: auto_record or an app
	StartedAt time.Time
	StoppedAt time.Time // zero while open
}

// Open is a part that should be recorded right now.
type Open struct {
	Part
	Tenant  tenant.Key
	Meeting int64
	Topic   string
}

// What rules refuse. The surface maps them to the contract's codes.
var (
	ErrNotFound     = errors.New("there is no recording of this meeting")                       // 121004
	ErrSwitchedOff  = errors.New("recording is switched off, or this kind of meeting has none") // 121002
	ErrNotOwner     = errors.New("only the owner of the meeting may have its recording")        // 121005
	ErrNotEnded     = errors.New("the meeting has not ended")                                   // 122001
	ErrProcessing   = errors.New("the recording is being produced")                             // 124002
	ErrProduction   = errors.New("the recording could not be produced")                         // 121001
	ErrNotRecording = errors.New("the meeting is not being recorded")                           // 122001
	ErrIsRecording  = errors.New("the meeting is being recorded already")                       // 122001
	ErrMoved        = errors.New("the recording has left that state")                           // another worker was faster
)

// Facts is what the answer to GET recording depends on, gathered by one query.
type Facts struct {
	Found         bool // the meeting is in the caller's tenant
	TenantRecords bool // the tenant has recording switched on
	Owner         tenant.UserNum
	InitialType   int
	Status        meeting.Status
	State         State // empty: never recorded
	RecordingID   ID
	Minute        string
	Duration      time.Duration
}

// Result is what the composer produced.
type Result struct {
	Minute   MinuteFile
	Duration time.Duration
}

// MinuteFile is the stored file behind a minute.
type MinuteFile struct {
	File, Poster string // keys in the blob store
	Size         int64  // bytes
	SHA256       string
	Defects      []string // what is not as it should be, for people; empty for a flawless file
}

// Store is what this package needs of the database.
type Store interface {
	Within(ctx context.Context, f func(context.Context) error) error
	// AfterCommit runs f once the transaction of ctx has committed, at once when there is none; never when it rolled back.
	AfterCommit(ctx context.Context, f func())

	// Facts never fails for a meeting that is not there; Found says so.
	Facts(ctx context.Context, t tenant.Key, meeting int64) (Facts, error)

	Add(ctx context.Context, r Recording) error
	ByMeeting(ctx context.Context, t tenant.Key, meeting int64) (Recording, error)
	ByID(ctx context.Context, id ID) (Recording, error)
	// Advance saves r when its stored state is from; false means that it was not.
	Advance(ctx context.Context, r Recording, from State) (moved bool, err error)
	SetProgress(ctx context.Context, id ID, progress float64) error
	// InState lists recordings of every tenant in a state: for picking up after a restart.
	InState(ctx context.Context, s State) ([]Recording, error)

	AddPart(ctx context.Context, p Part) error
	ClosePart(ctx context.Context, id ID, n int, at time.Time) (closed bool, err error)
	Parts(ctx context.Context, id ID) ([]Part, error)
	// OpenParts lists what should be recorded right now, of every tenant.
	OpenParts(ctx context.Context) ([]Open, error)

	AddMinute(ctx context.Context, t tenant.Key, m Minute) error
}

// Minute is the row that makes a recording playable; package minute reads it.
type Minute struct {
	Token     string
	Recording ID
	Meeting   int64
	Owner     tenant.UserNum
	Title     string
	StartedAt time.Time
	Duration  time.Duration
	MinuteFile
	CreatedAt time.Time
}

// Meetings is what this package needs of package meeting.
type Meetings interface {
	// OfAnyAge returns a meeting, whoever asks and however long ago it was: imported ones may be years old.
	OfAnyAge(ctx context.Context, t tenant.Key, id int64) (meeting.Meeting, error)
	// MustHost returns the meeting when it runs and the actor is its host and inside: the rules of recording start and stop.
	MustHost(ctx context.Context, a tenant.Actor, id int64) (meeting.Meeting, error)
}

// Tenants says whether a tenant lets its meetings be recorded.
type Tenants interface {
	TenantByKey(ctx context.Context, k tenant.Key) (tenant.Tenant, error)
}

// Announcer puts an event into the outbox in the transaction of ctx.
type Announcer interface {
	Announce(ctx context.Context, e event.Event) error
}

// Jobs enqueues composition in the transaction of ctx.
type Jobs interface {
	EnqueueCompose(ctx context.Context, id ID) error
}
