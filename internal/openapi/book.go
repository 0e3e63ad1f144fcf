package openapi

import (
	"errors"
	"net/http"

	"huilu/internal/meeting"
	"huilu/internal/minute"
	"huilu/internal/recording"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

// unsure is the HTTP status of refusals whose status no source tells (marked ?
// in contract gateway.md §5). One place, so that it can be changed when somebody finds out.
const unsure = http.StatusBadRequest

// unsureMethod is the status of a known path with a wrong method, unsure as well.
const unsureMethod = http.StatusMethodNotAllowed

// answer is how one rule that refused is told: contract code, HTTP status, sentence.
type answer struct {
	code   int
	status int
	msg    string
}

// entry is a line of the book.
type entry struct {
	rule error
	answer
}

// What the gateway itself refuses.
var (
	errNoToken        = errors.New("no access token was sent")
	errTenantNotTaken = errors.New("this API does not take a tenant access token")
	errUserNotTaken   = errors.New("this API does not take a user access token")
	errMethod         = errors.New("the path exists, but not with this method")
	errBodySize       = errors.New("the body is larger than 1048576 bytes")
	errNoAppID        = errors.New("app_id and app_secret must be texts, and app_id that of a custom app of this server")
)

// book maps rules to the contract's answers. The first line that matches counts.
var book = []entry{
	// gateway.md §5
	{errNoToken, answer{99991661, 400, "Missing access token for authorization. Please make a request with token attached."}},
	{token.ErrMalformed, answer{99991671, unsure, "Invalid access token for authorization. The token must start with t- or u-, or be a user access token of the v2 flow."}},
	{token.ErrTenantInvalid, answer{99991663, 400, "Invalid access token for authorization. Please make a request with token attached."}},
	{errTenantNotTaken, answer{99991663, 400, "Invalid access token for authorization. Tenant access token not support."}},
	{token.ErrUserInvalid, answer{99991668, unsure, "Invalid access token for authorization. Please make a request with token attached."}},
	{errUserNotTaken, answer{99991668, unsure, "Invalid access token for authorization. User access token not support."}},
	{token.ErrUserExpired, answer{99991677, unsure, "Authentication token expired"}},
	{token.ErrAppDisabled, answer{99991662, unsure, "app not in use"}},
	{token.ErrNotInstalled, answer{99991673, unsure, "app unauthorized"}},
	{token.ErrTenantDisabled, answer{99991665, unsure, "invalid tenant code"}},
	{errMethod, answer{99991301, unsureMethod, "request method doesn't match"}},
	{errBody, answer{9499, 400, "bad request: the body must be one JSON object"}},
	{errBodySize, answer{9499, 400, "bad request: the body is larger than 1048576 bytes"}},

	// tokens.md §2
	{errNoAppID, answer{10003, 200, "invalid param"}},
	{tenant.ErrSecretInvalid, answer{10014, 200, "app secret invalid"}},

	// vc.md §2
	{recording.ErrProduction, answer{121001, 500, "internal error"}},
	{recording.ErrSwitchedOff, answer{121002, 400, "not support"}},
	{recording.ErrNotFound, answer{121004, 404, "data not exist"}},
	{meeting.ErrReserveNotFound, answer{121004, 404, "data not exist"}},
	{meeting.ErrNoActiveMeeting, answer{121004, 404, "data not exist"}},
	{recording.ErrNotOwner, answer{121005, 403, "no permission"}},
	{meeting.ErrNotPermitted, answer{121005, 403, "no permission"}},
	{meeting.ErrNotRunning, answer{122001, 400, "meeting status unexpected"}},
	{recording.ErrNotEnded, answer{122001, 400, "meeting status unexpected"}},
	{recording.ErrNotRecording, answer{122001, 400, "meeting status unexpected"}},
	{recording.ErrIsRecording, answer{122001, 400, "meeting status unexpected"}},
	{meeting.ErrNotFound, answer{122002, 404, "meeting not exist"}},
	{meeting.ErrNotInMeeting, answer{122003, 400, "operator user not in meeting"}},
	{meeting.ErrRecordParam, answer{123002, 400, "record param error"}},
	{meeting.ErrTooManyHosts, answer{123003, 400, "assign host exceed max limit 10"}},
	{meeting.ErrBadHost, answer{123004, 400, "assign host error"}},
	{meeting.ErrBadPassword, answer{123006, 400, "invalid password"}},
	{recording.ErrProcessing, answer{124002, 400, "record processing"}},

	// minutes.md
	{minute.ErrNotFound, answer{2091002, 404, "resource not found"}},
	{minute.ErrDeleted, answer{2091004, 400, "resource deleted"}},
	{minute.ErrNotPermitted, answer{2091005, 403, "permission deny"}},
	{minute.ErrLinkInvalid, answer{2091005, 403, "permission deny"}},
}

// Answers that carry more than a sentence; refusal.go fills them in.
var (
	limited        = answer{99991400, http.StatusTooManyRequests, "request trigger frequency limit"}
	appLacksScope  = answer{99991672, 400, "Access denied. One of the following scopes is required: "}
	userLacksScope = answer{99991679, unsure, "Unauthorized. You do not have permission to perform the requested operation on the resource. Please request user re-authorization and try again. required one of these privileges: "}
	invalidFields  = answer{99992402, 400, "field validation failed"}
	crossApp       = answer{99992361, unsure, "open_id cross app"}
)

// unknownIDs are the answers to person ids that nobody has, by user_id_type.
var unknownIDs = map[tenant.IDType]answer{
	tenant.OpenID:  {99992351, 400, "these open ids not existed: "},
	tenant.UnionID: {99992352, 400, "these union ids not existed: "},
	tenant.UserID:  {99992353, 400, "these user ids not existed: "},
}

// badParam is what a family calls a value that breaks a rule of the domain.
var badParam = map[Family]answer{
	VC:      {121003, 400, "param error"},
	Minutes: {2091001, 400, "param is invalid"},
	Auth:    {10003, 200, "invalid param"},
	Authen:  {20001, 200, "invalid request"},
}

// internal is what a family calls everything that is not in the book.
var internal = map[Family]answer{
	VC:       {121001, 500, "internal error"},
	Minutes:  {2091006, 500, "service internal error"},
	Auth:     {2200, 200, "internal error"},
	Authen:   {20050, 500, "internal error"},
	Unrouted: {2200, 500, "internal error"},
}

// legacyUser is what authen/v1 calls user tokens that are no good (tokens.md §5).
var legacyUser = answer{20005, 200, "user access token invalid"}
