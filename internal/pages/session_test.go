package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func (b *browser) cookie() string {
	u, _ := url.Parse(b.base)
	for _, c := range b.http.Jar.Cookies(u) {
		if strings.HasSuffix(c.Name, "huilu_session") {
			return c.Value
		}
	}
	return ""
}

func (b *browser) plant(value string) {
	u, _ := url.Parse(b.base)
	b.http.Jar.SetCookies(u, []*http.Cookie{{Name: "huilu_session", Value: value, Path: "/"}})
}

func TestAPlantedSessionIsNotTheOneSignedInto(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	attacker := w.as(w.mia)
	for name, planted := range map[string]string{"made up": "attackers-own-choice", "a real one of the attacker": attacker.cookie()} {
		victim, thief := w.browser(), w.browser()
		victim.plant(planted)
		if a := victim.post("/api/login", map[string]string{"email": w.olga.Email, "password": password}); a.status != 200 {
			t.Fatalf("%s: %s", name, a)
		}
		if victim.cookie() == planted || victim.cookie() == "" {
			t.Errorf("%s: the cookie stayed %q", name, planted)
		}
		thief.plant(planted)
		want(t, name, thief.get("/api/me"), 401, "login_needed")
	}
}

func TestSigningOutEndsTheSessionOnTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b, copied := w.as(w.mia), w.browser()
	copied.plant(b.cookie())
	if a := copied.get("/api/me"); a.status != 200 {
		t.Fatalf("the copied cookie should work before: %s", a)
	}
	if a := b.post("/api/logout", nil); a.status != 204 || b.cookie() != "" {
		t.Errorf("logout: %s, cookie %q", a, b.cookie())
	}
	want(t, "copied cookie after signing out", copied.get("/api/me"), 401, "login_needed")
}

func TestWhoIsSwitchedOffIsOutAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	ada, mia, bob := w.as(w.ada), w.as(w.mia), w.as(w.bob)
	if a := ada.send("PATCH", "/api/users/"+w.mia.UserID, map[string]bool{"disabled": true}); a.status != 200 || !strings.Contains(a.body, `"disabled":true`) {
		t.Fatalf("switch off: %s", a)
	}
	want(t, "a person switched off", mia.get("/api/me"), 401, "login_needed")
	want(t, "signing in while off", w.browser().post("/api/login", map[string]string{"email": w.mia.Email, "password": password}), 401, "bad_login")
	want(t, "an administrator's own account", ada.send("PATCH", "/api/users/"+w.ada.UserID, map[string]bool{"disabled": true}), 409, "self")

	if a := ada.send("PATCH", "/api/users/"+w.mia.UserID, map[string]bool{"disabled": false}); a.status != 200 {
		t.Fatalf("switch on: %s", a)
	}
	want(t, "the old session after switching on", mia.get("/api/me"), 401, "login_needed")

	w.there.Disabled = true
	check(t, w.tenants.Save(t.Context(), w.there))
	want(t, "a person of a tenant switched off", bob.get("/api/me"), 401, "login_needed")
}

func TestAnIdleSessionEndsAndAUsedOneLastsTwoWeeks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	idle, used := w.as(w.mia), w.as(w.olga)
	for range 2 { // each wait alone is shorter than the limit
		w.clock.pass(sessionIdle - time.Hour)
		if a := used.get("/api/me"); a.status != 200 {
			t.Fatalf("in use: %s", a)
		}
	}
	want(t, "idle", idle.get("/api/me"), 401, "login_needed")

	var expires time.Duration
	a := w.browser().post("/api/login", map[string]string{"email": w.mia.Email, "password": password})
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		expires = time.Duration(c.MaxAge) * time.Second
	}
	if expires < sessionLife-time.Minute || expires > sessionLife+time.Minute {
		t.Errorf("the cookie lasts %s, want %s", expires, sessionLife)
	}
}

