package token

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/hashicorp/golang-lru/v2/expirable"

	"huilu/internal/ident"
	"huilu/internal/keys"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// freshness is how long an app, a tenant or the row of a user token may be
// remembered: a disabled app or a used refresh token takes effect within it on every node.
const freshness = time.Second

// Service issues and checks tokens. It is safe for concurrent use.
type Service struct {
	store   Store
	dir     Directory
	tenants sealer
	jwtKey  []byte
	now     func() time.Time

	apps  *expirable.LRU[string, tenant.App]
	orgs  *expirable.LRU[tenant.Key, tenant.Tenant]
	rows  *expirable.LRU[string, Row]
	users *expirable.LRU[tenant.UserNum, tenant.User]

	// What genuine tokens say, by the token: programs send the same one with every call, and checking its signature costs
	// as much as looking up a recording. This never goes stale, for a token stays genuine; whether it may still be used
	// is asked each time. Made-up tokens do not get in, so they push nothing out.
	sealed *expirable.LRU[string, issue]
	signed *expirable.LRU[string, string] // access token → jti
}

// NewService returns a Service whose tokens are signed with keys derived from m.
func NewService(store Store, dir Directory, m keys.Master, now func() time.Time) *Service {
	return &Service{
		store: store, dir: dir, now: now,
		tenants: sealer{key: m.Derive("tenant token")},
		jwtKey:  m.Derive("user token"),
		apps:    expirable.NewLRU[string, tenant.App](4096, nil, freshness),
		orgs:    expirable.NewLRU[tenant.Key, tenant.Tenant](4096, nil, freshness),
		rows:    expirable.NewLRU[string, Row](16384, nil, freshness),
		users:   expirable.NewLRU[tenant.UserNum, tenant.User](16384, nil, freshness),
		sealed:  expirable.NewLRU[string, issue](4096, nil, 0),
		signed:  expirable.NewLRU[string, string](16384, nil, 0),
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
	switch {
	case strings.HasPrefix(raw, tenantPrefix):
		return s.checkTenant(ctx, raw)
	case strings.HasPrefix(raw, "eyJ"):
		return s.checkUser(ctx, raw)
	}
	return Caller{}, ErrMalformed
}

func (s *Service) checkTenant(ctx context.Context, raw string) (Caller, error) {
	t, err := remember(s.sealed, raw, func() (issue, error) { return s.read(raw) })
	if err != nil || s.now().Sub(t.at) >= TenantLife {
		return Caller{}, ErrTenantInvalid
	}
	c, err := s.caller(ctx, t.app, t.tenant)
	c.Kind, c.Scopes = Tenant, c.App.Scopes
	return c, err
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

func (s *Service) checkUser(ctx context.Context, raw string) (Caller, error) {
	id, err := remember(s.signed, raw, func() (string, error) { return s.parse(raw, "access") })
	if err != nil {
		return Caller{}, err
	}
	row, err := remember(s.rows, id, func() (Row, error) { return s.store.RowByID(ctx, id) })
	if err != nil {
		return Caller{}, err
	}
	if !s.now().Before(row.ExpiresAt) {
		return Caller{}, ErrUserExpired
	}
	c, err := s.caller(ctx, row.App, row.Tenant)
	if err != nil {
		return c, err
	}
	c.User, err = remember(s.users, row.User, func() (tenant.User, error) { return s.dir.UserByNum(ctx, row.Tenant, row.User) })
	if errors.Is(err, tenant.ErrNotFound) || c.User.Disabled {
		return Caller{}, ErrUserInvalid
	}
	c.Kind, c.Scopes = User, row.Scopes
	return c, err
}

// caller loads app and tenant of a token that is genuine.
func (s *Service) caller(ctx context.Context, app string, key tenant.Key) (c Caller, err error) {
	c.App, err = remember(s.apps, app, func() (tenant.App, error) { return s.dir.AppByID(ctx, app) })
	if err == nil {
		c.Tenant, err = remember(s.orgs, key, func() (tenant.Tenant, error) { return s.dir.TenantByKey(ctx, key) })
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

func remember[K comparable, V any](cache *expirable.LRU[K, V], k K, load func() (V, error)) (V, error) {
	if v, ok := cache.Get(k); ok {
		return v, nil
	}
	v, err := load()
	if err == nil {
		cache.Add(k, v)
	}
	return v, err
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
