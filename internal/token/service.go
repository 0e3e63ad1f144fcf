package token

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"huilu/internal/ident"
	"huilu/internal/keys"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// freshness is how long an app, a tenant or the row of a user token may be remembered, and then once more the caller
// they make: a disabled app or a used refresh token takes effect within a second on every node.
const freshness = 500 * time.Millisecond

// Service issues and checks tokens. It is safe for concurrent use.
type Service struct {
	store   Store
	dir     Directory
	tenants sealer
	jwtKey  []byte
	now     func() time.Time

	apps    *memory[string, tenant.App]
	orgs    *memory[tenant.Key, tenant.Tenant]
	rows    *memory[string, Row]
	users   *memory[tenant.UserNum, tenant.User]
	callers *memory[string, *known] // by their token

	// What genuine tokens say, by the token: programs send the same one with every call, and checking its signature costs
	// as much as looking up a recording. This never goes stale, for a token stays genuine; whether it may still be used
	// is asked each time. Made-up tokens do not get in, so they push nothing out.
	sealed *memory[string, issue]
	signed *memory[string, string] // access token → jti
}

// known is a caller who was let in. Nobody changes it.
type known struct {
	Caller
	until time.Time // the end of the token
}

// NewService returns a Service whose tokens are signed with keys derived from m.
func NewService(store Store, dir Directory, m keys.Master, now func() time.Time) *Service {
	return &Service{
		store: store, dir: dir, now: now,
		tenants: sealer{key: m.Derive("tenant token")},
		jwtKey:  m.Derive("user token"),
		apps:    newMemory[string, tenant.App](4096, freshness),
		orgs:    newMemory[tenant.Key, tenant.Tenant](4096, freshness),
		rows:    newMemory[string, Row](16384, freshness),
		users:   newMemory[tenant.UserNum, tenant.User](16384, freshness),
		callers: newMemory[string, *known](16384, freshness),
		sealed:  newMemory[string, issue](4096, forever),
		signed:  newMemory[string, string](16384, forever),
	}
}

// Issued is a tenant token and what is left of it.
type Issued struct {
	Token  string
	Expire time.Duration
}

// ForTenant returns the token of app a in tenant t: the current one while it has
// 30 minutes or more left, a new one otherwise (contract tokens.md §2).
func (s *Service) ForTenant(ctx context.Context, a tenant.App, t tenant.Key) (Issued, error) {
	if a.Disabled {
		return Issued{}, ErrAppDisabled
	}
	if a.Type == tenant.Custom && a.Tenant != t {
		return Issued{}, ErrNotInstalled
	}
	now := s.now().Truncate(time.Second)
	issued, err := s.store.LastIssue(ctx, a.ID, t)
	if err != nil {
		return Issued{}, err
	}
	if issued.Add(TenantLife).Sub(now) < RenewBefore {
		issued = now
		if err := s.store.SetLastIssue(ctx, a.ID, t, now); err != nil {
			return Issued{}, err
		}
	}
	// More than a life is left when the clock was set back since; nobody may be promised that.
	return Issued{Token: s.tenants.seal(a.ID, t, issued), Expire: min(issued.Add(TenantLife).Sub(now), TenantLife)}, nil
}

// Check says who is behind a raw token, or why nobody is.
func (s *Service) Check(ctx context.Context, raw string) (Caller, error) {
	c, err := s.Look(ctx, raw)
	return *c, err
}

// Look is Check for those who ask all the time: the caller is not copied, and must not be changed. It is never nil.
func (s *Service) Look(ctx context.Context, raw string) (*Caller, error) {
	if k, ok := s.callers.get(raw); ok && s.now().Before(k.until) {
		return &k.Caller, nil
	}
	k, err := s.check(ctx, raw)
	if err == nil {
		s.callers.put(raw, k)
	}
	return &k.Caller, err
}

func (s *Service) check(ctx context.Context, raw string) (*known, error) {
	switch {
	case strings.HasPrefix(raw, tenantPrefix):
		return s.checkTenant(ctx, raw)
	case strings.HasPrefix(raw, "eyJ"):
		return s.checkUser(ctx, raw)
	}
	return &known{}, ErrMalformed
}

func (s *Service) checkTenant(ctx context.Context, raw string) (*known, error) {
	t, err := s.sealed.recall(raw, func() (issue, error) { return s.read(raw) })
	k := &known{until: t.at.Add(TenantLife)}
	if err != nil || !s.now().Before(k.until) {
		return k, ErrTenantInvalid
	}
	k.Caller, err = s.caller(ctx, t.app, t.tenant)
	k.Kind, k.Scopes = Tenant, k.App.Scopes
	return k, err
}

// issue is what a tenant token says.
type issue struct {
	app    string
	tenant tenant.Key
	at     time.Time
}

