package sfu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/livekit/livekit-server/pkg/service"
	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/livekit/psrpc"
)

// ErrNotFound means that there is no such room, or nobody of that identity in it.
var ErrNotFound = errors.New("sfu: no such room or participant")

// Join is the right to enter a room.
type Join struct {
	Room       string // the meeting's id
	Identity   string // unique in the room; a second one of the same identity throws out the first
	Name       string // shown to the others
	Attributes map[string]string
	Hidden     bool // nobody is told of this participant
	Recorder   bool // counts as the room's recorder and keeps no empty room alive
	CanPublish bool
	TTL        time.Duration // how long the token can be used to enter; 0 is 10 minutes. Who is inside stays
}

// Participant is somebody in a room.
type Participant struct {
	Identity   string
	SID        string // names this connection: a rejoin with the same identity has another
	Name       string
	Attributes map[string]string
	JoinedAt   time.Time
	Tracks     []Track // published now
}

// Track is something a participant publishes.
type Track struct {
	SID    string
	Kind   string // "audio" or "video"
	Source string // "camera", "microphone", "screen", "screen_audio", or "" when the client does not say
	Mime   string // "video/H264", …
	Muted  bool
	Width  uint32 // pixels of the largest layer; 0 for sound
	Height uint32
}

// PublishedTrack is a track and who publishes it.
type PublishedTrack struct {
	Participant Participant
	Track       Track
}

// Token signs a join. The holder can enter once or several times until it expires.
func (s *Server) Token(j Join) (string, error) {
	if j.Room == "" || j.Identity == "" {
		return "", errors.New("sfu: a join needs a room and an identity")
	}
	ttl := j.TTL
	if ttl <= 0 {
		ttl = 10 * time.Minute
	}
	yes, no := true, false
	grant := &auth.VideoGrant{
		RoomJoin: true, Room: j.Room, CanPublish: &no, CanPublishData: &no, CanSubscribe: &yes, CanUpdateOwnMetadata: &no,
		Hidden: j.Hidden, Recorder: j.Recorder,
	}
	if j.CanPublish { // sound and pictures. Nothing here sends data, so that nobody can flood the others with it
		grant.CanPublish = &yes
	}
	jwt, err := auth.NewAccessToken(s.config.Key, s.config.Secret).
		SetIdentity(j.Identity).SetName(j.Name).SetAttributes(j.Attributes).SetKind(j.kind()).
		SetVideoGrant(grant).SetValidFor(ttl).ToJWT()
	if err != nil {
		return "", fmt.Errorf("sfu: token for room %s: %w", j.Room, err)
	}
	return jwt, nil
}

// as returns ctx with the rights of an administrator of room.
func (s *Server) as(ctx context.Context, room string) context.Context {
	return service.WithGrants(ctx, &auth.ClaimGrants{
		Video: &auth.VideoGrant{RoomAdmin: true, RoomCreate: true, RoomList: true, Room: room},
	}, s.config.Key)
}

// told translates LiveKit's errors: what is not there is ErrNotFound.
func told(err error, what, room string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, service.ErrRoomNotFound) || errors.Is(err, service.ErrParticipantNotFound) {
		return fmt.Errorf("%s in room %s: %w", what, room, ErrNotFound)
	}
	// A room that is not there answers nothing on the message bus.
	if e, ok := errors.AsType[psrpc.Error](err); ok && slices.Contains([]psrpc.ErrorCode{psrpc.NotFound, psrpc.Unavailable}, e.Code()) {
		return fmt.Errorf("%s in room %s: %w", what, room, ErrNotFound)
	}
	return fmt.Errorf("sfu: %s in room %s: %w", what, room, err)
}

// Kick throws a participant out. The token it came with still opens the door: whoever mints tokens must refuse the next.
func (s *Server) Kick(ctx context.Context, room, identity string) error {
	_, err := s.parts.admin.RemoveParticipant(s.as(ctx, room), &livekit.RoomParticipantIdentity{Room: room, Identity: identity})
	return told(err, "kick "+identity, room)
}

// Mute silences a track at the server. Only its owner can unmute it.
func (s *Server) Mute(ctx context.Context, room, identity, trackSID string) error {
	_, err := s.parts.admin.MutePublishedTrack(s.as(ctx, room), &livekit.MuteRoomTrackRequest{
		Room: room, Identity: identity, TrackSid: trackSID, Muted: true,
	})
	return told(err, "mute "+trackSID, room)
}

