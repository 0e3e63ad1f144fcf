package openapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	lark "github.com/larksuite/oapi-sdk-go/v3"
	larkcore "github.com/larksuite/oapi-sdk-go/v3/core"
	larkauth "github.com/larksuite/oapi-sdk-go/v3/service/auth/v3"
	larkminutes "github.com/larksuite/oapi-sdk-go/v3/service/minutes/v1"
	larkvc "github.com/larksuite/oapi-sdk-go/v3/service/vc/v1"

	"huilu/internal/meeting"
	"huilu/internal/openapi"
	"huilu/internal/recording"
)

// sdk is a world behind a real socket, and the official Go SDK as its client. The
// SDK fetches and keeps its tenant token itself; its cache is one per process and
// app id, so every world's fresh app ids keep the tests apart.
type sdk struct {
	*world
	url    string
	client *lark.Client
}

func newSDK(t *testing.T) *sdk {
	w := newWorld(t, func(o *options) { o.now = time.Now })
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	w.deps.Links = openapi.Links{Base: srv.URL}
	w.handler = openapi.New(w.deps).Handler()
	handler = w.handler
	return &sdk{world: w, url: srv.URL, client: lark.NewClient(w.apps["app"].ID, string(w.secrets["app"]),
		lark.WithOpenBaseUrl(srv.URL), lark.WithLogLevel(larkcore.LogLevelError))}
}

// as makes the SDK send a user token.
func (s *sdk) as(user string) larkcore.RequestOptionFunc {
	return larkcore.WithUserAccessToken(s.userToken("app", user, nil))
}

func unixSeconds(t time.Time) string { return decimal(t.Unix()) }

func TestSDKReservesChangesAndDeletes(t *testing.T) {
	t.Parallel()
	s, ctx := newSDK(t), t.Context()
	end := time.Now().Add(2 * time.Hour)
	settings := larkvc.NewReserveMeetingSettingBuilder().Topic("SDK").AutoRecord(true).MeetingInitialType(1).
		ActionPermissions([]*larkvc.ReserveActionPermission{larkvc.NewReserveActionPermissionBuilder().Permission(3).PermissionCheckers(
			[]*larkvc.ReservePermissionChecker{larkvc.NewReservePermissionCheckerBuilder().CheckField(1).CheckMode(1).CheckList([]string{s.openID("app", "wei")}).Build()}).Build()}).
		AssignHostList([]*larkvc.ReserveAssignHost{larkvc.NewReserveAssignHostBuilder().UserType(1).Id(s.openID("app", "wei")).Build()}).Build()
	applied, err := s.client.Vc.V1.Reserve.Apply(ctx, larkvc.NewApplyReserveReqBuilder().UserIdType("open_id").Body(
		larkvc.NewApplyReserveReqBodyBuilder().EndTime(unixSeconds(end)).OwnerId(s.openID("app", "lin")).MeetingSettings(settings).Build()).Build())
	check(t, err)
	if !applied.Success() {
		t.Fatalf("apply: %d %s", applied.Code, applied.Msg)
	}
	r := applied.Data.Reserve
	if len(*r.MeetingNo) != 9 || *r.Url != s.url+"/j/"+*r.MeetingNo || *r.EndTime != unixSeconds(end) {
		t.Errorf("reserve = %s %s %s", *r.MeetingNo, *r.Url, *r.EndTime)
	}

	updated, err := s.client.Vc.V1.Reserve.Update(ctx, larkvc.NewUpdateReserveReqBuilder().ReserveId(*r.Id).Body(
		larkvc.NewUpdateReserveReqBodyBuilder().MeetingSettings(larkvc.NewReserveMeetingSettingBuilder().Topic("Changed").Build()).Build()).Build())
	check(t, err)
	if !updated.Success() || *updated.Data.Reserve.ExpireStatus != 1 || *updated.Data.Reserve.EndTime != unixSeconds(end) {
		t.Errorf("update: %d %s", updated.Code, updated.Msg)
	}

	got, err := s.client.Vc.V1.Reserve.Get(ctx, larkvc.NewGetReserveReqBuilder().ReserveId(*r.Id).Build())
	check(t, err)
	if !got.Success() {
		t.Fatalf("get: %d %s", got.Code, got.Msg)
	}
	kept := got.Data.Reserve.MeetingSettings
	if *kept.Topic != "Changed" || !*kept.AutoRecord || *kept.AssignHostList[0].Id != s.openID("app", "wei") ||
		kept.ActionPermissions[0].PermissionCheckers[0].CheckList[0] != s.openID("app", "wei") || *got.Data.Reserve.ReserveUserId != s.openID("app", "lin") {
		t.Errorf("the settings came back changed: %s", larkcore.Prettify(kept))
	}

	deleted, err := s.client.Vc.V1.Reserve.Delete(ctx, larkvc.NewDeleteReserveReqBuilder().ReserveId(*r.Id).Build())
	check(t, err)
	if !deleted.Success() {
		t.Errorf("delete: %d %s", deleted.Code, deleted.Msg)
	}
	gone, err := s.client.Vc.V1.Reserve.Get(ctx, larkvc.NewGetReserveReqBuilder().ReserveId(*r.Id).Build())
	check(t, err)
	if gone.Code != 121004 || gone.StatusCode != http.StatusNotFound || gone.Err.LogID != gone.RequestId() {
		t.Errorf("after deletion: %d, HTTP %d, log id %s in the body and %s in the header", gone.Code, gone.StatusCode, gone.Err.LogID, gone.RequestId())
	}
}