// Pages ask every few seconds; a write each time would keep the database's one writer busy.
func TestAskingDoesNotWriteTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := w.as(w.mia)
	if a := b.get("/api/me"); a.header.Get("Set-Cookie") != "" {
		t.Errorf("a cookie was set: %s", a.header.Get("Set-Cookie"))
	}
	w.clock.pass(sessionTouch + time.Second)
	if a := b.get("/api/me"); a.header.Get("Set-Cookie") == "" {
		t.Error("the session was not touched")
	}
	if a := w.browser().get("/api/status"); a.header.Get("Set-Cookie") != "" {
		t.Errorf("somebody who never signed in got a cookie: %s", a.header.Get("Set-Cookie"))
	}
}

func TestCookiesAreOutOfReachOfScriptsAndOtherSites(t *testing.T) {
	t.Parallel()
	for base, wants := range map[string]struct {
		name   string
		secure bool
	}{"": {"huilu_session", false}, "https://meet.example.org": {"__Host-huilu_session", true}} {
		w := newWorld(t, base)
		a := w.browser().post("/api/login", map[string]string{"email": w.mia.Email, "password": password})
		cs := (&http.Response{Header: a.header}).Cookies()
		if len(cs) != 1 {
			t.Fatalf("base %q: cookies %v", base, cs)
		}
		c := cs[0]
		if c.Name != wants.name || c.Secure != wants.secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("base %q: %s", base, c)
		}
		var stored string
		check(t, w.db.Pool().QueryRow(`SELECT token FROM sessions`).Scan(&stored))
		if strings.Contains(stored, c.Value) {
			t.Error("the database holds the cookie itself")
		}
	}
}

func TestLoginTellsNobodyWhichAddressesHaveAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := w.browser()
	wrong := b.post("/api/login", map[string]string{"email": w.mia.Email, "password": "not the password"})
	unknown := b.post("/api/login", map[string]string{"email": "nobody@example.org", "password": "not the password"})
	if wrong.String() != unknown.String() || wrong.code() != "bad_login" {
		t.Errorf("told apart:\n%s\n%s", wrong, unknown)
	}
	if logs := w.logs.String(); strings.Contains(logs, "not the password") || strings.Contains(logs, password) {
		t.Error("a password is in the log")
	}
}

func TestGuessingPasswordsIsSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := w.browser()
	login := func(email, pw string) answer {
		return b.post("/api/login", map[string]string{"email": email, "password": pw})
	}
	for range loginsAs.burst {
		want(t, "wrong", login(w.mia.Email, "wrong"), 401, "bad_login")
	}
	// Even the right one: else trying would go on and only the answer be hidden. Nor does the case of the address help.
	a := login(" "+strings.ToUpper(w.mia.Email), password)
	want(t, "after too many", a, 429, "too_many")
	if a.header.Get("Retry-After") != "60" || !strings.Contains(a.body, "Wait 60 seconds") || !strings.Contains(a.body, "60 秒") {
		t.Errorf("does not say how long: Retry-After %q, %s", a.header.Get("Retry-After"), a)
	}
	if a := login(w.olga.Email, password); a.status != 200 {
		t.Errorf("somebody else at the same place: %s", a)
	}
	w.clock.pass(loginsAs.every)
	if a := login(w.mia.Email, password); a.status != 200 {
		t.Errorf("after the wait: %s", a)
	}
	if a := login(w.mia.Email, password); a.status != 200 {
		t.Errorf("a right one must not count: %s", a)
	}
}

func TestGuessingKeepsNobodyOutOfTheirAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := w.browser()
	login := func(place, pw string) answer {
		return b.post("/api/login", map[string]string{"email": w.mia.Email, "password": pw}, testPlace, place)
	}
	for range 60 { // an hour of one stubborn place, each minute as often as it is allowed to
		for range loginsAs.burst {
			login("192.0.2.66", "wrong")
		}
		w.clock.pass(time.Minute)
		if a := login("198.51.100.7", password); a.status != 200 {
			t.Fatalf("the owner, from somewhere else: %s", a)
		}
	}
	for n := range 2 * loginsOf.burst { // many places together are slowed down all the same
		login(fmt.Sprintf("203.0.113.%d", n), "wrong")
	}
	want(t, "one more place", login("198.51.100.8", "wrong"), 429, "too_many")
}
