package examine

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
)

// Person is what was seen and heard of one person.
type Person struct {
	Index    int         `json:"index"`
	Visible  []Interval  `json:"visible"`  // when the picture could be read
	Places   []Placement `json:"places"`   // and where
	Contrast float64     `json:"contrast"` // of the strip at its worst: above 210 when fresh, unreadable below 40
	Flashes  []Seconds   `json:"flashes_s"`
	Beeps    []Beep      `json:"beeps"`
	Sync     Sync        `json:"sync"`
	Clock    []Stretch   `json:"clock"`
	Still    []Interval  `json:"still"` // when one picture of the camera stayed for more than 0.15 s

	seen []sighting
}

// Sync is how far the sound of a person is behind the picture; negative is ahead.
type Sync struct {
	Pairs  int     `json:"pairs"` // flashes that have a beep within half a second
	Median Seconds `json:"median_s"`
	Worst  Seconds `json:"worst_s"` // the pair farthest from zero
	// Fine is the median distance of the beeps from the whole seconds of the
	// clock in the picture. All frames around a beep take part in it, not the
	// one that flashes, so single late frames do not show.
	Fine Seconds `json:"fine_s"`
}

// Stretch is a time in which the person's clock ran on without a jump.
type Stretch struct {
	Interval
	Offset Seconds `json:"offset_s"` // file time minus the camera's time, median
	Drift  Seconds `json:"drift_s"`  // by how much the offset grew over the stretch, by a fitted line
	Spread Seconds `json:"spread_s"` // of the offset, without the outermost hundredths
}

func (s Stretch) String() string {
	return fmt.Sprintf("%v offset %v", s.Interval, s.Offset)
}

// jump is the change of a clock's offset that begins a new stretch. Cuts
// between the parts of a recording are longer, late frames are shorter.
const jump = 0.25

// person sums up a tracker and the beeps in that person's pitch.
func (t *tracker) person(beeps []Beep) Person {
	p := Person{
		Index: t.index, Visible: t.visible, Places: t.places, Contrast: t.contrast,
		Flashes: t.flashes, Still: t.still, seen: t.seen,
	}
	for _, b := range beeps {
		if b.Index == t.index {
			p.Beeps = append(p.Beeps, b)
		}
	}
	p.Sync = p.sync()
	p.Clock = stretches(t.seen)
	return p
}

// sync pairs flashes with beeps.
func (p *Person) sync() Sync {
	var s Sync
	var apart, fine []float64
	for _, f := range p.Flashes {
		if b, ok := p.beepNear(f); ok {
			d := b - f
			apart = append(apart, float64(d))
			if math.Abs(float64(d)) > math.Abs(float64(s.Worst)) {
				s.Worst = d
			}
		}
	}
	for _, b := range p.Beeps {
		if offset, ok := offsetNear(p.seen, float64(b.At)); ok {
			camera := float64(b.At) - offset
			fine = append(fine, camera-math.Round(camera))
		}
	}
	s.Pairs, s.Median, s.Fine = len(apart), Seconds(median(apart)), Seconds(median(fine))
	return s
}

// beepNear is the beginning of the beep nearest to a flash, if there is one
// within half a second: from there on it would belong to another flash.
func (p *Person) beepNear(f Seconds) (Seconds, bool) {
	best, found := Seconds(math.Inf(1)), false
	for _, b := range p.Beeps {
		if d := math.Abs(float64(b.At - f)); d < 0.5 && d < math.Abs(float64(best-f)) {
			best, found = b.At, true
		}
	}
	return best, found
}

// offsetNear is the median of file time minus camera time in the half second
// around a time.
func offsetNear(seen []sighting, at float64) (float64, bool) {
	from := sort.Search(len(seen), func(i int) bool { return seen[i].at >= at-0.25 })
	var offsets []float64
	for _, s := range seen[from:] {
		if s.at > at+0.25 {
			break
		}
		offsets = append(offsets, s.at-s.camera)
	}
	return median(offsets), len(offsets) >= 3
}

// median of a list; 0 when it is empty.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// stretches cuts the sightings where the clock jumps and measures each piece.
func stretches(seen []sighting) []Stretch {
	var list []Stretch
	for begin := 0; begin < len(seen); {
		end := begin + 1
		for end < len(seen) && math.Abs(offset(seen[end])-offset(seen[end-1])) < jump {
			end++
		}
		list = append(list, stretch(seen[begin:end]))
		begin = end
	}
	return list
}

func offset(s sighting) float64 { return s.at - s.camera }

// stretch fits a line to the offsets of a piece by least squares.
func stretch(seen []sighting) Stretch {
	var t, o, tt, to float64
	offsets := make([]float64, len(seen))
	first, n := seen[0].at, float64(len(seen))
	for i, s := range seen {
		x, y := s.at-first, offset(s)
		t, o, tt, to = t+x, o+y, tt+x*x, to+x*y
		offsets[i] = y
	}
	length := seen[len(seen)-1].at - first
	drift := 0.0
	if under := n*tt - t*t; under > 0 {
		drift = (n*to - t*o) / under * length
	}
	slices.SortFunc(offsets, cmp.Compare[float64])
	edge := len(offsets) / 100
	return Stretch{
		Interval: Interval{Seconds(first), Seconds(seen[len(seen)-1].at)},
		Offset:   Seconds(median(offsets)), Drift: Seconds(drift),
		Spread: Seconds(offsets[len(offsets)-1-edge] - offsets[edge]),
	}
}

// apart is the median difference of two people's clocks in the frames that
// show a new picture of both; false when those are too few to tell. Clocks that
// begin again after loop seconds (0: never) agree also when one has done so
// more often.
func apart(a, b Person, loop float64) (Seconds, bool) {
	var d []float64
	for i, j := 0, 0; i < len(a.seen) && j < len(b.seen); {
		switch x, y := a.seen[i], b.seen[j]; {
		case x.at < y.at:
			i++
		case x.at > y.at:
			j++
		default:
			difference := x.camera - y.camera
			if loop > 0 {
				difference -= loop * math.Round(difference/loop)
			}
			d = append(d, difference)
			i, j = i+1, j+1
		}
	}
	return Seconds(median(d)), len(d) >= 15
}

// voicesApart is the median distance of two people's beeps, which all begin at
// the same instants.
func voicesApart(a, b Person) (Seconds, bool) {
	var d []float64
	for _, beep := range a.Beeps {
		if at, ok := b.beepNear(beep.At); ok {
			d = append(d, float64(at-beep.At))
		}
	}
	return Seconds(median(d)), len(d) >= 3
}