func TestSDKSeesAMeetingFromStartToEnd(t *testing.T) {
	t.Parallel()
	s, ctx := newSDK(t), t.Context()
	r := s.reserve("app", "lin")
	quiet, err := s.client.Vc.V1.Reserve.GetActiveMeeting(ctx, larkvc.NewGetActiveMeetingReserveReqBuilder().ReserveId(decimal(r.ID)).Build())
	check(t, err)
	if quiet.Code != 121004 {
		t.Errorf("before anybody joined: %d", quiet.Code)
	}
	m := s.join(r, "lin", "wei")
	active, err := s.client.Vc.V1.Reserve.GetActiveMeeting(ctx, larkvc.NewGetActiveMeetingReserveReqBuilder().ReserveId(decimal(r.ID)).WithParticipants(true).Build())
	check(t, err)
	if !active.Success() || *active.Data.Meeting.Id != m.Room() || len(active.Data.Meeting.Participants) != 2 {
		t.Fatalf("active meeting: %d %s %s", active.Code, active.Msg, larkcore.Prettify(active.Data))
	}

	start := func(user string) int {
		res, err := s.client.Vc.V1.MeetingRecording.Start(ctx, larkvc.NewStartMeetingRecordingReqBuilder().MeetingId(m.Room()).
			Body(larkvc.NewStartMeetingRecordingReqBodyBuilder().Timezone(8).Build()).Build(), s.as(user))
		check(t, err)
		return res.Code
	}
	if code := start("wei"); code != 121005 {
		t.Errorf("somebody who is not the host started recording: %d", code)
	}
	if code := start("lin"); code != 0 {
		t.Errorf("recording start: %d", code)
	}
	stopped, err := s.client.Vc.V1.MeetingRecording.Stop(ctx, larkvc.NewStopMeetingRecordingReqBuilder().MeetingId(m.Room()).Build(), s.as("lin"))
	check(t, err)
	ended, err := s.client.Vc.V1.Meeting.End(ctx, larkvc.NewEndMeetingReqBuilder().MeetingId(m.Room()).Build(), s.as("lin"))
	check(t, err)
	if !stopped.Success() || !ended.Success() {
		t.Errorf("stop: %d, end: %d", stopped.Code, ended.Code)
	}

	got, err := s.client.Vc.V1.Meeting.Get(ctx, larkvc.NewGetMeetingReqBuilder().MeetingId(m.Room()).WithParticipants(true).WithMeetingAbility(true).UserIdType("user_id").Build())
	check(t, err)
	if !got.Success() {
		t.Fatalf("meeting: %d %s", got.Code, got.Msg)
	}
	if d := got.Data.Meeting; *d.Status != 3 || *d.HostUser.Id != "lin_id" || *d.ParticipantCount != "2" || len(d.Participants) != 2 || *d.Participants[0].UserType != 1 || !*d.Ability.UseRecording {
		t.Errorf("meeting = %s", larkcore.Prettify(d))
	}
}

