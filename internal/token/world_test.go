package token_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"huilu/internal/keys"
	"huilu/internal/scope"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

// world is a service over a real database, with a clock that the test moves.
type world struct {
	*token.Service
	*storetest.World
	t      testing.TB
	master keys.Master
	app    tenant.App // custom, of Home
	second tenant.App // another one of Home

	mu  sync.Mutex // guards now
	now time.Time
}

// newWorld begins at a whole second: tenant tokens know no smaller unit.
func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	w := &world{World: storetest.NewWorld(t, db), t: t, master: keys.New(), now: storetest.Now.Truncate(time.Second)}
	w.Service = w.node(w.master)
	w.app, w.second = w.Home.App, w.NewApp(w.Home.Tenant, "second")
	for _, a := range []*tenant.App{&w.app, &w.second} {
		a.Scopes = scope.Set{scope.Meeting, scope.OfflineAccess, scope.RecordRead}
		check(t, db.SaveApp(t.Context(), *a))
	}
	return w
}

// sqlite is a world for rules that do not depend on the database.
func sqlite(t testing.TB) *world {
	t.Helper()
	return newWorld(t, storetest.SQLite(t))
}

// node is the service of another process, or of this one after a restart.
func (w *world) node(m keys.Master) *token.Service {
	return token.NewService(w.DB, w.DB, m, w.clock)
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// after lets time pass.
func (w *world) after(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// says asks a node that remembers nothing what it thinks of a token.
func (w *world) says(raw string, want error) token.Caller {
	w.t.Helper()
	c, err := w.node(w.master).Check(w.t.Context(), raw)
	if !errors.Is(err, want) {
		w.t.Errorf("the token of %s is %v, want %v", c.App.Name, err, want)
	}
	return c
}

// soon waits until every node says so, those that have seen the token before included.
func (w *world) soon(raw string, want error) {
	w.t.Helper()
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, err = w.Check(w.t.Context(), raw); errors.Is(err, want) {
			return
		}
	}
	w.t.Errorf("still %v, want %v", err, want)
}

func (w *world) consent(scopes ...string) token.Consent {
	return token.Consent{App: w.app, User: w.Home.Owner, Scopes: scopes, Redirect: "https://example.org/back"}
}

// code is what the consent page hands out.
func (w *world) code(c token.Consent) string {
	w.t.Helper()
	code, err := w.Authorize(w.t.Context(), c)
	check(w.t, err)
	return code
}

// pair is bought with a code for all that the app may ask.
func (w *world) pair() token.Pair {
	w.t.Helper()
	p, err := w.Exchange(w.t.Context(), token.CodeExchange{App: w.app, Code: w.code(w.consent(w.app.Scopes...))})
	check(w.t, err)
	return p
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

// rivals is how many goroutines compete where only one may win.
const rivals = 16

// race runs f in many goroutines at once and returns what they got.
func race[T any](ctx context.Context, f func(context.Context) (T, error)) (values []T, errs []error) {
	values, errs = make([]T, rivals), make([]error, rivals)
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for i := range rivals {
		wg.Go(func() {
			<-gate
			values[i], errs[i] = f(ctx)
		})
	}
	close(gate)
	wg.Wait()
	return values, errs
}
