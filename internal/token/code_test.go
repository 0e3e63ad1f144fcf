package token_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"huilu/internal/scope"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

// The pair of RFC 7636, appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func TestACodeBuysATokenForWhoConsented(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	p, err := w.Exchange(t.Context(), token.CodeExchange{App: w.app, Code: w.code(w.consent(scope.RecordRead)), Redirect: "https://example.org/back"})
	check(t, err)
	if p.Expires != token.UserLife || p.Refresh != "" || p.RefreshExpire != 0 || p.Scopes.String() != scope.RecordRead || !strings.HasPrefix(p.Access, "eyJ") || len(p.Access) > 4096 {
		t.Errorf("the pair is %+v", p)
	}
	c := w.says(p.Access, nil)
	if a := c.Actor(); a.IsApp() || a.User != w.Home.Owner.Num || a.Tenant != w.Home.Tenant.Key || a.App != w.app.ID || c.Kind != token.User || c.Scopes.String() != scope.RecordRead {
		t.Errorf("the caller is %+v", c)
	}
	w.after(token.UserLife - time.Millisecond)
	w.says(p.Access, nil)
	w.after(time.Millisecond)
	w.says(p.Access, token.ErrUserExpired)
}

func TestWhatTheExchangeOfACodeDemands(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	plain := strings.Repeat("p", 43)
	for name, c := range map[string]struct {
		challenge, method, verifier, redirect string
		after                                 time.Duration
		want                                  error
	}{
		"nothing but the code":        {},
		"the redirect address":        {redirect: "https://example.org/back"},
		"another redirect address":    {redirect: "https://example.org/back?x", want: token.ErrRedirectMismatch},
		"S256":                        {challenge: challenge, method: "S256", verifier: verifier},
		"S256, wrong":                 {challenge: challenge, method: "S256", verifier: verifier[1:] + "k", want: token.ErrPKCE},
		"S256, missing":               {challenge: challenge, method: "S256", want: token.ErrPKCE},
		"S256, challenge as verifier": {challenge: challenge, method: "S256", verifier: challenge, want: token.ErrPKCE},
		"plain":                       {challenge: plain, method: "plain", verifier: plain},
		"plain, wrong":                {challenge: plain, method: "plain", verifier: plain + "p", want: token.ErrPKCE},
		"plain, too short":            {challenge: "p", method: "plain", verifier: "p", want: token.ErrPKCE},
		"plain, too long":             {challenge: strings.Repeat("p", 129), method: "plain", verifier: strings.Repeat("p", 129), want: token.ErrPKCE},
		"just in time":                {after: token.CodeLife - time.Millisecond},
		"too late":                    {after: token.CodeLife, want: token.ErrCodeExpired},
	} {
		consent := w.consent(scope.Meeting)
		consent.Challenge, consent.Method = c.challenge, c.method
		x := token.CodeExchange{App: w.app, Code: w.code(consent), Redirect: c.redirect, Verifier: c.verifier}
		w.after(c.after)
		_, err := w.Exchange(t.Context(), x)
		wants(t, name, err, c.want)
		x.Redirect, x.Verifier = "", verifier // whatever came of it, the code is spent
		_, err = w.Exchange(t.Context(), x)
		wants(t, name+", again", err, token.ErrCodeUsed)
	}
	_, err := w.Exchange(t.Context(), token.CodeExchange{App: w.app, Code: "made up"})
	wants(t, "a code that is none", err, token.ErrCodeNotFound)
}

func TestAnotherClientCannotUseNorSpendACode(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	x := token.CodeExchange{App: w.second, Code: w.code(w.consent(scope.Meeting))}
	_, err := w.Exchange(t.Context(), x)
	wants(t, "another client", err, token.ErrOtherClient)
	x.App = w.app
	_, err = w.Exchange(t.Context(), x)
	wants(t, "the client it was made for", err, nil)
}

func TestACodeIsSpentOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		x := token.CodeExchange{App: w.app, Code: w.code(w.consent(scope.Meeting))}
		_, errs := race(t.Context(), func(ctx context.Context) (token.Pair, error) { return w.Exchange(ctx, x) })
		wantOne(t, errs, token.ErrCodeUsed)
	})
}

