package tenant_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/alexedwards/argon2id"

	"huilu/internal/ident"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
)

func TestWhoMayLogIn(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		lin, off := w.account("lin@example.org"), w.account("off@example.org")
		off.Disabled = true
		check(t, w.SaveUser(t.Context(), off))
		for name, c := range map[string]struct {
			email, password string
			want            error
		}{
			"right":                     {"lin@example.org", password, nil},
			"in capitals, with spaces":  {"  Lin@Example.ORG ", password, nil},
			"wrong password":            {"lin@example.org", password + "!", tenant.ErrBadLogin},
			"no password":               {"lin@example.org", "", tenant.ErrBadLogin},
			"password in capitals":      {"lin@example.org", strings.ToUpper(password), tenant.ErrBadLogin},
			"disabled":                  {"off@example.org", password, tenant.ErrBadLogin},
			"with a name, as in a mail": {"Lin <lin@example.org>", password, tenant.ErrBadLogin},
		} {
			u, err := w.Login(t.Context(), c.email, tenant.Secret(c.password))
			wants(t, name, err, c.want)
			if (err == nil && u.Num != lin.Num) || (err != nil && u.Num != 0) {
				t.Errorf("%s: %+v", name, u)
			}
		}
		for _, s := range unstorable {
			_, err := w.Login(t.Context(), s+"@example.org", tenant.Secret(s))
			wants(t, s, err, tenant.ErrBadLogin)
		}
		w.Home.Tenant.Disabled = true
		check(t, w.Save(t.Context(), w.Home.Tenant))
		_, err := w.Login(t.Context(), "lin@example.org", password)
		wants(t, "in a disabled tenant", err, tenant.ErrBadLogin)
	})
}

// recorder tells which hash the password of an account was stored as.
type recorder struct {
	tenant.Directory
	hash string
}

func (r *recorder) AddUser(_ context.Context, _ tenant.User, hash string) error {
	r.hash = hash
	return nil
}

// The time an answer takes must not tell which addresses have accounts: the hash
// that stands for nobody costs what a new account's does, and is compared in earnest.
func TestAnUnknownAddressCostsAsMuchAsAKnownOne(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	s := tenant.NewService(r, tenant.IDs{}, &numbers, clock)
	_, err := s.CreateUser(t.Context(), "t", tenant.UserSpec{Name: "Lin", Email: "lin@example.org", Password: password})
	check(t, err)
	costs := func(hash string) argon2id.Params {
		t.Helper()
		p, _, _, err := argon2id.DecodeHash(hash)
		check(t, err)
		return *p
	}
	nobody, account := costs(tenant.Nobody), costs(r.hash)
	if nobody != account || account.Memory < 46<<10 || account.Iterations < 1 || account.KeyLength < 32 || account.SaltLength < 16 {
		t.Errorf("nobody costs %+v, an account %+v", nobody, account)
	}
	if match, err := argon2id.ComparePasswordAndHash(password, r.hash); err != nil || !match {
		t.Errorf("the password does not fit its hash: %v", err)
	}
}

func TestAnEmailAddressHasOneAccountOnTheServer(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		var wg sync.WaitGroup
		made := make(chan error, 16)
		for range cap(made) {
			wg.Go(func() {
				u := w.Home.Owner
				u.Num, u.UserID, u.Email = tenant.UserNum(w.Number()), ident.UserID(), "new@example.org"
				made <- w.DB.AddUser(t.Context(), u, "hash")
			})
		}
		wg.Wait()
		close(made)
		winners := 0
		for err := range made {
			if err == nil {
				winners++
			} else {
				wants(t, "a rival", err, tenant.ErrEmailTaken)
			}
		}
		if winners != 1 {
			t.Errorf("%d accounts were made", winners)
		}
		_, err := w.CreateUser(t.Context(), w.Away.Tenant.Key, tenant.UserSpec{Name: "Lin", Email: " NEW@example.org", Password: password})
		wants(t, "the same address elsewhere, in capitals", err, tenant.ErrEmailTaken)
	})
}

func TestAChangedPasswordIsTheOnlyOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	lin := w.account("lin@example.org")
	wants(t, "somebody elsewhere", w.SetPassword(t.Context(), w.Away.Tenant.Key, lin.Num, "another horse"), tenant.ErrNotFound)
	check(t, w.SetPassword(t.Context(), lin.Tenant, lin.Num, "another horse"))
	_, err := w.Login(t.Context(), lin.Email, password)
	wants(t, "the old one", err, tenant.ErrBadLogin)
	_, err = w.Login(t.Context(), lin.Email, "another horse")
	wants(t, "the new one", err, nil)
	blames(t, "a short one", w.SetPassword(t.Context(), lin.Tenant, lin.Num, "short"), "password")
}
