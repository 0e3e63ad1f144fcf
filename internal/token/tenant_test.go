package token_test

import (
	"context"
	"regexp"
	"testing"
	"time"

	"huilu/internal/keys"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

func (w *world) issue() token.Issued {
	w.t.Helper()
	i, err := w.ForTenant(w.t.Context(), w.app, w.Home.Tenant.Key)
	check(w.t, err)
	return i
}

// The contract's renewal rule (tokens.md §2), on the second.
func TestTheTenantTokenStaysTheSameWhileHalfAnHourIsLeft(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	first := w.issue()
	if !regexp.MustCompile(`^t-[A-Za-z0-9_-]{48}$`).MatchString(first.Token) || first.Expire != 2*time.Hour {
		t.Errorf("the first is %q for %s", first.Token, first.Expire)
	}
	for _, step := range []struct {
		pass time.Duration
		same bool
		left time.Duration
	}{
		{time.Second, true, 2*time.Hour - time.Second},
		{90*time.Minute - time.Second, true, 30 * time.Minute},
		{time.Second, false, 2 * time.Hour},
		{time.Minute, false, 2*time.Hour - time.Minute},
	} {
		w.after(step.pass)
		got := w.issue()
		if (got.Token == first.Token) != step.same || got.Expire != step.left {
			t.Errorf("%s later: the same %v, left %s; want %v, %s", step.pass, got.Token == first.Token, got.Expire, step.same, step.left)
		}
	}
}

func TestATenantTokenIsGoodForItsWholeExpire(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	old := w.issue()
	w.after(91 * time.Minute)
	renewed := w.issue()
	if renewed.Token == old.Token {
		t.Fatal("the token was not renewed")
	}
	w.after(29*time.Minute - time.Second) // one second of the old one is left
	for _, raw := range []string{old.Token, renewed.Token} {
		c := w.says(raw, nil)
		if a := c.Actor(); !a.IsApp() || a.Tenant != w.Home.Tenant.Key || a.App != w.app.ID || c.Kind != token.Tenant || !c.Scopes.Has(w.app.Scopes[0]) {
			t.Errorf("the caller is %+v", c)
		}
	}
	w.after(time.Second)
	w.says(old.Token, token.ErrTenantInvalid)
	w.says(renewed.Token, nil)
	w.after(91 * time.Minute)
	w.says(renewed.Token, token.ErrTenantInvalid)
}

func TestATenantTokenOutlivesARestartAndWorksOnEveryNode(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	first := w.issue()
	w.after(time.Hour)
	restarted, err := w.node(w.master).ForTenant(t.Context(), w.app, w.Home.Tenant.Key)
	if err != nil || restarted.Token != first.Token || restarted.Expire != time.Hour {
		t.Errorf("after a restart: %+v, %v", restarted, err)
	}
	w.says(first.Token, nil)
	_, err = w.node(keys.New()).Check(t.Context(), first.Token)
	wants(t, "an installation with another key", err, token.ErrTenantInvalid)
}

func TestAllNodesHandOutOneToken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		got, errs := race(t.Context(), func(ctx context.Context) (token.Issued, error) {
			return w.node(w.master).ForTenant(ctx, w.app, w.Home.Tenant.Key)
		})
		for i := range got {
			if errs[i] != nil || got[i] != got[0] {
				t.Errorf("%d: %+v, %v; want %+v", i, got[i], errs[i], got[0])
			}
		}
	})
}

func TestAClockSetBackPromisesNoMoreThanALife(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	first := w.issue()
	w.after(-24 * time.Hour)
	if got := w.issue(); got.Token != first.Token || got.Expire != token.TenantLife {
		t.Errorf("the same %v, expire %s", got.Token == first.Token, got.Expire)
	}
	w.says(first.Token, nil)
}

func TestWhoGetsATenantToken(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	store, disabled := w.app, w.app
	store.Type, disabled.Disabled = tenant.Store, true
	for name, c := range map[string]struct {
		app  tenant.App
		in   tenant.Key
		want error
	}{
		"a custom app at home":      {w.app, w.Home.Tenant.Key, nil},
		"a custom app elsewhere":    {w.app, w.Away.Tenant.Key, token.ErrNotInstalled},
		"a store app elsewhere":     {store, w.Away.Tenant.Key, nil},
		"an app that was disabled":  {disabled, w.Home.Tenant.Key, token.ErrAppDisabled},
		"disabled, and not its own": {disabled, w.Away.Tenant.Key, token.ErrAppDisabled},
	} {
		_, err := w.ForTenant(t.Context(), c.app, c.in)
		wants(t, name, err, c.want)
	}
}

// What a node remembers of an app or a tenant it forgets within a second.
func TestDisablingAnAppOrATenantStopsItsTokensSoon(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want error
		set  func(*world, bool) error
	}{
		"app": {token.ErrAppDisabled, func(w *world, off bool) error {
			w.app.Disabled = off
			return w.DB.SaveApp(t.Context(), w.app)
		}},
		"tenant": {token.ErrTenantDisabled, func(w *world, off bool) error {
			w.Home.Tenant.Disabled = off
			return w.DB.SaveTenant(t.Context(), w.Home.Tenant)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sqlite(t)
			raws := []string{w.issue().Token, w.pair().Access}
			for _, off := range []bool{false, true, false} {
				check(t, c.set(w, off))
				for _, raw := range raws {
					want := c.want
					if !off {
						want = nil
					}
					w.soon(raw, want)
				}
			}
		})
	}
}

func TestATokenOfAnAppThatIsNotThereIsOfNoUse(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	restored := token.NewService(storetest.SQLite(t), storetest.SQLite(t), w.master, w.clock) // an older backup, say
	_, err := restored.Check(t.Context(), w.issue().Token)
	wants(t, "tenant token", err, token.ErrNotInstalled)
	_, err = restored.Check(t.Context(), w.pair().Access)
	wants(t, "user token", err, token.ErrUserInvalid)
}
