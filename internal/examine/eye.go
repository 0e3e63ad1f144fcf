package examine

import (
	"cmp"
	"image"
	"math"
	"slices"
	"time"

	"huilu/internal/people/mark"
)

// Placement is where a person's picture was for a while.
type Placement struct {
	Interval
	Area image.Rectangle `json:"area"`
}

// sighting is a frame that shows a new picture of a person's camera.
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

	lit   bool // the lamp, in the frame before
	code  mark.Code
	since float64    // since when the clock has shown the same picture
	still []Interval // when it did so for longer than stillFor
}

// stillFor is how long a picture may stay without being noted: three frames of
// the slowest camera.
const stillFor = 0.15

// eye looks at the frames of a video, one after the other, in order.
type eye struct {
	// candidates are where pictures may be. Without any the eye searches.
	candidates []image.Rectangle
	search     bool
	loop       float64 // seconds after which cameras' clocks begin again; 0 is never
	length     float64 // of a frame, nominal

	people map[int]*tracker
	blank  intervals
	frozen stillness
	frames int

	waiting []shot // frames that have not been looked at
	spare   []shot // memory of those that have
}

// shot is a frame and its presentation time.
type shot struct {
	at  float64
	pix *image.Gray
}

// batch is how many frames wait while the eye searches: it searches the last
// one and then looks at all, so that a tile that is there for as long as a
// batch is not missed for a single frame.
const batch = 15

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

// canvas is memory for the next frame.
func (e *eye) canvas(width, height int) *image.Gray {
	if n := len(e.spare); n > 0 {
		pix := e.spare[n-1].pix
		e.spare = e.spare[:n-1]
		return pix
	}
	return image.NewGray(image.Rect(0, 0, width, height))
}

// look takes the next frame. pix belongs to the eye from then on.
func (e *eye) look(at float64, pix *image.Gray) {
	e.waiting = append(e.waiting, shot{at, pix})
	if !e.search || len(e.waiting) == batch {
		e.end()
	}
}

// end looks at the frames that wait: the last ones, when no more come.
func (e *eye) end() {
	if n := len(e.waiting); e.search && n > 0 {
		for _, f := range Find(e.waiting[n-1].pix) {
			e.remember(f.Area)
		}
	}
	for _, s := range e.waiting {
		e.see(s.at, s.pix)
	}
	e.spare = append(e.spare, e.waiting...)
	e.waiting = e.waiting[:0]
}

// see judges one frame.
func (e *eye) see(at float64, pix *image.Gray) {
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
	if whole && code == t.code {
		now := Interval{Seconds(t.since), Seconds(at + length)}
		if n := len(t.still); n > 0 && t.still[n-1].From == now.From {
			t.still[n-1] = now
		} else if now.Length() > stillFor {
			t.still = append(t.still, now)
		}
		return
	}
	camera := code.Seconds()
	if n := len(t.seen); n > 0 && loop > 0 {
		// Of all the loops it may be, take the one in which the clock went on as the file did.
		last := t.seen[n-1]
		camera += loop * math.Round((last.camera+at-last.at-camera)/loop)
	}
	t.since = at
	t.seen = append(t.seen, sighting{at, camera})
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
