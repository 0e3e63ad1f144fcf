package app

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/sfu"
)

// rooms is the SFU as the domain sees it: it does what meetings and recordings
// ask for, and tells them what happened.
type rooms struct {
	sfu      *sfu.Server // set once before anything runs
	meetings *meeting.Service
	wake     func() // the keeper, when somebody came or went
	log      *slog.Logger

	mu    sync.Mutex // guards signs
	signs map[string]sign
}

// sign is what pages show of a room, as its metadata.
type sign struct {
	Recording        bool   `json:"recording"`
	RecordingSinceMS *int64 `json:"recording_since_ms"`
	Host             string `json:"host"`
}

func (r *rooms) CloseRoom(ctx context.Context, room string) error {
	r.mu.Lock()
	delete(r.signs, room)
	r.mu.Unlock()
	return r.sfu.CloseRoom(ctx, room)
}

// errTurnedAway is what the media server gets to know of why somebody may not connect.
var errTurnedAway = errors.New("not let in, or not any more")

// Admit asks the domain whether a participant may connect now. When it cannot answer, a good token will do, so that a
// database that is away ends no meeting; who should not be there is removed once it answers again (meeting.Service.Sweep).
func (r *rooms) Admit(ctx context.Context, room, identity string) error {
	id, err := strconv.ParseInt(room, 10, 64)
	if err != nil {
		return errTurnedAway
	}
	ctx, cancel := context.WithTimeout(ctx, newsTimeout)
	defer cancel()
	may, err := r.meetings.MayConnect(ctx, id, identity)
	switch {
	case err != nil:
		r.log.WarnContext(ctx, "nobody could say whether a participant may connect; the token was good", "meeting", id, "participant", identity, "err", err)
	case !may:
		return errTurnedAway
	}
	return nil
}

func (r *rooms) Kick(ctx context.Context, room, identity string) error {
	return gone(r.sfu.Kick(ctx, room, identity))
}

func (r *rooms) Mute(ctx context.Context, room, identity string) error {
	ps, err := r.sfu.Participants(ctx, room)
	if err != nil {
		return gone(err)
	}
	for _, p := range ps {
		if p.Identity != identity {
			continue
		}
		for _, t := range p.Tracks {
			if t.Source == "microphone" && !t.Muted {
				err = errors.Join(err, gone(r.sfu.Mute(ctx, room, identity, t.SID)))
			}
		}
	}
	return err
}

func (r *rooms) ShowHost(ctx context.Context, room, identity string) error {
	return r.show(ctx, room, func(s *sign) { s.Host = identity })
}

// Show tells a meeting's room since when it is recorded; zero for not any more.
func (r *rooms) Show(ctx context.Context, id int64, since time.Time) error {
	return r.show(ctx, strconv.FormatInt(id, 10), func(s *sign) {
		s.Recording, s.RecordingSinceMS = !since.IsZero(), nil
		if s.Recording {
			ms := since.UnixMilli()
			s.RecordingSinceMS = &ms
		}
	})
}

func (r *rooms) show(ctx context.Context, room string, change func(*sign)) error {
	r.mu.Lock()
	defer r.mu.Unlock() // held while sending, so that the last change is the last sent
	s := r.signs[room]
	change(&s)
	if r.signs[room] = s; s == (sign{}) { // the last word of a room is that nothing is recorded and nobody hosts
		delete(r.signs, room)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return gone(r.sfu.SetRoomMetadata(ctx, room, string(text)))
}

func (r *rooms) Inside(ctx context.Context, room string) ([]string, error) {
	ps, err := r.sfu.Participants(ctx, room)
	var ids []string
	for _, p := range ps {
		ids = append(ids, p.Identity)
	}
	return ids, gone(err)
}

// gone makes nothing of a room or person that is not there any more.
func gone(err error) error {
	if errors.Is(err, sfu.ErrNotFound) {
		return nil
	}
	return err
}

// newsTimeout bounds what one piece of news from the SFU may take; the meetings' sweep catches up on what failed.
const newsTimeout = 10 * time.Second

func (r *rooms) Joined(room string, p sfu.Participant, at time.Time) {
	r.tell("join", room, p.Identity, func(ctx context.Context, id int64) error {
		return r.meetings.Joined(ctx, id, p.Identity, at)
	})
	r.wake()
}

func (r *rooms) Left(room string, p sfu.Participant, reason sfu.LeaveReason, at time.Time) {
	if reason == sfu.Replaced {
		return // the same person is there on a new connection
	}
	why := meeting.LeftByThemselves // also when the server stops: the meeting itself has not ended
	if reason == sfu.Kicked {
		why = meeting.Kicked
	}
	r.tell("leave", room, p.Identity, func(ctx context.Context, id int64) error {
		return r.meetings.Left(ctx, id, p.Identity, why, at)
	})
	r.wake()
}

func (r *rooms) TrackPublished(room string, p sfu.Participant, t sfu.Track, at time.Time) {
	r.shared(room, p, t, true, at)
}

func (r *rooms) TrackUnpublished(room string, p sfu.Participant, t sfu.Track, at time.Time) {
	r.shared(room, p, t, false, at)
}

func (r *rooms) shared(room string, p sfu.Participant, t sfu.Track, on bool, at time.Time) {
	if t.Source != "screen" {
		return
	}
	r.tell("share", room, p.Identity, func(ctx context.Context, id int64) error {
		return r.meetings.Shared(ctx, id, p.Identity, on, at)
	})
}

// RoomFinished needs nothing: the sweep ends meetings that stay empty.
func (r *rooms) RoomFinished(string, time.Time) {}

func (r *rooms) tell(what, room, identity string, f func(context.Context, int64) error) {
	id, err := strconv.ParseInt(room, 10, 64)
	if err != nil {
		return // not a meeting's room
	}
	ctx, cancel := context.WithTimeout(context.Background(), newsTimeout)
	defer cancel()
	if err := f(ctx, id); err != nil && !errors.Is(err, meeting.ErrNotFound) {
		r.log.ErrorContext(ctx, "news from a room was not noted; the next sweep will", "news", what, "meeting", id, "participant", identity, "err", err)
	}
}
