package pages

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"huilu/internal/event"
	"huilu/internal/field"
	"huilu/internal/meeting"
	"huilu/internal/minute"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// fault is a refusal as a page gets it.
type fault struct {
	Status int
	Code   string // for the page's program
	EN, ZH string // for the person
	Field  string // the input it is about, if it is about one
}

// What the pages themselves refuse.
var (
	errSignIn      = errors.New("not signed in")
	errAdminOnly   = errors.New("for administrators")
	errCrossOrigin = errors.New("request from another site")
	errNoMark      = errors.New("write without the X-Huilu header")
	errNoRoute     = errors.New("no such call")
	errMethod      = errors.New("no such method on this path")
	errTooLarge    = errors.New("request too large")
	errNotJSON     = errors.New("body is not declared as JSON")
	errNoMeeting   = errors.New("no meeting has this number")
	errSelfDisable = errors.New("administrators cannot switch themselves off")
	errOtherTenant = errors.New("the app is of another organisation")
	errEarlyURL    = errors.New("an event address was given before the app had its keys")
	errNoPoster    = errors.New("this minute has no picture")
)

// book says what each refusal is outside. The first row that matches is the
// answer; what matches none is internal.
var book = []struct {
	rule  error
	fault fault
}{
	{errSignIn, fault{401, "login_needed", "Sign in to go on.", "请先登录。", ""}},
	{errAdminOnly, fault{403, "admin_only", "Only administrators may do this.", "只有管理员可以进行此操作。", ""}},
	{errCrossOrigin, fault{403, "cross_origin", "This came from another site and was not done.", "该请求来自其他网站，未被执行。", ""}},
	{errNoMark, fault{403, "cross_origin", "A write needs the header X-Huilu: 1.", "写操作必须带有请求头 X-Huilu: 1。", ""}},
	{errNoRoute, fault{404, "not_found", "There is no such call.", "没有这个接口。", ""}},
	{errMethod, fault{405, "method_not_allowed", "This cannot be done with this address.", "该地址不支持此操作。", ""}},
	{errTooLarge, fault{413, "too_large", "That is too much at once. Shorten it and try again.", "内容过长，请缩短后重试。", ""}},
	{errNotJSON, fault{415, "not_json", "The body must be application/json.", "请求体必须是 application/json。", ""}},
	{context.DeadlineExceeded, fault{503, "timeout", "The server is busy. Try again in a moment.", "服务器繁忙，请稍后重试。", ""}},

	{tenant.ErrBadLogin, fault{401, "bad_login", "Email and password do not match, or the account is switched off.", "邮箱与密码不匹配，或账号已停用。", ""}},
	{tenant.ErrEmailTaken, fault{409, "email_taken", "Another account has this email address.", "该邮箱已被其他账号使用。", "email"}},
	{tenant.ErrNotFound, fault{404, "not_found", "This does not exist, or no longer.", "内容不存在或已被删除。", ""}},
	{errSelfDisable, fault{409, "self", "You cannot switch off your own account. Ask another administrator.", "不能停用自己的账号，请让其他管理员操作。", ""}},

	{errNoMeeting, fault{404, "not_found", "No meeting uses this number. It may have expired; ask who invited you.", "没有使用该会议号的会议，可能已过期，请联系邀请你的人。", ""}},
	{meeting.ErrExpired, fault{409, "expired", "This meeting has expired. Ask who invited you for a new link.", "会议已过期，请向邀请你的人索取新的链接。", ""}},
	{meeting.ErrLoginNeeded, fault{401, "login_needed", "This meeting is for people who are signed in.", "该会议仅限已登录的用户加入。", ""}},
	{meeting.ErrRemoved, fault{403, "removed", "The host has removed you from this meeting.", "主持人已将你移出该会议。", ""}},
	{meeting.ErrJoinNotAllowed, fault{403, "not_allowed", "You are not among the people who may join this meeting. Ask its owner.", "你不在可加入该会议的人员范围内，请联系会议的组织者。", ""}},
	{meeting.ErrWrongPassword, fault{403, "wrong_password", "That is not the meeting password.", "会议密码错误。", "password"}},
	{meeting.ErrLocked, fault{409, "locked", "The meeting is locked. Ask the host to unlock it.", "会议已锁定，请联系主持人解锁。", ""}},
	{meeting.ErrFull, fault{409, "full", "The meeting is full. Try again when somebody has left.", "会议人数已满，请在有人离开后重试。", ""}},

	{meeting.ErrNotFound, fault{404, "not_found", "There is no such meeting.", "会议不存在。", ""}},
	{meeting.ErrNotRunning, fault{409, "not_running", "The meeting is not running any more.", "会议未在进行中。", ""}},
	{meeting.ErrNotPermitted, fault{403, "not_host", "Only the host of the meeting may do this.", "只有会议主持人可以进行此操作。", ""}},
	{meeting.ErrNotInMeeting, fault{409, "not_inside", "You have to be in the meeting to do this.", "你需要在会议中才能进行此操作。", ""}},
	{meeting.ErrTargetNotInside, fault{409, "target_gone", "That person is not in the meeting any more.", "对方已不在会议中。", ""}},
	{meeting.ErrSelf, fault{409, "self", "You cannot do this to yourself.", "不能对自己进行此操作。", ""}},
	{meeting.ErrBadHost, fault{409, "not_a_host", "Only a signed-in person of your organisation can be the host.", "只有本组织的登录用户可以成为主持人。", ""}},

	{recording.ErrIsRecording, fault{409, "is_recording", "The meeting is being recorded already.", "会议已在录制中。", ""}},
	{recording.ErrNotRecording, fault{409, "not_recording", "The meeting is not being recorded.", "会议未在录制。", ""}},
	{recording.ErrSwitchedOff, fault{403, "recording_off", "Meetings of your organisation are not recorded. Ask an administrator to allow it.", "你所在的组织未开启会议录制，请联系管理员。", ""}},
	{recording.ErrProcessing, fault{409, "processing", "The recording is being made into a video. It opens by itself when it is ready.", "录制文件正在生成，完成后会自动打开。", ""}},

	{minute.ErrNotFound, fault{404, "not_found", "There is no such recording. The link may have been copied incompletely.", "录制不存在，链接可能未复制完整。", ""}},
	{minute.ErrNotPermitted, fault{403, "not_permitted", "This recording was not shared with you. Ask whoever sent you the link.", "该录制未与你共享，请联系发送链接的人。", ""}},
	{minute.ErrDeleted, fault{410, "deleted", "This recording was deleted.", "该录制已被删除。", ""}},
	{errNoPoster, fault{404, "not_found", "This recording has no picture.", "该录制没有封面。", ""}},

	{errOtherTenant, fault{400, "20010", "This app is of another organisation and cannot be used with your account.", "该应用属于其他组织，不能用你的账号授权。", ""}},
	{errEarlyURL, fault{400, "challenge_failed", "Make the app first, give its verification token and encrypt key to your program, then set the request URL.", "请先创建应用，将 Verification Token 和 Encrypt Key 配置到你的程序中，再设置请求地址。", "event_url"}},
}