// read opens a tenant token.
func (s *Service) read(raw string) (t issue, err error) {
	var ok bool
	if t.app, t.tenant, t.at, ok = s.tenants.open(raw); !ok {
		err = ErrTenantInvalid
	}
	return t, err
}

func (s *Service) checkUser(ctx context.Context, raw string) (*known, error) {
	id, err := s.signed.recall(raw, func() (string, error) { return s.parse(raw, "access") })
	if err != nil {
		return &known{}, err
	}
	row, err := s.rows.recall(id, func() (Row, error) { return s.store.RowByID(ctx, id) })
	if err != nil {
		return &known{}, err
	}
	k := &known{until: row.ExpiresAt}
	if !s.now().Before(k.until) {
		return k, ErrUserExpired
	}
	k.Caller, err = s.caller(ctx, row.App, row.Tenant)
	k.Kind, k.Scopes = User, row.Scopes
	if err != nil {
		return k, err
	}
	k.User, err = s.users.recall(row.User, func() (tenant.User, error) { return s.dir.UserByNum(ctx, row.Tenant, row.User) })
	if errors.Is(err, tenant.ErrNotFound) || k.User.Disabled {
		return &known{}, ErrUserInvalid
	}
	return k, err
}

// caller loads app and tenant of a token that is genuine.
func (s *Service) caller(ctx context.Context, app string, key tenant.Key) (c Caller, err error) {
	c.App, err = s.apps.recall(app, func() (tenant.App, error) { return s.dir.AppByID(ctx, app) })
	if err == nil {
		c.Tenant, err = s.orgs.recall(key, func() (tenant.Tenant, error) { return s.dir.TenantByKey(ctx, key) })
	}
	switch {
	case errors.Is(err, tenant.ErrNotFound):
		return c, ErrNotInstalled
	case err != nil:
		return c, err
	case c.App.Disabled:
		return c, ErrAppDisabled
	case c.Tenant.Disabled:
		return c, ErrTenantDisabled
	}
	return c, nil
}

// claims is the body of user and refresh tokens. Nothing secret is in it: a JWT is readable by whoever holds it.
type claims struct {
	jwt.RegisteredClaims
	Use string `json:"use"` // "access" or "refresh"
	App string `json:"cid"`
}

// sign makes the JWT of a row. Its expiry is not inside: the row decides, so that it can be shortened.
func (s *Service) sign(r Row, now time.Time) (string, error) {
	use := "access"
	if r.Refresh {
		use = "refresh"
	}
	c := claims{Use: use, App: r.App, RegisteredClaims: jwt.RegisteredClaims{ID: r.ID, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(r.ExpiresAt)}}
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(s.jwtKey)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text, nil
}

// parse checks the signature of a JWT and returns its jti. Expiry is the row's
// business. No two texts are the same token: base64 with spare bits or line breaks is refused.
func (s *Service) parse(raw, use string) (string, error) {
	var c claims
	if strings.ContainsAny(raw, "\r\n") {
		return "", ErrUserInvalid
	}
	_, err := jwt.ParseWithClaims(raw, &c, func(*jwt.Token) (any, error) { return s.jwtKey, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	if err != nil || c.Use != use || c.ID == "" {
		return "", ErrUserInvalid
	}
	return c.ID, nil
}

// newRow starts the row of a token for the person and app of from.
func newRow(from Row, refresh bool, life time.Duration, now time.Time) Row {
	from.ID, from.Refresh, from.ExpiresAt, from.UsedAt = ident.Secret(22), refresh, now.Add(life), time.Time{}
	return from
}

// Pair is the answer of the OAuth token endpoint.
type Pair struct {
	Access        string
	Expires       time.Duration
	Refresh       string // empty without offline_access
	RefreshExpire time.Duration
	Scopes        scope.Set
}

// issue signs and stores an access token and, with offline_access, a refresh token. Runs in the caller's transaction.
func (s *Service) issue(ctx context.Context, base Row, now time.Time) (p Pair, err error) {
	base.Pair = ident.Secret(22)
	p = Pair{Expires: UserLife, Scopes: base.Scopes}
	if p.Access, err = s.addSigned(ctx, newRow(base, false, UserLife, now), now); err != nil {
		return Pair{}, err
	}
	if base.Scopes.Has(scope.OfflineAccess) {
		p.RefreshExpire = RefreshLife
		p.Refresh, err = s.addSigned(ctx, newRow(base, true, RefreshLife, now), now)
	}
	return p, err
}

func (s *Service) addSigned(ctx context.Context, r Row, now time.Time) (string, error) {
	if err := s.store.AddRow(ctx, r); err != nil {
		return "", err
	}
	return s.sign(r, now)
}
