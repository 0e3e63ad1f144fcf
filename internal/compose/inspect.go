package compose

import (
	"fmt"
	"time"

	"huilu/internal/capture"
)

// tellMissing is how long a track must have been open without anything being captured before a Defect tells of it: the
// first second goes to subscribing.
const tellMissing = int64(5 * time.Second)

// inspectTracks tells what was sent and is not in the file.
func (k *composition) inspectTracks(all []capture.Track) {
	k.defects = append(k.defects, k.story.defects...)
	logged := map[trackKey]bool{}
	for _, t := range all {
		if _, _, err := codecOf(t.Mime); err != nil {
			k.defects = append(k.defects, Defect{Kind: DefectCodec, At: k.story.place(t.StartedAt.UnixNano()),
				Participant: t.ParticipantID, Track: t.SID, Detail: fmt.Sprintf("%q is not a codec that can be composed", t.Mime)})
			logged[trackKey{t.Part, t.SID}] = true
		}
	}
	for _, m := range k.tracks {
		if m.packets > 0 {
			logged[trackKey{m.Part, m.SID}] = true
		}
		k.inspectTrack(m)
	}
	for key, l := range k.story.lives {
		if l.published && !logged[key] && l.open() > tellMissing {
			k.defects = append(k.defects, Defect{Kind: DefectMissing, At: k.story.place(l.from), Duration: time.Duration(l.open()),
				Participant: l.owner, Track: key.sid, Detail: fmt.Sprintf("%s was published, and nothing of it was captured", l.source)})
		}
	}
}

func (k *composition) inspectTrack(m *media) {
	at := k.story.place(m.first)
	if m.count == 0 {
		at = k.story.place(m.StartedAt.UnixNano())
	}
	tell := func(kind DefectKind, at, length time.Duration, format string, args ...any) {
		k.defects = append(k.defects, Defect{Kind: kind, At: at, Duration: length, Participant: m.ParticipantID,
			Track: m.SID, Detail: fmt.Sprintf(format, args...)})
	}
	if m.damaged > 0 {
		tell(DefectCorrupt, at, 0, "%d bytes of %s are damaged", m.damaged, m.log)
	}
	if m.failed != nil {
		tell(DefectCorrupt, k.story.place(m.last), 0, "%s cannot be read on: %v", m.log, m.failed)
	}
	if m.count == 0 && m.stats.dropped > 0 {
		tell(DefectCorrupt, at, 0, "%s: none of %d frames of %s can be decoded", m.log, m.stats.dropped, m.Source)
	}
	for _, g := range m.gaps {
		tell(DefectFrozen, k.story.place(g.from), time.Duration(g.to-g.from),
			"packets of %s were lost: no picture until the next key frame", m.Source)
	}
}

// open returns how long a track was published and not muted.
func (l *life) open() (ns int64) {
	for _, s := range l.span.minus(l.muted) {
		ns += s.to - s.from
	}
	return ns
}
