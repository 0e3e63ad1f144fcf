package field_test

import (
	"testing"
	"unicode/utf8"

	"huilu/internal/field"
)

func TestALineIsWhatOthersSee(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		line    string
		ok      bool
		visible bool
	}{
		"Lin Hua":                   {"Lin Hua", true, true},
		"  会 录 ":                    {"会 录", true, true},
		"O'Brien <b> \"x\" %s $(x)": {"O'Brien <b> \"x\" %s $(x)", true, true},
		"\u202eauH niL":             {"auH niL", true, true},
		"Lin\u2066 \u2069Hua":       {"Lin Hua", true, true},
		"Lin\u200b Hua\ufeff":       {"Lin Hua", true, true},
		"Lin\nHua":                  {"", false, false},
		"Lin\u2028Hua":              {"", false, false},
		"Lin\x00":                   {"", false, false},
		"Lin\x1b[2J":                {"", false, false},
		"Lin\u0085Hua":              {"", false, false},
		"\xff":                      {"", false, false},
		"نامه\u200cای":              {"نامه\u200cای", true, true},
		"👩\u200d💻":                  {"👩\u200d💻", true, true},
		"\u200b\u202e":              {"", true, false},
		"\u3164":                    {"\u3164", true, false},
		"\u2800\u0301":              {"\u2800\u0301", true, false},
		"":                          {"", true, false},
	} {
		line, ok := field.Line(in)
		if ok != want.ok || ok && (line != want.line || field.Visible(line) != want.visible) {
			t.Errorf("%q is %q, %v, visible %v; want %+v", in, line, ok, field.Visible(line), want)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"Lin", "\u202ex", "a\nb", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line, ok := field.Line(s)
		if !ok {
			return
		}
		if !utf8.ValidString(line) || len(line) > len(s) {
			t.Errorf("%q became %q", s, line)
		}
		if again, ok := field.Line(line); !ok || again != line {
			t.Errorf("%q became %q, and that %q", s, line, again)
		}
	})
}
