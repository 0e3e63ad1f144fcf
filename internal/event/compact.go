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
			i += len(`\uXXXX`) - 1
			continue
		}
		out = append(out, text[i], text[i+1]) // both, so that the second backslash of \\ begins nothing
		i++
	}
	return out
}

// escape reads one of the three escapes at the beginning of text.
func escape(text []byte) (rune, bool) {
	if len(text) < len(`\uXXXX`) || text[1] != 'u' {
		return 0, false
	}
	switch string(text[2:6]) {
	case "2028":
		return '\u2028', true
	case "2029":
		return '\u2029', true
	case "fffd":
		return utf8.RuneError, true
	}
	return 0, false
}
