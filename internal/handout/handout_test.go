package handout

import (
	"strings"
	"testing"
)

func TestATitleBecomesANameThatEverySystemTakes(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"Weekly 周会": "Weekly 周会", "a/b\\c:d": "a_b_c_d", "..": "recording", "": "recording", "line\nbreak\"": "line_break_", " .hidden. ": "hidden",
		"\u202egpj.exe": "gpj.exe", strings.Repeat("会", 200): strings.Repeat("会", 80),
	} {
		if got := Name(title); got != want {
			t.Errorf("%q becomes %q, want %q", title, got, want)
		}
	}
}

// Whatever a meeting was called, its file has a name and the header one line.
func FuzzName(f *testing.F) {
	for _, s := range []string{"", "Weekly", "..", "a/b\\c", "会议", "x\r\nSet-Cookie: a=b", `"quoted"`, "\u202egpj.exe", "\xff", "%00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, title string) {
		name := Name(title)
		if name == "" || name == "." || name == ".." || len(name) > longestName {
			t.Errorf("%q became %q", title, name)
		}
		for _, c := range []byte(attachment(name + ".mp4")) {
			if c < ' ' || c > '~' {
				t.Fatalf("%q: byte %#x in the header", title, c)
			}
		}
	})
}
