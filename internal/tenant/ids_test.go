package tenant_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"huilu/internal/keys"
	"huilu/internal/tenant"
)

// The forms of contract gateway.md §8.
var (
	openForm  = regexp.MustCompile(`^ou_[0-9a-f]{32}$`)
	unionForm = regexp.MustCompile(`^on_[0-9a-f]{32}$`)
)

func drawApp(t *rapid.T, name string) tenant.App {
	return tenant.App{Num: rapid.Int64Min(1).Draw(t, name), DeveloperNum: rapid.Int64Min(1).Draw(t, name+"'s developer")}
}

func TestAnOpenIDIsOfUseToItsAppOnly(t *testing.T) {
	t.Parallel()
	ids, elsewhere := tenant.NewIDs(keys.New()), tenant.NewIDs(keys.New())
	rapid.Check(t, func(t *rapid.T) {
		a, b, n := drawApp(t, "app"), drawApp(t, "another app"), tenant.UserNum(rapid.Int64Min(1).Draw(t, "user"))
		if a.Num == b.Num {
			t.Skip("one app")
		}
		id := ids.Open(a, n)
		if got, err := ids.FromOpen(a, id); err != nil || got != n {
			t.Fatalf("%s reads %d, %v; want %d", id, got, err, n)
		}
		if got, err := ids.FromOpen(b, id); !errors.Is(err, tenant.ErrIDCrossApp) || got != 0 {
			t.Fatalf("another app reads %d, %v", got, err)
		}
		if _, err := elsewhere.FromOpen(a, id); err == nil {
			t.Fatal("another installation reads it")
		}
		if !openForm.MatchString(id) || id == ids.Open(b, n) || id != ids.Open(a, n) || id == ids.Open(a, n^1) {
			t.Fatalf("%s is no open_id, or not of this person and app alone", id)
		}
	})
}

func TestAUnionIDIsTheSameInAllAppsOfADeveloper(t *testing.T) {
	t.Parallel()
	ids := tenant.NewIDs(keys.New())
	rapid.Check(t, func(t *rapid.T) {
		a, b, n := drawApp(t, "app"), drawApp(t, "another app"), tenant.UserNum(rapid.Int64Min(1).Draw(t, "user"))
		sibling := tenant.App{Num: b.Num, DeveloperNum: a.DeveloperNum}
		id := ids.Union(a, n)
		if got, err := ids.FromUnion(sibling, id); err != nil || got != n || id != ids.Union(sibling, n) || !unionForm.MatchString(id) {
			t.Fatalf("%s is not what an app of the same developer has: %d, %v", id, got, err)
		}
		if got, err := ids.FromUnion(b, id); a.DeveloperNum != b.DeveloperNum && (!errors.Is(err, tenant.ErrIDUnknown) || got != 0 || id == ids.Union(b, n)) {
			t.Fatalf("another developer reads %d, %v", got, err)
		}
		if _, err := ids.FromOpen(a, "ou_"+id[3:]); a.DeveloperNum != a.Num && err == nil {
			t.Fatal("a union_id passes for an open_id")
		}
		if _, err := ids.FromUnion(a, ids.Open(a, n)); !errors.Is(err, tenant.ErrIDOtherKind) {
			t.Fatalf("an open_id where a union_id is asked for: %v", err)
		}
	})
}

// The number of an app and that of a developer may meet: the two ids have keys of their own.
func TestAnOpenIDIsNoUnionIDEvenWithEqualNumbers(t *testing.T) {
	t.Parallel()
	ids, a := tenant.NewIDs(keys.New()), tenant.App{Num: 7, DeveloperNum: 7}
	open := ids.Open(a, 1)
	if n, err := ids.FromUnion(a, "on_"+open[3:]); err == nil || open[3:] == ids.Union(a, 1)[3:] {
		t.Errorf("reads %d, %v", n, err)
	}
}

