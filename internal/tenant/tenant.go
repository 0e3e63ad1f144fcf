// Package tenant knows organisations, their apps and their people.
//
//	Tenant ─┬─ App   cli_…; its secret is stored hashed; belongs to the tenant that made it
//	        └─ User  a person with an account; owns meetings and recordings
//
// Every other package reaches data through a tenant: its key is a parameter of every query. A person has
// three ids on the wire (contract gateway.md, "Identifiers"), which ids.go makes and reads back; inside, a person is a UserNum.
package tenant

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"huilu/internal/scope"
)

// Key names a tenant: 16 hex digits.
type Key string

// UserNum is a person inside the server, never on the wire. Zero is nobody.
type UserNum int64

// Secret is a text that must not show up in logs.
type Secret string

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// Format-proofing: whatever the verb, a Secret prints as ***. Reveal it with string(s).
func (Secret) String() string { return "***" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "***" }

// Tenant is one organisation.
type Tenant struct {
	Key       Key
	Num       int64 // inside the union_id of its people and apps
	Name      string
	Recording bool // meetings may be recorded
	Disabled  bool
	CreatedAt time.Time
}

// AppType says who may use an app.
type AppType string

// The two types of apps: Custom serves the tenant that made it, Store may be installed in many.
const (
	Custom AppType = "custom"
	Store  AppType = "store"
)

// App is a program that calls the API or receives events.
type App struct {
	ID           string // cli_…
	Num          int64  // inside the open_id it sees
	Tenant       Key    // the tenant it belongs to
	DeveloperNum int64  // inside the union_id it sees: Num of its tenant
	Name         string
	Type         AppType
	SecretHash   []byte // SHA-256 of the app secret
	Scopes       scope.Set
	Redirects    []string // allowed redirect URLs of the authorization flow
	Disabled     bool
	Events       Subscription
	CreatedAt    time.Time
}

// Subscription says which events an app receives, where, and with which secrets.
type Subscription struct {
	URL               string // https://…; empty: none
	Types             []string
	EncryptKey        Secret // empty: bodies travel in the clear
	VerificationToken Secret
}

// Role says what a person may do on the pages of the tenant.
type Role string

// A Member meets and watches; an Admin also manages apps and people.
const (
	Member Role = "member"
	Admin  Role = "admin"
)

// User is a person with an account.
type User struct {
	Num       UserNum
	Tenant    Key
	UserID    string // the tenant's own id of the person
	Name      string
	Email     string // unique on the server, lower case
	Role      Role
	Disabled  bool
	CreatedAt time.Time
}

// Actor is who does something: an app in its own name (User is zero), a person
// through an app, or a person on the pages (App is empty).
type Actor struct {
	Tenant Key
	App    string
	User   UserNum
}

// IsApp reports whether the actor is an app in its own name.
func (a Actor) IsApp() bool { return a.User == 0 }

// What can go wrong with tenants, apps and people.
var (
	ErrNotFound      = errors.New("no such tenant, app or person")
	ErrEmailTaken    = errors.New("another account has this email address")
	ErrBadLogin      = errors.New("email or password is wrong")
	ErrSecretInvalid = errors.New("app secret is wrong")
)

// Directory is what this package needs of the database. Lists are ordered by
// creation. Methods that look one thing up return ErrNotFound.
type Directory interface {
	Within(ctx context.Context, f func(context.Context) error) error

	AddTenant(ctx context.Context, t Tenant) error
	TenantByKey(ctx context.Context, k Key) (Tenant, error)
	Tenants(ctx context.Context) ([]Tenant, error)
	SaveTenant(ctx context.Context, t Tenant) error

	AddApp(ctx context.Context, a App) error
	AppByID(ctx context.Context, id string) (App, error)
	Apps(ctx context.Context, t Key) ([]App, error)
	SaveApp(ctx context.Context, a App) error

	AddUser(ctx context.Context, u User, passwordHash string) error
	UserByNum(ctx context.Context, t Key, n UserNum) (User, error)
	UserByUserID(ctx context.Context, t Key, userID string) (User, error)
	UserByEmail(ctx context.Context, email string) (u User, passwordHash string, err error)
	Users(ctx context.Context, t Key) ([]User, error)
	SaveUser(ctx context.Context, u User) error
	SetPassword(ctx context.Context, t Key, n UserNum, passwordHash string) error
}
