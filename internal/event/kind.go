package event

import (
	"slices"

	"huilu/internal/scope"
)

// Type is the event_type of the wire.
type Type string

// The events this server sends (contract events.md §5).
const (
	MeetingStarted   Type = "vc.meeting.meeting_started_v1"
	MeetingEnded     Type = "vc.meeting.meeting_ended_v1"
	MeetingJoined    Type = "vc.meeting.join_meeting_v1"
	MeetingLeft      Type = "vc.meeting.leave_meeting_v1"
	RecordingStarted Type = "vc.meeting.recording_started_v1"
	RecordingEnded   Type = "vc.meeting.recording_ended_v1"
	RecordingReady   Type = "vc.meeting.recording_ready_v1"
	ShareStarted     Type = "vc.meeting.share_started_v1"
	ShareEnded       Type = "vc.meeting.share_ended_v1"
)

// Kind describes a type for the console and says which scopes let an app receive it (any one).
type Kind struct {
	Type           Type
	TextEN, TextZH string
	Scopes         []string
}

var meetingScopes = []string{scope.MeetingRead, scope.MeetingEventRead}

var kinds = []Kind{
	{MeetingStarted, "A meeting starts", "会议开始", meetingScopes},
	{MeetingEnded, "A meeting ends", "会议结束", meetingScopes},
	{MeetingJoined, "Somebody joins", "有人加入会议", meetingScopes},
	{MeetingLeft, "Somebody leaves", "有人离开会议", meetingScopes},
	{RecordingStarted, "Recording starts", "录制开始", meetingScopes},
	{RecordingEnded, "Recording stops", "录制停止", meetingScopes},
	{RecordingReady, "The recording can be fetched", "录制文件已生成", meetingScopes},
	{ShareStarted, "Somebody shares a screen", "屏幕共享开始", meetingScopes},
	{ShareEnded, "Screen sharing stops", "屏幕共享结束", meetingScopes},
}

// Kinds lists every type an app can subscribe to.
func Kinds() []Kind { return slices.Clone(kinds) }

// KindOf returns the description of a type.
func KindOf(t Type) (Kind, bool) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Type == t })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}
