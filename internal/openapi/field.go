package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is the type of a field on the wire.
type Kind int

// The kinds of fields. Int64 travels as a decimal string (contract gateway.md §9).
const (
	Text Kind = iota + 1
	Int
	Bool
	Int64
	Object
	List
)

var kindWords = map[Kind]string{
	Text: "a string", Int: "an integer", Bool: "true or false", Int64: "a decimal number in a string", Object: "an object", List: "a list",
}

// Field describes one field of a query or a body.
type Field struct {
	Name     string
	Kind     Kind
	Required bool
	// Min and Max bound the length of a Text in characters, the value of an Int
	// or Int64, the entries of a List. Both are checked unless both are zero.
	Min, Max int64
	Item     Kind    // what a List is made of
	Fields   []Field // of an Object, or of the Objects in a List
	Text     string  // what it means, for the API's description
}

// object is a body or query that has been held against its fields: what is in
// it has the declared type. Fields that are absent or null are not in it.
type object map[string]any

func (o object) has(name string) bool    { _, ok := o[name]; return ok }
func (o object) text(name string) string { s, _ := o[name].(string); return s }
func (o object) int(name string) int     { n, _ := o[name].(int64); return int(n) }
func (o object) int64(name string) int64 { n, _ := o[name].(int64); return n }
func (o object) bool(name string) bool   { b, _ := o[name].(bool); return b }
func (o object) object(name string) object {
	v, _ := o[name].(object)
	return v
}

func (o object) objects(name string) []object {
	list, _ := o[name].([]any)
	out := make([]object, len(list))
	for i := range list {
		out[i], _ = list[i].(object)
	}
	return out
}

func (o object) texts(name string) []string {
	list, _ := o[name].([]any)
	out := make([]string, len(list))
	for i := range list {
		out[i], _ = list[i].(string)
	}
	return out
}

// violation is one entry of field_violations.
type violation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

// violations refuse a call with 99992402.
type violations []violation

func (v violations) Error() string {
	parts := make([]string, len(v))
	for i, x := range v {
		parts[i] = x.Field + ": " + x.Description
	}
	return "field validation failed: " + strings.Join(parts, "; ")
}

func invalid(name, format string, args ...any) error {
	return violations{{name, fmt.Sprintf(format, args...)}}
}

// errBody is a body that is no JSON object at all: 9499.
var errBody = errors.New("the body must be one JSON object")

// maxViolations is how many are listed; a body of a million wrong entries gets a short answer too.
const maxViolations = 20

// reader collects what is wrong while it reads.
type reader struct{ found violations }

func (r *reader) wrong(name, format string, args ...any) {
	if len(r.found) < maxViolations {
		r.found = append(r.found, violation{name, fmt.Sprintf(format, args...)})
	}
}

func (r *reader) err() error {
	if len(r.found) == 0 {
		return nil
	}
	return r.found
}

// readBody reads a JSON body. Unknown fields are ignored and never decoded, null
// counts as absent, an empty body as {}.
func readBody(fields []Field, raw []byte) (object, error) {
	if len(raw) == 0 {
		raw = []byte("{}")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return nil, errBody
	}
	var r reader
	o := r.object("", fields, members)
	return o, r.err()
}

func (r *reader) object(prefix string, fields []Field, members map[string]json.RawMessage) object {
	o := object{}
	for _, f := range fields {
		raw, given := members[f.Name]
		name := prefix + f.Name
		if !given || string(raw) == "null" {
			if f.Required {
				r.wrong(name, "%s is required", name)
			}
			continue
		}
		if v, ok := r.value(name, f, f.Kind, raw); ok {
			o[f.Name] = v
		}
	}
	return o
}

// value reads one JSON value of kind k; the bounds are those of f unless it is an entry of a list.
func (r *reader) value(name string, f Field, k Kind, raw json.RawMessage) (any, bool) {
	switch k {
	case Object:
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) == nil && members != nil {
			return r.object(name+".", f.Fields, members), true
		}
	case List:
		var entries []json.RawMessage
		if json.Unmarshal(raw, &entries) == nil {
			return r.list(name, f, entries)
		}
	case Text, Int64:
		var s string
		if raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
			return r.scalar(name, f, k, s)
		}
	case Int:
		if raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9') {
			return r.scalar(name, f, k, string(raw))
		}
	case Bool:
		if raw[0] == 't' || raw[0] == 'f' {
			return raw[0] == 't', true
		}
	}
	r.wrong(name, "%s must be %s", name, kindWords[k])
	return nil, false
}

func (r *reader) list(name string, f Field, entries []json.RawMessage) (any, bool) {
	if !r.within(name, f, int64(len(entries)), "len") {
		return nil, false
	}
	out := make([]any, 0, len(entries))
	item := Field{Fields: f.Fields}
	for i, raw := range entries {
		v, ok := r.value(fmt.Sprintf("%s[%d]", name, i), item, f.Item, raw)
		if !ok {
			if len(r.found) == maxViolations {
				break
			}
			continue
		}
		out = append(out, v)
	}
	return out, true
}

// scalar reads a value that came as text, from JSON or from a query.
func (r *reader) scalar(name string, f Field, k Kind, s string) (any, bool) {
	switch k {
	case Int, Int64:
		bits := 64
		if k == Int {
			bits = 32
		}
		n, err := strconv.ParseInt(s, 10, bits)
		if err != nil {
			r.wrong(name, "%s must be %s", name, kindWords[k])
			return nil, false
		}
		return n, r.within(name, f, n, "value")
	case Bool:
		if s == "true" || s == "false" {
			return s == "true", true
		}
	case Text:
		if !isText(s) {
			r.wrong(name, "%s must be UTF-8 text without NUL", name)
			return nil, false
		}
		return s, r.within(name, f, int64(utf8.RuneCountInString(s)), "len")
	}
	r.wrong(name, "%s must be %s", name, kindWords[k])
	return nil, false
}

// isText keeps out what a database would choke on: PostgreSQL stores neither NUL nor torn UTF-8.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func (r *reader) within(name string, f Field, n int64, what string) bool {
	switch {
	case f.Min == 0 && f.Max == 0:
		return true
	case n < f.Min:
		r.wrong(name, "the min %s is %d", what, f.Min)
		return false
	case n > f.Max:
		r.wrong(name, "the max %s is %d", what, f.Max)
		return false
	}
	return true
}

// readQuery reads a query. An empty value counts as absent; of a repeated one the first counts.
func readQuery(fields []Field, q url.Values) (object, error) {
	var r reader
	o := object{}
	for _, f := range fields {
		s := q.Get(f.Name)
		if s == "" {
			if f.Required {
				r.wrong(f.Name, "%s is required", f.Name)
			}
			continue
		}
		if v, ok := r.scalar(f.Name, f, f.Kind, s); ok {
			o[f.Name] = v
		}
	}
	return o, r.err()
}
