package pages

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

func TestTheSecretOfAnAppIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := w.as(w.ada)
	var made, seen, rotated appJSON
	b.post("/api/apps", map[string]any{"name": "Archive", "scopes": []string{scope.RecordRead}}).into(t, &made)
	if _, err := w.tenants.Authenticate(t.Context(), made.AppID, tenant.Secret(made.Secret)); err != nil || made.VerifyToken == "" || made.EncryptKey == "" || !made.Enabled || made.CreatedMS == 0 {
		t.Fatalf("%+v: %v", made, err)
	}
	a := b.get("/api/apps/" + made.AppID)
	if a.into(t, &seen); strings.Contains(a.body, "app_secret") || strings.Contains(a.body, made.Secret) {
		t.Errorf("told again: %s", a)
	}
	if list := b.get("/api/apps"); strings.Contains(list.body, made.Secret) || !strings.Contains(list.body, made.AppID) {
		t.Errorf("list: %s", list)
	}
	b.post("/api/apps/"+made.AppID+"/secret", nil).into(t, &rotated)
	if _, err := w.tenants.Authenticate(t.Context(), made.AppID, tenant.Secret(rotated.Secret)); err != nil {
		t.Errorf("the new secret: %v", err)
	}
	if _, err := w.tenants.Authenticate(t.Context(), made.AppID, tenant.Secret(made.Secret)); !errors.Is(err, tenant.ErrSecretInvalid) {
		t.Errorf("the old secret: %v", err)
	}
	if logs := w.logs.String(); strings.Contains(logs, made.Secret) || strings.Contains(logs, rotated.Secret) || strings.Contains(logs, made.EncryptKey) {
		t.Error("a secret is in the log")
	}
}

func TestAChangeOfAnAppLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.makeApp()
	b, path := w.as(w.ada), "/api/apps/"+w.app.ID
	var before, after appJSON
	b.get(path).into(t, &before)
	b.send("PATCH", path, map[string]any{"enabled": false}).into(t, &after)
	if before.Enabled = false; !same(before, after) {
		t.Errorf("switched off:\n%+v\n%+v", before, after)
	}
	b.send("PATCH", path, map[string]any{"name": "Archive 2", "enabled": true, "event_types": []string{}}).into(t, &after)
	if before.Enabled, before.Name, before.EventTypes = true, "Archive 2", []string{}; !same(before, after) {
		t.Errorf("renamed:\n%+v\n%+v", before, after)
	}
	if len(w.asked) != 0 {
		t.Errorf("an unchanged address was asked: %v", w.asked)
	}
	for name, c := range map[string]struct {
		body  map[string]any
		field string
	}{
		"no name":                      {map[string]any{"name": " "}, "name"},
		"unknown scope":                {map[string]any{"scopes": []string{"vc:everything"}}, "scopes"},
		"redirect to a file":           {map[string]any{"redirect_urls": []string{"file:///etc/passwd"}}, "redirect_urls"},
		"unknown event":                {map[string]any{"event_types": []string{"vc.meeting.party_v1"}}, "event_types"},
		"event address without a host": {map[string]any{"event_url": "hook"}, "event_url"},
	} {
		a := b.send("PATCH", path, c.body)
		want(t, name, a, 400, "invalid")
		var r refusalJSON
		if a.into(t, &r); r.Error.Field != c.field {
			t.Errorf("%s: field %q, want %q", name, r.Error.Field, c.field)
		}
	}
	if b.get(path).into(t, &after); !same(before, after) {
		t.Errorf("a refused change was kept: %+v", after)
	}
}

func same(a, b appJSON) bool {
	return a.AppID == b.AppID && a.Name == b.Name && a.Type == b.Type && slices.Equal(a.Scopes, b.Scopes) && slices.Equal(a.Redirects, b.Redirects) &&
		a.EventURL == b.EventURL && slices.Equal(a.EventTypes, b.EventTypes) && a.Enabled == b.Enabled && a.VerifyToken == b.VerifyToken && a.EncryptKey == b.EncryptKey
}

func TestAnEventAddressIsSavedOnlyWhenSomebodyAnswersThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.makeApp()
	b, path := w.as(w.ada), "/api/apps/"+w.app.ID
	w.challenge = notVerified
	a := b.send("PATCH", path, map[string]string{"event_url": "https://other.example/hook", "name": "Not saved either"})
	want(t, "silent receiver", a, 400, "challenge_failed")
	if !strings.Contains(a.body, "connection refused") {
		t.Errorf("does not say what was wrong: %s", a)
	}
	if kept, _ := w.tenants.App(t.Context(), w.app.ID); kept.Events.URL != w.app.Events.URL || kept.Name != "Archive" {
		t.Errorf("saved all the same: %+v", kept)
	}
	w.challenge = nil
	if a := b.send("PATCH", path, map[string]string{"event_url": "https://other.example/hook"}); a.status != 200 {
		t.Errorf("answering receiver: %s", a)
	}
	// The receiver proves itself with the app's own token and key.
	if last := w.asked[len(w.asked)-1]; last != "https://other.example/hook "+string(w.app.Events.VerificationToken) {
		t.Errorf("asked %q", last)
	}
	asked := len(w.asked)
	if a := b.send("PATCH", path, map[string]string{"event_url": ""}); a.status != 200 || len(w.asked) != asked {
		t.Errorf("no address needs no answer: %s", a)
	}
	want(t, "an address before there are keys", b.post("/api/apps", map[string]string{"name": "X", "event_url": "https://x.example"}), 400, "challenge_failed")
}

