package token

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huilu/internal/tenant"
)

func sealed(t *rapid.T) (app string, key tenant.Key, issued time.Time) {
	app = "cli_" + rapid.StringMatching(`[0-9a-f]{16}`).Draw(t, "app")
	key = tenant.Key(rapid.StringMatching(`[0-9a-f]{16}`).Draw(t, "tenant"))
	return app, key, time.Unix(int64(rapid.Uint32().Draw(t, "issued")), 0)
}

func TestWhatIsSealedIsReadBack(t *testing.T) {
	t.Parallel()
	s := sealer{key: []byte("key")}
	rapid.Check(t, func(t *rapid.T) {
		app, key, issued := sealed(t)
		raw := s.seal(app, key, issued)
		gotApp, gotKey, gotIssued, ok := s.open(raw)
		if !ok || gotApp != app || gotKey != key || !gotIssued.Equal(issued) {
			t.Fatalf("%q reads %s %s %s %v", raw, gotApp, gotKey, gotIssued, ok)
		}
		if _, _, _, ok := (sealer{key: []byte("kez")}).open(raw); ok {
			t.Fatal("another key opens it")
		}
	})
}

// What opens was sealed, letter by letter: a token has one spelling.
func FuzzOpen(f *testing.F) {
	s := sealer{key: []byte("key")}
	good := s.seal("cli_00112233aabbccdd", "0123456789abcdef", time.Unix(1_700_000_000, 0))
	for _, raw := range []string{good, good[2:], "", "t-", good + "=", good[:30] + "\n" + good[30:], good[:30] + "\n" + good[31:], strings.ToUpper(good), good + "\r\n", "t-" + good} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		app, key, issued, ok := s.open(raw)
		if ok && s.seal(app, key, issued) != raw {
			t.Errorf("%q opens as %s %s %s", raw, app, key, issued)
		}
	})
}
