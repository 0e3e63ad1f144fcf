package sdk_test

import (
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	larkcore "github.com/larksuite/oapi-sdk-go/v3/core"
	larkminutes "github.com/larksuite/oapi-sdk-go/v3/service/minutes/v1"
	larkvc "github.com/larksuite/oapi-sdk-go/v3/service/vc/v1"

	"huilu/internal/app/apptest"
	"huilu/internal/examine"
	"huilu/internal/people"
)

// TestTheWholeStory reserves, meets, records, ends, hears of it and fetches the file, as an integrator would.
func TestTheWholeStory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	media := dressed(t)
	host := w.authorize(0)
	r := w.arrange()

	_, id := w.join(0, *r.MeetingNo, media[0], people.Options{})
	second, _ := w.join(1, *r.MeetingNo, media[1], people.Options{})
	w.settled(id, 2)
	w.running(*r.Id, id)

	asked := time.Now()
	res, err := w.start(id, host)
	w.ok(res, err)
	started := time.Now() // a start returns when it records
	w.talk(4 * time.Second)
	second.Leave()
	w.settled(id, 1)
	w.talk(time.Until(started.Add(7 * time.Second)))
	stopped, err := w.stop(id, host)
	w.ok(stopped, err)
	least, most := time.Since(started), time.Since(asked)
	ended, err := w.end(id, host)
	w.ok(ended, err)
	if got := w.recording(id); got.Code != 124002 || got.StatusCode != http.StatusBadRequest {
		t.Errorf("right after the end GET recording says %d, HTTP %d; want 124002, HTTP 400", got.Code, got.StatusCode)
	}

	ready := w.inbox.Wait(t, patience, apptest.RecordingReady, id, 1)[0]
	w.heard(id)
	w.over(r, id)
	length := w.fetched(id, ready, host)
	if length < least-200*time.Millisecond || length > most+200*time.Millisecond {
		t.Errorf("the file lasts %v; recording lasted %v to %v", length, least, most)
	}
}

