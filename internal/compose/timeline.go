package compose

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"huilu/internal/capture"
)

// span is a half-open interval of time, unix ns.
type span struct{ from, to int64 }

func (s span) empty() bool { return s.to <= s.from }

func (s span) and(o span) span { return span{max(s.from, o.from), min(s.to, o.to)} }

func (s span) has(t int64) bool { return s.from <= t && t < s.to }

// minus returns what is left of s without the holes.
func (s span) minus(holes []span) (left []span) {
	for _, h := range slices.SortedFunc(slices.Values(holes), func(a, b span) int { return cmp.Compare(a.from, b.from) }) {
		if s.and(h).empty() {
			continue
		}
		if before := (span{s.from, h.from}); !before.empty() {
			left = append(left, before)
		}
		s.from = h.to
	}
	if !s.empty() {
		left = append(left, s)
	}
	return left
}

// part is one stretch of recording and its place in the file.
type part struct {
	span
	n      int // its number in the capture
	first  int // number of its first frame in the file
	frames int
	ended  bool // there was a rec_stop
}

// frame returns the number, in the file, of the frame shown at a time of day. Times outside the part go to its edges.
func (p part) frame(at int64) int { return p.first + min(framesIn(at-p.from), p.frames) }

// at returns the time of day of a frame.
func (p part) at(frame int) int64 { return p.from + int64(frame-p.first)*1e9/FrameRate }

// framesIn returns how many frames a time in ns is, rounded.
func framesIn(ns int64) int { return int((max(ns, 0)*FrameRate + 5e8) / 1e9) }

// position returns where in the file a frame is.
func position(frame int) time.Duration { return time.Duration(frame) * time.Second / FrameRate }

// clip is a time in which a track's pictures, or its sound, belong into the file.
type clip struct {
	span
	media *media
	shape shape
}

// person is somebody who was there. All spans lie within parts.
type person struct {
	id, name string
	joined   int64 // order of tiles
	here     []span
	camera   []clip
	screen   []clip
	voice    []clip // microphone and the sound of a shared screen
}

// voiced is a time somebody was heard speaking, by the SFU's measure of loudness.
type voiced struct {
	at  int64
	ids []string
}

// story is what happened, in the terms of the film.
type story struct {
	parts    []part
	people   []*person // in the order they joined
	speakers []voiced
	defects  []Defect

	lives     map[trackKey]*life
	published bool // anything was
}

// frames is how many frames the file has.
func (s *story) frames() int {
	n := 0
	for _, p := range s.parts {
		n += p.frames
	}
	return n
}

// place returns where in the file a time of day is.
func (s *story) place(at int64) time.Duration {
	for _, p := range s.parts {
		if at < p.to {
			return position(p.frame(at))
		}
	}
	return position(s.frames())
}

// teller makes a story out of events and tracks.
type teller struct {
	story
	events []capture.Event
	tracks []*media
	byID   map[string]*person
}

// trackKey names a published track within a part; a track that stays published through two parts has two lives.
type trackKey struct {
	part int
	sid  string
}

// life is what the timeline says of a published track.
type life struct {
	owner     string
	source    capture.Source
	published bool
	span      // to is 0 while it is not unpublished
	muted     []span
	silent    bool // muted now, while events are read
	since     int64
}

// tell puts together what the capture holds. Events count by their part, not by their place in the file: those present when
// a part begins are told right before or right after its start.
func tell(events []capture.Event, tracks []*media) *story {
	t := &teller{events: events, tracks: tracks, byID: map[string]*person{}}
	t.lives = map[trackKey]*life{}
	t.findParts()
	for _, p := range t.parts {
		t.attend(p)
		t.live(p)
	}
	t.cut()
	t.order()
	return &t.story
}

// findParts reads the starts and stops. A part without a stop ends with the last thing known of it.
func (t *teller) findParts() {
	found := map[int]*part{}
	last := map[int]int64{}
	for _, e := range t.events {
		at := e.At.UnixNano()
		last[e.Part] = max(last[e.Part], at)
		switch e.Type {
		case capture.RecStart:
			found[e.Part] = &part{n: e.Part, span: span{from: at}}
		case capture.RecStop:
			if p := found[e.Part]; p != nil {
				p.to, p.ended = at, e.Reason != "repaired"
			}
		}
	}
	for _, m := range t.tracks {
		last[m.Part] = max(last[m.Part], m.last)
		if found[m.Part] == nil && m.count > 0 { // its rec_start is in the damaged bytes
			found[m.Part] = &part{n: m.Part, span: span{from: m.first}}
		}
	}
	t.parts = make([]part, 0, len(found))
	for _, p := range found {
		if p.to == 0 {
			p.to = last[p.n]
		}
		t.parts = append(t.parts, *p)
	}
	slices.SortFunc(t.parts, func(a, b part) int { return cmp.Compare(a.from, b.from) })
	t.layOut()
}

