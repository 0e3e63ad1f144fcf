package keys_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"huilu/internal/keys"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheKeyFileIsMadeOnceForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "master.key")
	first, err := keys.Load(path)
	check(t, err)
	info, err := os.Stat(path)
	check(t, err)
	text, err := os.ReadFile(path)
	check(t, err)
	if info.Mode() != 0o600 || len(text) != 2*keys.Size+1 || text[2*keys.Size] != '\n' {
		t.Errorf("the file has mode %s and %d bytes", info.Mode(), len(text))
	}
	again, err := keys.Load(path)
	if err != nil || again != first {
		t.Errorf("it is another key after a restart: %v", err)
	}
	parsed, err := keys.Parse(" " + strings.ToUpper(string(text)) + "\r\n")
	if err != nil || parsed != first {
		t.Errorf("as a setting it is another key: %v", err)
	}
	other, err := keys.Load(filepath.Join(dir, "other.key"))
	if err != nil || other == first {
		t.Errorf("two installations have one key: %v", err)
	}
	if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) != 2 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

// serve and admin may be started for the first time together: both must use the key that stays.
func TestTwoProcessesThatStartTogetherShareOneKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	var got [16]keys.Master
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for i := range got {
		wg.Go(func() {
			<-gate
			var err error
			if got[i], err = keys.Load(path); err != nil {
				t.Error(err)
			}
		})
	}
	close(gate)
	wg.Wait()
	for i := range got {
		if got[i] != got[0] {
			t.Errorf("process %d has another key", i)
		}
	}
}

func TestAKeyFileThatOthersMayReadIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	_, err := keys.Load(path)
	check(t, err)
	for mode, good := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o700: true, 0o640: false, 0o620: false, 0o610: false, 0o604: false, 0o602: false, 0o601: false, 0o644: false, 0o666: false, 0o777: false} {
		check(t, os.Chmod(path, mode))
		_, err := keys.Load(path)
		if (err == nil) != good {
			t.Errorf("mode %04o: %v", mode, err)
		}
		if err != nil && !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %04o: %v does not say what to do", mode, err)
		}
	}
}

func TestAKeyFileThatIsNoneIsRefusedAndKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := strings.Repeat("0a", keys.Size)
	for name, text := range map[string]string{"empty": "", "short": good[2:], "long": good + "0a", "odd": good[1:], "no hex": "zz" + good[2:], "two": good + "\n" + good} {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, []byte(text), 0o600))
		if _, err := keys.Load(path); err == nil || (text != "" && strings.Contains(err.Error(), "0a0a")) {
			t.Errorf("%s: %v", name, err)
		}
		if kept, err := os.ReadFile(path); err != nil || string(kept) != text {
			t.Errorf("%s: the file was changed: %v", name, err)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "none", "master.key")} {
		if _, err := keys.Load(path); err == nil {
			t.Errorf("%s was taken for a key", path)
		}
	}
}

func TestPurposesHaveNothingInCommon(t *testing.T) {
	t.Parallel()
	a, b := keys.New(), keys.New()
	rapid.Check(t, func(t *rapid.T) {
		p, q := rapid.String().Draw(t, "purpose"), rapid.String().Draw(t, "another purpose")
		if k := a.Derive(p); len(k) != keys.Size || string(k) != string(a.Derive(p)) || string(k) == string(b.Derive(p)) || (p != q && string(k) == string(a.Derive(q))) {
			t.Fatalf("the key for %q is not its own", p)
		}
	})
	if a.Fingerprint() == b.Fingerprint() || len(a.Fingerprint()) != 16 {
		t.Errorf("fingerprints %s and %s", a.Fingerprint(), b.Fingerprint())
	}
}

func TestWhatIsSealedOpensForItsPurposeAndKeyOnly(t *testing.T) {
	t.Parallel()
	m, other := keys.New(), keys.New()
	rapid.Check(t, func(t *rapid.T) {
		p, q, text := rapid.String().Draw(t, "purpose"), rapid.String().Draw(t, "another purpose"), rapid.String().Draw(t, "text")
		sealed := m.Seal(p, text)
		if got, err := m.Open(p, sealed); err != nil || got != text {
			t.Fatalf("opens as %q, %v", got, err)
		}
		if text == "" {
			if sealed != "" {
				t.Fatal("nothing is sealed as something")
			}
			return
		}
		if sealed == m.Seal(p, text) {
			t.Fatal("the same text is sealed in the same way: whoever sees two knows they are equal")
		}
		if len(text) > 3 && strings.Contains(sealed, text) {
			t.Fatalf("%q shows in %q", text, sealed)
		}
		if _, err := other.Open(p, sealed); !errors.Is(err, keys.ErrSealed) {
			t.Fatalf("another key opens it: %v", err)
		}
		if _, err := m.Open(q, sealed); p != q && !errors.Is(err, keys.ErrSealed) {
			t.Fatalf("another purpose opens it: %v", err)
		}
		b, i := []byte(sealed), rapid.IntRange(0, len(sealed)-2).Draw(t, "at")
		b[i] = rapid.SampledFrom([]byte("AZaz09+/\x00")).Draw(t, "byte")
		if _, err := m.Open(p, string(b)); string(b) != sealed && !errors.Is(err, keys.ErrSealed) {
			t.Fatalf("changed, it opens: %v", err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	m := keys.New()
	good := m.Seal("p", "text")
	for _, s := range []string{good, "", "A", good[:8], good + "=", "%", strings.Repeat("A", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := m.Open("p", s)
		if (err == nil && s != "" && text != "text") || (err != nil && (text != "" || !errors.Is(err, keys.ErrSealed))) {
			t.Errorf("%q opens as %q, %v", s, text, err)
		}
	})
}

func TestTheKeyDoesNotShow(t *testing.T) {
	t.Parallel()
	m := keys.New()
	text, err := keys.Parse(strings.Repeat("ab", keys.Size))
	check(t, err)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("loaded", "key", m)
	wrapped := struct{ Key keys.Master }{text}
	for verb := range strings.SplitSeq("%v %s %+v %#v %x %X %d %q %o %b", " ") {
		for _, shown := range []string{fmt.Sprintf(verb, text), fmt.Sprintf(verb, wrapped), fmt.Sprintf(verb, &text)} {
			if !strings.Contains(shown, "***") || strings.Contains(shown, "171") || strings.Contains(strings.ToLower(shown), "abab") {
				t.Errorf("%s prints %s", verb, shown)
			}
		}
	}
	if !strings.Contains(log.String(), "***") || strings.Contains(log.String(), hex.EncodeToString(m.Derive(""))) {
		t.Errorf("logged %s", log.String())
	}
}
