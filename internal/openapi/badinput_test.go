package openapi_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"huilu/internal/limit"
	"huilu/internal/openapi"
	"huilu/internal/recording"
	"huilu/internal/token"
)

// bad is one call that must be refused.
type bad struct {
	name  string
	r     *http.Request
	codes []int  // any one of them
	field string // must be among the field violations; empty: none is asked for
}

// TestBadInputGetsTheContractsAnswerAndChangesNothing sends every route what it
// must not swallow. The cases are made from the route table, so a new route is covered the day it is added.
func TestBadInputGetsTheContractsAnswerAndChangesNothing(t *testing.T) {
	t.Parallel()
	for _, route := range openapi.Routes() {
		t.Run(strings.ReplaceAll(route.Method+route.Path, "/", "_"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *options) { o.limiter = limit.None{} })
			cases := w.badCalls(route)
			before := w.fingerprint()
			for _, c := range cases {
				w.refused(t, c)
			}
			if after := w.fingerprint(); after != before {
				t.Errorf("a refused call changed the database:\n%s", difference(before, after))
			}
			if log := w.log.String(); log != "" {
				t.Errorf("the server takes its callers' mistakes for its own:\n%s", log)
			}
		})
	}
}

func (w *world) refused(t *testing.T, c bad) {
	t.Helper()
	res, body := w.do(c.r)
	if res.StatusCode >= 500 {
		t.Errorf("%s: HTTP %d", c.name, res.StatusCode)
	}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		t.Errorf("%s: Content-Type %q", c.name, res.Header.Get("Content-Type"))
	}
	var reply struct {
		Code  int
		Error json.RawMessage
		Data  json.RawMessage
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		t.Fatalf("%s: %v in %s", c.name, err, body)
	}
	if !slices.Contains(c.codes, reply.Code) || reply.Data != nil {
		t.Errorf("%s: %s; want one of %v", c.name, body, c.codes)
	}
	if c.field != "" && !strings.Contains(string(reply.Error), fmt.Sprintf(`"field":%q`, c.field)) {
		t.Errorf("%s: %s does not name the field %s", c.name, body, c.field)
	}
}

// badCalls makes the calls that a route must refuse.
func (w *world) badCalls(r openapi.Route) []bad {
	good := w.goodAuth(r)
	path := w.fill(r.Path, "app")
	var out []bad
	add := func(name, path, auth, body, field string, codes ...int) {
		out = append(out, bad{r.Method + " " + name, request(r.Method, path, auth, body), codes, field})
	}
	if r.Tokens != 0 {
		add("without a token", path, "", "", "", 99991661)
		add("with a made-up token", path, "sesame", "", "", 99991671)
		add("with a torn tenant token", path, "t-"+strings.Repeat("A", 48), "", "", 99991663)
		add("with a huge token", path, "t-"+strings.Repeat("A", 1<<16), "", "", 99991663)
		add("with a torn user token", path, "eyJ.eyJ.x", "", "", 99991668, 20005)
		add("with an unsigned user token", path, unsigned, "", "", 99991668, 20005)
	}
	if r.Tokens == token.User {
		add("with a tenant token", path, w.tenantToken("app"), "", "", 99991663)
	}
	if len(r.Scopes) > 0 {
		add("without the scope", path, w.userToken("bare", "lin", nil), "", "", 99991672)
		add("without the grant", path, w.userToken("app", "lin", []string{"offline_access"}), "", "", 99991679)
	}
	if foreign := w.fill(r.Path, "foreign"); foreign != path && r.Tokens != 0 {
		add("of another tenant's", foreign, good, w.goodBody(r), "", 121004, 122002, 2091002)
	}
	for _, id := range []string{"0", "-1", "+5", "abc", "1e3", "9223372036854775808", "0x10", "%00", "%ff", "%2e%2e", "%F0%9F%98%80", strings.Repeat("7", 5000)} {
		if p := replaceID(r.Path, id); p != r.Path {
			add("id "+id[:min(len(id), 20)], p, good, w.goodBody(r), "", 121003, 99992402)
		}
	}
	if r.UserIDs {
		add("with an unknown user_id_type", path+"?user_id_type=email", good, "", "user_id_type", 99992402)
	}
	w.badQueries(r, path, good, add)
	w.badBodies(r, path, good, add)
	return out
}

type adder func(name, path, auth, body, field string, codes ...int)

