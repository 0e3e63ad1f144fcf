package pages

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

func TestTheDoorSaysWhatAVisitorNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	open := w.reserve("Open house", meeting.Settings{ActionPermissions: []meeting.ActionPermission{meeting.GuestsWelcome()}}, "4711")
	closed := w.reserve("Staff", meeting.Settings{AutoRecord: true}, "")
	door := func(b *browser, no string) (d doorJSON) { b.get("/api/join/"+no).into(t, &d); return d }

	guest := w.browser()
	if d := door(guest, open.No); d != (doorJSON{"Open house", "Olga", "waiting", true, true, false}) {
		t.Errorf("guest at the open door: %+v", d)
	}
	if d := door(w.as(w.olga), open.No); d.PasswordRequired {
		t.Errorf("the owner needs no password: %+v", d)
	}
	if d := door(guest, closed.No); d != (doorJSON{"", "", "waiting", false, false, false}) {
		t.Errorf("a guest at the closed door must not learn what is behind it: %+v", d)
	}
	if d := door(w.as(w.mia), closed.No); d != (doorJSON{"Staff", "Olga", "waiting", false, false, false}) {
		t.Errorf("a colleague at the closed door: %+v", d)
	}
	w.join(closed.No, w.olga)
	if d := door(guest, closed.No); d.Status != "running" || !d.Recording {
		t.Errorf("a recorded meeting must say so before one joins: %+v", d)
	}
}

func TestWhoMayEnterAndWhatTheyGet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	open := w.reserve("Open house", meeting.Settings{ActionPermissions: []meeting.ActionPermission{meeting.GuestsWelcome()}}, "4711").No
	staff := w.reserve("Staff", meeting.Settings{}, "").No
	guest, mia, olga, bob := w.browser(), w.as(w.mia), w.as(w.olga), w.as(w.bob)
	enter := func(b *browser, no, name, pw string) answer {
		return b.post("/api/join/"+no, map[string]string{"name": name, "password": pw}, "Origin", w.url)
	}
	want(t, "guest among staff", enter(guest, staff, "Gus", ""), 401, "login_needed")
	want(t, "foreigner among staff", enter(bob, staff, "", ""), 403, "not_allowed")
	want(t, "guest without the password", enter(guest, open, "Gus", ""), 403, "wrong_password")
	want(t, "guest with a wrong one", enter(guest, open, "Gus", "0000"), 403, "wrong_password")
	want(t, "guest without a name", enter(guest, open, " ", "4711"), 400, "invalid")
	want(t, "number that is none", enter(guest, "12345678", "Gus", ""), 409, "expired")
	want(t, "number nobody has", enter(guest, "999999999", "Gus", ""), 409, "expired")
	want(t, "door nobody has", guest.get("/api/join/999999999"), 404, "not_found")

	var j joinedJSON
	enter(olga, open, "", "").into(t, &j)
	if !j.IsHost || j.Name != "Olga" || j.MeetingID == "" || j.ServerURL != strings.Replace(w.url, "http", "ws", 1) {
		t.Errorf("the owner: %+v", j)
	}
	if room, wants := j.Token, `["`+j.MeetingID+`","`+j.Identity+`","Olga",{"role":"host"}]`; room != wants {
		t.Errorf("the owner's ticket is for %s, want %s", room, wants)
	}
	first := j.Identity
	enter(olga, open, "", "").into(t, &j)
	if j.Identity == first {
		t.Error("a second page got the identity of the first, which would throw that one out")
	}
	enter(guest, open, " Gus ", "4711").into(t, &j)
	if j.IsHost || j.Name != "Gus" || !strings.HasSuffix(j.Token, `"Gus",{"guest":"true"}]`) {
		t.Errorf("the guest: %+v", j)
	}
	enter(mia, open, "Somebody Else", "4711").into(t, &j)
	if j.Name != "Mia" {
		t.Errorf("a signed-in person took the name %q", j.Name)
	}
}

