package recorder

import (
	"maps"
	"slices"
	"time"

	"huilu/internal/capture"
	"huilu/internal/sfu"
)

// ledger turns lists of who is in the room into the events of the timeline: what differs from the last list has happened.
// It belongs to one goroutine.
type ledger struct {
	part   int
	people map[string]sfu.Participant // by SID, as last seen
	known  map[string]string          // identity → SID, of everybody ever seen
}

func newLedger(part int) *ledger {
	return &ledger{part: part, people: map[string]sfu.Participant{}, known: map[string]string{}}
}

// update takes the newest list and returns what happened since the one before, each event at the given time.
func (l *ledger) update(list []sfu.Participant, at time.Time) (events []capture.Event) {
	now := make(map[string]sfu.Participant, len(list))
	for _, p := range list {
		now[p.SID] = p
	}
	note := func(typ capture.EventType, p sfu.Participant, t *sfu.Track) {
		e := capture.Event{At: at, Type: typ, Part: l.part, ParticipantID: p.Identity, Name: p.Name}
		if t != nil {
			e.TrackSID, e.Kind, e.Source, e.Muted = t.SID, capture.Kind(t.Kind), capture.Source(t.Source), t.Muted
		}
		events = append(events, e)
	}
	for _, sid := range slices.Sorted(maps.Keys(l.people)) {
		p := l.people[sid]
		for _, t := range p.Tracks {
			if findTrack(now[sid], t.SID) == nil {
				note(capture.Unpublished, p, &t)
			}
		}
		if _, here := now[sid]; !here {
			note(capture.Leave, p, nil)
		}
	}
	for _, p := range list {
		was, here := l.people[p.SID]
		if !here {
			note(capture.Join, p, nil)
		}
		for _, t := range p.Tracks {
			switch old := findTrack(was, t.SID); {
			case old == nil:
				note(capture.Published, p, &t)
			case t.Muted && !old.Muted:
				note(capture.Mute, p, &t)
			case !t.Muted && old.Muted:
				note(capture.Unmute, p, &t)
			}
		}
		l.known[p.Identity] = p.SID
	}
	l.people = now
	return events
}

// rejoined says whether p came back: the same identity under another SID.
func (l *ledger) rejoined(p sfu.Participant) bool {
	sid, ok := l.known[p.Identity]
	return ok && sid != p.SID
}

// published returns the tracks of everybody there, by SID.
func (l *ledger) published() map[string]sfu.PublishedTrack {
	tracks := map[string]sfu.PublishedTrack{}
	for _, p := range l.people {
		for _, t := range p.Tracks {
			tracks[t.SID] = sfu.PublishedTrack{Participant: p, Track: t}
		}
	}
	return tracks
}

func findTrack(p sfu.Participant, sid string) *sfu.Track {
	for i := range p.Tracks {
		if p.Tracks[i].SID == sid {
			return &p.Tracks[i]
		}
	}
	return nil
}