var internal = fault{500, "internal", "Something went wrong on the server. Try again in a moment; if it stays, tell your administrator the number.", "服务器出错了，请稍后重试；如仍出现，请将编号告知管理员。", ""}

// lookUp finds what err is outside.
func lookUp(err error) fault {
	if e, ok := errors.AsType[*tooMany](err); ok {
		n := e.seconds()
		return fault{http.StatusTooManyRequests, "too_many", fmt.Sprintf("Too many tries. Wait %d seconds, then try again.", n),
			fmt.Sprintf("尝试次数过多，请等待 %d 秒后重试。", n), ""}
	}
	if e, ok := errors.AsType[*bodyError](err); ok {
		return fault{http.StatusBadRequest, "bad_request", "This page sent something the server cannot read: " + e.English + ". Reload the page.",
			"页面发送了服务器无法识别的内容（" + e.English + "），请刷新页面。", e.Field}
	}
	if e, ok := errors.AsType[*OAuthError](err); ok {
		return fault{http.StatusBadRequest, strconv.Itoa(e.Code), e.Text, oauthChinese(e), ""}
	}
	if e, ok := errors.AsType[*field.Error](err); ok {
		return invalid(e)
	}
	for _, row := range book {
		if errors.Is(err, row.rule) {
			return row.fault
		}
	}
	return internal
}