func TestAFullLockedOrExpiredMeetingSaysWhich(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	r := w.reserve("Small", meeting.Settings{}, "")
	for range 3 { // the world's limit
		w.join(r.No, w.olga)
	}
	mia := w.as(w.mia)
	enter := func() answer { return mia.post("/api/join/"+r.No, map[string]string{}) }
	want(t, "full", enter(), 409, "full")
	if _, err := w.db.Pool().Exec(`UPDATE meetings SET locked = TRUE`); err != nil {
		t.Fatal(err)
	}
	want(t, "locked", enter(), 409, "locked")
	w.clock.pass(25 * time.Hour)
	want(t, "expired", enter(), 409, "expired")
	want(t, "door of the expired", mia.get("/api/join/"+r.No), 404, "not_found")
}

func TestGuessingMeetingPasswordsIsSlowedDownForThatMeeting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	no := w.reserve("Secret", meeting.Settings{}, "4711").No
	other := w.reserve("Other", meeting.Settings{}, "4712").No
	mia := w.as(w.mia)
	enter := func(place, no, pw string) answer {
		return mia.post("/api/join/"+no, map[string]string{"password": pw}, testPlace, place)
	}
	for range keysFrom.burst {
		want(t, "wrong", enter("192.0.2.66", no, "0000"), 403, "wrong_password")
	}
	want(t, "the right one after too many wrong ones", enter("192.0.2.66", no, "4711"), 429, "too_many")
	if a := enter("192.0.2.66", other, "4712"); a.status != 200 {
		t.Errorf("another meeting: %s", a)
	}
	if a := enter("198.51.100.7", no, "4711"); a.status != 200 {
		t.Errorf("somebody else, elsewhere, must not be kept out: %s", a)
	}
	for n := range keysTo.burst - keysFrom.burst {
		want(t, "wrong, from everywhere", enter(fmt.Sprintf("203.0.113.%d", n), no, "0000"), 403, "wrong_password")
	}
	want(t, "the right one after too many wrong ones from everywhere", enter("198.51.100.7", no, "4711"), 429, "too_many")
	w.clock.pass(keysTo.every)
	if a := enter("198.51.100.7", no, "4711"); a.status != 200 {
		t.Errorf("after the wait: %s", a)
	}
}

func TestTryingMeetingNumbersIsSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	no := w.reserve("Known", meeting.Settings{}, "").No
	b := w.browser()
	for range doorsFrom.burst * 2 {
		if a := b.get("/api/join/" + no); a.status != 200 {
			t.Fatalf("a right number must not count: %s", a)
		}
	}
	for range doorsFrom.burst {
		want(t, "unknown number", b.get("/api/join/100000000"), 404, "not_found")
	}
	want(t, "after too many", b.get("/api/join/"+no), 429, "too_many")
}

func TestAGuestGetsNoTicketsWithoutEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	no := w.reserve("Open house", meeting.Settings{ActionPermissions: []meeting.ActionPermission{meeting.GuestsWelcome()}}, "").No
	enter := func(b *browser) answer { return b.post("/api/join/"+no, map[string]string{"name": "Gus"}) }
	guest, mia := w.browser(), w.as(w.mia)
	for range ticketsFrom.burst {
		if a := enter(guest); a.status != 200 {
			t.Fatalf("a guest among many behind one address: %s", a)
		}
	}
	want(t, "one more", enter(guest), 429, "too_many")
	if a := enter(mia); a.status != 200 {
		t.Errorf("somebody with an account, from the same address: %s", a)
	}
	w.clock.pass(ticketsFrom.every)
	if a := enter(guest); a.status != 200 {
		t.Errorf("a guest a moment later: %s", a)
	}
}

func TestMediaGoesWhereThePageCameFrom(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ base, sfu, origin, want string }{
		{"http://127.0.0.1:8080", "", "http://localhost:8080", "ws://localhost:8080"},
		{"http://127.0.0.1:8080", "/", "http://127.0.0.1:8080", "ws://127.0.0.1:8080"},
		{"https://meet.example.org", "/sfu", "https://meet.example.org", "wss://meet.example.org/sfu"},
		{"https://meet.example.org", "", "", "wss://meet.example.org"},
		{"https://meet.example.org", "", "null", "wss://meet.example.org"},
		{"https://meet.example.org", "wss://sfu.example.org:7443", "https://meet.example.org", "wss://sfu.example.org:7443"},
	} {
		r := httptest.NewRequest("POST", "/api/join/123456789", nil)
		r.Header.Set("Origin", c.origin)
		p := &Pages{Deps: Deps{BaseURL: c.base, SFUURL: c.sfu}}
		if got, err := p.sfuURL(r); got != c.want || err != nil {
			t.Errorf("%+v: %s, %v", c, got, err)
		}
	}
}

func TestTheHostRunsTheMeetingFromThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.runMeeting()
	olga, at := w.as(w.olga), "/api/meetings/"+w.running.Room()
	post := func(what string, body map[string]string) answer { return olga.post(at+what, body) }
	want(t, "stop before start", post("/recording", map[string]string{"action": "stop"}), 409, "not_recording")
	want(t, "neither start nor stop", post("/recording", map[string]string{"action": "pause"}), 400, "invalid")
	if a := post("/recording", map[string]string{"action": "start"}); a.status != 204 || a.body != "" {
		t.Errorf("start: %s", a)
	}
	want(t, "start twice", post("/recording", map[string]string{"action": "start"}), 409, "is_recording")
	if a := post("/recording", map[string]string{"action": "stop"}); a.status != 204 {
		t.Errorf("stop: %s", a)
	}
	want(t, "nobody named", post("/mute", map[string]string{}), 400, "invalid")
	want(t, "somebody who is not there", post("/mute", map[string]string{"identity": "nobody"}), 409, "target_gone")
	want(t, "oneself", post("/kick", map[string]string{"identity": w.olgaSeat}), 409, "self")
	for what, told := range map[string]string{"/mute": "mute", "/kick": "kick", "/host": "host"} {
		if a := post(what, map[string]string{"identity": w.miaSeat}); a.status != 204 || !w.rooms.has(told+" "+w.running.Room()+" "+w.miaSeat) {
			t.Errorf("%s: %s, the room was told %q", what, a, w.rooms.did)
		}
		if what == "/host" { // take it back for the next
			m, err := w.db.MeetingByID(t.Context(), w.here.Key, w.running.ID)
			check(t, err)
			m.Host = w.olga.Num
			_, err = w.db.SaveMeeting(t.Context(), m, meeting.Running)
			check(t, err)
		}
	}
	want(t, "id that is none", olga.post("/api/meetings/x/end", nil), 404, "not_found")
	if a := post("/end", nil); a.status != 204 {
		t.Errorf("end: %s", a)
	}
	want(t, "end twice", post("/end", nil), 409, "not_running")

	w.here.Recording = false
	check(t, w.tenants.Save(t.Context(), w.here))
	w.runMeeting()
	want(t, "recording switched off", olga.post("/api/meetings/"+w.running.Room()+"/recording", map[string]string{"action": "start"}), 403, "recording_off")
}

func TestAReserveOfThePageKeepsItsSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := w.as(w.olga)
	var made struct {
		MeetingNo string `json:"meeting_no"`
		URL       string `json:"url"`
	}
	b.post("/api/reserves", map[string]any{"topic": "Review", "auto_record": true, "guests": true, "password": "4711"}).into(t, &made)
	r, err := w.db.LiveReserve(t.Context(), made.MeetingNo, w.clock.Now())
	check(t, err)
	if made.URL != w.baseURL+"/j/"+r.No || r.Settings.Topic != "Review" || !r.Settings.AutoRecord || r.Password != "4711" || r.Owner != w.olga.Num || r.App != "" {
		t.Errorf("%+v, %+v", made, r)
	}
	if d := r.EndAt.Sub(w.clock.Now()); d != 30*24*time.Hour {
		t.Errorf("the number lives %s", d)
	}
	a := b.post("/api/reserves", map[string]any{"topic": "Review", "password": "12"})
	want(t, "short password", a, 400, "invalid")
	var refused refusalJSON
	if a.into(t, &refused); refused.Error.Field != "password" || !strings.Contains(refused.Error.ZH, "4 到 9 位数字") {
		t.Errorf("the field and its rule: %s", a)
	}
	if _, err := w.meetings.Reserve(t.Context(), tenant.Actor{Tenant: w.there.Key, User: w.bob.Num}, r.ID); err == nil {
		t.Error("the reserve is in another tenant")
	}
}
