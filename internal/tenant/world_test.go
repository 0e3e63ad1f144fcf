package tenant_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"huilu/internal/field"
	"huilu/internal/ident"
	"huilu/internal/keys"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
)

// world is a service over a real database.
type world struct {
	*tenant.Service
	*storetest.World
	t testing.TB
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	s := tenant.NewService(db, tenant.NewIDs(keys.New()), &ident.Numbers{}, func() time.Time { return storetest.Now })
	return &world{Service: s, World: storetest.NewWorld(t, db), t: t}
}

// both runs a test on both databases: what they refuse to store differs.
func both(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, newWorld(t, db)) })
}

const password = "correct horse"

// account stores a person whose password is checked a thousand times cheaper than a real one's.
func (w *world) account(email string) tenant.User {
	w.t.Helper()
	hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	check(w.t, err)
	u := tenant.User{Num: tenant.UserNum(w.Number()), Tenant: w.Home.Tenant.Key, UserID: ident.UserID(), Name: "Lin", Email: email, Role: tenant.Member, CreatedAt: storetest.Now}
	check(w.t, w.DB.AddUser(w.t.Context(), u, hash))
	return u
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// blames fails unless err names the field; an empty name wants no error.
func blames(t testing.TB, what string, err error, name string) {
	t.Helper()
	var f *field.Error
	switch errors.As(err, &f); {
	case name == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case name != "" && (f == nil || f.Name != name):
		t.Errorf("%s: %v, want a complaint about %s", what, err, name)
	}
}

// unstorable are texts that PostgreSQL refuses to hold: nobody may make the server fail with them.
var unstorable = []string{"nul\x00", "\x00", "torn\xff", "\xc3"}

// long is n times the character 林, three bytes each.
func long(n int) string { return strings.Repeat("林", n) }
