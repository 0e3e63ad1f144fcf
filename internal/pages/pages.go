// Package pages is what the web pages talk to: JSON under /api/, and the built front end for every other address.
//
//	routes.go    the one table: method, path, who may, handler
//	gate.go      what every call passes: same origin, size, time, session, who may; and how answers are written
//	book.go      the one table of refusals: rule → HTTP status, code, sentence in English and Chinese
//	session.go   signing in and out        throttle.go  guessing made slow
//	home.go door.go host.go minute.go consent.go app.go user.go catalog.go   one file per subject
//
// Handlers translate and nothing else: rules live in the domain packages, and what those refuse becomes a sentence
// through the book. Everything a person reads is reached through the tenant of their session, so another
// tenant's things look like things that do not exist. Times travel as Unix milliseconds, durations as milliseconds.
package pages

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"

	"huilu/internal/event"
	"huilu/internal/meeting"
	"huilu/internal/minute"
	"huilu/internal/scope"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

// Deps is what the pages need. All fields are required unless they say otherwise.
type Deps struct {
	BaseURL string // where people reach the server, such as https://meet.example.org, without a slash at the end
	SFUURL  string // where their media goes: empty for the address the page came from, else a path under it or a ws:// or wss:// address

	Tenants    Tenants
	Meetings   Meetings
	Home       Home
	Recordings Recordings
	Minutes    Minutes
	Files      Files
	Tickets    Tickets
	OAuth      OAuth
	Deliveries Deliveries

	// Challenge asks a receiver to prove that it is there (contract events.md §3). Its refusal is a
	// *field.Error whose reason is event.ErrNotVerified.
	Challenge func(ctx context.Context, address string, s tenant.Subscription) error
	// Health lists what keeps the server from doing its work; empty when all is well.
	Health func(ctx context.Context) []Problem
	// Address is where a request comes from, for slowing down guessing. nil takes the connection's
	// other end, which is right unless a proxy stands in front.
	Address func(*http.Request) string

	Sessions scs.CtxStore
	Front    http.Handler // serves the built pages
	Log      *slog.Logger
	Now      func() time.Time
}

// Tenants is what the pages need of package tenant.
type Tenants interface {
	Login(ctx context.Context, email string, password tenant.Secret) (tenant.User, error)
	Get(ctx context.Context, k tenant.Key) (tenant.Tenant, error)

	User(ctx context.Context, t tenant.Key, n tenant.UserNum) (tenant.User, error)
	FindUser(ctx context.Context, t tenant.Key, nameOrID string) (tenant.User, error)
	Users(ctx context.Context, t tenant.Key) ([]tenant.User, error)
	CreateUser(ctx context.Context, t tenant.Key, spec tenant.UserSpec) (tenant.User, error)
	SaveUser(ctx context.Context, u tenant.User) error

	AppOf(ctx context.Context, t tenant.Key, id string) (tenant.App, error)
	Apps(ctx context.Context, t tenant.Key) ([]tenant.App, error)
	CreateApp(ctx context.Context, t tenant.Tenant, spec tenant.AppSpec) (tenant.App, tenant.Secret, error)
	UpdateApp(ctx context.Context, t tenant.Key, id string, spec tenant.AppSpec, disabled bool) (tenant.App, error)
	RotateSecret(ctx context.Context, t tenant.Key, id string) (tenant.Secret, error)
}

// Meetings is what the pages need of package meeting.
type Meetings interface {
	Apply(ctx context.Context, a tenant.Actor, spec meeting.ReserveSpec) (meeting.Reserve, error)
	Door(ctx context.Context, no string, v meeting.Visitor) (meeting.DoorSign, error)
	Enter(ctx context.Context, no string, v meeting.Visitor) (meeting.Meeting, meeting.Participant, error)

	End(ctx context.Context, a tenant.Actor, id int64) error
	Kick(ctx context.Context, a tenant.Actor, id int64, participant string) error
	Mute(ctx context.Context, a tenant.Actor, id int64, participant string) error
	GiveHost(ctx context.Context, a tenant.Actor, id int64, participant string) error
}