// wantOne fails unless one of all succeeded and the rest were refused with want.
func wantOne(t *testing.T, errs []error, want error) {
	t.Helper()
	winners := 0
	for _, err := range errs {
		if err == nil {
			winners++
		} else if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if winners != 1 {
		t.Errorf("%d of %d got a pair", winners, len(errs))
	}
}

// Narrowing (tokens.md §4): no permission twice, none that was not granted, and
// no refresh token without offline_access.
func TestWhatACodeIsNarrowedTo(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	all := scope.Set{scope.OfflineAccess, scope.Meeting, scope.RecordRead}
	for name, c := range map[string]struct {
		scope   string
		want    scope.Set
		refused error
	}{
		"to nothing in particular":   {"", all, nil},
		"to spaces":                  {"  ", all, nil},
		"to one":                     {scope.RecordRead, scope.Set{scope.RecordRead}, nil},
		"to two, and the refresh":    {scope.RecordRead + "  " + scope.OfflineAccess, scope.Set{scope.OfflineAccess, scope.RecordRead}, nil},
		"to one twice":               {scope.RecordRead + " " + scope.RecordRead, nil, token.ErrScopeRepeated},
		"to one nobody granted":      {scope.RecordRead + " " + scope.Record, nil, token.ErrScopeNotGranted},
		"to one in capital letters":  {strings.ToUpper(scope.RecordRead), nil, token.ErrScopeNotGranted},
		"to a part of one's name":    {"vc", nil, token.ErrScopeNotGranted},
		"to the same, none, another": {scope.Record + " " + scope.Record, nil, token.ErrScopeRepeated},
	} {
		p, err := w.Exchange(t.Context(), token.CodeExchange{App: w.app, Code: w.code(w.consent(all...)), Scope: c.scope})
		wants(t, name, err, c.refused)
		if slices.Sort(p.Scopes); err == nil && (!slices.Equal(p.Scopes, slices.Sorted(slices.Values(c.want))) || (p.Refresh != "") != c.want.Has(scope.OfflineAccess)) {
			t.Errorf("%s: got %s, refresh token %v; want %s", name, p.Scopes, p.Refresh != "", c.want)
		}
	}
}

func TestGrantsAddUpButOnlyWhatTheAppHasIsOfUse(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	w.code(w.consent(scope.RecordRead, scope.OfflineAccess))
	x := token.CodeExchange{App: w.app, Code: w.code(w.consent(scope.Meeting))}
	x.App.Scopes = scope.Set{scope.Meeting, scope.RecordRead} // offline_access was taken from the app meanwhile
	p, err := w.Exchange(t.Context(), x)
	if err != nil || len(p.Scopes) != 2 || !p.Scopes.Has(scope.Meeting) || !p.Scopes.Has(scope.RecordRead) || p.Refresh != "" {
		t.Errorf("got %+v, %v", p, err)
	}
	x.Code, x.Scope = w.code(w.consent(scope.Meeting)), scope.OfflineAccess
	_, err = w.Exchange(t.Context(), x)
	wants(t, "asking for what the app lost", err, token.ErrScopeNotGranted)
	c := w.consent(scope.RecordRead)
	c.User = w.Home.Other
	p, err = w.Exchange(t.Context(), token.CodeExchange{App: w.app, Code: w.code(c)})
	if err != nil || p.Scopes.String() != scope.RecordRead {
		t.Errorf("somebody else's grants: %+v, %v", p, err)
	}
}

// A custom app serves the people of its own tenant only (contract tokens.md §3, 20010).
func TestACustomAppIsNotForPeopleOfAnotherTenant(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	stranger := w.consent(scope.Meeting, scope.OfflineAccess)
	stranger.User = w.Away.Owner
	_, err := w.Authorize(t.Context(), stranger)
	wants(t, "authorize", err, token.ErrUserOutside)
	_, err = w.Mint(t.Context(), w.app, w.Away.Owner, stranger.Scopes)
	wants(t, "mint", err, token.ErrUserOutside)
	if granted, err := w.DB.Granted(t.Context(), w.app.ID, w.Away.Tenant.Key, w.Away.Owner.Num); err != nil || len(granted) != 0 {
		t.Errorf("granted all the same: %v, %v", granted, err)
	}
	stranger.App.Type = tenant.Store // is for everybody
	p, err := w.Exchange(t.Context(), token.CodeExchange{App: stranger.App, Code: w.code(stranger)})
	wants(t, "a store app", err, nil)
	// What exists from a time when nobody looked is of no use.
	_, err = w.Exchange(t.Context(), token.CodeExchange{App: w.app, Code: w.code(stranger)})
	wants(t, "exchange", err, token.ErrUserOutside)
	_, err = w.Refresh(t.Context(), w.app, p.Refresh, "")
	wants(t, "refresh", err, token.ErrUserOutside)
}

// faulty is a directory that may not answer.
type faulty struct {
	token.Directory
	err error
}

func (f *faulty) UserByNum(ctx context.Context, t tenant.Key, n tenant.UserNum) (tenant.User, error) {
	if f.err != nil {
		return tenant.User{}, f.err
	}
	return f.Directory.UserByNum(ctx, t, n)
}

func TestAFaultOfTheServerCostsNeitherCodeNorRefreshToken(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	dir := &faulty{Directory: w.DB, err: errors.New("the database is away")}
	s := token.NewService(w.DB, dir, w.master, w.clock)
	x, old := token.CodeExchange{App: w.app, Code: w.code(w.consent(scope.Meeting))}, w.pair()
	_, err := s.Exchange(t.Context(), x)
	wants(t, "exchange", err, dir.err)
	_, err = s.Refresh(t.Context(), w.app, old.Refresh, "")
	wants(t, "refresh", err, dir.err)
	_, err = s.Check(t.Context(), old.Access)
	wants(t, "check", err, dir.err)
	dir.err = nil
	_, err = s.Exchange(t.Context(), x)
	wants(t, "exchange, again", err, nil)
	_, err = s.Refresh(t.Context(), w.app, old.Refresh, "")
	wants(t, "refresh, again", err, nil)
}