// layOut gives the parts their places in the file, one behind the other.
func (t *teller) layOut() {
	first := 0
	for i := range t.parts {
		p := &t.parts[i]
		if i > 0 {
			p.from = max(p.from, t.parts[i-1].to) // two recorders at once would show everything twice
		}
		p.first = first
		p.frames = framesIn(p.to - p.from)
		first += p.frames
		if !p.ended {
			t.defects = append(t.defects, Defect{Kind: DefectUnfinished, At: position(first),
				Detail: "recording was interrupted; it ends with the last packet that reached the disk"})
		}
	}
	t.parts = slices.DeleteFunc(t.parts, func(p part) bool { return p.frames == 0 })
}

// during returns the events of a part.
func (t *teller) during(p part) []capture.Event {
	var of []capture.Event
	for _, e := range t.events {
		if e.Part == p.n || e.Part == 0 && p.has(e.At.UnixNano()) {
			of = append(of, e)
		}
	}
	return of
}

// clamp moves a time into a part.
func (p part) clamp(at time.Time) int64 { return min(max(at.UnixNano(), p.from), p.to) }

func (t *teller) person(id, name string, at int64) *person {
	who := t.byID[id]
	if who == nil {
		who = &person{id: id, joined: at}
		t.byID[id] = who
		t.people = append(t.people, who)
	}
	who.name = cmp.Or(name, who.name)
	return who
}

// attend notes who was there in a part.
func (t *teller) attend(p part) {
	since := map[string]int64{}
	for _, e := range t.during(p) {
		at := p.clamp(e.At)
		switch e.Type {
		case capture.Join:
			t.person(e.ParticipantID, e.Name, at)
			if _, here := since[e.ParticipantID]; !here {
				since[e.ParticipantID] = at
			}
		case capture.Leave:
			if from, here := since[e.ParticipantID]; here {
				t.byID[e.ParticipantID].here = append(t.byID[e.ParticipantID].here, span{from, at})
				delete(since, e.ParticipantID)
			}
		case capture.Speakers:
			t.speakers = append(t.speakers, voiced{at, e.Speakers})
		case capture.Truncated:
			t.defects = append(t.defects, Defect{Kind: DefectTruncated, At: position(p.frame(at)),
				Participant: e.ParticipantID, Track: e.TrackSID, Detail: cmp.Or(e.Reason, "packets did not reach the disk")})
		}
	}
	for id, from := range since {
		t.byID[id].here = append(t.byID[id].here, span{from, p.to})
	}
}

// live notes when each published track of a part was muted and when it ended.
func (t *teller) live(p part) {
	for _, e := range t.during(p) {
		if e.TrackSID == "" {
			continue
		}
		key := trackKey{p.n, e.TrackSID}
		l := t.lives[key]
		if l == nil {
			l = &life{span: span{from: p.clamp(e.At)}}
			t.lives[key] = l
		}
		l.tell(e, p.clamp(e.At))
	}
	for key, l := range t.lives {
		if key.part == p.n {
			if l.to == 0 {
				l.to = p.to
			}
			l.silence(false, p.to)
			t.published = t.published || l.published
		}
	}
}

// tell takes one event of the track's life.
func (l *life) tell(e capture.Event, at int64) {
	if e.Kind != "" {
		l.source, l.owner = e.Source, e.ParticipantID
	}
	switch e.Type {
	case capture.Published:
		l.published, l.to = true, 0
		l.silence(e.Muted, at)
	case capture.Mute:
		l.silence(true, at)
	case capture.Unmute:
		l.silence(false, at)
	case capture.Unpublished:
		l.to = at
	}
}

// silence ends a muted span, or begins one.
func (l *life) silence(on bool, at int64) {
	if l.silent && !on {
		l.muted = append(l.muted, span{l.since, at})
	} else if on && !l.silent {
		l.since = at
	}
	l.silent = on
}

