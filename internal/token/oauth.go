package token

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"huilu/internal/ident"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// Consent is what a person agreed to on the consent page.
type Consent struct {
	App       tenant.App
	User      tenant.User
	Scopes    scope.Set // asked for and enabled on the app
	Redirect  string
	Challenge string
	Method    string
}

// Authorize notes the consent and returns a code that buys tokens once within five minutes.
// Grants accumulate: what a person granted earlier stays granted. ErrUserOutside
// when the app is not for this person.
func (s *Service) Authorize(ctx context.Context, c Consent) (code string, err error) {
	if err := mayUse(c.App, c.User.Tenant); err != nil {
		return "", err
	}
	now := s.now()
	code = ident.Secret(64)
	err = s.store.Within(ctx, func(ctx context.Context) error {
		if err := s.store.Grant(ctx, c.App.ID, c.User.Tenant, c.User.Num, c.Scopes, now); err != nil {
			return err
		}
		granted, err := s.store.Granted(ctx, c.App.ID, c.User.Tenant, c.User.Num)
		if err != nil {
			return err
		}
		return s.store.AddCode(ctx, Code{
			Hash: hash(code), App: c.App.ID, Tenant: c.User.Tenant, User: c.User.Num, Redirect: c.Redirect,
			Scopes: granted, Challenge: c.Challenge, Method: c.Method, CreatedAt: now, ConsentedAt: now,
		})
	})
	return code, err
}

// CodeExchange is a request of the token endpoint with grant_type authorization_code.
type CodeExchange struct {
	App      tenant.App // its secret has been checked
	Code     string
	Redirect string
	Verifier string
	Scope    string // optional narrowing, space separated
}

// Exchange buys the tokens of a code. A code is spent by the first attempt of
// its own client, whatever comes of it; another client's attempt leaves it alone.
func (s *Service) Exchange(ctx context.Context, x CodeExchange) (p Pair, err error) {
	var refused error // a refusal is committed: it has spent the code
	err = s.store.Within(ctx, func(ctx context.Context) error {
		now := s.now()
		c, used, err := s.store.TakeCode(ctx, hash(x.Code), now)
		if err != nil {
			return err
		}
		if c.App != x.App.ID {
			return ErrOtherClient
		}
		if refused = c.check(x, used, now); refused != nil {
			return nil
		}
		base := Row{App: c.App, Tenant: c.Tenant, User: c.User, Consented: c.ConsentedAt}
		if base.Scopes, refused = narrow(usable(c.Scopes, x.App), x.Scope); refused != nil {
			return nil
		}
		if err := s.mayStillSignIn(ctx, x.App, c.Tenant, c.User); errors.Is(err, ErrUserGone) || errors.Is(err, ErrUserOutside) {
			refused = err
			return nil
		} else if err != nil { // the database's fault must not cost the code
			return err
		}
		p, err = s.issue(ctx, base, now)
		return err
	})
	return p, errors.Join(err, refused)
}

func (c Code) check(x CodeExchange, used bool, now time.Time) error {
	switch {
	case used:
		return ErrCodeUsed
	case now.Sub(c.CreatedAt) >= CodeLife:
		return ErrCodeExpired
	case x.Redirect != "" && x.Redirect != c.Redirect:
		return ErrRedirectMismatch
	case !c.verifies(x.Verifier):
		return ErrPKCE
	}
	return nil
}

// verifies checks the PKCE verifier (RFC 7636 §4.6). Without a challenge none is needed.
func (c Code) verifies(verifier string) bool {
	if c.Challenge == "" {
		return true
	}
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	sum := verifier
	if c.Method == "S256" {
		h := sha256.Sum256([]byte(verifier))
		sum = base64.RawURLEncoding.EncodeToString(h[:])
	}
	return subtle.ConstantTimeCompare([]byte(sum), []byte(c.Challenge)) == 1
}

// Refresh buys the next pair for a refresh token, once. The access token of
// the old pair stays good for one more minute.
func (s *Service) Refresh(ctx context.Context, a tenant.App, refresh, scopes string) (p Pair, err error) {
	id, err := s.parse(refresh, "refresh")
	if err != nil {
		return Pair{}, ErrRefreshInvalid
	}
	err = s.store.Within(ctx, func(ctx context.Context) error {
		now := s.now()
		row, err := s.store.RowByID(ctx, id)
		if errors.Is(err, ErrUserInvalid) {
			return ErrRefreshInvalid
		} else if err != nil {
			return err
		}
		if err := row.refreshable(a, now); err != nil {
			return err
		}
		if row.Scopes, err = narrow(usable(row.Scopes, a), scopes); err != nil {
			return err
		}
		if err := s.mayStillSignIn(ctx, a, row.Tenant, row.User); err != nil {
			return err
		}
		if fresh, err := s.store.UseRefresh(ctx, id, now); err != nil {
			return err
		} else if !fresh {
			return ErrRefreshUsed
		}
		if err := s.store.ShortenPair(ctx, row.Pair, now.Add(Grace)); err != nil {
			return err
		}
		p, err = s.issue(ctx, row, now)
		return err
	})
	return p, err
}

func (r Row) refreshable(a tenant.App, now time.Time) error {
	switch {
	case r.App != a.ID:
		return ErrOtherClient
	case !r.UsedAt.IsZero():
		return ErrRefreshUsed
	case !now.Before(r.ExpiresAt), now.Sub(r.Consented) >= ConsentLife:
		return ErrRefreshExpired
	}
	return nil
}

// Mint issues a user token without the consent page, for administrators' scripts
// and tests. ErrUserOutside when the app is not for this person.
func (s *Service) Mint(ctx context.Context, a tenant.App, u tenant.User, scopes scope.Set) (p Pair, err error) {
	if err := mayUse(a, u.Tenant); err != nil {
		return Pair{}, err
	}
	err = s.store.Within(ctx, func(ctx context.Context) error {
		now := s.now()
		if err := s.store.Grant(ctx, a.ID, u.Tenant, u.Num, scopes, now); err != nil {
			return err
		}
		p, err = s.issue(ctx, Row{App: a.ID, Tenant: u.Tenant, User: u.Num, Scopes: scopes, Consented: now}, now)
		return err
	})
	return p, err
}

// mayUse refuses the people of other tenants: a custom app serves those of its own (contract tokens.md §3).
func mayUse(a tenant.App, t tenant.Key) error {
	if a.Type == tenant.Custom && a.Tenant != t {
		return ErrUserOutside
	}
	return nil
}

func (s *Service) mayStillSignIn(ctx context.Context, a tenant.App, t tenant.Key, n tenant.UserNum) error {
	if err := mayUse(a, t); err != nil {
		return err
	}
	u, err := s.dir.UserByNum(ctx, t, n)
	if errors.Is(err, tenant.ErrNotFound) || (err == nil && u.Disabled) {
		return ErrUserGone
	}
	return err
}

// usable leaves out what is not, or not any more, enabled on the app.
func usable(granted scope.Set, a tenant.App) scope.Set {
	return slices.DeleteFunc(slices.Clone(granted), func(s string) bool { return !a.Scopes.Has(s) })
}

// narrow picks the wanted scopes out of granted; empty wants all.
func narrow(granted scope.Set, want string) (scope.Set, error) {
	fields := strings.Fields(want)
	if len(fields) == 0 {
		return granted, nil
	}
	set := scope.Parse(want)
	if len(set) != len(fields) {
		return nil, ErrScopeRepeated
	}
	for _, f := range set {
		if !granted.Has(f) {
			return nil, ErrScopeNotGranted
		}
	}
	return set, nil
}

func hash(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}
