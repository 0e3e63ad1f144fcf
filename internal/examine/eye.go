package examine

import (
	"cmp"
	"image"
	"slices"
	"time"

	"huilu/internal/people/mark"
)

// Placement is where a person's picture was for a while.
type Placement struct {
	Interval
	Area image.Rectangle `json:"area"`
}

// sighting is one frame in which a person was recognised.
type sighting struct {
	at     float64 // presentation time of the frame, seconds
	camera float64 // what the person's clock said then, made continuous over loops
}

// tracker follows one person through the file.
type tracker struct {
	index    int
	places   []Placement
	visible  []Interval
	flashes  []Seconds
	seen     []sighting
	contrast float64 // of the strip's worst cell, at its worst

	lit     bool // the lamp, in the frame before
	code    mark.Code
	laps    float64 // seconds that loops before this one took
	still   float64 // since when the clock has shown the same frame
	longest Seconds // the longest it did
	longAt  Seconds // and when that was
}

// eye looks at the frames of a video, one after the other, in order.
type eye struct {
	// candidates are where pictures may be. Without any the eye searches.
	candidates []image.Rectangle
	search     bool
	nextSearch float64
	loop       float64 // seconds after which cameras' clocks begin again; 0 is never

	people map[int]*tracker
	blank  intervals
	frozen stillness
	frames int
	length float64 // of a frame, nominal
}

// searchEvery is how long a newcomer may go unnoticed when the eye searches.
const searchEvery = 0.5

func newEye(candidates []image.Rectangle, loop time.Duration, frameLength float64) *eye {
	return &eye{
		candidates: candidates,
		search:     len(candidates) == 0,
		loop:       loop.Seconds(),
		length:     frameLength,
		people:     map[int]*tracker{},
		blank:      intervals{join: 1.5 * frameLength},
	}
}

// look takes the next frame. pix may be overwritten afterwards.
func (e *eye) look(at float64, pix *image.Gray) {
	if e.search && at >= e.nextSearch {
		e.nextSearch = at + searchEvery
		for _, f := range Find(pix) {
			e.remember(f.Area)
		}
	}
	for _, r := range e.read(pix) {
		t := e.people[r.code.Index]
		if t == nil {
			t = &tracker{index: r.code.Index, contrast: r.contrast}
			e.people[r.code.Index] = t
		}
		t.sight(at, e.length, e.loop, r, mark.Mean(pix, mark.Lamp(r.area).Inset(r.area.Dx()/40)) > lampThreshold)
	}
	e.frozen.look(at, pix)
	if isBlank(pix) {
		e.blank.add(at, at+e.length)
	}
	e.frames++
}

// read reads the strips at all candidates. Of those that lie over one another
// or name the same person it takes the clearest: the others are looked at askew.
func (e *eye) read(pix *image.Gray) []reading {
	var all []reading
	for _, area := range e.candidates {
		if code, contrast, err := mark.ReadContrast(pix, area); err == nil {
			all = append(all, reading{area, code, contrast})
		}
	}
	slices.SortStableFunc(all, func(a, b reading) int { return cmp.Compare(b.contrast, a.contrast) })
	var clear []reading
	for _, r := range all {
		if !slices.ContainsFunc(clear, func(o reading) bool { return r.code.Index == o.code.Index || overlap(r.area, o.area) }) {
			clear = append(clear, r)
		}
	}
	return clear
}

// reading is a strip that was read in a frame.
type reading struct {
	area     image.Rectangle
	code     mark.Code
	contrast float64
}

// lampThreshold is half way between the lamp's off (16) and on (235).
const lampThreshold = 125

// remember adds a place to look at, unless one nearby is known.
func (e *eye) remember(area image.Rectangle) {
	for _, c := range e.candidates {
		d := c.Min.Sub(area.Min)
		s := c.Size().Sub(area.Size())
		if max(d.X, -d.X, d.Y, -d.Y, s.X, -s.X) <= 8 {
			return
		}
	}
	e.candidates = append(e.candidates, area)
}

// gone is for how many frames a person may be missing without the interval
// being cut: none, but presentation times are rounded.
const gone = 1.5

// sight notes one frame of a person.
func (t *tracker) sight(at, length, loop float64, r reading, lit bool) {
	last := len(t.visible) - 1
	whole := last >= 0 && at-float64(t.visible[last].To) < (gone-1)*length
	if whole {
		t.visible[last].To = Seconds(at + length)
	} else {
		t.visible = append(t.visible, Interval{Seconds(at), Seconds(at + length)})
	}
	if n := len(t.places); n > 0 && t.places[n-1].Area == r.area && whole {
		t.places[n-1].To = Seconds(at + length)
	} else {
		t.places = append(t.places, Placement{Interval{Seconds(at), Seconds(at + length)}, r.area})
	}
	if lit && !t.lit && whole {
		t.flashes = append(t.flashes, Seconds(at))
	}
	t.clock(at, length, loop, r.code, whole)
	t.lit, t.code, t.contrast = lit, r.code, min(t.contrast, r.contrast)
}

// clock follows the person's clock: over the ends of loops, and while it
// stands still.
func (t *tracker) clock(at, length, loop float64, code mark.Code, whole bool) {
	before := t.code.Seconds()
	if len(t.seen) > 0 && loop > 0 && code.Seconds() < before-loop/2 {
		t.laps += loop
	}
	if !whole || code != t.code {
		t.still = at
	} else if s := Seconds(at + length - t.still); s > t.longest {
		t.longest, t.longAt = s, Seconds(t.still)
	}
	t.seen = append(t.seen, sighting{at, code.Seconds() + t.laps})
}

// intervals collects pieces of time, joining those that touch.
type intervals struct {
	list []Interval
	join float64
}

func (l *intervals) add(from, to float64) {
	if n := len(l.list); n > 0 && from-float64(l.list[n-1].To) < l.join {
		l.list[n-1].To = Seconds(to)
		return
	}
	l.list = append(l.list, Interval{Seconds(from), Seconds(to)})
}