func (w *world) badQueries(r openapi.Route, path, auth string, add adder) {
	for _, f := range r.Query {
		if f.Kind != openapi.Text {
			add("with a wrong "+f.Name, path+"?"+f.Name+"=zz", auth, "", f.Name, 99992402)
		}
		add("with a torn "+f.Name, path+"?"+f.Name+"=%ff%00", auth, "", f.Name, 99992402)
		if f.Required {
			add("without "+f.Name, path, auth, "", f.Name, 99992402)
		}
		if f.Max > 0 {
			add("with too much "+f.Name, fmt.Sprintf("%s?%s=%d", path, f.Name, f.Max+1), auth, "", f.Name, 99992402)
		}
	}
}

func (w *world) badBodies(r openapi.Route, path, auth string, add adder) {
	if r.Body == nil {
		return
	}
	broken, fields := 9499, 99992402
	named := func(f string) string { return f }
	if r.Family == openapi.Auth {
		broken, fields = 10003, 10003
		named = func(string) string { return "" } // the old envelope's message names it
	}
	huge := `{"pad":"` + strings.Repeat("x", openapi.MaxBody) + `"}`
	for name, body := range map[string]string{
		"torn JSON": `{"a":`, "a list": `[]`, "a text": `"x"`, "null": `null`, "two objects": `{}{}`, "no JSON": `a=b`, "a huge body": huge,
		"bytes": "\xff\xfe\x00", "deep nesting": strings.Repeat(`{"a":`, 20000),
	} {
		add("with "+name, path, auth, body, "", broken)
	}
	for _, v := range wrongTypes("", r.Body) {
		add("with a wrong "+v.field, path, auth, v.body, named(v.field), fields)
	}
}

// wrong is a body in which one field has the wrong type.
type wrong struct{ field, body string }

// wrongTypes gives each field, however deep, values of other types.
func wrongTypes(prefix string, fields []openapi.Field) (out []wrong) {
	values := map[openapi.Kind][]string{
		openapi.Text: {`5`, `true`, `{}`, `["x"]`, `"\u0000"`}, openapi.Int: {`"5"`, `1.5`, `1e2`, `true`, `99999999999`}, openapi.Bool: {`"true"`, `1`, `{}`},
		openapi.Int64: {`5`, `"5.0"`, `"0x5"`, `""`, `"99999999999999999999"`}, openapi.Object: {`[]`, `"x"`, `7`}, openapi.List: {`{}`, `"x"`, `0`},
	}
	for _, f := range fields {
		name := prefix + f.Name
		for _, v := range values[f.Kind] {
			out = append(out, wrong{name, fmt.Sprintf(`{%q:%s}`, f.Name, v)})
		}
		inner := name + "."
		wrap := `{%q:%s}`
		switch {
		case f.Kind == openapi.List && f.Item == openapi.Object:
			inner, wrap = name+"[0].", `{%q:[%s]}`
			out = append(out, wrong{name + "[0]", fmt.Sprintf(`{%q:[5]}`, f.Name)})
		case f.Kind == openapi.List:
			out = append(out, wrong{name + "[0]", fmt.Sprintf(`{%q:[5]}`, f.Name)})
		}
		for _, v := range wrongTypes(inner, f.Fields) {
			out = append(out, wrong{v.field, fmt.Sprintf(wrap, f.Name, v.body)})
		}
	}
	return out
}

// unsigned is a user token that claims to need no signature (alg none).
var unsigned = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." +
	base64.RawURLEncoding.EncodeToString([]byte(`{"use":"access","jti":"x"}`)) + "."

func (w *world) goodAuth(r openapi.Route) string {
	switch {
	case r.Tokens == 0:
		return ""
	case r.Tokens&token.User != 0:
		return w.userToken("app", "lin", nil)
	}
	return w.tenantToken("app")
}

// goodBody is a body the route would accept.
func (w *world) goodBody(r openapi.Route) string {
	if r.Body == nil {
		return ""
	}
	return `{"meeting_settings":{"topic":"changed"}}`
}

// fill puts ids of app's tenant into a path: a running meeting where something can be done to it.
func (w *world) fill(path, app string) string {
	owner := map[string]string{"app": "lin", "foreign": "zoe"}[app]
	if strings.Contains(path, "{reserve_id}") {
		path = strings.ReplaceAll(path, "{reserve_id}", decimal(w.reserve(app, owner).ID))
	}
	if strings.Contains(path, "{meeting_id}") {
		path = strings.ReplaceAll(path, "{meeting_id}", w.running(app, owner).Room())
	}
	if strings.Contains(path, "{minute_token}") {
		path = strings.ReplaceAll(path, "{minute_token}", w.minuteOf(w.recorded(app, owner, recording.Ready)))
	}
	return path
}

