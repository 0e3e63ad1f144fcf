package token_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"huilu/internal/scope"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
	"huilu/internal/token"
)

func TestARefreshTokenBuysTheNextPair(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	old := w.pair()
	if old.RefreshExpire != token.RefreshLife || old.Refresh == old.Access {
		t.Errorf("the first pair is %+v", old)
	}
	w.after(time.Hour)
	next, err := w.Refresh(t.Context(), w.app, old.Refresh, "")
	check(t, err)
	if next.Expires != token.UserLife || next.RefreshExpire != token.RefreshLife || next.Access == old.Access || next.Refresh == old.Refresh || !slices.Equal(next.Scopes, old.Scopes) {
		t.Errorf("the next pair is %+v", next)
	}
	w.says(next.Access, nil)
	w.says(old.Access, nil) // for a minute
	w.after(token.Grace - time.Millisecond)
	w.says(old.Access, nil)
	w.after(time.Millisecond)
	w.says(old.Access, token.ErrUserExpired)
	w.says(next.Access, nil)
	_, err = w.Refresh(t.Context(), w.app, old.Refresh, "")
	wants(t, "the old one again", err, token.ErrRefreshUsed)
}

func TestTheGraceNeverLengthensALife(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	old := w.pair()
	w.after(token.UserLife - time.Second)
	_, err := w.Refresh(t.Context(), w.app, old.Refresh, "")
	check(t, err)
	w.says(old.Access, nil)
	w.after(time.Second)
	w.says(old.Access, token.ErrUserExpired)
}

func TestARefreshTokenIsUsedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		old := w.pair()
		_, errs := race(t.Context(), func(ctx context.Context) (token.Pair, error) {
			return w.node(w.master).Refresh(ctx, w.app, old.Refresh, "")
		})
		wantOne(t, errs, token.ErrRefreshUsed)
		if n := w.Count("token_rows"); n != 4 {
			t.Errorf("%d tokens exist, want the old pair and the new one", n)
		}
	})
}

// late is a database whose look at a row is older than what happened since.
type late struct{ *store.DB }

func (l late) RowByID(ctx context.Context, id string) (token.Row, error) {
	r, err := l.DB.RowByID(ctx, id)
	r.UsedAt = time.Time{}
	return r, err
}

// That a refresh token is used once hangs on the write that marks it, not on how well transactions are kept apart.
func TestARefreshTokenThatLookedFreshIsUsedOnceAllTheSame(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	s, old := token.NewService(late{w.DB}, w.DB, w.master, w.clock), w.pair()
	for _, want := range []error{nil, token.ErrRefreshUsed} {
		_, err := s.Refresh(t.Context(), w.app, old.Refresh, "")
		wants(t, "refresh", err, want)
	}
}

func TestWhatIsNoRefreshToken(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	old := w.pair()
	for name, raw := range map[string]string{"an access token": old.Access, "nothing": "", "a text": "eyJ", "with a line break": old.Refresh + "\n", "a tenant token": w.issue().Token} {
		_, err := w.Refresh(t.Context(), w.app, raw, "")
		wants(t, name, err, token.ErrRefreshInvalid)
	}
	w.says(old.Refresh, token.ErrUserInvalid) // as an access token
	_, err := token.NewService(storetest.SQLite(t), w.DB, w.master, w.clock).Refresh(t.Context(), w.app, old.Refresh, "")
	wants(t, "one this database never saw", err, token.ErrRefreshInvalid)
}

func TestARefusalDoesNotUseUpTheRefreshToken(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	old := w.pair()
	for name, c := range map[string]struct {
		scope string
		want  error
	}{
		"a permission that was not granted": {scope.Record, token.ErrScopeNotGranted},
		"a permission twice":                {scope.Meeting + " " + scope.Meeting, token.ErrScopeRepeated},
	} {
		_, err := w.Refresh(t.Context(), w.app, old.Refresh, c.scope)
		wants(t, name, err, c.want)
	}
	_, err := w.Refresh(t.Context(), w.second, old.Refresh, "")
	wants(t, "another client", err, token.ErrOtherClient)
	w.after(token.Grace)
	w.says(old.Access, nil) // it has not been shortened either
	_, err = w.Refresh(t.Context(), w.app, old.Refresh, "")
	wants(t, "the right way", err, nil)
}

