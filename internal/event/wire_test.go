package event

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"huilu/internal/keys"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

type people map[tenant.UserNum]string

var errDown = errors.New("database is down")

func (p people) UserByNum(_ context.Context, _ tenant.Key, n tenant.UserNum) (tenant.User, error) {
	if p == nil {
		return tenant.User{}, errDown
	}
	id, ok := p[n]
	if !ok {
		return tenant.User{}, tenant.ErrNotFound
	}
	return tenant.User{Num: n, UserID: id}, nil
}

func testIDs(t *testing.T) tenant.IDs {
	t.Helper()
	m, err := keys.Parse(strings.Repeat("07", keys.Size))
	if err != nil {
		t.Fatal(err)
	}
	return tenant.NewIDs(m)
}

const owner, guestsHost = tenant.UserNum(41), tenant.UserNum(42)

func testApp(scopes ...string) tenant.App {
	return tenant.App{
		ID: "cli_9f5343c580712544", Num: 5, DeveloperNum: 6, Scopes: scopes,
		Events: tenant.Subscription{VerificationToken: "rvaYgkND1GOiu5MM0E1rncYC6PLtF7JV"},
	}
}

func testMeeting() Meeting {
	return Meeting{
		ID: 6911188411934433028, No: "235812466", Topic: "my meeting", Source: 4, Owner: owner, Host: owner,
		StartAt: time.Unix(1608883322, 0), EndAt: time.Unix(1608883899, 0),
	}
}

func render(t *testing.T, a tenant.App, p people, e Event) string {
	t.Helper()
	d := Delivery{ID: "5e3702a84e847582be8db7fb73283c02", App: a.ID, Tenant: "2ca1d211f64f6438", Event: e}
	body, err := NewWire(testIDs(t), p, "https://meetings.example.org/").Body(t.Context(), a, d, time.UnixMilli(1608725989000))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Field by field the example of contract events.md §2 and §5.
func TestRecordingReadyLooksAsInTheContract(t *testing.T) {
	t.Parallel()
	a, ids := testApp(scope.UserID), testIDs(t)
	got := render(t, a, people{owner: "e33ggbyz"}, Event{
		Type: RecordingReady, Meeting: testMeeting(), Ready: &Ready{Minute: "obcn37dxcftoc3656rgyejm7", Duration: 30 * time.Second},
	})
	want := `{"schema":"2.0","header":{"event_id":"5e3702a84e847582be8db7fb73283c02","event_type":"vc.meeting.recording_ready_v1","create_time":"1608725989000","token":"rvaYgkND1GOiu5MM0E1rncYC6PLtF7JV","app_id":"cli_9f5343c580712544","tenant_key":"2ca1d211f64f6438"},` +
		`"event":{"meeting":{"id":"6911188411934433028","topic":"my meeting","meeting_no":"235812466","owner":{"id":{"union_id":"` + ids.Union(a, owner) + `","user_id":"e33ggbyz","open_id":"` + ids.Open(a, owner) + `"}}},"url":"https://meetings.example.org/minutes/obcn37dxcftoc3656rgyejm7","duration":"30000"}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLeaveSaysWhoLeftAndWhy(t *testing.T) {
	t.Parallel()
	a, ids := testApp(), testIDs(t)
	m := testMeeting()
	m.Host, m.EndAt = guestsHost, time.Time{}
	got := render(t, a, nil, Event{Type: MeetingLeft, Meeting: m, LeaveReason: 3, Operator: &Person{User: owner, Role: Participant, Type: 1}})
	id := func(n tenant.UserNum) string {
		return `{"union_id":"` + ids.Union(a, n) + `","open_id":"` + ids.Open(a, n) + `"}`
	}
	left := `{"id":` + id(owner) + `,"user_role":1,"user_type":1}`
	want := `"event":{"meeting":{"id":"6911188411934433028","topic":"my meeting","meeting_no":"235812466","meeting_source":4,"start_time":"1608883322","end_time":"0",` +
		`"host_user":{"id":` + id(guestsHost) + `,"user_role":2,"user_type":1},"owner":` + left + `,"calendar_event_id":""},` +
		`"operator":` + left + `,"leave_reason":3,"leave_user":` + left + `}}`
	if !strings.HasSuffix(got, want) {
		t.Errorf("got  %s\nwant …%s", got, want)
	}
}

// Receivers read operator.id.open_id without looking whether there is an id; the objects are there, the ids are not.
func TestGuestsAndNobodyHaveNoIDs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operator *Person
		want     string
	}{
		"guest":  {&Person{Role: Participant, Type: 5}, `"operator":{"id":{},"user_role":1,"user_type":5}`},
		"nobody": {nil, `"operator":{"id":{}}`},
	} {
		m := testMeeting()
		m.Host = 0
		got := render(t, testApp(scope.UserID), people{owner: "e33ggbyz"}, Event{Type: MeetingJoined, Meeting: m, Operator: c.operator})
		if !strings.Contains(got, c.want) || !strings.Contains(got, `"host_user":{"id":{}}`) {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

func TestEveryAppGetsItsOwnOpenIDs(t *testing.T) {
	t.Parallel()
	a, b := testApp(), testApp()
	b.Num++ // of the same developer
	e := Event{Type: MeetingStarted, Meeting: testMeeting(), Operator: &Person{User: owner, Role: Host, Type: 1}}
	var first, second struct{ Event meetingBody }
	for into, app := range map[any]tenant.App{&first: a, &second: b} {
		if err := json.Unmarshal([]byte(render(t, app, nil, e)), into); err != nil {
			t.Fatal(err)
		}
	}
	x, y := first.Event.Operator.ID, second.Event.Operator.ID
	if x.OpenID == y.OpenID || x.UnionID != y.UnionID || x.OpenID == "" || x.UnionID == "" {
		t.Errorf("%+v and %+v: want another open_id and the same union_id", x, y)
	}
	if x.UserID != "" {
		t.Errorf("user_id %q without its scope", x.UserID)
	}
}

func TestEventsOutliveTheAccountsTheyMention(t *testing.T) {
	t.Parallel()
	got := render(t, testApp(scope.UserID), people{}, Event{Type: RecordingReady, Meeting: testMeeting(), Ready: &Ready{Minute: "m"}})
	if strings.Contains(got, "user_id") || !strings.Contains(got, `"open_id":"ou_`) {
		t.Errorf("%s: want the ids that need no account", got)
	}
}

func TestBodyIsNotMadeWhenTheDatabaseIsDown(t *testing.T) {
	t.Parallel()
	w := NewWire(testIDs(t), people(nil), "")
	for _, typ := range []Type{MeetingStarted, RecordingReady} {
		e := Event{Type: typ, Meeting: testMeeting(), Ready: &Ready{}}
		if body, err := w.Body(t.Context(), testApp(scope.UserID), Delivery{Event: e}, time.Now()); !errors.Is(err, errDown) {
			t.Errorf("%s: %s, %v", typ, body, err)
		}
	}
}
