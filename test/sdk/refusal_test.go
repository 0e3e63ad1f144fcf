package sdk_test

import (
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	larkvc "github.com/larksuite/oapi-sdk-go/v3/service/vc/v1"

	"huilu/internal/meeting"
	"huilu/internal/people"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// TestEveryRefusalOfARecording brings about each code of the recording's page, in the order in which they are decided.
func TestEveryRefusalOfARecording(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	get := func(what, id string, code, status int) {
		t.Helper()
		r := w.recording(id)
		refused(t, what, code, status, r.CodeError, r.ApiResp)
	}
	for _, id := range []string{"abc", "0", "-1", "9223372036854775808", "1.0", "1e18"} {
		get("the id "+id, id, 121003, http.StatusBadRequest)
	}
	get("an id that nothing has", "6911188411934433028", 122002, http.StatusNotFound)

	made := func(state recording.State) string { return room(w.adopt(t, state)) }
	processing, failed := made(recording.Processing), made(recording.Failed)
	other, secret := w.foreigner(t)
	r, err := w.client(other, secret).Vc.V1.MeetingRecording.Get(t.Context(), larkvc.NewGetMeetingRecordingReqBuilder().MeetingId(processing).Build())
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "another tenant's meeting", 122002, http.StatusNotFound, r.CodeError, r.ApiResp)
	for _, id := range []string{processing, failed} {
		r := w.recording(id, w.as(1))
		refused(t, "somebody else's meeting, whatever its state", 121005, http.StatusForbidden, r.CodeError, r.ApiResp)
	}
	get("while the file is produced", processing, 124002, http.StatusBadRequest)
	get("when production failed", failed, 121001, http.StatusInternalServerError)
	w.live(t, get)

	w.Org.Recording = false
	if err := w.Tenants.Save(t.Context(), w.Org); err != nil {
		t.Fatal(err)
	}
	get("with recording switched off", processing, 121002, http.StatusBadRequest)
	get("with recording switched off, before its state", failed, 121002, http.StatusBadRequest)
}

// live goes through the refusals that need people: while they meet, and for a meeting without and with too short a recording.
func (w *world) live(t *testing.T, get func(what, id string, code, status int)) {
	t.Helper()
	media := dressed(t)
	host := w.as(0)
	hold := func(during func(id string)) string {
		p, id := w.join(0, *w.reserve(0).MeetingNo, media[0], people.Options{CameraOff: true})
		w.settled(id, 1)
		during(id)
		r, err := w.end(id, host)
		w.ok(r, err)
		p.Leave()
		return id
	}
	never := hold(func(id string) {
		get("while people meet", id, 122001, http.StatusBadRequest)
	})
	get("a meeting that was never recorded", never, 121004, http.StatusNotFound)
	again, err := w.end(never, host)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "ended twice", 122001, http.StatusBadRequest, again.CodeError, again.ApiResp)

	short := hold(func(id string) {
		r, err := w.start(id, host)
		w.ok(r, err)
		twice, err := w.start(id, host)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, "recording started twice", 122001, http.StatusBadRequest, twice.CodeError, twice.ApiResp)
		w.talk(time.Second)
		get("while it is recorded", id, 122001, http.StatusBadRequest)
	})
	w.Eventually("the short recording is found empty", patience, func() bool { return w.recording(short).Code != 124002 })
	get("a recording under five seconds", short, 121004, http.StatusNotFound)
}

// adopt makes a meeting of the first person that ended, with a recording in that state.
func (w *world) adopt(t *testing.T, state recording.State) meeting.Meeting {
	t.Helper()
	ctx := t.Context()
	m, err := w.Meetings.Adopt(ctx, w.users[0], "Adopted", time.Now().Add(-time.Hour), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.Recordings.Adopt(ctx, m)
	if err == nil && state == recording.Failed {
		err = w.Recordings.Fail(ctx, r.ID, "for this test")
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func room(m meeting.Meeting) string { return strconv.FormatInt(m.ID, 10) }

// foreigner makes an app of another tenant.
func (w *world) foreigner(t *testing.T) (tenant.App, tenant.Secret) {
	t.Helper()
	org, err := w.Tenants.Create(t.Context(), "Elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	a, secret, err := w.Tenants.CreateApp(t.Context(), org, tenant.AppSpec{Name: "Foreign", Scopes: w.app.Scopes})
	if err != nil {
		t.Fatal(err)
	}
	return a, secret
}

// TestTooManyCallsAreToldHowLongToWait calls until the limit is reached: the one of a second, or on a slow machine the one of a minute.
func TestTooManyCallsAreToldHowLongToWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := room(w.adopt(t, recording.Processing))
	var mu sync.Mutex
	var limited *larkvc.GetMeetingRecordingResp
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 250 {
				r, err := w.api.Vc.V1.MeetingRecording.Get(t.Context(), larkvc.NewGetMeetingRecordingReqBuilder().MeetingId(id).Build())
				mu.Lock()
				if err == nil && r.StatusCode == http.StatusTooManyRequests {
					limited = r
				}
				done := err != nil || limited != nil
				mu.Unlock()
				if done {
					return
				}
			}
		})
	}
	all.Wait()
	if limited == nil {
		t.Fatal("nothing was refused in 2000 calls")
	}
	most, wait := limited.Header.Get("X-Ogw-Ratelimit-Limit"), limited.Header.Get("X-Ogw-Ratelimit-Reset")
	if limited.Code != 99991400 || (most != "50" && most != "1000") {
		t.Errorf("%d %q, limit %q", limited.Code, limited.Msg, most)
	}
	n, err := strconv.Atoi(wait)
	if err != nil || n < 1 || n > 60 {
		t.Fatalf("to wait %q s", wait)
	}
	w.meeting(id) // another API has a limit of its own
	w.talk(time.Duration(n) * time.Second)
	if r := w.recording(id); r.Code != 124002 {
		t.Errorf("after the wait: %d %q", r.Code, r.Msg)
	}
}
