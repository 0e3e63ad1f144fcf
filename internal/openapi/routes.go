package openapi

import (
	"slices"

	"huilu/internal/limit"
	"huilu/internal/scope"
	"huilu/internal/token"
)

const (
	vcPath      = "/open-apis/vc/v1"
	minutesPath = "/open-apis/minutes/v1/minutes"
)

// routes is the table of everything this server answers under /open-apis and /download.
var routes = []Route{
	// contract tokens.md §2: no scope, no access token, errors with HTTP 200
	{Method: "POST", Path: "/open-apis/auth/v3/tenant_access_token/internal", Family: Auth, Tier: limit.Tier4, Body: appCredentials,
		run: (*API).tenantToken, Text: "Get the tenant access token of a custom app."},
	{Method: "POST", Path: "/open-apis/auth/v3/app_access_token/internal", Family: Auth, Tier: limit.Tier4, Body: appCredentials,
		run: (*API).appToken, Text: "Get the app access token of a custom app, which is its tenant access token."},

	// tokens.md §3 to §5
	{Method: "GET", Path: "/open-apis/authen/v1/authorize", Family: Authen, Tier: limit.Tier4,
		run: (*API).authorize, Text: "Ask a person to let the app act for them; leads to the consent page."},
	{Method: "POST", Path: "/open-apis/authen/v2/oauth/token", Family: OAuth, Tier: limit.Tier4,
		run: (*API).oauthToken, Text: "Get a user access token for an authorization code or a refresh token."},
	{Method: "GET", Path: "/open-apis/authen/v1/user_info", Family: Authen, Tier: limit.Special, Tokens: token.User,
		run: (*API).userInfo, Text: "Who the user access token belongs to."},

	// vc.md §3
	{Method: "POST", Path: vcPath + "/reserves/apply", Family: VC, Scopes: []string{scope.Reserve}, Tokens: token.Either, Tier: limit.Tier4, UserIDs: true,
		Body: reserveFields(true), run: (*API).applyReserve, Text: "Reserve a meeting."},
	{Method: "PUT", Path: vcPath + "/reserves/{reserve_id}", Family: VC, Scopes: []string{scope.Reserve}, Tokens: token.Either, Tier: limit.Tier4, UserIDs: true,
		Body: reserveFields(false), run: (*API).updateReserve, Text: "Change a reserve. What is left out stays, what is empty overwrites."},
	{Method: "DELETE", Path: vcPath + "/reserves/{reserve_id}", Family: VC, Scopes: []string{scope.Reserve}, Tokens: token.Either, Tier: limit.Tier4,
		run: (*API).deleteReserve, Text: "Delete a reserve for good."},
	{Method: "GET", Path: vcPath + "/reserves/{reserve_id}", Family: VC, Scopes: []string{scope.ReserveRead}, Tokens: token.Either, Tier: limit.Tier4, UserIDs: true,
		run: (*API).getReserve, Text: "Get a reserve."},
	{Method: "GET", Path: vcPath + "/reserves/{reserve_id}/get_active_meeting", Family: VC, Scopes: []string{scope.ReserveRead}, Tokens: token.Either, Tier: limit.Tier4, UserIDs: true,
		Query: []Field{withParticipants}, run: (*API).getActiveMeeting, Text: "Get the meeting that is running under a reserve."},

	// vc.md §4
	{Method: "GET", Path: vcPath + "/meetings/{meeting_id}", Family: VC, Scopes: []string{scope.MeetingRead, scope.MeetingEventRead}, Tokens: token.Either, Tier: limit.Tier4, UserIDs: true,
		Query: []Field{withParticipants, withAbility, queryMode}, run: (*API).getMeeting, Text: "Get a meeting of the last 90 days."},
	{Method: "PATCH", Path: vcPath + "/meetings/{meeting_id}/end", Family: VC, Scopes: []string{scope.Meeting}, Tokens: token.User, Tier: limit.Tier4,
		run: (*API).endMeeting, Text: "End a meeting for everybody in it, as its host."},
	{Method: "GET", Path: vcPath + "/meetings/list_by_no", Family: VC, Scopes: []string{scope.MeetingRead}, Tokens: token.Either, Tier: limit.Tier3,
		Query: listByNoQuery, run: (*API).listByNo, Text: "List the meetings that were held under a meeting number."},

	// vc.md §4, Recording
	{Method: "PATCH", Path: vcPath + "/meetings/{meeting_id}/recording/start", Family: VC, Scopes: []string{scope.Record}, Tokens: token.User, Tier: limit.Special,
		Body: recordingFields, run: (*API).startRecording, Text: "Start recording a running meeting, as its host."},
	{Method: "PATCH", Path: vcPath + "/meetings/{meeting_id}/recording/stop", Family: VC, Scopes: []string{scope.Record}, Tokens: token.User, Tier: limit.Special,
		run: (*API).stopRecording, Text: "Stop recording a running meeting, as its host."},
	{Method: "GET", Path: vcPath + "/meetings/{meeting_id}/recording", Family: VC, Scopes: []string{scope.RecordRead}, Tokens: token.Either, Tier: limit.Tier4,
		run: (*API).getRecording, Text: "Get the recording of a meeting that has ended."},

	// minutes.md
	{Method: "GET", Path: minutesPath + "/{minute_token}", Family: Minutes, Scopes: []string{scope.Minutes, scope.MinutesRead, scope.MinutesBasic}, Tokens: token.Either, Tier: limit.Tier6, UserIDs: true,
		run: (*API).getMinute, Text: "Get a minute."},
	{Method: "GET", Path: minutesPath + "/{minute_token}/media", Family: Minutes, Scopes: []string{scope.MinutesMedia, scope.MinuteDownload}, Tokens: token.Either, Tier: limit.Tier6,
		run: (*API).getMinuteMedia, Text: "Get a link to the file of a minute, good for one day."},

	// the links that minutes hand out: the signature in the link is all they ask for
	{Method: "GET", Path: "/download/minutes/{minute_token}", Family: Minutes,
		run: (*API).downloadMinute, Text: "Download the file of a minute."},
	{Method: "GET", Path: "/download/minutes/{minute_token}/cover", Family: Minutes,
		run: (*API).downloadCover, Text: "The picture of a minute."},
}

// Routes returns the table, for descriptions of the API.
func Routes() []Route { return slices.Clone(routes) }