func replaceID(path, id string) string {
	for _, name := range []string{"{reserve_id}", "{meeting_id}", "{minute_token}"} {
		path = strings.ReplaceAll(path, name, id)
	}
	return path
}

// fingerprint is everything that is in the database, line by line.
func (w *world) fingerprint() string {
	w.t.Helper()
	ctx := w.t.Context()
	rows, err := w.db.Pool().QueryContext(ctx, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
	check(w.t, err)
	var tables []string
	for rows.Next() {
		var name string
		check(w.t, rows.Scan(&name))
		tables = append(tables, name)
	}
	check(w.t, rows.Err())
	check(w.t, rows.Close())
	var b strings.Builder
	for _, name := range tables {
		w.dump(&b, name)
	}
	return b.String()
}

func (w *world) dump(b *strings.Builder, table string) {
	w.t.Helper()
	rows, err := w.db.Pool().QueryContext(w.t.Context(), `SELECT * FROM "`+table+`" ORDER BY 1`)
	check(w.t, err)
	defer rows.Close()
	columns := must(rows.Columns())(w.t)
	for rows.Next() {
		values := make([]any, len(columns))
		to := make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		check(w.t, rows.Scan(to...))
		fmt.Fprintln(b, table, values)
	}
	check(w.t, rows.Err())
}

// difference lists the lines that are in only one of two dumps.
func difference(before, after string) string {
	var b strings.Builder
	for _, line := range strings.Split(before, "\n") {
		if !strings.Contains(after, line) {
			b.WriteString("- " + line + "\n")
		}
	}
	for _, line := range strings.Split(after, "\n") {
		if !strings.Contains(before, line) {
			b.WriteString("+ " + line + "\n")
		}
	}
	return b.String()
}

func TestOAuthBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const form = "application/x-www-form-urlencoded"
	tat := w.tenantToken("app")
	app := url.Values{"client_id": {w.apps["app"].ID}, "client_secret": {string(w.secrets["app"])}}.Encode()
	before := w.fingerprint()
	for name, c := range map[string]struct {
		kind, body string
		code       int
	}{
		"torn JSON":               {"application/json", `{"grant_type":`, 20063},
		"a list":                  {"application/json", `[]`, 20063},
		"wrong type":              {"application/json", `{"grant_type":["authorization_code"]}`, 20063},
		"NUL":                     {"application/json", `{"grant_type":"a\u0000"}`, 20063},
		"huge":                    {"application/json", `{"code":"` + strings.Repeat("x", openapi.MaxBody) + `"}`, 20063},
		"huge form":               {form, "code=" + strings.Repeat("x", openapi.MaxBody), 20063},
		"broken form":             {form, "grant_type=%zz", 20063},
		"form with bytes":         {form, "grant_type=authorization_code&code=x&client_id=%ff%00&client_secret=x", 20063},
		"form with repeats":       {form, "code=a&code=b", 20063},
		"JSON sent as a form":     {form, `{"grant_type":"authorization_code"}`, 20001},
		"a form sent as JSON":     {"application/json", "grant_type=authorization_code", 20063},
		"nothing":                 {"", "", 20001},
		"device grant":            {form, "grant_type=urn:ietf:params:oauth:grant-type:device_code&" + app, 20036},
		"SQL for a client":        {form, "grant_type=refresh_token&refresh_token=x&client_id=' OR 1=1 --&client_secret=x", 20048},
		"code of nobody":          {form, "grant_type=authorization_code&code=x&" + app, 20003},
		"unsigned refresh token":  {form, "grant_type=refresh_token&refresh_token=" + unsigned + "&" + app, 20026},
		"tenant token to refresh": {form, "grant_type=refresh_token&refresh_token=" + tat + "&" + app, 20026},
	} {
		r := httptest.NewRequest("POST", "/open-apis/authen/v2/oauth/token", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		res, body := w.do(r)
		var reply struct {
			Code        int
			Error       string
			Description string `json:"error_description"`
		}
		if err := json.Unmarshal(body, &reply); err != nil || res.StatusCode != http.StatusBadRequest || reply.Code != c.code || reply.Error == "" || reply.Description == "" {
			t.Errorf("%s: HTTP %d %s; want %d", name, res.StatusCode, body, c.code)
		}
	}
	if after := w.fingerprint(); after != before {
		t.Errorf("a refused call changed the database:\n%s", difference(before, after))
	}
}
