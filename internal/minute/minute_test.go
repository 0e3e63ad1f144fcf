package minute_test

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"huilu/internal/keys"
	"huilu/internal/minute"
	"huilu/internal/tenant"
)

// shelf has two minutes in one tenant.
type shelf map[string]minute.Minute

func (s shelf) MinuteByToken(_ context.Context, t tenant.Key, token string) (minute.Minute, error) {
	if m, ok := s[token]; ok && m.Tenant == t {
		return m, nil
	}
	return minute.Minute{}, minute.ErrNotFound
}

func (s shelf) MinuteForLink(_ context.Context, token string) (minute.Minute, error) {
	if m, ok := s[token]; ok {
		return m, nil
	}
	return minute.Minute{}, minute.ErrNotFound
}

func (s shelf) Stays(context.Context, tenant.Key, int64) ([]minute.Stay, error) { return nil, nil }

const (
	mine  = "obcnaaaaaaaaaaaaaaaaaaaa"
	yours = "obcnbbbbbbbbbbbbbbbbbbbb"
	gone  = "obcncccccccccccccccccccc"
)

var start = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)

// library returns a service over the shelf whose clock the caller sets.
func library() (*minute.Service, shelf, *time.Time) {
	s := shelf{
		mine:  {Token: mine, Tenant: "t1", Owner: 1},
		yours: {Token: yours, Tenant: "t1", Owner: 2},
		gone:  {Token: gone, Tenant: "t1", Owner: 1, DeletedAt: start},
	}
	now := start
	return minute.NewService(s, keys.New(), func() time.Time { return now }), s, &now
}

func TestAMinuteIsForItsOwnerAndForAppsOfItsTenant(t *testing.T) {
	t.Parallel()
	s, _, _ := library()
	for name, c := range map[string]struct {
		who   tenant.Actor
		token string
		want  error
	}{
		"the owner":                         {tenant.Actor{Tenant: "t1", User: 1}, mine, nil},
		"the owner through an app":          {tenant.Actor{Tenant: "t1", User: 1, App: "cli_a"}, mine, nil},
		"an app in its own name":            {tenant.Actor{Tenant: "t1", App: "cli_a"}, mine, nil},
		"another person":                    {tenant.Actor{Tenant: "t1", User: 2}, mine, minute.ErrNotPermitted},
		"another person through an app":     {tenant.Actor{Tenant: "t1", User: 2, App: "cli_a"}, mine, minute.ErrNotPermitted},
		"the same number elsewhere":         {tenant.Actor{Tenant: "t2", User: 1}, mine, minute.ErrNotFound},
		"an app of another tenant":          {tenant.Actor{Tenant: "t2", App: "cli_e"}, mine, minute.ErrNotFound},
		"nobody knows this token":           {tenant.Actor{Tenant: "t1", User: 1}, "obcnzzzzzzzzzzzzzzzzzzzz", minute.ErrNotFound},
		"deleted, asks the owner":           {tenant.Actor{Tenant: "t1", User: 1}, gone, minute.ErrDeleted},
		"deleted, and none of her business": {tenant.Actor{Tenant: "t1", User: 2}, gone, minute.ErrNotPermitted},
	} {
		m, err := s.Get(t.Context(), c.who, c.token)
		if !errors.Is(err, c.want) || (err != nil && m.Token != "") {
			t.Errorf("%s: %v, %q; want %v", name, err, m.Token, c.want)
		}
	}
}

func TestALinkOpensOnePieceOfOneMinuteForADay(t *testing.T) {
	t.Parallel()
	s, all, now := library()
	film, cover := s.Link(all[mine], minute.Film), s.Link(all[mine], minute.Cover)
	changed := []byte(film)
	changed[20] ^= 1
	other, _, _ := library() // another installation, another key
	for name, c := range map[string]struct {
		token string
		piece minute.Piece
		sig   string
		after time.Duration
		want  error
	}{
		"the film":                      {mine, minute.Film, film, 0, nil},
		"the picture":                   {mine, minute.Cover, cover, 0, nil},
		"to the last second":            {mine, minute.Film, film, 24 * time.Hour, nil},
		"a second later":                {mine, minute.Film, film, 24*time.Hour + time.Second, minute.ErrLinkInvalid},
		"the picture's link, the film":  {mine, minute.Film, cover, 0, minute.ErrLinkInvalid},
		"the film's link, the picture":  {mine, minute.Cover, film, 0, minute.ErrLinkInvalid},
		"another minute":                {yours, minute.Film, film, 0, minute.ErrLinkInvalid},
		"a changed bit":                 {mine, minute.Film, string(changed), 0, minute.ErrLinkInvalid},
		"a later end":                   {mine, minute.Film, later(t, film), 0, minute.ErrLinkInvalid},
		"a piece of it":                 {mine, minute.Film, film[:len(film)-1], 0, minute.ErrLinkInvalid},
		"more than it":                  {mine, minute.Film, film + "AA", 0, minute.ErrLinkInvalid},
		"nothing":                       {mine, minute.Film, "", 0, minute.ErrLinkInvalid},
		"no base64":                     {mine, minute.Film, "%%%", 0, minute.ErrLinkInvalid},
		"signed elsewhere":              {mine, minute.Film, other.Link(all[mine], minute.Film), 0, minute.ErrLinkInvalid},
		"the minute was deleted":        {gone, minute.Film, s.Link(all[gone], minute.Film), 0, minute.ErrDeleted},
		"there never was such a minute": {"x", minute.Film, s.Link(minute.Minute{Token: "x"}, minute.Film), 0, minute.ErrNotFound},
	} {
		*now = start.Add(c.after)
		m, err := s.ByLink(t.Context(), c.token, c.piece, c.sig)
		if !errors.Is(err, c.want) || (err == nil && m.Token != c.token) {
			t.Errorf("%s: %q, %v; want %v", name, m.Token, err, c.want)
		}
	}
}

// later returns a signature that claims to be good for longer.
func later(t *testing.T, sig string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(sig)
	if err != nil {
		t.Fatal(err)
	}
	b[0] = 0x7f
	return base64.RawURLEncoding.EncodeToString(b)
}