func TestANarrowedPairStaysNarrow(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	narrowed, err := w.Refresh(t.Context(), w.app, w.pair().Refresh, scope.RecordRead+" "+scope.OfflineAccess)
	check(t, err)
	_, err = w.Refresh(t.Context(), w.app, narrowed.Refresh, scope.Meeting)
	wants(t, "widening", err, token.ErrScopeNotGranted)
	last, err := w.Refresh(t.Context(), w.app, narrowed.Refresh, scope.RecordRead)
	if err != nil || last.Scopes.String() != scope.RecordRead || last.Refresh != "" {
		t.Errorf("without offline_access: %+v, %v", last, err)
	}
}

func TestWhatTheAppLostIsNotRefreshed(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	old := w.pair()
	w.app.Scopes = scope.Set{scope.Meeting}
	next, err := w.Refresh(t.Context(), w.app, old.Refresh, "")
	if err != nil || next.Scopes.String() != scope.Meeting || next.Refresh != "" {
		t.Errorf("got %+v, %v", next, err)
	}
}

func TestARefreshTokenLivesAWeek(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	first, second := w.pair(), w.pair()
	w.after(token.RefreshLife - time.Millisecond)
	_, err := w.Refresh(t.Context(), w.app, first.Refresh, "")
	wants(t, "in time", err, nil)
	w.after(time.Millisecond)
	_, err = w.Refresh(t.Context(), w.app, second.Refresh, "")
	wants(t, "too late", err, token.ErrRefreshExpired)
}

// A year after a person agreed, the app has to ask again, however often it refreshed (contract tokens.md §4, 20037).
func TestAConsentLastsAYear(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	p := w.pair()
	const step = 5 * 24 * time.Hour
	for passed := step; passed < token.ConsentLife; passed += step {
		w.after(step)
		next, err := w.Refresh(t.Context(), w.app, p.Refresh, "")
		if err != nil {
			t.Fatalf("after %s: %v", passed, err)
		}
		p = next
	}
	w.after(step - time.Millisecond)
	access, err := w.Refresh(t.Context(), w.app, p.Refresh, "")
	wants(t, "on the last day", err, nil)
	w.after(time.Millisecond)
	_, err = w.Refresh(t.Context(), w.app, access.Refresh, "")
	wants(t, "a year later", err, token.ErrRefreshExpired)
	w.says(access.Access, nil)
}

func TestADisabledPersonsTokensStopAndComeBack(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	old, code := w.pair(), w.code(w.consent(scope.Meeting))
	w.soon(old.Access, nil)
	who := w.Home.Owner
	who.Disabled = true
	check(t, w.DB.SaveUser(t.Context(), who))
	w.soon(old.Access, token.ErrUserInvalid)
	_, err := w.Refresh(t.Context(), w.app, old.Refresh, "")
	wants(t, "refresh", err, token.ErrUserGone)
	_, err = w.Exchange(t.Context(), token.CodeExchange{App: w.app, Code: code})
	wants(t, "exchange", err, token.ErrUserGone)
	who.Disabled = false
	check(t, w.DB.SaveUser(t.Context(), who))
	w.soon(old.Access, nil)
	_, err = w.Refresh(t.Context(), w.app, old.Refresh, "")
	wants(t, "refresh once enabled", err, nil)
}

func TestAMintedTokenIsAsGoodAsAnyOther(t *testing.T) {
	t.Parallel()
	w := sqlite(t)
	p, err := w.Mint(t.Context(), w.app, w.Home.Owner, scope.Set{scope.Meeting, scope.OfflineAccess})
	check(t, err)
	if c := w.says(p.Access, nil); c.User.Num != w.Home.Owner.Num || !c.Scopes.Has(scope.Meeting) || c.Scopes.Has(scope.RecordRead) {
		t.Errorf("the caller is %+v", c)
	}
	_, err = w.Refresh(t.Context(), w.app, p.Refresh, "")
	wants(t, "refresh", err, nil)
}
