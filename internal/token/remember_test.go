package token

import (
	"testing"
	"time"

	"huilu/internal/keys"
)

func TestMadeUpTokensPushNothingOut(t *testing.T) {
	t.Parallel()
	s := NewService(nil, nil, keys.New(), time.Now)
	other := sealer{key: []byte("another server's")}
	for i := range 100 {
		for _, raw := range []string{
			other.seal("cli_00112233aabbccdd", "0123456789abcdef", time.Unix(int64(i), 0)),
			"eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJ4In0." + string(rune('A'+i)),
		} {
			if _, err := s.Check(t.Context(), raw); err == nil {
				t.Fatalf("%s is taken for genuine", raw)
			}
		}
	}
	if n := s.sealed.Len() + s.signed.Len(); n != 0 {
		t.Errorf("%d made-up tokens are remembered", n)
	}
}
