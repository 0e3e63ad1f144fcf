package store_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"huilu/internal/keys"
	"huilu/internal/scope"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
)

func TestTenantsAppsAndPeopleComeBackAsTheyWereStored(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, o := t.Context(), w.Home
		same(t, "tenant", must[tenant.Tenant](t)(w.DB.TenantByKey(ctx, o.Tenant.Key)), o.Tenant)
		same(t, "app", must[tenant.App](t)(w.DB.AppByID(ctx, o.App.ID)), o.App)
		same(t, "person by number", must[tenant.User](t)(w.DB.UserByNum(ctx, o.Tenant.Key, o.Owner.Num)), o.Owner)
		same(t, "person by user id", must[tenant.User](t)(w.DB.UserByUserID(ctx, o.Tenant.Key, o.Owner.UserID)), o.Owner)
		u, hash, err := w.DB.UserByEmail(ctx, o.Owner.Email)
		check(t, err)
		same(t, "person by email", u, o.Owner)
		same(t, "password hash", hash, "hash of home.owner")
	})
}

func TestAnAppWithNothingSetComesBackTheSame(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		bare := tenant.App{ID: "cli_0000000000000000", Num: 1, Tenant: w.Home.Tenant.Key, DeveloperNum: 2, Name: "bare", Type: tenant.Store, SecretHash: []byte{1}, CreatedAt: storetest.Now}
		check(t, w.DB.AddApp(t.Context(), bare))
		same(t, "app", must[tenant.App](t)(w.DB.AppByID(t.Context(), bare.ID)), bare)
	})
}

func TestListsAreInOrderOfCreation(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, o := t.Context(), w.Home
		early := w.NewApp(o.Tenant, "early")
		_, err := w.DB.Pool().ExecContext(ctx, `UPDATE apps SET created_at_ms = 1 WHERE id = $1`, early.ID)
		check(t, err)
		early.CreatedAt = time.UnixMilli(1).UTC()
		same(t, "tenants", must[[]tenant.Tenant](t)(w.DB.Tenants(ctx)), []tenant.Tenant{w.Home.Tenant, w.Away.Tenant})
		same(t, "apps", must[[]tenant.App](t)(w.DB.Apps(ctx, o.Tenant.Key)), []tenant.App{early, o.App})
		same(t, "people", must[[]tenant.User](t)(w.DB.Users(ctx, o.Tenant.Key)), []tenant.User{o.Owner, o.Other})
	})
}

func TestSavedChangesAreRead(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, o := t.Context(), w.Home
		o.Tenant.Name, o.Tenant.Recording, o.Tenant.Disabled = "new", false, true
		check(t, w.DB.SaveTenant(ctx, o.Tenant))
		same(t, "tenant", must[tenant.Tenant](t)(w.DB.TenantByKey(ctx, o.Tenant.Key)), o.Tenant)

		a := &o.App
		a.Name, a.SecretHash, a.Scopes, a.Redirects, a.Disabled = "new", []byte{9}, scope.Set{scope.Meeting}, nil, true
		a.Events = tenant.Subscription{URL: "https://example.com", Types: []string{"a", "b"}, VerificationToken: "other"}
		check(t, w.DB.SaveApp(ctx, *a))
		same(t, "app", must[tenant.App](t)(w.DB.AppByID(ctx, a.ID)), *a)

		o.Owner.Name, o.Owner.Role, o.Owner.Disabled = "new", tenant.Admin, true
		check(t, w.DB.SaveUser(ctx, o.Owner))
		check(t, w.DB.SetPassword(ctx, o.Tenant.Key, o.Owner.Num, "new hash"))
		u, hash, err := w.DB.UserByEmail(ctx, o.Owner.Email)
		check(t, err)
		same(t, "person", u, o.Owner)
		same(t, "password hash", hash, "new hash")
		same(t, "the other person", must[tenant.User](t)(w.DB.UserByNum(ctx, o.Tenant.Key, o.Other.Num)), o.Other)
	})
}

func TestEmailBelongsToOneAccountOnTheServer(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx := t.Context()
		double := w.Away.Other
		double.Num, double.UserID, double.Email = 1, "abcdefgh", w.Home.Owner.Email
		fresh := double
		fresh.Email = "fresh@example.org"
		err := w.DB.Within(ctx, func(ctx context.Context) error {
			wants(t, "second account", w.DB.AddUser(ctx, double, "x"), tenant.ErrEmailTaken)
			return w.DB.AddUser(ctx, fresh, "x") // the transaction is still good
		})
		check(t, err)
		same(t, "fresh account", must[tenant.User](t)(w.DB.UserByNum(ctx, fresh.Tenant, fresh.Num)), fresh)
	})
}

func TestSecretsOfAppsAreSealed(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		var key, token string
		check(t, w.DB.Pool().QueryRowContext(t.Context(), `SELECT encrypt_key, verification_token FROM apps WHERE id = $1`, w.Home.App.ID).Scan(&key, &token))
		for _, sealed := range []string{key, token} {
			if sealed == "" || strings.Contains(sealed, "-me") {
				t.Errorf("the database holds %q", sealed)
			}
		}
		_, err := w.DB.Pool().ExecContext(t.Context(), `UPDATE apps SET encrypt_key = $1 WHERE id = $2`, key, w.Away.App.ID)
		check(t, err)
		_, err = w.DB.AppByID(t.Context(), w.Away.App.ID)
		wants(t, "a secret copied to another app", err, keys.ErrSealed)
	})
}

func TestAnotherMasterKeyOpensNoSecret(t *testing.T) {
	t.Parallel()
	dsn := "sqlite:" + t.TempDir() + "/huilu.db"
	w := storetest.NewWorld(t, storetest.Open(t, dsn, keys.New()))
	other, err := store.Open(t.Context(), dsn, keys.New(), slog.New(slog.DiscardHandler))
	check(t, err)
	defer other.Close()
	_, err = other.AppByID(t.Context(), w.Home.App.ID)
	wants(t, "app", err, keys.ErrSealed)
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, k := t.Context(), w.Home.Tenant.Key
		ghost := tenant.User{Num: 1, Tenant: k}
		for what, call := range map[string]func() error{
			"tenant":       func() error { _, err := w.DB.TenantByKey(ctx, "none"); return err },
			"save tenant":  func() error { return w.DB.SaveTenant(ctx, tenant.Tenant{Key: "none"}) },
			"app":          func() error { _, err := w.DB.AppByID(ctx, "none"); return err },
			"save app":     func() error { return w.DB.SaveApp(ctx, tenant.App{ID: "none", Tenant: k, SecretHash: []byte{1}}) },
			"number":       func() error { _, err := w.DB.UserByNum(ctx, k, 1); return err },
			"user id":      func() error { _, err := w.DB.UserByUserID(ctx, k, "none"); return err },
			"email":        func() error { _, _, err := w.DB.UserByEmail(ctx, "none"); return err },
			"save user":    func() error { return w.DB.SaveUser(ctx, ghost) },
			"set password": func() error { return w.DB.SetPassword(ctx, k, 1, "x") },
		} {
			wants(t, what, call(), tenant.ErrNotFound)
		}
	})
}
