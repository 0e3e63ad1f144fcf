package token

import (
	"errors"
	"testing"
	"testing/synctest"
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
	if n := s.sealed.lru.Len() + s.signed.lru.Len() + s.callers.lru.Len(); n != 0 {
		t.Errorf("%d made-up tokens are remembered", n)
	}
}

func TestWhatIsRememberedGrowsOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, loaded := newMemory[string, int](2, time.Second), 0
		load := func() (int, error) { loaded++; return loaded, nil }
		for _, step := range []struct {
			key  string
			wait time.Duration
			want int
		}{
			{"a", 0, 1}, {"a", 999 * time.Millisecond, 1}, {"a", time.Millisecond, 2},
			{"b", 0, 3}, {"a", 0, 2}, {"c", 0, 4}, {"a", 0, 2}, {"b", 0, 5}, // b was used longest ago
		} {
			time.Sleep(step.wait)
			if got, err := m.recall(step.key, load); err != nil || got != step.want {
				t.Errorf("%+v: %d, %v", step, got, err)
			}
		}
		failed := errors.New("failed")
		if _, err := m.recall("d", func() (int, error) { return 0, failed }); !errors.Is(err, failed) {
			t.Errorf("the load failed and it says %v", err)
		}
		if _, ok := m.get("d"); ok {
			t.Error("a failure is remembered")
		}
	})
}
