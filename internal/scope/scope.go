// Package scope lists the permissions an app can be given and a person can grant.
//
// One table: the name as the wire knows it, and what it means in plain words for the consent page,
// the app console and refusals. A route accepts any one of the scopes it names (contract tokens.md,
// "Scopes of this slice"); an app identity needs the scope on the app, a user identity needs it on the app and
// granted by the person.
package scope

import (
	"slices"
	"strings"
)

// The scopes, named as on the wire.
const (
	RecordRead       = "vc:record:readonly"
	Record           = "vc:record"
	Reserve          = "vc:reserve"
	ReserveRead      = "vc:reserve:readonly"
	Meeting          = "vc:meeting"
	MeetingRead      = "vc:meeting:readonly"
	MeetingEventRead = "vc:meeting.meetingevent:read"
	AllMeetingRead   = "vc:meeting.all_meeting:readonly"
	MinutesBasic     = "minutes:minutes.basic:read"
	MinutesRead      = "minutes:minutes:readonly"
	Minutes          = "minutes:minutes"
	MinutesMedia     = "minutes:minutes.media:export"
	MinuteDownload   = "minutes:minute:download"
	UserID           = "contact:user.employee_id:readonly"
	OfflineAccess    = "offline_access"
)

// Scope is one permission in the words of the people who grant it.
type Scope struct {
	Name   string
	TextEN string
	TextZH string
}

var all = []Scope{
	{RecordRead, "See recordings of meetings", "查看会议录制"},
	{Record, "Start and stop recording, and decide who may watch", "开始、停止会议录制，并管理录制的查看权限"},
	{Reserve, "Reserve meetings, change and cancel them", "预约、修改和取消会议"},
	{ReserveRead, "See reserved meetings", "查看会议预约"},
	{Meeting, "Run meetings: invite, remove, change the host, end", "管理进行中的会议：邀请、移出、更换主持人、结束"},
	{MeetingRead, "See meetings and who took part", "查看会议和参会信息"},
	{MeetingEventRead, "Hear of what happens in meetings", "接收会议动态"},
	{AllMeetingRead, "Hear when any meeting of the organisation starts and ends", "接收全组织会议开始和结束的事件"},
	{MinutesBasic, "See the title and length of minutes", "查看妙记的基本信息"},
	{MinutesRead, "Read minutes", "查看妙记"},
	{Minutes, "Read and manage minutes", "查看和管理妙记"},
	{MinutesMedia, "Download the video of minutes", "下载妙记的音视频文件"},
	{MinuteDownload, "Download minutes", "下载妙记"},
	{UserID, "See the user ID of people in the organisation", "获取用户的 user ID"},
	{OfflineAccess, "Keep access while you are away", "在你离开后保持访问权限"},
}

// All returns every scope, in the order people should read them.
func All() []Scope { return slices.Clone(all) }

// Known reports whether name is a scope this server enforces or shows.
func Known(name string) bool {
	return slices.ContainsFunc(all, func(s Scope) bool { return s.Name == name })
}

// Set is a list of scopes without order or repetition.
type Set []string

// Parse splits a space-separated list as in OAuth requests.
func Parse(s string) Set { return slices.Compact(slices.Sorted(slices.Values(strings.Fields(s)))) }

// Has reports whether name is in the set.
func (s Set) Has(name string) bool { return slices.Contains(s, name) }

// HasAny reports whether one of names is in the set; an empty list asks for nothing and is true.
func (s Set) HasAny(names ...string) bool {
	return len(names) == 0 || slices.ContainsFunc(names, s.Has)
}

// String joins the set with spaces, as OAuth answers carry it.
func (s Set) String() string { return strings.Join(s, " ") }
