package recorder

import (
	"context"
	"fmt"
	"time"

	"huilu/internal/sfu"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
)

const joinTimeout = 10 * time.Second

// link is one hidden connection to the room. Its fields belong to the run's goroutine, except while it is being dialled.
type link struct {
	n        int
	identity string
	room     *lksdk.Room
	born     time.Time
	owned    map[string]time.Time // SIDs of tracks that were subscribed through this link, and when
}

// newLink returns a link that is not connected yet.
func (r *Run) newLink() *link {
	n := int(r.links.Add(1))
	return &link{
		n: n, identity: fmt.Sprintf("recorder-%d-%d", r.ledger.part, n), born: time.Now(), owned: map[string]time.Time{},
	}
}

// dial connects l and returns when media can flow.
func (r *Run) dial(ctx context.Context, l *link) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	url, token, err := r.rec.c.Connect(ctx, r.room, l.identity)
	if err != nil {
		return fmt.Errorf("token for %s: %w", l.identity, err)
	}
	l.room = lksdk.NewRoom(r.callbacks(l))
	// Subscribing is ours to decide: a track that another link has must not come twice.
	err = l.room.JoinWithContextAndToken(ctx, url, token, lksdk.WithAutoSubscribe(false), lksdk.WithLogger(sfu.ClientLog(r.rec.log)),
		lksdk.WithConnectTimeout(joinTimeout))
	if err != nil {
		l.room.Disconnect()
		return fmt.Errorf("join as %s: %w", l.identity, err)
	}
	return nil
}

// callbacks tells the run's goroutine what the client library tells us. They come from the library's goroutines, some
// while it holds its locks, so they only put a message into the mailbox.
func (r *Run) callbacks(l *link) *lksdk.RoomCallback {
	cb := lksdk.NewRoomCallback()
	look := func() { r.inbox.put(lookNow{at: r.now()}) }
	cb.OnParticipantConnected = func(*lksdk.RemoteParticipant) { look() }
	cb.OnParticipantDisconnected = func(*lksdk.RemoteParticipant) { look() }
	cb.OnTrackMuted = func(lksdk.TrackPublication, lksdk.Participant) { look() }
	cb.OnTrackUnmuted = func(lksdk.TrackPublication, lksdk.Participant) { look() }
	cb.OnTrackUnpublished = func(*lksdk.RemoteTrackPublication, *lksdk.RemoteParticipant) { look() }
	cb.OnTrackPublished = func(pub *lksdk.RemoteTrackPublication, _ *lksdk.RemoteParticipant) {
		r.inbox.put(trackSeen{link: l, pub: pub})
		look()
	}
	cb.OnTrackSubscribed = func(t *webrtc.TrackRemote, pub *lksdk.RemoteTrackPublication, rp *lksdk.RemoteParticipant) {
		r.inbox.put(trackFlows{link: l, track: t, pub: pub, from: rp, at: r.now()})
	}
	cb.OnActiveSpeakersChanged = func(list []lksdk.Participant) {
		ids := make([]string, 0, len(list))
		for _, p := range list {
			ids = append(ids, p.Identity())
		}
		r.inbox.put(speakersChanged{link: l, ids: ids, at: r.now()})
	}
	cb.OnReconnecting = func() { r.inbox.put(linkShaky{link: l}) }
	cb.OnReconnected = look
	cb.OnDisconnectedWithReason = func(why lksdk.DisconnectionReason) {
		r.inbox.put(linkDown{link: l, why: string(why)})
	}
	return cb
}

// subscribe asks for a track in the best quality there is.
func (l *link) subscribe(pub *lksdk.RemoteTrackPublication) error {
	if err := pub.SetSubscribed(true); err != nil {
		return fmt.Errorf("subscribe to %s: %w", pub.SID(), err)
	}
	if pub.Kind() == lksdk.TrackKindVideo {
		if err := pub.SetVideoQuality(livekit.VideoQuality_HIGH); err != nil {
			return fmt.Errorf("quality of %s: %w", pub.SID(), err)
		}
	}
	return nil
}

// publications returns what this link sees published.
func (l *link) publications() (list []*lksdk.RemoteTrackPublication) {
	for _, rp := range l.room.GetRemoteParticipants() {
		for _, pub := range rp.TrackPublications() {
			if remote, ok := pub.(*lksdk.RemoteTrackPublication); ok {
				list = append(list, remote)
			}
		}
	}
	return list
}

// find returns the publication of a track as this link sees it, nil when it does not.
func (l *link) find(sid string) *lksdk.RemoteTrackPublication {
	for _, pub := range l.publications() {
		if pub.SID() == sid {
			return pub
		}
	}
	return nil
}
