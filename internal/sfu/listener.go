package sfu

import (
	"time"

	"github.com/livekit/protocol/livekit"
)

// LeaveReason says why a participant is no longer in a room.
type LeaveReason string

// The reasons. Whoever merely lost the connection has left.
const (
	Left         LeaveReason = "left"
	MeetingEnded LeaveReason = "meeting_ended" // the room was closed, or the server stopped
	Kicked       LeaveReason = "kicked"
	Replaced     LeaveReason = "replaced" // the same identity came again; its Joined may be told before this Left
)

// Listener is told what really happened in the rooms; hidden participants are left out.
//
// The calls come from one goroutine, one after the other, in the order of the happenings; a slow Listener delays the
// later ones and loses none. For each connection (Participant.SID): Joined once, then its tracks, each published once and
// unpublished once, then Left once. RoomFinished comes after everybody's Left, once per room; a room of the same name may
// begin anew afterwards.
type Listener interface {
	Joined(room string, p Participant, at time.Time)
	Left(room string, p Participant, reason LeaveReason, at time.Time)
	TrackPublished(room string, p Participant, t Track, at time.Time)
	TrackUnpublished(room string, p Participant, t Track, at time.Time)
	RoomFinished(room string, at time.Time)
}

func leaveReason(r livekit.DisconnectReason) LeaveReason {
	switch r {
	case livekit.DisconnectReason_PARTICIPANT_REMOVED:
		return Kicked
	case livekit.DisconnectReason_ROOM_DELETED, livekit.DisconnectReason_ROOM_CLOSED, livekit.DisconnectReason_SERVER_SHUTDOWN:
		return MeetingEnded
	case livekit.DisconnectReason_DUPLICATE_IDENTITY:
		return Replaced
	default:
		return Left
	}
}
