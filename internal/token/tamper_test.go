package token_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"

	"huilu/internal/keys"
	"huilu/internal/scope"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

// Whatever is changed in a genuine token, wherever: it is no token any more.
func TestAChangedTokenIsRefused(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	p, other := w.pair(), w.pair()
	raws := []string{w.issue().Token, p.Access}
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SampledFrom(raws).Draw(t, "token")
		changed := change(t, raw)
		if changed == raw || changed == other.Access {
			t.Skip("changed back")
		}
		_, err := w.Check(context.Background(), changed)
		if !errors.Is(err, token.ErrMalformed) && !errors.Is(err, token.ErrTenantInvalid) && !errors.Is(err, token.ErrUserInvalid) {
			t.Fatalf("%q instead of %q: %v", changed, raw, err)
		}
	})
	for _, raw := range raws {
		w.says(raw, nil)
	}
	halves := strings.Split(p.Access, ".")
	mixed := strings.Join([]string{halves[0], strings.Split(other.Access, ".")[1], halves[2]}, ".")
	w.says(mixed, token.ErrUserInvalid)
}

// change replaces, inserts, removes or appends a character, or swaps two.
func change(t *rapid.T, raw string) string {
	i := rapid.IntRange(0, len(raw)-1).Draw(t, "at")
	c := rapid.OneOf(rapid.SampledFrom([]byte("\r\n\x00 =.-_+/AZaz09")), rapid.Byte()).Draw(t, "byte")
	switch rapid.SampledFrom([]string{"replace", "insert", "remove", "append", "swap", "bit"}).Draw(t, "change") {
	case "replace":
		return raw[:i] + string([]byte{c}) + raw[i+1:]
	case "insert":
		return raw[:i] + string([]byte{c}) + raw[i:]
	case "remove":
		return raw[:i] + raw[i+1:]
	case "append":
		return raw + string([]byte{c})
	case "bit":
		return raw[:i] + string([]byte{raw[i] ^ 1<<(c%8)}) + raw[i+1:]
	}
	b, j := []byte(raw), rapid.IntRange(0, len(raw)-1).Draw(t, "with")
	b[i], b[j] = b[j], b[i]
	return string(b)
}

// The last letter of a signature carries fewer bits than it could: only one of those that decode to the same is good.
func TestATokenHasOneSpelling(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	for _, raw := range []string{w.pair().Access, w.issue().Token} {
		last := len(raw) - 1
		for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
			if _, err := w.Check(t.Context(), raw[:last]+string(c)); (err == nil) != (byte(c) == raw[last]) {
				t.Errorf("%c instead of %c: %v", c, raw[last], err)
			}
		}
	}
}

func TestAForgedTokenIsRefused(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	p := w.pair()
	claims := func(raw string) jwt.MapClaims {
		var c jwt.MapClaims
		if _, _, err := jwt.NewParser().ParseUnverified(raw, &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	forge := func(m jwt.SigningMethod, key any, c jwt.MapClaims) string {
		raw, err := jwt.NewWithClaims(m, c).SignedString(key)
		check(t, err)
		return raw
	}
	key := w.master.Derive("user token")
	noID := claims(p.Access)
	delete(noID, "jti")
	for name, raw := range map[string]string{
		"no signature":      forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(p.Access)),
		"another algorithm": forge(jwt.SigningMethodHS512, key, claims(p.Access)),
		"another key":       forge(jwt.SigningMethodHS256, keys.New().Derive("user token"), claims(p.Access)),
		"no id":             forge(jwt.SigningMethodHS256, key, noID),
		"for refreshing":    forge(jwt.SigningMethodHS256, key, claims(p.Refresh)),
	} {
		_, err := w.Check(t.Context(), raw)
		wants(t, name, err, token.ErrUserInvalid)
	}
	w.says(forge(jwt.SigningMethodHS256, key, claims(p.Access)), nil) // the forger above forges well
}

// A JWT is readable by whoever holds it.
func TestAUserTokenSaysNothingAboutThePerson(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	body, err := base64.RawURLEncoding.DecodeString(strings.Split(w.pair().Access, ".")[1])
	check(t, err)
	for what, secret := range map[string]string{"name": w.Home.Owner.Name, "email": w.Home.Owner.Email, "user_id": w.Home.Owner.UserID, "tenant": string(w.Home.Tenant.Key), "scope": scope.Meeting} {
		if strings.Contains(string(body), secret) {
			t.Errorf("the %s is in %s", what, body)
		}
	}
}

// empty is an installation that has issued two tokens and forgotten them.
type empty struct {
	token.Store
	token.Directory
}

func (empty) Within(ctx context.Context, f func(context.Context) error) error { return f(ctx) }
func (empty) LastIssue(context.Context, string, tenant.Key) (time.Time, error) {
	return time.Time{}, nil
}
func (empty) SetLastIssue(context.Context, string, tenant.Key, time.Time) error { return nil }
func (empty) Grant(context.Context, string, tenant.Key, tenant.UserNum, scope.Set, time.Time) error {
	return nil
}
func (empty) AddRow(context.Context, token.Row) error { return nil }
func (empty) RowByID(context.Context, string) (token.Row, error) {
	return token.Row{}, errReached
}
func (empty) AppByID(context.Context, string) (tenant.App, error) { return tenant.App{}, errReached }

var errReached = errors.New("the token was genuine")

// Nothing but the tokens that were issued gets as far as the database.
func FuzzCheck(f *testing.F) {
	s := token.NewService(empty{}, empty{}, keys.New(), time.Now)
	a := tenant.App{ID: "cli_00112233aabbccdd", Tenant: "0123456789abcdef", Type: tenant.Custom}
	issued, err := s.ForTenant(f.Context(), a, a.Tenant)
	check(f, err)
	p, err := s.Mint(f.Context(), a, tenant.User{Num: 7, Tenant: a.Tenant}, scope.Set{scope.OfflineAccess})
	check(f, err)
	parts := strings.Split(p.Access, ".")
	for _, raw := range []string{issued.Token, p.Access, p.Refresh, "", "t-", "eyJ", "u-abc", "eyJhbGciOiJub25lIn0." + parts[1] + ".", parts[0] + ".." + parts[2], p.Access + ".", "t-" + strings.Repeat("A", 48), "t-" + issued.Token} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		_, err := s.Check(t.Context(), raw)
		if genuine := raw == issued.Token || raw == p.Access; genuine != errors.Is(err, errReached) || err == nil {
			t.Errorf("%q: %v", raw, err)
		}
	})
}