func TestDeliveriesShowWhatBecameOfEachAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.makeApp()
	w.recordMeeting() // announces recording_ready
	ctx := t.Context()
	now := w.clock.Now()
	ds, err := w.db.Claim(ctx, now.Add(time.Second), time.Minute, 10, 10)
	check(t, err)
	if len(ds) != 1 {
		t.Fatalf("%d deliveries", len(ds))
	}
	next := now.Add(15 * time.Second)
	check(t, w.db.Settle(ctx, event.Attempt{Delivery: ds[0].ID, N: 1, At: now, Latency: 120 * time.Millisecond, Status: 500, Error: "answered 500", Body: "oops"}, event.Pending, next))
	read := func() deliveryJSON {
		var l listJSON[deliveryJSON]
		w.as(w.ada).get("/api/apps/"+w.app.ID+"/deliveries").into(t, &l)
		if len(l.Items) != 1 {
			t.Fatalf("%+v", l)
		}
		return l.Items[0]
	}
	d := read()
	if d.EventID != ds[0].ID || d.Type != event.RecordingReady || d.State != event.Pending || d.NextMS == nil || *d.NextMS != next.UnixMilli() {
		t.Errorf("%+v", d)
	}
	if len(d.Attempts) != 1 || d.Attempts[0] != (attemptJSON{now.UnixMilli(), 500, 120, "answered 500"}) {
		t.Errorf("attempts %+v", d.Attempts)
	}
	check(t, w.db.Settle(ctx, event.Attempt{Delivery: ds[0].ID, N: 2, At: next, Latency: time.Millisecond, Status: 200}, event.Delivered, time.Time{}))
	if d := read(); d.State != event.Delivered || d.NextMS != nil || len(d.Attempts) != 2 {
		t.Errorf("delivered: %+v", d)
	}
}

func TestAccountsAreMadeForTheOwnTenantOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	ada := w.as(w.ada)
	var made userJSON
	ada.post("/api/users", map[string]string{"name": "New", "email": "New@Example.org", "password": password}).into(t, &made)
	if made.Role != tenant.Member || made.Email != "new@example.org" || made.ID == "" || made.Disabled {
		t.Errorf("%+v", made)
	}
	if list := ada.get("/api/users"); !strings.Contains(list.body, made.ID) || strings.Contains(list.body, "bob@") || strings.Contains(list.body, "argon") {
		t.Errorf("list: %s", list)
	}
	want(t, "address of somebody in another tenant", ada.post("/api/users", map[string]string{"name": "B", "email": "bob@example.org", "password": password}), 409, "email_taken")
	want(t, "short password", ada.post("/api/users", map[string]string{"name": "B", "email": "b@example.org", "password": "short"}), 400, "invalid")
	want(t, "no address", ada.post("/api/users", map[string]string{"name": "B", "email": "b", "password": password}), 400, "invalid")
	want(t, "a role is not to be chosen here", ada.post("/api/users", map[string]string{"name": "B", "email": "b@example.org", "password": password, "role": "admin"}), 400, "bad_request")
}

func TestStatusTellsOnlyAdministratorsWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	read := func(b *browser) (s statusJSON) { b.get("/api/status").into(t, &s); return s }
	ada := w.as(w.ada)
	if s := read(ada); !s.Ready || s.Problems == nil {
		t.Errorf("well: %+v", s)
	}
	w.problems = []Problem{{"disk_low", "/srv/data is filling up", "/srv/data 空间不足", true}}
	if s := read(ada); !s.Ready || len(s.Problems) != 1 {
		t.Errorf("a warning: %+v", s)
	}
	w.problems = []Problem{{"disk_full", "/srv/data is full", "/srv/data 已满", false}}
	if s := read(ada); s.Ready || len(s.Problems) != 1 || s.Problems[0].TextEN != "/srv/data is full" {
		t.Errorf("administrator: %+v", s)
	}
	for name, b := range map[string]*browser{"anonymous": w.browser(), "member": w.as(w.mia)} {
		if s := read(b); s.Ready || len(s.Problems) != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestADeadDatabaseIsANumberNotAStackOfNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := w.as(w.mia)
	check(t, w.db.Close())
	a := b.get("/api/meetings")
	want(t, "dead database", a, 500, "internal")
	if strings.Contains(a.body, "sql") || strings.Contains(a.body, "database") {
		t.Errorf("says too much: %s", a)
	}
	if f := lookUp(context.DeadlineExceeded); f.Status != 503 {
		t.Errorf("out of time is %+v", f)
	}
}