// inputs says what is right for each input a person fills in. Domain packages
// give their rule in English for programs; people get these.
var inputs = map[string]struct{ EN, ZH string }{
	"name":          {"A name has 1 to 100 characters on one line; in a meeting at most 50.", "名称为 1 到 100 个字符且不换行，会议中的姓名最多 50 个字符。"},
	"email":         {"Enter a full email address such as lin@example.org.", "请输入完整的邮箱地址，例如 lin@example.org。"},
	"password":      {"A password has 10 to 200 characters.", "密码长度为 10 到 200 个字符。"},
	"topic":         {"A topic is one line of at most 255 characters.", "会议主题为一行文字，最多 255 个字符。"},
	"scopes":        {"One of the permissions is not known to this server.", "其中有服务器不认识的权限。"},
	"redirect_urls": {"Redirect URLs are full addresses that begin with http:// or https://.", "重定向地址须为以 http:// 或 https:// 开头的完整地址。"},
	"event_url":     {"The request URL is a full address that begins with http:// or https://.", "请求地址须为以 http:// 或 https:// 开头的完整地址。"},
	"event_types":   {"One of the events is not known to this server.", "其中有服务器不认识的事件。"},
	"action":        {"The action is start or stop.", "操作只能是 start 或 stop。"},
	"identity":      {"Say which participant is meant.", "请指明参会人。"},
	"meeting_id":    {"This is not the id of a meeting.", "会议 ID 格式不正确。"},
	"cursor":        {"This is not a place in the list. Reload the page.", "翻页标记无效，请刷新页面。"},
}

// meetingPassword is the one input whose rule depends on where it is.
var meetingPassword = struct{ EN, ZH string }{"A meeting password has 4 to 9 digits.", "会议密码为 4 到 9 位数字。"}

func invalid(e *field.Error) fault {
	if errors.Is(e, event.ErrNotVerified) { // what came back is what helps, and only programs know it
		return fault{http.StatusBadRequest, "challenge_failed", "The request URL was not saved: it " + e.Rule + ".",
			"请求地址未保存：它没有在 1 秒内正确回应验证请求（" + e.Rule + "）。", e.Name}
	}
	name := strings.TrimPrefix(e.Name, "meeting_settings.") // the pages have flat forms
	text, known := inputs[name]
	if errors.Is(e, meeting.ErrBadPassword) {
		text, known = meetingPassword, true
	}
	if !known {
		text.EN, text.ZH = name+" "+e.Rule+".", "“"+name+"”填写有误。"
	}
	return fault{http.StatusBadRequest, "invalid", text.EN, text.ZH, name}
}

// oauthTexts are the refusals of the authorization page in Chinese; the English comes with them.
var oauthTexts = map[int]string{
	20001: "授权请求缺少必要的参数。",
	20008: "用户不存在。",
	20010: "你没有该应用的使用权限。",
	20027: "应用请求了未开通的权限，或权限数量过多。",
	20029: "重定向地址不在应用的安全设置中。",
	20036: "不支持该 response_type。",
	20048: "应用不存在。",
	20063: "授权请求格式不正确。",
	20069: "应用未启用。",
}

func oauthChinese(e *OAuthError) string {
	if text, ok := oauthTexts[e.Code]; ok {
		return text
	}
	return "应用的授权请求有误。"
}
