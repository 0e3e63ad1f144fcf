package store_test

import (
	"testing"
	"time"

	"huilu/internal/scope"
	"huilu/internal/store/storetest"
	"huilu/internal/token"
)

func TestLastIssueIsTheLatest(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, app, key := t.Context(), w.Home.App.ID, w.Home.Tenant.Key
		same(t, "before the first", must[time.Time](t)(w.DB.LastIssue(ctx, app, key)), time.Time{})
		for _, issued := range []time.Time{storetest.Now, storetest.Now.Add(time.Hour), storetest.Now.Add(time.Minute)} {
			check(t, w.DB.SetLastIssue(ctx, app, key, issued))
		}
		same(t, "after three", must[time.Time](t)(w.DB.LastIssue(ctx, app, key)), storetest.Now.Add(time.Hour))
		same(t, "in another tenant", must[time.Time](t)(w.DB.LastIssue(ctx, app, w.Away.Tenant.Key)), time.Time{})
	})
}

func code(w *storetest.World) token.Code {
	return token.Code{
		Hash: []byte{0, 1, 2}, App: w.Home.App.ID, Tenant: w.Home.Tenant.Key, User: w.Home.Owner.Num, Redirect: "https://example.org/back",
		Scopes: scope.Set{scope.Meeting}, Challenge: "challenge", Method: "S256", CreatedAt: storetest.Now, ConsentedAt: storetest.Now.Add(-time.Hour),
	}
}

func TestCodeIsTakenOnce(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		c := code(w)
		check(t, w.DB.AddCode(t.Context(), c))
		first := race(t, func(int) (bool, error) {
			got, used, err := w.DB.TakeCode(t.Context(), c.Hash, storetest.Now)
			same(t, "code", got, c)
			return !used, err
		})
		if first != 1 {
			t.Errorf("%d takers were the first", first)
		}
		_, _, err := w.DB.TakeCode(t.Context(), []byte{9}, storetest.Now)
		wants(t, "unknown code", err, token.ErrCodeNotFound)
	})
}

func tokenRow(w *storetest.World, id, pair string, refresh bool) token.Row {
	return token.Row{ID: id, Pair: pair, Refresh: refresh, App: w.Home.App.ID, Tenant: w.Home.Tenant.Key, User: w.Home.Owner.Num,
		Scopes: scope.Set{scope.Meeting, scope.OfflineAccess}, ExpiresAt: storetest.Now.Add(time.Hour), Consented: storetest.Now}
}

func TestRefreshTokenIsUsedOnce(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		access, refresh := tokenRow(w, "access", "pair", false), tokenRow(w, "refresh", "pair", true)
		check(t, w.DB.AddRow(t.Context(), access))
		check(t, w.DB.AddRow(t.Context(), refresh))
		same(t, "fresh row", must[token.Row](t)(w.DB.RowByID(t.Context(), "refresh")), refresh)
		if n := race(t, func(int) (bool, error) { return w.DB.UseRefresh(t.Context(), "refresh", storetest.Now) }); n != 1 {
			t.Errorf("%d times used", n)
		}
		refresh.UsedAt = storetest.Now
		same(t, "used row", must[token.Row](t)(w.DB.RowByID(t.Context(), "refresh")), refresh)
		for _, id := range []string{"access", "unknown"} {
			if fresh := must[bool](t)(w.DB.UseRefresh(t.Context(), id, storetest.Now)); fresh {
				t.Errorf("%s token was used as a refresh token", id)
			}
		}
		_, err := w.DB.RowByID(t.Context(), "unknown")
		wants(t, "unknown token", err, token.ErrUserInvalid)
	})
}

func TestShortenedPairNeverLivesLonger(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx := t.Context()
		for _, r := range []token.Row{tokenRow(w, "a1", "one", false), tokenRow(w, "r1", "one", true), tokenRow(w, "a2", "two", false)} {
			check(t, w.DB.AddRow(ctx, r))
		}
		soon := storetest.Now.Add(time.Minute)
		check(t, w.DB.ShortenPair(ctx, "one", soon))
		check(t, w.DB.ShortenPair(ctx, "one", storetest.Now.Add(time.Hour)))
		full := storetest.Now.Add(time.Hour)
		for id, want := range map[string]time.Time{"a1": soon, "r1": full, "a2": full} {
			same(t, id, must[token.Row](t)(w.DB.RowByID(ctx, id)).ExpiresAt, want)
		}
	})
}

func TestGrantsAddUp(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx, app, key, user := t.Context(), w.Home.App.ID, w.Home.Tenant.Key, w.Home.Owner.Num
		check(t, w.DB.Grant(ctx, app, key, user, scope.Set{scope.Record, scope.Meeting}, storetest.Now))
		check(t, w.DB.Grant(ctx, app, key, user, scope.Set{scope.Meeting, scope.Minutes}, storetest.Now))
		same(t, "granted", must[scope.Set](t)(w.DB.Granted(ctx, app, key, user)), scope.Set{scope.Minutes, scope.Meeting, scope.Record})
		same(t, "by somebody else", must[scope.Set](t)(w.DB.Granted(ctx, app, key, w.Home.Other.Num)), scope.Set(nil))
		same(t, "in another tenant", must[scope.Set](t)(w.DB.Granted(ctx, app, w.Away.Tenant.Key, user)), scope.Set(nil))
	})
}

func TestPruningKeepsWhatAnswersDependOn(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		ctx := t.Context()
		check(t, w.DB.AddCode(ctx, code(w)))
		check(t, w.DB.AddRow(ctx, tokenRow(w, "access", "pair", false)))
		check(t, w.DB.Sessions().CommitCtx(ctx, "session", []byte("x"), storetest.Now.Add(time.Minute)))
		for _, step := range []struct {
			after                   time.Duration
			sessions, tokens, codes int
		}{
			{0, 1, 1, 1},
			{2 * time.Hour, 0, 1, 1}, // expired, but still told apart from unknown
			{32 * 24 * time.Hour, 0, 0, 0},
		} {
			check(t, w.DB.Prune(ctx, storetest.Now.Add(step.after)))
			same(t, step.after.String(), []int{w.Count("sessions"), w.Count("token_rows"), w.Count("codes")}, []int{step.sessions, step.tokens, step.codes})
		}
	})
}
