package openapi_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/minute"
	"huilu/internal/recording"
	"huilu/internal/scope"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

// TestExchanges replays testdata/exchanges: one situation a file, each in a
// fresh world, a sentence and then requests with the answers they must get.
// Braces in a request name things of the world (see cast.value); in an answer they stand for what differs from run to run.
func TestExchanges(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/exchanges/*.txt")
	check(t, err)
	if len(paths) == 0 {
		t.Fatal("no exchanges found")
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			file := must(os.ReadFile(path))(t)
			golden(t, strings.TrimPrefix(path, "testdata/"), newCast(t).replay(string(file)))
		})
	}
}

const (
	requestMark  = "-- request --\n"
	responseMark = "-- response --\n"
)

// cast is a world whose things have names.
type cast struct {
	*world
	values map[string]string // name -> value
}

// newCast names beforehand what answers mention although no request did.
func newCast(t testing.TB) *cast {
	c := &cast{world: newWorld(t), values: map[string]string{}}
	for name := range c.apps {
		c.value("app id of " + name)
	}
	for name := range c.users {
		c.values["user id of "+name] = c.users[name].UserID
		c.value("open id of " + name)
		c.value("union id of " + name)
	}
	c.value("tenant key")
	return c
}

// replay runs every request of a file and returns the file with the answers it got.
func (c *cast) replay(file string) string {
	c.t.Helper()
	parts := strings.Split(file, requestMark)
	var out strings.Builder
	out.WriteString(parts[0])
	for _, part := range parts[1:] {
		text, _, _ := strings.Cut(part, responseMark)
		out.WriteString(requestMark + text + responseMark + c.exchange(text))
	}
	return out.String()
}

var braces = regexp.MustCompile(`\{[a-z][^{}"]*\}`)

// exchange sends one request and returns the answer with names in place of values.
func (c *cast) exchange(text string) string {
	c.t.Helper()
	filled := braces.ReplaceAllStringFunc(text, func(s string) string { return c.value(strings.Trim(s, "{}")) })
	head, body, _ := strings.Cut(filled, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, target, ok := strings.Cut(lines[0], " ")
	if !ok {
		c.t.Fatalf("not a request line: %q", lines[0])
	}
	r := httptest.NewRequest(method, target, strings.NewReader(strings.TrimSuffix(body, "\n")))
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	res, answer := c.do(r)
	return c.print(res, answer)
}

// shown are the headers that an exchange keeps.
var shown = []string{"Allow", "Cache-Control", "Content-Disposition", "Content-Range", "Content-Type", "Location", "X-Ogw-Ratelimit-Limit", "X-Ogw-Ratelimit-Reset", "X-Tt-Logid"}

func (c *cast) print(res *http.Response, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", res.StatusCode)
	for _, name := range shown {
		if v := res.Header.Get(name); v != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	b.WriteString("\n")
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "", "  ") == nil {
		body = pretty.Bytes()
	}
	b.Write(body)
	if len(body) == 0 || body[len(body)-1] != '\n' {
		b.WriteString("\n")
	}
	return c.scrub(b.String(), res.Header.Get("X-Tt-Logid"))
}

// Values of an answer that no request has named.
var anonymous = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`"t-[A-Za-z0-9_-]{48}"`), `"{a tenant token}"`},
	{regexp.MustCompile(`"eyJ[A-Za-z0-9_.-]{100,}"`), `"{a user token}"`},
	{regexp.MustCompile(`method_id=\d+`), "method_id={digits}"},
	{regexp.MustCompile(`\b[0-9]{19}\b`), "{a number}"},
	{regexp.MustCompile(`sig=[A-Za-z0-9_-]{54}`), "sig={a signature}"},
	{regexp.MustCompile(`(/j/|"meeting_no": ")[1-9][0-9]{8}\b`), "${1}{a meeting number}"},
}

func (c *cast) scrub(s, logID string) string {
	s = strings.ReplaceAll(s, logID, "{log id}")
	names := make([]string, 0, len(c.values))
	for name, value := range c.values {
		if len(value) > 6 { // short ones would be found in other words
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(c.values[b]), len(c.values[a])), cmp.Compare(a, b))
	})
	for _, name := range names {
		s = strings.ReplaceAll(s, c.values[name], "{"+name+"}")
	}
	for _, a := range anonymous {
		s = a.pattern.ReplaceAllString(s, a.name)
	}
	return s
}

// value finds or makes what a name stands for.
func (c *cast) value(name string) string {
	c.t.Helper()
	if v, ok := c.values[name]; ok {
		return v
	}
	v := c.make(name)
	c.values[name] = v
	return v
}

func (c *cast) make(name string) string {
	c.t.Helper()
	word, rest, _ := strings.Cut(name, " of ")
	rest, extra, _ := strings.Cut(rest, " with ")
	switch word {
	case "tenant token":
		return c.tenantToken(cmp.Or(rest, "app"))
	case "old tenant token": // two hours old
		defer c.clock.add(2 * time.Hour)
		return c.tenantToken("app")
	case "user token":
		person, app, _ := strings.Cut(rest, " by ")
		var scopes scope.Set
		if extra != "" {
			scopes = scope.Parse(extra)
		}
		return c.userToken(cmp.Or(app, "app"), person, scopes)
	case "old user token":
		defer c.clock.add(2 * time.Hour)
		return c.userToken("app", rest, nil)
	case "app id":
		return c.apps[cmp.Or(rest, "app")].ID
	case "app secret":
		return string(c.secrets[cmp.Or(rest, "app")])
	case "basic":
		return base64.StdEncoding.EncodeToString([]byte(c.value("app id") + ":" + c.value("app secret")))
	case "open id":
		person, app, _ := strings.Cut(rest, " by ")
		return c.openID(cmp.Or(app, "app"), person)
	case "union id":
		return c.tenants.IDs().Union(c.apps["app"], c.users[rest].Num)
	case "tenant key":
		return string(c.acme.Key)
	case "in an hour":
		return decimal(c.clock.now().Add(time.Hour).Unix())
	case "in two months":
		return decimal(c.clock.now().Add(60 * 24 * time.Hour).Unix())
	case "an hour ago":
		return decimal(c.clock.now().Add(-time.Hour).Unix())
	case "a year ago":
		return decimal(c.clock.now().Add(-365 * 24 * time.Hour).Unix())
	}
	return c.makeThing(name, word, rest)
}

// makeThing makes reserves, meetings, minutes and codes.
func (c *cast) makeThing(name, word, of string) string {
	c.t.Helper()
	switch word {
	case "reserve":
		r := c.reserve(cmp.Or(of, "app"), "lin")
		c.values["number of "+name] = r.No
		return decimal(r.ID)
	case "running meeting":
		r := c.reserve("app", "lin")
		c.values["its reserve"], c.values["its number"] = decimal(r.ID), r.No
		m := c.join(r, "lin", "wei")
		c.clock.add(90 * time.Second)
		return m.Room()
	case "meeting of wei's":
		return c.running("app", "wei").Room()
	case "calling meeting":
		u := c.users["lin"]
		m, _, err := c.meetings.Enter(c.t.Context(), c.reserve("app", "lin").No, meeting.Visitor{User: &u})
		check(c.t, err)
		return m.Room()
	case "meeting without its host":
		m := c.running("app", "lin")
		for _, p := range must(c.db.Participants(c.t.Context(), m.Tenant, m.ID))(c.t) {
			check(c.t, c.meetings.Left(c.t.Context(), m.ID, p.ID, meeting.LeftByThemselves, c.clock.now()))
		}
		return m.Room()
	case "ended meeting", "meeting never recorded":
		m := c.recorded("app", "lin", "")
		c.values["its number"] = m.No
		return m.Room()
	case "meeting being recorded":
		return c.recorded("app", "lin", recording.Running).Room()
	case "meeting with a recording":
		m := c.recorded("app", "lin", recording.Ready)
		c.values["its minute"] = c.minuteOf(m)
		return m.Room()
	case "meeting whose recording is processed":
		return c.recorded("app", "lin", recording.Processing).Room()
	case "meeting whose recording failed":
		return c.recorded("app", "lin", recording.Failed).Room()
	case "foreign meeting":
		return c.recorded("foreign", "zoe", recording.Ready).Room()
	case "minute":
		return c.minuteOf(c.recorded("app", "lin", recording.Ready))
	case "foreign minute":
		return c.minuteOf(c.recorded("foreign", "zoe", recording.Ready))
	case "link", "cover link":
		m := must(c.db.MinuteForLink(c.t.Context(), c.value("minute")))(c.t)
		return c.minutes.Link(m, map[string]minute.Piece{"link": minute.Film, "cover link": minute.Cover}[word])
	case "old link":
		defer c.clock.add(24*time.Hour + time.Second)
		return c.value("link")
	case "code", "old code", "code with PKCE":
		return c.code(word, cmp.Or(of, "lin"))
	case "refresh token", "foreign refresh token":
		app := map[string]string{"refresh token": "app", "foreign refresh token": "second"}[word]
		return must(c.tokens.Mint(c.t.Context(), c.apps[app], c.users["lin"], scope.Set{scope.RecordRead, scope.OfflineAccess}))(c.t).Refresh
	}
	c.t.Fatalf("nothing here is called {%s}", name)
	return ""
}

// verifier is the code_verifier of every "code with PKCE" (RFC 7636, appendix B).
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func (c *cast) code(kind, person string) string {
	c.t.Helper()
	consent := token.Consent{App: c.apps["app"], User: c.users[person], Scopes: scope.Set{scope.OfflineAccess, scope.RecordRead}, Redirect: redirect}
	if kind == "code with PKCE" {
		consent.Challenge, consent.Method = challenge, "S256"
	}
	if consent.User.Tenant != consent.App.Tenant {
		consent.App.Type = tenant.Store // nobody is asked for a custom app of another tenant: the code is from a time when it was for all
	}
	code := must(c.tokens.Authorize(c.t.Context(), consent))(c.t)
	if kind == "old code" {
		c.clock.add(5 * time.Minute)
	}
	return code
}
