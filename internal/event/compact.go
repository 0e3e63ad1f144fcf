package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// compact writes v as JSON exactly as JavaScript's JSON.stringify writes it.
//
// The Node SDK does not sign the bytes it received but JSON.stringify of what it
// parsed (contract sdk-traps.md §4), so every byte that JavaScript would write
// in another way is a refused signature. encoding/json differs in three things: it escapes
// <, > and &, it writes U+2028, U+2029 and what is no UTF-8 as \uXXXX, and an
// Encoder ends with a newline. Keys that look like numbers would be reordered by JavaScript;
// there are none in events.
func compact(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return plain(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), nil
}

// plain replaces the escapes that JavaScript does not write by the characters themselves.
func plain(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out = append(out, text[i])
			continue
		}
		if r, ok := escape(text[i:]); ok {
			out = utf8.AppendRune(out, r)
			i += len(`\u2028`) - 1
			continue
		}
		out = append(out, text[i], text[i+1]) // both, so that the second backslash of \\ begins nothing
		i++
	}
	return out
}

func escape(text []byte) (rune, bool) {
	for _, r := range []rune{'\u2028', '\u2029', utf8.RuneError} {
		if bytes.HasPrefix(text, fmt.Appendf(nil, `\u%04x`, r)) {
			return r, true
		}
	}
	return 0, false
}