func TestSDKPagesThroughMeetingsOfANumber(t *testing.T) {
	t.Parallel()
	s, ctx := newSDK(t), t.Context()
	r := s.reserve("app", "lin")
	want := map[string]bool{}
	for range 5 {
		m := s.join(r, "lin")
		s.end(m)
		want[m.Room()] = true
	}
	pages, err := s.client.Vc.V1.Meeting.ListByNoByIterator(ctx, larkvc.NewListByNoMeetingReqBuilder().MeetingNo(r.No).
		StartTime(unixSeconds(time.Now().Add(-time.Hour))).EndTime(unixSeconds(time.Now().Add(time.Hour))).PageSize(2).Build())
	check(t, err)
	for n := 0; ; n++ {
		more, brief, err := pages.Next()
		check(t, err)
		if !more {
			break
		}
		if n == 5 {
			t.Fatal("the iterator does not end")
		}
		if !want[*brief.Id] || *brief.MeetingNo != r.No || *brief.Topic != "Weekly" {
			t.Errorf("unexpected or repeated: %s", larkcore.Prettify(brief))
		}
		delete(want, *brief.Id)
	}
	if len(want) > 0 {
		t.Errorf("%d meetings were not listed", len(want))
	}
}

func TestSDKFetchesTheRecordingAndItsFile(t *testing.T) {
	t.Parallel()
	s, ctx := newSDK(t), t.Context()
	fetch := func(m meeting.Meeting, opts ...larkcore.RequestOptionFunc) *larkvc.GetMeetingRecordingResp {
		t.Helper()
		res, err := s.client.Vc.V1.MeetingRecording.Get(ctx, larkvc.NewGetMeetingRecordingReqBuilder().MeetingId(m.Room()).Build(), opts...)
		check(t, err)
		return res
	}
	if res := fetch(s.recorded("app", "lin", recording.Running)); res.Code != 122001 {
		t.Errorf("while it runs: %d", res.Code)
	}
	if res := fetch(s.recorded("app", "lin", recording.Processing)); res.Code != 124002 {
		t.Errorf("while it is produced: %d", res.Code)
	}
	m := s.recorded("app", "lin", recording.Ready)
	for name, opts := range map[string][]larkcore.RequestOptionFunc{"tenant token": nil, "owner": {s.as("lin")}} {
		res := fetch(m, opts...)
		if !res.Success() || *res.Data.Recording.Url != s.url+"/minutes/"+s.minuteOf(m) || *res.Data.Recording.Duration != "30000" {
			t.Errorf("%s: %d %s", name, res.Code, larkcore.Prettify(res.Data))
		}
	}
	if res := fetch(m, s.as("mallory")); res.Code != 121005 {
		t.Errorf("somebody else: %d", res.Code)
	}

	minute, err := s.client.Minutes.V1.Minute.Get(ctx, larkminutes.NewGetMinuteReqBuilder().MinuteToken(s.minuteOf(m)).UserIdType("union_id").Build())
	check(t, err)
	if !minute.Success() || *minute.Data.Minute.OwnerId != s.tenants.IDs().Union(s.apps["app"], s.users["lin"].Num) || *minute.Data.Minute.Duration != "30000" {
		t.Errorf("minute: %d %s", minute.Code, larkcore.Prettify(minute.Data))
	}
	s.download(ctx, *minute.Data.Minute.Cover, "image/jpeg", "")
	media, err := s.client.Minutes.V1.MinuteMedia.Get(ctx, larkminutes.NewGetMinuteMediaReqBuilder().MinuteToken(s.minuteOf(m)).Build())
	check(t, err)
	if !media.Success() {
		t.Fatalf("media: %d %s", media.Code, media.Msg)
	}
	if body := s.download(ctx, *media.Data.DownloadUrl, "video/mp4", `attachment; filename="Weekly.mp4"; filename*=UTF-8''Weekly.mp4`); string(body) != string(video) {
		t.Errorf("%d bytes were downloaded, want %d", len(body), len(video))
	}
}

