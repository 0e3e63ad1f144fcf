package pages

import (
	"net/url"
	"strings"
	"testing"

	"huilu/internal/scope"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

func (w *world) consentQuery(more string) string {
	return "client_id=" + w.app.ID + "&response_type=code&redirect_uri=" + url.QueryEscape(w.app.Redirects[0]) + "&scope=" + url.QueryEscape(scope.RecordRead+" "+scope.OfflineAccess) + more
}

func TestConsentGivesTheAppACodeForThisPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.makeApp()
	b, query := w.as(w.mia), w.consentQuery("&state=a%26b")
	var asked consentJSON
	b.get("/api/oauth/authorize?"+query).into(t, &asked)
	if asked.App.Name != "Archive" || asked.App.AppID != w.app.ID || asked.User.Name != "Mia" || len(asked.Scopes) != 2 || asked.Scopes[0].Name != scope.RecordRead || asked.Scopes[0].TextZH == "" {
		t.Errorf("asked: %+v", asked)
	}
	back := func(allow bool) *url.URL {
		var r struct {
			Redirect string `json:"redirect"`
		}
		b.post("/api/oauth/authorize", map[string]any{"query": query, "allow": allow}).into(t, &r)
		u, err := url.Parse(r.Redirect)
		check(t, err)
		return u
	}
	u := back(true)
	if q := u.Query(); u.Host != "app.example" || u.Path != "/back" || u.Fragment != "top" || q.Get("keep") != "1" || q.Get("state") != "a&b" || q.Has("error") {
		t.Errorf("allowed: %s", u)
	}
	pair, err := w.tokens.Exchange(t.Context(), token.CodeExchange{App: w.app, Code: u.Query().Get("code"), Redirect: w.app.Redirects[0]})
	check(t, err)
	caller, err := w.tokens.Check(t.Context(), pair.Access)
	if err != nil || caller.User.Num != w.mia.Num || !caller.Scopes.Has(scope.RecordRead) || caller.Scopes.Has(scope.MeetingRead) {
		t.Errorf("the token is %s's with %s: %v", caller.User.Name, caller.Scopes, err)
	}
	if q := back(false).Query(); q.Get("error") != "access_denied" || q.Get("state") != "a&b" || q.Has("code") || q.Get("keep") != "1" {
		t.Errorf("denied: %v", q)
	}
}

func TestABadAuthorizeRequestIsNotSentAnywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.makeApp()
	foreign, _, err := w.tenants.CreateApp(t.Context(), w.there, tenant.AppSpec{Name: "Foreign", Redirects: []string{"https://f.example/"}})
	check(t, err)
	b := w.as(w.mia)
	for name, c := range map[string]struct{ query, code string }{
		"unknown app":                {"client_id=cli_0000000000000000", "20048"},
		"address not registered":     {strings.Replace(w.consentQuery(""), "app.example", "evil.example", 1), "20029"},
		"query that is none":         {"client_id=%zz", "20063"},
		"app of another tenant":      {"client_id=" + foreign.ID + "&redirect_uri=https%3A%2F%2Ff.example%2F", "20010"},
		"query longer than any real": {strings.Repeat("a", maxQuery+1), "20063"},
	} {
		a := b.post("/api/oauth/authorize", map[string]any{"query": c.query, "allow": true})
		want(t, name, a, 400, c.code)
		if strings.Contains(a.body, "redirect\"") || strings.Contains(a.body, "evil") {
			t.Errorf("%s: %s", name, a)
		}
		if name != "query longer than any real" {
			want(t, name, b.get("/api/oauth/authorize?"+c.query), 400, c.code)
		}
	}
}

// Query and fragment of redirect_uri are free: whoever makes the link must not be able to answer for us in it.
func TestALinkCannotBringItsOwnAnswer(t *testing.T) {
	t.Parallel()
	answer := url.Values{"code": {"ours"}, "state": {"s"}}
	for address, wants := range map[string]string{
		"https://a.example/back":                              "https://a.example/back?code=ours&state=s",
		"https://a.example/back?k=1&&x=%20#f":                 "https://a.example/back?k=1&x=%20&code=ours&state=s#f",
		"https://a.example/?code=theirs&k=1":                  "https://a.example/?k=1&code=ours&state=s",
		"https://a.example/?%63ode=theirs&st%61te&error=none": "https://a.example/?code=ours&state=s",
	} {
		if got, err := withQuery(address, answer); got != wants || err != nil {
			t.Errorf("%s becomes %s, %v; want %s", address, got, err, wants)
		}
	}
	if got, err := withQuery("https://a.example/?%zz=1", answer); err == nil {
		t.Errorf("a broken query becomes %s", got)
	}
}
