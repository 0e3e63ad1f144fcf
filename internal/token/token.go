// Package token issues and checks access tokens, and says who is calling.
//
//	tenant token  t-…   an app in its own name inside one tenant. Self-contained: ids, time of issue, MAC.
//	user token    eyJ…  a person through an app. A signed JWT whose row can end it early.
//	refresh token eyJ…  buys the next pair, once.
//	code          the five-minute answer of the consent page.
//
// A tenant token needs no row to be valid: official SDKs never drop a cached token, so it must be good for
// its whole expire, on every node and across restarts (contract tokens.md, sdk-traps.md). The one row kept per app and tenant is
// the time of the last issue, so that the same token comes back while 30 minutes or more are left.
package token

import (
	"context"
	"errors"
	"time"

	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// Life of each kind of token (contract tokens.md §1, §3, §4).
const (
	TenantLife  = 2 * time.Hour
	RenewBefore = 30 * time.Minute // with less left, a new tenant token is issued
	UserLife    = 7200 * time.Second
	RefreshLife = 604800 * time.Second
	CodeLife    = 5 * time.Minute
	Grace       = time.Minute          // what an access token keeps after its refresh token was used
	ConsentLife = 365 * 24 * time.Hour // after this a person has to consent again
)

// Kind is the identity behind a token; routes say which kinds they take.
type Kind int

// The kinds of access tokens.
const (
	Tenant Kind = 1 << iota
	User
	Either = Tenant | User
)

// Caller is who is behind a checked token.
type Caller struct {
	Kind   Kind
	App    tenant.App
	Tenant tenant.Tenant
	User   tenant.User // zero for a tenant token
	Scopes scope.Set   // what the person granted; for a tenant token what the app has
}

// Actor is the caller in the words of the domain.
func (c Caller) Actor() tenant.Actor {
	return tenant.Actor{Tenant: c.Tenant.Key, App: c.App.ID, User: c.User.Num}
}

// Why a token was not accepted.
var (
	ErrMalformed      = errors.New("not a token of this server")
	ErrTenantInvalid  = errors.New("the tenant access token is invalid or expired")
	ErrUserInvalid    = errors.New("the user access token is invalid")
	ErrUserExpired    = errors.New("the user access token has expired")
	ErrAppDisabled    = errors.New("the app is disabled")
	ErrNotInstalled   = errors.New("the app is not installed in the tenant")
	ErrTenantDisabled = errors.New("the tenant is disabled")
)

// Why the OAuth token endpoint refused; each has a code of its own in contract tokens.md §4.
var (
	ErrCodeNotFound     = errors.New("authorization code not found")
	ErrCodeExpired      = errors.New("authorization code has expired")
	ErrCodeUsed         = errors.New("authorization code has been used")
	ErrOtherClient      = errors.New("the code or refresh token was issued to another client")
	ErrRedirectMismatch = errors.New("redirect_uri does not match the authorization request")
	ErrPKCE             = errors.New("code_verifier does not match the code_challenge")
	ErrRefreshInvalid   = errors.New("refresh token is invalid")
	ErrRefreshExpired   = errors.New("refresh token or the authorization behind it has expired")
	ErrRefreshUsed      = errors.New("refresh token has been used")
	ErrScopeRepeated    = errors.New("scope names a permission twice")
	ErrScopeNotGranted  = errors.New("scope names a permission that was not granted")
	ErrUserGone         = errors.New("the person behind the token may not sign in any more")
	ErrUserOutside      = errors.New("the app is not for people of this tenant") // also for whoever consents
)

// Code is what the consent page leaves behind. The code itself is stored hashed.
type Code struct {
	Hash        []byte
	App         string
	Tenant      tenant.Key
	User        tenant.UserNum
	Redirect    string
	Scopes      scope.Set
	Challenge   string // empty: no PKCE
	Method      string // "S256" or "plain"
	CreatedAt   time.Time
	ConsentedAt time.Time
}

// Row is the record of an issued user or refresh token.
type Row struct {
	ID        string // the token's jti
	Pair      string // equal for the access and the refresh token issued together
	Refresh   bool
	App       string
	Tenant    tenant.Key
	User      tenant.UserNum
	Scopes    scope.Set
	ExpiresAt time.Time
	UsedAt    time.Time // refresh tokens: when it was exchanged
	Consented time.Time // when the person last agreed
}

// Store is what this package needs of the database.
type Store interface {
	Within(ctx context.Context, f func(context.Context) error) error

	// LastIssue returns when the current tenant token was issued, zero for never.
	LastIssue(ctx context.Context, app string, t tenant.Key) (time.Time, error)
	SetLastIssue(ctx context.Context, app string, t tenant.Key, at time.Time) error

	AddCode(ctx context.Context, c Code) error
	// TakeCode returns the code and marks it used; used tells that it already was. ErrCodeNotFound when there is none.
	TakeCode(ctx context.Context, hash []byte, at time.Time) (c Code, used bool, err error)

	AddRow(ctx context.Context, r Row) error
	// RowByID returns ErrUserInvalid when there is none.
	RowByID(ctx context.Context, id string) (Row, error)
	// UseRefresh marks a refresh token used; false means that it already was.
	UseRefresh(ctx context.Context, id string, at time.Time) (bool, error)
	// ShortenPair makes the access token of a pair end at the latest at.
	ShortenPair(ctx context.Context, pair string, at time.Time) error

	// Granted returns all scopes a person ever granted to an app.
	Granted(ctx context.Context, app string, t tenant.Key, u tenant.UserNum) (scope.Set, error)
	Grant(ctx context.Context, app string, t tenant.Key, u tenant.UserNum, s scope.Set, at time.Time) error
}

// Directory is what this package needs to know of apps, tenants and people.
type Directory interface {
	AppByID(ctx context.Context, id string) (tenant.App, error)
	TenantByKey(ctx context.Context, k tenant.Key) (tenant.Tenant, error)
	UserByNum(ctx context.Context, t tenant.Key, n tenant.UserNum) (tenant.User, error)
}