// authorize takes a person through OAuth, refreshes the tokens, and returns the option that acts for the person.
func (w *world) authorize(i int) larkcore.RequestOptionFunc {
	w.t.Helper()
	verifier, challenge := proof()
	code := w.consent(i, everyScope(), "a state", challenge)
	w.deny("a code that was never given", 20003, map[string]string{"grant_type": "authorization_code", "code": "nonsense"})
	first := w.buy(map[string]string{"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier})
	if !strings.HasPrefix(first.Access, "eyJ") || first.ExpiresIn != 7200 || first.Type != "Bearer" || first.RefreshExpire != 604800 || !sameScopes(first.Scope, everyScope()) {
		w.t.Fatalf("the code buys %+v", first)
	}
	w.deny("a code bought twice", 20065, map[string]string{"grant_type": "authorization_code", "code": code, "code_verifier": verifier})
	_, other := proof()
	code = w.consent(i, everyScope(), "another state", other)
	w.deny("a code without its proof", 20049, map[string]string{"grant_type": "authorization_code", "code": code, "code_verifier": verifier})
	second := w.buy(map[string]string{"grant_type": "refresh_token", "refresh_token": first.Refresh})
	if second.Access == first.Access || second.Refresh == first.Refresh || !sameScopes(second.Scope, first.Scope) {
		w.t.Fatalf("the refresh buys %+v", second)
	}
	w.deny("a refresh token used twice", 20073, map[string]string{"grant_type": "refresh_token", "refresh_token": first.Refresh})
	me := larkcore.WithUserAccessToken(second.Access)
	info, err := w.api.Authen.V1.UserInfo.Get(w.t.Context(), me)
	w.ok(info, err)
	if *info.Data.OpenId != w.openID(i) || *info.Data.Name != w.users[i].Name {
		w.t.Errorf("the token is of %s", larkcore.Prettify(info.Data))
	}
	return me
}

func sameScopes(a, b string) bool {
	sorted := func(s string) []string { return slices.Sorted(slices.Values(strings.Fields(s))) }
	return slices.Equal(sorted(a), sorted(b))
}

// arrange reserves, changes, and reads a meeting; another one is reserved and given up.
func (w *world) arrange() *larkvc.Reserve {
	w.t.Helper()
	ctx, calls := w.t.Context(), w.api.Vc.V1.Reserve
	r := w.reserve(0)
	if len(*r.Id) != 19 || len(*r.MeetingNo) != 9 || *r.Url != w.URL()+"/j/"+*r.MeetingNo || !strings.Contains(*r.AppLink, "{?}") {
		w.t.Errorf("reserved %s", larkcore.Prettify(r))
	}
	quiet, err := calls.GetActiveMeeting(ctx, larkvc.NewGetActiveMeetingReserveReqBuilder().ReserveId(*r.Id).Build())
	if err != nil {
		w.t.Fatal(err)
	}
	refused(w.t, "active meeting before anybody came", 121004, http.StatusNotFound, quiet.CodeError, quiet.ApiResp)

	end := seconds(time.Now().Add(2 * time.Hour))
	changed, err := calls.Update(ctx, larkvc.NewUpdateReserveReqBuilder().ReserveId(*r.Id).Body(larkvc.NewUpdateReserveReqBodyBuilder().EndTime(end).
		MeetingSettings(larkvc.NewReserveMeetingSettingBuilder().Topic("Monthly 月会").Build()).Build()).Build())
	w.ok(changed, err)
	got, err := calls.Get(ctx, larkvc.NewGetReserveReqBuilder().ReserveId(*r.Id).UserIdType("open_id").Build())
	w.ok(got, err)
	if g := got.Data.Reserve; *g.EndTime != end || *g.MeetingSettings.Topic != "Monthly 月会" || *g.ReserveUserId != w.openID(0) || *g.ExpireStatus != 1 {
		w.t.Errorf("after the change: %s", larkcore.Prettify(g))
	}

	other := w.reserve(0)
	deleted, err := calls.Delete(ctx, larkvc.NewDeleteReserveReqBuilder().ReserveId(*other.Id).Build())
	w.ok(deleted, err)
	gone, err := calls.Get(ctx, larkvc.NewGetReserveReqBuilder().ReserveId(*other.Id).Build())
	if err != nil {
		w.t.Fatal(err)
	}
	refused(w.t, "a reserve that was deleted", 121004, http.StatusNotFound, gone.CodeError, gone.ApiResp)
	return r
}

// running checks what the API says while two people meet, and who may not do what.
func (w *world) running(reserve, id string) {
	w.t.Helper()
	active, err := w.api.Vc.V1.Reserve.GetActiveMeeting(w.t.Context(), larkvc.NewGetActiveMeetingReserveReqBuilder().ReserveId(reserve).WithParticipants(true).UserIdType("open_id").Build())
	w.ok(active, err)
	if *active.Data.Meeting.Id != id || len(active.Data.Meeting.Participants) != 2 {
		w.t.Errorf("active meeting %s", larkcore.Prettify(active.Data))
	}
	m := w.meeting(id)
	if *m.Status != 2 || *m.HostUser.Id != w.openID(0) || *m.Topic != "Monthly 月会" || len(m.Participants) != 2 || *m.Ability.UseRecording {
		w.t.Errorf("meeting %s", larkcore.Prettify(m))
	}
	early := w.recording(id)
	refused(w.t, "GET recording of a meeting that runs", 122001, http.StatusBadRequest, early.CodeError, early.ApiResp)
	start, err := w.start(id, w.as(1))
	if err != nil {
		w.t.Fatal(err)
	}
	refused(w.t, "recording started by somebody who is not the host", 121005, http.StatusForbidden, start.CodeError, start.ApiResp)
	stop, err := w.stop(id, w.as(0))
	if err != nil {
		w.t.Fatal(err)
	}
	refused(w.t, "recording stopped that does not run", 122001, http.StatusBadRequest, stop.CodeError, stop.ApiResp)
	end, err := w.end(id, w.as(1))
	if err != nil {
		w.t.Fatal(err)
	}
	refused(w.t, "ended by somebody who is not the host", 121005, http.StatusForbidden, end.CodeError, end.ApiResp)
}

// heard checks the events of the story.
func (w *world) heard(id string) {
	w.t.Helper()
	by := func(l apptest.Letter) string { return *l.Operator.Id.OpenId }
	for typ, n := range map[string]int{
		apptest.Started: 1, apptest.Joined: 2, apptest.RecordingStarted: 1, apptest.RecordingEnded: 1, apptest.Left: 2, apptest.Ended: 1, apptest.RecordingReady: 1,
	} {
		got := w.inbox.Wait(w.t, patience, typ, id, n)
		if len(got) != n {
			w.t.Errorf("%d events %s, want %d", len(got), typ, n)
		}
		for _, l := range got {
			if l.App != w.app.ID || l.Tenant != string(w.Org.Key) || len(l.ID) != 32 || *l.Meeting.Topic != "Monthly 月会" || *l.Meeting.Owner.Id.OpenId != w.openID(0) {
				w.t.Errorf("%s", larkcore.Prettify(l))
			}
		}
	}
	for typ, operator := range map[string]int{apptest.Started: 0, apptest.RecordingStarted: 0, apptest.RecordingEnded: 0, apptest.Ended: 0} {
		if l := w.inbox.Of(typ, id)[0]; by(l) != w.openID(operator) || *l.Operator.UserRole != 2 {
			w.t.Errorf("%s by %s", typ, larkcore.Prettify(l.Operator))
		}
	}
	reasons := map[string]int{}
	for _, l := range w.inbox.Of(apptest.Left, id) {
		reasons[by(l)] = l.LeaveReason
	}
	if reasons[w.openID(1)] != 1 || reasons[w.openID(0)] != 2 {
		w.t.Errorf("reasons to leave %v, want 1 for who left and 2 for who was there at the end", reasons)
	}
}

// over checks what the API says of a meeting that has ended.
func (w *world) over(r *larkvc.Reserve, id string) {
	w.t.Helper()
	m := w.meeting(id)
	if *m.Status != 3 || *m.ParticipantCount != "2" || *m.ParticipantCountAccumulated != "2" || !*m.Ability.UseRecording {
		w.t.Errorf("meeting %s", larkcore.Prettify(m))
	}
	for _, p := range m.Participants {
		if *p.Status != 4 || *p.UserType != 1 || *p.IsHost != (*p.Id == w.openID(0)) {
			w.t.Errorf("participant %s", larkcore.Prettify(p))
		}
		if d, err := strconv.Atoi(*p.InMeetingDuration); err != nil || d < 3 {
			w.t.Errorf("%s was inside for %q s", *p.Id, *p.InMeetingDuration)
		}
	}
	list, err := w.api.Vc.V1.Meeting.ListByNo(w.t.Context(), larkvc.NewListByNoMeetingReqBuilder().MeetingNo(*r.MeetingNo).
		StartTime(seconds(time.Now().Add(-time.Hour))).EndTime(seconds(time.Now().Add(time.Hour))).Build())
	w.ok(list, err)
	if b := list.Data.MeetingBriefs; len(b) != 1 || *b[0].Id != id || *list.Data.HasMore {
		w.t.Errorf("meetings of %s: %s", *r.MeetingNo, larkcore.Prettify(list.Data))
	}
}

// fetched gets the recording as the app and as its owner, then the minute and its file, and looks at that.
func (w *world) fetched(id string, ready apptest.Letter, host larkcore.RequestOptionFunc) (length time.Duration) {
	w.t.Helper()
	for who, opts := range map[string][]larkcore.RequestOptionFunc{"the app": nil, "the owner": {host}} {
		got := w.recording(id, opts...)
		w.ok(got, nil)
		if r := got.Data.Recording; *r.Url != ready.URL || *r.Duration != ready.Duration || !strings.HasPrefix(*r.Url, w.URL()+"/minutes/") {
			w.t.Errorf("to %s: %s; announced were %s, %s ms", who, larkcore.Prettify(r), ready.URL, ready.Duration)
		}
	}
	other := w.recording(id, w.as(1))
	refused(w.t, "GET recording by somebody who was there but does not own it", 121005, http.StatusForbidden, other.CodeError, other.ApiResp)

	token := path.Base(ready.URL)
	minute, err := w.api.Minutes.V1.Minute.Get(w.t.Context(), larkminutes.NewGetMinuteReqBuilder().MinuteToken(token).UserIdType("open_id").Build())
	w.ok(minute, err)
	if m := minute.Data.Minute; *m.OwnerId != w.openID(0) || *m.Title != "Monthly 月会" || *m.Duration != ready.Duration || *m.Url != ready.URL {
		w.t.Errorf("minute %s", larkcore.Prettify(m))
	}
	media, err := w.api.Minutes.V1.MinuteMedia.Get(w.t.Context(), larkminutes.NewGetMinuteMediaReqBuilder().MinuteToken(token).Build())
	w.ok(media, err)
	file := filepath.Join(w.t.ArtifactDir(), "recording.mp4")
	f, err := os.Create(file)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = apptest.Download(w.t.Context(), *media.Data.DownloadUrl, f)
	if cerr := f.Close(); err != nil || cerr != nil {
		w.t.Fatal(err, cerr)
	}
	report, err := examine.Examine(w.t.Context(), file, examine.Options{Loop: loop})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range report.Bad() {
		w.t.Errorf("%s", c)
	}
	length = report.Probe.Stream("video").End.Duration()
	if ms, err := strconv.Atoi(ready.Duration); err != nil || (time.Duration(ms)*time.Millisecond-length).Abs() > 40*time.Millisecond {
		w.t.Errorf("the file lasts %v, announced were %s ms", length, ready.Duration)
	}
	if report.Person(0) == nil || report.Person(1) == nil {
		w.t.Errorf("not everybody is in the file: %+v", report.People)
	}
	return length
}