// download fetches a link as a program would: without any token.
func (s *sdk) download(ctx context.Context, url, kind, disposition string) []byte {
	s.t.Helper()
	req := must(http.NewRequestWithContext(ctx, http.MethodGet, url, nil))(s.t)
	res := must(http.DefaultClient.Do(req))(s.t)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != kind || res.Header.Get("Content-Disposition") != disposition {
		s.t.Errorf("%s: %s, %s, %s", url, res.Status, res.Header.Get("Content-Type"), res.Header.Get("Content-Disposition"))
	}
	return must(io.ReadAll(res.Body))(s.t)
}

func TestSDKGetsTokensAndKnowsThePerson(t *testing.T) {
	t.Parallel()
	s, ctx := newSDK(t), t.Context()
	tat, err := s.client.Auth.V3.TenantAccessToken.Internal(ctx, larkauth.NewInternalTenantAccessTokenReqBuilder().Body(
		larkauth.NewInternalTenantAccessTokenReqBodyBuilder().AppId(s.apps["app"].ID).AppSecret(string(s.secrets["app"])).Build()).Build())
	check(t, err)
	var raw struct {
		Token  string `json:"tenant_access_token"`
		Expire int    `json:"expire"`
	}
	check(t, json.Unmarshal(tat.RawBody, &raw))
	if !tat.Success() || !strings.HasPrefix(raw.Token, "t-") || raw.Expire <= 600 {
		t.Errorf("tenant token: %d %s", tat.Code, tat.RawBody)
	}
	wrong, err := s.client.Auth.V3.AppAccessToken.Internal(ctx, larkauth.NewInternalAppAccessTokenReqBuilder().Body(
		larkauth.NewInternalAppAccessTokenReqBodyBuilder().AppId(s.apps["app"].ID).AppSecret("guess").Build()).Build())
	check(t, err)
	if wrong.Code != 10014 || wrong.StatusCode != http.StatusOK {
		t.Errorf("wrong secret: %d, HTTP %d", wrong.Code, wrong.StatusCode)
	}
	info, err := s.client.Authen.V1.UserInfo.Get(ctx, s.as("lin"))
	check(t, err)
	if !info.Success() || *info.Data.Name != "Lin" || *info.Data.OpenId != s.openID("app", "lin") || *info.Data.TenantKey != string(s.acme.Key) || *info.Data.UserId != "lin_id" {
		t.Errorf("user info: %d %s", info.Code, larkcore.Prettify(info.Data))
	}
}

func TestSDKReadsWhatARefusalSays(t *testing.T) {
	t.Parallel()
	s, ctx := newSDK(t), t.Context()
	bare := lark.NewClient(s.apps["bare"].ID, string(s.secrets["bare"]), lark.WithOpenBaseUrl(s.url), lark.WithLogLevel(larkcore.LogLevelError))
	denied, err := bare.Vc.V1.MeetingRecording.Get(ctx, larkvc.NewGetMeetingRecordingReqBuilder().MeetingId("1").Build())
	check(t, err)
	if denied.Code != 99991672 || denied.Err.PermissionViolations[0].Subject != "vc:record:readonly" || denied.Err.Helps[0].URL == "" {
		t.Errorf("missing scope: %s", denied.RawBody)
	}
	fields, err := s.client.Vc.V1.Meeting.ListByNo(ctx, larkvc.NewListByNoMeetingReqBuilder().StartTime("1").EndTime("2").Build())
	check(t, err)
	if fields.Code != 99992402 || fields.Err.FieldViolations[0].Field != "meeting_no" || fields.Err.FieldViolations[0].Description != "meeting_no is required" {
		t.Errorf("missing field: %s", fields.RawBody)
	}
}
