package field

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns text that people give themselves or their things as others may be shown it: trimmed, and without invisible
// characters that change how what stands around it is read (a name that turns the line around, or looks like somebody
// else's and is not). ok is false when it is no line of text at all: a line break, another control character, or no UTF-8.
//
// Joiners stay, which Persian and many emoji need.
func Line(s string) (line string, ok bool) {
	if !utf8.ValidString(s) {
		return "", false
	}
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if isTrick(r) {
			return -1
		}
		return r
	}, s))
	return s, !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// Visible reports whether there is anything to see in a line.
func Visible(line string) bool {
	return strings.ContainsFunc(line, func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Mn, r) && !isBlank(r)
	})
}

// isTrick tells the characters that set the direction of text, and those without any width.
func isTrick(r rune) bool {
	switch {
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u200e', r == '\u200f', r == '\u061c':
		return true // directions
	case r == '\u200b', r == '\u2060', r == '\ufeff', r == '\u00ad', r == '\u180e':
		return true // no width
	}
	return false
}

// isBlank tells letters and symbols that are drawn as nothing.
func isBlank(r rune) bool {
	return r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' || r == '\u2800'
}