// Whoever guesses or changes an id finds nobody.
func FuzzFromOpen(f *testing.F) {
	ids, a := tenant.NewIDs(keys.New()), tenant.App{Num: 1 << 61, DeveloperNum: 1 << 60}
	good := ids.Open(a, 7)
	for _, id := range []string{good, "", "ou_", good + "0", good[:len(good)-1], good[3:], "on_" + good[3:], "OU_" + good[3:], "ou_" + fmt.Sprintf("%032X", 1), good[:10] + "\x00" + good[11:], " " + good} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		n, err := ids.FromOpen(a, id)
		if err == nil && id != ids.Open(a, n) {
			t.Errorf("%q is read as user %d, whose id it is not", id, n)
		}
		if n, err := ids.FromUnion(a, id); err == nil && id != ids.Union(a, n) {
			t.Errorf("%q is read as user %d, whose id it is not", id, n)
		}
		known := []error{tenant.ErrIDUnknown, tenant.ErrIDCrossApp, tenant.ErrIDOtherKind}
		if err != nil && !slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) }) {
			t.Errorf("%q: %v", id, err)
		}
	})
}

func TestCapitalsMakeAnotherID(t *testing.T) {
	t.Parallel()
	ids, a := tenant.NewIDs(keys.New()), tenant.App{Num: 1, DeveloperNum: 2}
	for n := tenant.UserNum(1); n < 4; n++ {
		id := []byte(ids.Open(a, n))
		i := slices.IndexFunc(id[3:], func(c byte) bool { return c >= 'a' }) + 3
		id[i] -= 'a' - 'A'
		_, err := ids.FromOpen(a, string(id))
		wants(t, string(id), err, tenant.ErrIDUnknown)
	}
}

func TestAnIDIsResolvedInItsTenantOnly(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		app, lin, zoe := w.Home.App, w.Home.Owner, w.Away.Owner
		second := w.NewApp(w.Home.Tenant, "second")
		for name, c := range map[string]struct {
			typ  tenant.IDType
			id   string
			want error
		}{
			"open_id":                              {tenant.OpenID, w.IDs().Open(app, lin.Num), nil},
			"no type is open_id":                   {"", w.IDs().Open(app, lin.Num), nil},
			"union_id":                             {tenant.UnionID, w.IDs().Union(app, lin.Num), nil},
			"union_id from another app":            {tenant.UnionID, w.IDs().Union(second, lin.Num), nil},
			"user_id":                              {tenant.UserID, lin.UserID, nil},
			"open_id of another app":               {tenant.OpenID, w.IDs().Open(second, lin.Num), tenant.ErrIDCrossApp},
			"open_id of another tenant's app":      {tenant.OpenID, w.IDs().Open(w.Away.App, zoe.Num), tenant.ErrIDCrossApp},
			"open_id of somebody elsewhere":        {tenant.OpenID, w.IDs().Open(app, zoe.Num), tenant.ErrIDUnknown},
			"open_id of nobody":                    {tenant.OpenID, w.IDs().Open(app, 12345), tenant.ErrIDUnknown},
			"union_id of somebody elsewhere":       {tenant.UnionID, w.IDs().Union(app, zoe.Num), tenant.ErrIDUnknown},
			"union_id of another developer":        {tenant.UnionID, w.IDs().Union(w.Away.App, lin.Num), tenant.ErrIDUnknown},
			"user_id of another tenant":            {tenant.UserID, zoe.UserID, tenant.ErrIDUnknown},
			"an open_id where union_id is meant":   {tenant.UnionID, w.IDs().Open(app, lin.Num), tenant.ErrIDOtherKind},
			"a union_id where open_id is meant":    {tenant.OpenID, w.IDs().Union(app, lin.Num), tenant.ErrIDOtherKind},
			"an open_id where user_id is meant":    {tenant.UserID, w.IDs().Open(app, lin.Num), tenant.ErrIDUnknown},
			"a user_id that no database can hold":  {tenant.UserID, "a\x00", tenant.ErrIDUnknown},
			"a user_id of half a character":        {tenant.UserID, "a\xff", tenant.ErrIDUnknown},
			"an open_id that no database can hold": {tenant.OpenID, "ou_\x00", tenant.ErrIDUnknown},
		} {
			u, err := w.Resolve(t.Context(), app, w.Home.Tenant.Key, c.typ, c.id)
			wants(t, name, err, c.want)
			if (err == nil && u.Num != lin.Num) || (err != nil && u.Num != 0) {
				t.Errorf("%s is %d", name, u.Num)
			}
		}
	})
}
