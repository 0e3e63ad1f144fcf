package openapi

import (
	"errors"
	"net/url"
	"testing"
)

// wellTyped reports whether everything in o has the kind its field declares.
func wellTyped(fields []Field, o object) bool {
	declared := map[string]Field{}
	for _, f := range fields {
		declared[f.Name] = f
	}
	for name, v := range o {
		f, ok := declared[name]
		if !ok || !hasKind(f, f.Kind, v) {
			return false
		}
	}
	return true
}

func hasKind(f Field, k Kind, v any) bool {
	switch v := v.(type) {
	case string:
		return k == Text && isText(v)
	case int64:
		return k == Int64 || (k == Int && v == int64(int32(v)))
	case bool:
		return k == Bool
	case object:
		return k == Object && wellTyped(f.Fields, v)
	case []any:
		for _, item := range v {
			if !hasKind(f, f.Item, item) {
				return false
			}
		}
		return k == List
	}
	return false
}

func complete(fields []Field, o object) bool {
	for _, f := range fields {
		if f.Required && !o.has(f.Name) {
			return false
		}
	}
	return true
}

// FuzzBody: a body is refused, or what the handler sees has the declared types.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `{"end_time":"1","owner_id":"ou_1","meeting_settings":{"topic":"x","auto_record":true}}`, `{"meeting_settings":{"assign_host_list":[{"id":"a"},null,5]}}`,
		`{"meeting_settings":{"action_permissions":[{"permission":1,"permission_checkers":[{"check_field":1,"check_mode":1,"check_list":["a",1]}]}]}}`,
		`{"end_time":"\u0000"}`, `{"meeting_settings":null}`, `[]`, `{"a":`, "\xff", `{"end_time":"+5","end_time":5}`, `{"meeting_settings":{"call_setting":{"callee":{"user_type":6}}}}`,
	} {
		f.Add([]byte(s))
	}
	fields := reserveFields(true)
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := readBody(fields, raw)
		if err == nil {
			if !wellTyped(fields, o) || !complete(fields, o) {
				t.Errorf("%q was accepted as %v", raw, o)
			}
			return
		}
		v, ok := errors.AsType[violations](err)
		if !ok && !errors.Is(err, errBody) {
			t.Errorf("%q: %v", raw, err)
		}
		if ok && (len(v) == 0 || len(v) > maxViolations) {
			t.Errorf("%q: %d violations", raw, len(v))
		}
	})
}

// FuzzQuery is FuzzBody for queries and forms.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "meeting_no=123456789&start_time=1&end_time=2&page_size=20", "start_time=x", "end_time=%ff", "page_size=51", "meeting_no=&meeting_no=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := url.ParseQuery(s)
		if err != nil {
			t.Skip()
		}
		if o, err := readQuery(listByNoQuery, q); err == nil && (!wellTyped(listByNoQuery, o) || !complete(listByNoQuery, o)) {
			t.Errorf("%q was accepted as %v", s, o)
		}
	})
}
