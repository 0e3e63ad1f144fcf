package capture

import (
	"encoding/json"
	"time"
)

// Kind says whether a track carries sound or picture.
type Kind string

// The two kinds of tracks.
const (
	Audio Kind = "audio"
	Video Kind = "video"
)

// Source says what a track shows or lets hear.
type Source string

// The sources people publish from.
const (
	Camera      Source = "camera"
	Microphone  Source = "microphone"
	Screen      Source = "screen"
	ScreenAudio Source = "screen_audio"
)

// Meta says what a capture folder belongs to. It is written once, when the folder is made.
type Meta struct {
	RecordingID string    `json:"recording_id"`
	MeetingID   string    `json:"meeting_id"`
	Topic       string    `json:"topic,omitempty"`
	CreatedAt   time.Time `json:"created_at"` // filled in by Create when zero
}

// TrackMeta describes one log: one subscription to one track within one part.
type TrackMeta struct {
	Part          int       `json:"part"` // 1, 2, ...: the start of recording this belongs to
	ParticipantID string    `json:"participant_id"`
	Name          string    `json:"name,omitempty"` // shown under the picture; any text
	SID           string    `json:"sid"`            // the SFU's id of the published track
	Kind          Kind      `json:"kind"`
	Source        Source    `json:"source"`
	Mime          string    `json:"mime"`       // "video/H264", "video/VP8", "audio/opus"
	ClockRate     uint32    `json:"clock_rate"` // RTP units per second
	Channels      uint16    `json:"channels,omitempty"`
	SSRC          uint32    `json:"ssrc"`
	PayloadType   uint8     `json:"payload_type"`
	Fmtp          string    `json:"fmtp,omitempty"`
	StartedAt     time.Time `json:"started_at"`
}

// EventType names what happened at a point of the timeline.
type EventType string

// The types of events. The comment names the fields that are filled beside At, Type and Part.
const (
	RecStart    EventType = "rec_start"   // recording of Part began
	RecStop     EventType = "rec_stop"    // recording of Part ended; Reason "repaired" when Repair wrote it
	RecRejoin   EventType = "rec_rejoin"  // the recorder came back or opened another connection; Reason
	Join        EventType = "join"        // ParticipantID, Name; also for those present at the start of the part
	Leave       EventType = "leave"       // ParticipantID, Name, Reason
	Published   EventType = "published"   // ParticipantID, Name, TrackSID, Kind, Source, Muted
	Unpublished EventType = "unpublished" // ParticipantID, Name, TrackSID, Kind, Source
	Mute        EventType = "mute"        // ParticipantID, Name, TrackSID, Kind, Source
	Unmute      EventType = "unmute"      // ParticipantID, Name, TrackSID, Kind, Source
	TrackBegin  EventType = "track"       // a log began: File, Track and the fields of Published
	TrackEnd    EventType = "track_end"   // a log ended: File and the fields of Published
	Speakers    EventType = "speakers"    // Speakers: ids of those speaking now, loudest first; empty means silence
	Truncated   EventType = "truncated"   // packets were lost on the way to the disk: File, Reason
)

// Event is one line of the timeline.
type Event struct {
	At            time.Time  `json:"-"` // in the file: "at", unix nanoseconds
	Type          EventType  `json:"type"`
	Part          int        `json:"part,omitempty"`
	ParticipantID string     `json:"participant_id,omitempty"`
	Name          string     `json:"name,omitempty"`
	TrackSID      string     `json:"track_sid,omitempty"`
	Kind          Kind       `json:"kind,omitempty"`
	Source        Source     `json:"source,omitempty"`
	Muted         bool       `json:"muted,omitempty"`
	Speakers      []string   `json:"speakers,omitempty"`
	Reason        string     `json:"reason,omitempty"`
	File          string     `json:"file,omitempty"`
	Track         *TrackMeta `json:"track,omitempty"`
}

type plainEvent Event // Event without its JSON methods

type wireEvent struct {
	AtNS int64 `json:"at"`
	plainEvent
}

// MarshalJSON writes At as unix nanoseconds.
func (e Event) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireEvent{AtNS: e.At.UnixNano(), plainEvent: plainEvent(e)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Event) UnmarshalJSON(b []byte) error {
	var w wireEvent
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*e = Event(w.plainEvent)
	e.At = time.Unix(0, w.AtNS).UTC()
	return nil
}

// about returns an event of type typ that speaks of the track m.
func (m TrackMeta) about(typ EventType, at time.Time) Event {
	return Event{
		At: at, Type: typ, Part: m.Part, ParticipantID: m.ParticipantID, Name: m.Name,
		TrackSID: m.SID, Kind: m.Kind, Source: m.Source,
	}
}
