package compose

import (
	"cmp"
	"slices"
)

// tile is one place on the canvas and what it shows.
type tile struct {
	who    *person
	clip   *clip // nil: a card with the name
	screen bool
	at     rect
}

// epoch is a run of frames in which the same tiles show the same things.
type epoch struct {
	part   part
	from   int // frame in the file
	frames int
	tiles  []tile
}

func (e epoch) end() int { return e.from + e.frames }

// shortEpoch is the number of frames below which a change is not worth a cut: people publish, unmute and leave in
// several steps that follow each other at once.
const shortEpoch = 4

// epochs cuts a story wherever what is seen changes. Together they cover every frame once.
func epochs(s *story) []epoch {
	var all []epoch
	for _, p := range s.parts {
		d := director{part: p, story: s, heard: map[*person]int{}}
		all = append(all, calm(d.epochs())...)
	}
	return all
}

// director decides, frame by frame of change, who is seen.
type director struct {
	part     part
	story    *story
	heard    map[*person]int // frame at which somebody was last heard
	talking  map[*person]bool
	seated   []*person
	lastSwap int
}

// restSwap is how many frames a swap of seats is kept before the next: faces that come and go at every word are worse than
// a speaker that is not seen for a moment.
const restSwap = 2 * FrameRate

func (d *director) epochs() (all []epoch) {
	said := 0
	for i, edges := 0, d.edges(); i+1 < len(edges); i++ {
		from, end := edges[i], edges[i+1]
		for ; said < len(d.story.speakers); said++ {
			v := d.story.speakers[said]
			if v.at >= d.part.to || v.at >= d.part.from && d.part.frame(v.at) > from {
				break
			}
			d.hear(v, from)
		}
		e := epoch{part: d.part, from: from, frames: end - from, tiles: d.tiles(from)}
		if n := len(all); n > 0 && sameTiles(all[n-1].tiles, e.tiles) {
			all[n-1].frames += e.frames
			continue
		}
		all = append(all, e)
	}
	return all
}

// edges returns the frames at which something may change, the part's first and last among them.
func (d *director) edges() []int {
	edges := []int{d.part.first, d.part.first + d.part.frames}
	add := func(s span) {
		if s = s.and(d.part.span); !s.empty() {
			edges = append(edges, d.part.frame(s.from), d.part.frame(s.to))
		}
	}
	for _, who := range d.story.people {
		for _, s := range who.here {
			add(s)
		}
		for _, c := range slices.Concat(who.camera, who.screen) {
			add(c.span)
		}
	}
	if len(d.story.people) > maxBeside { // speakers only matter when there may be more people than places
		for _, v := range d.story.speakers {
			if d.part.has(v.at) {
				edges = append(edges, d.part.frame(v.at))
			}
		}
	}
	slices.Sort(edges)
	return slices.Compact(edges)
}

func (d *director) hear(v voiced, frame int) {
	d.talking = map[*person]bool{}
	for _, who := range d.story.people {
		if slices.Contains(v.ids, who.id) {
			d.talking[who] = true
			d.heard[who] = frame
		}
	}
}

// covers says whether a span shows at a frame.
func (d *director) covers(s span, frame int) bool {
	s = s.and(d.part.span)
	return !s.empty() && d.part.frame(s.from) <= frame && frame < d.part.frame(s.to)
}

func (d *director) tiles(frame int) []tile {
	here := slices.DeleteFunc(slices.Clone(d.story.people), func(who *person) bool {
		return !slices.ContainsFunc(who.here, func(s span) bool { return d.covers(s, frame) })
	})
	var sharer *person
	var share *clip
	for _, who := range here {
		if c := d.showing(who.screen, frame); c != nil && (share == nil || c.from > share.from) {
			sharer, share = who, c
		}
	}
	if share == nil {
		return d.fill(d.seat(here, maxTiles, frame), grid, frame)
	}
	var screen rect
	side := func(n int) []rect {
		var places []rect
		screen, places = beside(n)
		return places
	}
	people := d.fill(d.seat(here, maxBeside, frame), side, frame)
	return append([]tile{{who: sharer, clip: share, screen: true, at: screen}}, people...)
}

// fill puts people on places in the order they joined.
func (d *director) fill(seated []*person, places func(int) []rect, frame int) []tile {
	tiles := make([]tile, len(seated))
	for i, at := range places(len(seated)) {
		tiles[i] = tile{who: seated[i], clip: d.showing(seated[i].camera, frame), at: at}
	}
	return tiles
}

func (d *director) showing(cs []clip, frame int) *clip {
	for i := range cs {
		if d.covers(cs[i].span, frame) {
			return &cs[i]
		}
	}
	return nil
}

// seat chooses who is seen when there are more people than places: those who spoke last. Who has a place keeps it until
// somebody else needs it. The result is in the order people joined.
func (d *director) seat(here []*person, places, frame int) []*person {
	if len(here) <= places {
		d.seated = here
		return here
	}
	lastHeard := func(a, b *person) int {
		return cmp.Or(cmp.Compare(d.heard[b], d.heard[a]), cmp.Compare(slices.Index(here, a), slices.Index(here, b)))
	}
	d.seated = slices.DeleteFunc(slices.Clone(d.seated), func(who *person) bool { return !slices.Contains(here, who) })
	slices.SortFunc(d.seated, lastHeard)
	d.seated = d.seated[:min(len(d.seated), places)]
	waiting := slices.DeleteFunc(slices.Clone(here), func(who *person) bool { return slices.Contains(d.seated, who) })
	slices.SortFunc(waiting, lastHeard)
	for len(d.seated) < places {
		d.seated, waiting = append(d.seated, waiting[0]), waiting[1:]
	}
	d.swap(waiting, lastHeard, frame)
	slices.SortFunc(d.seated, func(a, b *person) int { return cmp.Compare(slices.Index(here, a), slices.Index(here, b)) })
	return d.seated
}

// swap gives a place to somebody who speaks and has none.
func (d *director) swap(waiting []*person, lastHeard func(a, b *person) int, frame int) {
	if d.lastSwap > 0 && frame < d.lastSwap+restSwap {
		return
	}
	for _, who := range waiting {
		if !d.talking[who] {
			continue
		}
		slices.SortFunc(d.seated, lastHeard)
		if last := len(d.seated) - 1; !d.talking[d.seated[last]] {
			d.seated[last] = who
			d.lastSwap = frame
			return
		}
	}
}

func sameTiles(a, b []tile) bool {
	return slices.EqualFunc(a, b, func(a, b tile) bool { return a == b })
}

// calm gives epochs too short to be seen to the one before, or, at the start, to the one behind.
func calm(all []epoch) (out []epoch) {
	for _, e := range all {
		n := len(out)
		switch {
		case n > 0 && (e.frames < shortEpoch || sameTiles(out[n-1].tiles, e.tiles)):
			out[n-1].frames += e.frames
		case n == 1 && out[0].frames < shortEpoch:
			e.from, e.frames = out[0].from, e.frames+out[0].frames
			out[0] = e
		default:
			out = append(out, e)
		}
	}
	return out
}