// CloseRoom ends a room and throws everybody out. A room that is not there is closed already.
func (s *Server) CloseRoom(ctx context.Context, room string) error {
	_, err := s.parts.admin.DeleteRoom(s.as(ctx, room), &livekit.DeleteRoomRequest{Room: room})
	if err := told(err, "close", room); !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// SetRoomMetadata gives a room a text (JSON by our custom) that all its participants see at once.
func (s *Server) SetRoomMetadata(ctx context.Context, room, json string) error {
	_, err := s.parts.admin.UpdateRoomMetadata(s.as(ctx, room), &livekit.UpdateRoomMetadataRequest{Room: room, Metadata: json})
	return told(err, "set metadata", room)
}

// SetAttributes adds to a participant's attributes; an empty value removes one. The others see it at once.
func (s *Server) SetAttributes(ctx context.Context, room, identity string, attributes map[string]string) error {
	_, err := s.parts.admin.UpdateParticipant(s.as(ctx, room), &livekit.UpdateParticipantRequest{
		Room: room, Identity: identity, Attributes: attributes,
	})
	return told(err, "set attributes of "+identity, room)
}

// Participants lists who is in a room with a media connection, hidden ones left out, in the order they came. ErrNotFound when there is no such
// room.
func (s *Server) Participants(ctx context.Context, room string) ([]Participant, error) {
	// Asking a room that nobody holds takes the message bus its full timeout: ask the store first whether it is there.
	found, err := s.parts.admin.ListRooms(s.as(ctx, room), &livekit.ListRoomsRequest{Names: []string{room}})
	if err != nil {
		return nil, told(err, "list participants", room)
	}
	if len(found.Rooms) == 0 {
		return nil, fmt.Errorf("list participants in room %s: %w", room, ErrNotFound)
	}
	res, err := s.parts.admin.ListParticipants(s.as(ctx, room), &livekit.ListParticipantsRequest{Room: room})
	if err != nil {
		return nil, told(err, "list participants", room)
	}
	list := make([]Participant, 0, len(res.Participants))
	for _, p := range res.Participants {
		if !hidden(p) && p.State == livekit.ParticipantInfo_ACTIVE {
			list = append(list, participant(p))
		}
	}
	slices.SortStableFunc(list, func(a, b Participant) int { return a.JoinedAt.Compare(b.JoinedAt) })
	return list, nil
}

// PublishedTracks lists what is published in a room. ErrNotFound when there is no such room.
func (s *Server) PublishedTracks(ctx context.Context, room string) ([]PublishedTrack, error) {
	people, err := s.Participants(ctx, room)
	if err != nil {
		return nil, err
	}
	var list []PublishedTrack
	for _, p := range people {
		for _, t := range p.Tracks {
			list = append(list, PublishedTrack{Participant: p, Track: t})
		}
	}
	return list, nil
}

// hidden says whether nobody is to be told of p.
func hidden(p *livekit.ParticipantInfo) bool {
	return p.GetPermission().GetHidden() || p.Kind == livekit.ParticipantInfo_EGRESS
}

func participant(p *livekit.ParticipantInfo) Participant {
	q := Participant{
		Identity: p.Identity, SID: p.Sid, Name: p.Name, Attributes: p.Attributes, JoinedAt: time.UnixMilli(p.JoinedAtMs).UTC(),
	}
	for _, t := range p.Tracks {
		q.Tracks = append(q.Tracks, track(t))
	}
	return q
}

func track(t *livekit.TrackInfo) Track {
	q := Track{SID: t.Sid, Mime: t.MimeType, Muted: t.Muted, Width: t.Width, Height: t.Height, Kind: "audio"}
	if t.Type == livekit.TrackType_VIDEO {
		q.Kind = "video"
	}
	switch t.Source {
	case livekit.TrackSource_CAMERA:
		q.Source = "camera"
	case livekit.TrackSource_MICROPHONE:
		q.Source = "microphone"
	case livekit.TrackSource_SCREEN_SHARE:
		q.Source = "screen"
	case livekit.TrackSource_SCREEN_SHARE_AUDIO:
		q.Source = "screen_audio"
	}
	return q
}
