package minute_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huilu/internal/keys"
	"huilu/internal/meeting"
	"huilu/internal/minute"
	"huilu/internal/recording"
	"huilu/internal/store"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The tenant is asked for by the query, so that is what has to be tried.
func TestAStoredMinuteStaysInItsTenant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := storetest.NewWorld(t, db)
		s := minute.NewService(db, keys.New(), func() time.Time { return storetest.Now })
		met := w.Meeting(w.Home, meeting.Ended)
		kept := w.Minute(w.Recording(met, recording.Ready), w.Home.Owner.Num)
		actor := func(o storetest.Org, u tenant.User) tenant.Actor {
			return tenant.Actor{Tenant: o.Tenant.Key, User: u.Num}
		}
		for name, c := range map[string]struct {
			who   tenant.Actor
			token string
			want  error
		}{
			"the owner":                      {actor(w.Home, w.Home.Owner), kept.Token, nil},
			"an app":                         {actor(w.Home, tenant.User{}), kept.Token, nil},
			"a colleague":                    {actor(w.Home, w.Home.Other), kept.Token, minute.ErrNotPermitted},
			"a stranger":                     {actor(w.Away, w.Away.Owner), kept.Token, minute.ErrNotFound},
			"the owner's number elsewhere":   {actor(w.Away, w.Home.Owner), kept.Token, minute.ErrNotFound},
			"an app elsewhere":               {actor(w.Away, tenant.User{}), kept.Token, minute.ErrNotFound},
			"in capitals":                    {actor(w.Home, w.Home.Owner), strings.ToUpper(kept.Token), minute.ErrNotFound},
			"a piece of it":                  {actor(w.Home, w.Home.Owner), kept.Token[:23], minute.ErrNotFound},
			"a NUL, which no database holds": {actor(w.Home, w.Home.Owner), kept.Token[:23] + "\x00", minute.ErrNotFound},
			"half a character":               {actor(w.Home, w.Home.Owner), kept.Token[:23] + "\xff", minute.ErrNotFound},
		} {
			m, err := s.Get(t.Context(), c.who, c.token)
			if !errors.Is(err, c.want) || (err == nil) != (m.File == kept.File) || (err != nil && m.Title != "") {
				t.Errorf("%s: %+v, %v; want %v", name, m, err, c.want)
			}
		}
	})
}

func TestWhoWasInTheMeetingIsListedByTimeOfJoining(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := storetest.NewWorld(t, db)
		s := minute.NewService(db, keys.New(), func() time.Time { return storetest.Now })
		met := w.Meeting(w.Home, meeting.Ended)
		at := func(minutes int) time.Time { return storetest.Now.Add(time.Duration(minutes) * time.Minute) }
		w.Participant(met, w.Home.Other.Num, at(3), at(5))
		w.Participant(met, w.Home.Owner.Num, at(1), at(9))
		w.Participant(met, 0, at(2), at(3))
		w.Participant(met, 0, time.Time{}, time.Time{}) // was let in and never came
		stays, err := s.Stays(t.Context(), minute.Minute{Tenant: met.Tenant, Meeting: met.ID})
		check(t, err)
		if len(stays) != 3 || !stays[0].JoinedAt.Equal(at(1)) || !stays[1].JoinedAt.Equal(at(2)) || !stays[2].LeftAt.Equal(at(5)) || stays[0].Name == "" {
			t.Errorf("got %+v", stays)
		}
		if stays, err = s.Stays(t.Context(), minute.Minute{Tenant: w.Away.Tenant.Key, Meeting: met.ID}); err != nil || len(stays) != 0 {
			t.Errorf("another tenant sees %+v, %v", stays, err)
		}
	})
}

func TestALinkOutlivesARestartAndIsChangedByNobody(t *testing.T) {
	t.Parallel()
	master, m := keys.New(), minute.Minute{Token: mine}
	now := start
	clock := func() time.Time { return now }
	before, after := minute.NewService(shelf{mine: m}, master, clock), minute.NewService(shelf{mine: m, yours: {Token: yours}}, master, clock)
	link := before.Link(m, minute.Film)
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" { // several decode to the same
		last := len(link) - 1
		if _, err := after.ByLink(t.Context(), mine, minute.Film, link[:last]+string(c)); (err == nil) != (byte(c) == link[last]) {
			t.Errorf("%c instead of %c: %v", c, link[last], err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		now = start.Add(time.Duration(rapid.Int64Range(0, int64(minute.LinkLife)).Draw(t, "later")))
		if got, err := after.ByLink(context.Background(), mine, minute.Film, link); err != nil || got.Token != mine {
			t.Fatalf("after %s: %v", now.Sub(start), err)
		}
		i, c := rapid.IntRange(0, len(link)).Draw(t, "at"), string(rapid.OneOf(rapid.SampledFrom([]byte("\r\n=-_Aa0")), rapid.Byte()).Draw(t, "byte"))
		for _, changed := range []string{link[:i] + c + link[min(i+1, len(link)):], link[:i] + c + link[i:], link[:i]} {
			if _, err := after.ByLink(context.Background(), mine, minute.Film, changed); changed != link && !errors.Is(err, minute.ErrLinkInvalid) {
				t.Fatalf("%q instead of %q: %v", changed, link, err)
			}
		}
		now = start.Add(minute.LinkLife + time.Duration(rapid.Int64Range(int64(time.Second), 1<<55).Draw(t, "too late")))
		if _, err := after.ByLink(context.Background(), mine, minute.Film, link); !errors.Is(err, minute.ErrLinkInvalid) {
			t.Fatalf("after %s: %v", now.Sub(start), err)
		}
	})
}

// A signature opens nothing but the piece, the minute and the time it was made for.
func FuzzByLink(f *testing.F) {
	s, all, _ := library()
	film := s.Link(all[mine], minute.Film)
	for _, sig := range []string{film, "", film + "\n", film[:20] + "\r" + film[20:], film + "=", strings.Repeat("A", len(film)), s.Link(all[yours], minute.Film), s.Link(all[mine], minute.Cover)} {
		f.Add(sig)
	}
	f.Fuzz(func(t *testing.T, sig string) {
		if _, err := s.ByLink(t.Context(), mine, minute.Film, sig); (err == nil) != (sig == film) || (err != nil && !errors.Is(err, minute.ErrLinkInvalid)) {
			t.Errorf("%q: %v", sig, err)
		}
	})
}