// cut makes clips of the tracks.
func (t *teller) cut() {
	for _, p := range t.parts {
		for _, same := range t.bySource(p) {
			for i, m := range same {
				reach := p.span
				if i+1 < len(same) {
					reach.to = min(reach.to, same[i+1].first) // the recorder came back: the newer log goes on
				}
				t.cutTrack(m, reach)
			}
		}
	}
}

// bySource returns the part's usable tracks, those of one person's one source together, by their start.
func (t *teller) bySource(p part) [][]*media {
	type source struct {
		id  string
		src capture.Source
	}
	groups := map[source][]*media{}
	for _, m := range t.tracks {
		if m.Part == p.n && m.count > 0 {
			k := source{m.ParticipantID, m.Source}
			groups[k] = append(groups[k], m)
		}
	}
	keys := slices.SortedFunc(maps.Keys(groups), func(a, b source) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.src, b.src))
	})
	var out [][]*media
	for _, k := range keys {
		slices.SortStableFunc(groups[k], func(a, b *media) int { return cmp.Compare(a.first, b.first) })
		out = append(out, groups[k])
	}
	return out
}

// cutTrack adds the clips of one track. What was sent while muted is left out, and so is what comes after its end.
func (t *teller) cutTrack(m *media, reach span) {
	who := t.person(m.ParticipantID, m.Name, max(m.first, reach.from))
	l := t.lives[trackKey{m.Part, m.SID}]
	if l == nil {
		l = &life{span: reach} // its events are in the damaged bytes
	}
	reach.to = min(reach.to, l.to)
	if m.Kind == capture.Audio {
		who.voice = append(who.voice, clips(m, span{m.first, m.last + int64(120e6)}, reach, l.muted, shape{})...)
		return
	}
	for i, s := range m.stretches {
		shown := span{s.from, s.to + freezeFor}
		if m.Source == capture.Screen {
			shown.to = reach.to
		}
		if i+1 < len(m.stretches) {
			shown.to = min(shown.to, m.stretches[i+1].from)
		}
		c := begin(clips(m, shown, reach, l.muted, s.shape))
		if m.Source == capture.Screen {
			who.screen = append(who.screen, c...)
		} else {
			who.camera = append(who.camera, c...)
		}
	}
}

func clips(m *media, s, reach span, muted []span, sh shape) (out []clip) {
	if s = s.and(reach); s.empty() {
		return nil
	}
	for _, s := range s.minus(muted) {
		out = append(out, clip{span: s, media: m, shape: sh})
	}
	return out
}

// begin moves the start of each clip to its first picture, so that none shows the picture from before a pause. A clip
// without any is dropped.
func begin(cs []clip) (out []clip) {
	for _, c := range cs {
		n, err := c.media.find(c.from)
		if err != nil || n == c.media.count {
			continue // a file that cannot be read fails the window, where it is told
		}
		for e, err := range c.media.entries(n, n+1) {
			if c.from = e.at; err == nil && !c.empty() {
				out = append(out, c)
			}
		}
	}
	return out
}

// order sorts people by when they came, and adds the times that only their tracks tell of.
func (t *teller) order() {
	for _, who := range t.people {
		if len(who.here) == 0 { // the join is in the damaged bytes
			for _, c := range slices.Concat(who.camera, who.screen, who.voice) {
				who.here = append(who.here, c.span)
			}
		}
		who.here = unite(who.here)
		if len(who.here) > 0 {
			who.joined = who.here[0].from
		}
		for _, c := range []*[]clip{&who.camera, &who.screen, &who.voice} {
			*c = within(*c, who.here)
			slices.SortStableFunc(*c, func(a, b clip) int { return cmp.Compare(a.from, b.from) })
		}
	}
	t.people = slices.DeleteFunc(t.people, func(p *person) bool { return len(p.here) == 0 })
	slices.SortStableFunc(t.people, func(a, b *person) int { return cmp.Compare(a.joined, b.joined) })
	slices.SortStableFunc(t.speakers, func(a, b voiced) int { return cmp.Compare(a.at, b.at) })
}

// within cuts clips to the times their person was there.
func within(cs []clip, here []span) (out []clip) {
	for _, c := range cs {
		for _, h := range here {
			if s := c.span.and(h); !s.empty() {
				out = append(out, clip{span: s, media: c.media, shape: c.shape})
			}
		}
	}
	return out
}

// unite joins spans that touch.
func unite(spans []span) (out []span) {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for _, s := range spans {
		if s.empty() {
			continue
		}
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}