// Recordings is what the pages need of package recording.
type Recordings interface {
	Start(ctx context.Context, a tenant.Actor, meetingID int64, zone *int) error
	Stop(ctx context.Context, a tenant.Actor, meetingID int64) error
	// Running reports whether a meeting is being recorded right now, whoever asks.
	Running(ctx context.Context, meetingID int64) (bool, error)
}

// Minutes is what the pages need of package minute.
type Minutes interface {
	Get(ctx context.Context, a tenant.Actor, token string) (minute.Minute, error)
	Stays(ctx context.Context, m minute.Minute) ([]minute.Stay, error)
}

// Files hands out stored files.
type Files interface {
	Open(ctx context.Context, key string) (io.ReadSeekCloser, error)
}

// Tickets signs the right to enter a room of the SFU. The holder may publish and subscribe.
type Tickets interface {
	Token(room, identity, name string, attributes map[string]string) (string, error)
}

// OAuth answers the authorization page (contract tokens.md §3).
type OAuth interface {
	// Check reads the query of an authorize request. What the contract refuses is an *OAuthError.
	Check(ctx context.Context, query url.Values) (AuthorizeRequest, error)
	// Authorize notes a consent and returns the code for the app.
	Authorize(ctx context.Context, c token.Consent) (code string, err error)
}

// AuthorizeRequest is an authorize request that may be shown to a person.
type AuthorizeRequest struct {
	App       tenant.App
	Scopes    scope.Set
	Redirect  string // registered for the app
	State     string // returned unchanged
	Challenge string
	Method    string
}

// OAuthError is why an authorize request cannot be granted.
type OAuthError struct {
	Code int    // contract tokens.md §3, such as 20029
	Text string // in English
}

func (e *OAuthError) Error() string { return e.Text }

// Deliveries lists what was sent to an app, newest first.
type Deliveries interface {
	Deliveries(ctx context.Context, t tenant.Key, app string, limit int) ([]event.Delivery, map[string][]event.Attempt, error)
}

// Problem is something that keeps the server from doing its work.
type Problem struct {
	Code   string `json:"code"`
	TextEN string `json:"message_en"`
	TextZH string `json:"message_zh"`
	// Warning says that the server does its main job all the same.
	Warning bool `json:"-"`
}

// Pages answers the web pages. It is safe for concurrent use.
type Pages struct {
	Deps
	sessions sessions
	guesses  *throttle
	hashing  chan struct{} // a place in it is held while a password is hashed
	origin   *http.CrossOriginProtection
}

// hashers is how many passwords are checked at once: each takes 64 MiB of memory while it lasts.
const hashers = 4

// New returns Pages. It fails when BaseURL is not an http:// or https:// address.
func New(d Deps) (*Pages, error) {
	origin := http.NewCrossOriginProtection()
	// Behind a proxy that changes the Host header only this tells a page of ours from a stranger's.
	if err := origin.AddTrustedOrigin(d.BaseURL); err != nil {
		return nil, err
	}
	if d.Address == nil {
		d.Address = peer
	}
	return &Pages{
		Deps: d, sessions: newSessions(d.Sessions, d.BaseURL, d.Now), guesses: newThrottle(d.Now),
		hashing: make(chan struct{}, hashers), origin: origin,
	}, nil
}

// Handler serves /api/ from the route table and everything else from the front end.
func (p *Pages) Handler() http.Handler {
	mux := http.NewServeMux()
	methods := make(map[string][]string)
	for _, r := range routes {
		mux.Handle(r.method+" "+r.path, p.gate(r))
		methods[r.path] = append(methods[r.path], r.method)
	}
	for path, allowed := range methods {
		mux.Handle(path, p.wrongMethod(allowed))
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) { p.refuse(w, r, errNoRoute) })
	mux.Handle("/", unlisted(p.Front))
	return mux
}

// unlisted keeps search engines and link previews away: what lies behind these addresses is for people who sign in.
func unlisted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Robots-Tag", "noindex, nofollow, noarchive")
		next.ServeHTTP(w, r)
	})
}
