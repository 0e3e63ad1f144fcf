package examine

import (
	"cmp"
	"math"
	"math/cmplx"
	"slices"

	"huilu/internal/people/mark"
)

// Beep is one tone of a person.
type Beep struct {
	Index  int     `json:"index"` // whose tone it is
	At     Seconds `json:"at_s"`  // when it begins
	Length Seconds `json:"length_s"`
	Level  float64 `json:"level"` // amplitude; a full-scale sine is 1
}

// rate is what sound is resampled to before it is listened to.
const rate = 48000

// The window of the filters, and how often their output is looked at. At 10 ms
// the window holds whole periods of every tone, so that tones do not leak into
// one another; half a millisecond between looks, with interpolation, is finer
// than a decoder's own smear (2.5 ms for Opus, some milliseconds for AAC).
const (
	window = rate / mark.ToneRaster
	hop    = rate / 2000
)

// Levels between which a tone is taken for one: floor is where a beep is
// suspected to begin, quiet what its plateau has to reach. People beep at 0.1;
// what an encoder leaves of other tones is below 0.003.
const (
	floor = 0.01
	quiet = 0.03
)

// ear finds beeps in a stream of samples. One filter per tone measures the
// amplitude over a sliding window (a Goertzel filter that forgets): it adds the
// product of each hop of samples with the tone, and takes it out again when it
// leaves the window.
type ear struct {
	piece []float32 // the samples of a hop that is not complete
	n     int       // samples in complete hops so far
	tones []toneFilter
	Beeps []Beep
}

// toneFilter is the filter of one tone and the beep it is in the middle of.
type toneFilter struct {
	index    int
	cos, sin [window]float64
	parts    [window / hop]complex128 // products of the hops in the window, as a ring
	sum      complex128               // of all parts

	curve []float64 // amplitude at each hop since it passed floor
	began int       // sample at the centre of the window where curve begins
	low   int       // hops since the amplitude was last above floor
}

// newEar listens for the tones of the people with these indexes.
func newEar(indexes []int) *ear {
	e := &ear{}
	for _, index := range indexes {
		f := toneFilter{index: index}
		for i := range window {
			f.sin[i], f.cos[i] = math.Sincos(2 * math.Pi * mark.Tone(index) * float64(i) / rate)
		}
		e.tones = append(e.tones, f)
	}
	return e
}

// listen takes the next samples.
func (e *ear) listen(samples []float32) {
	for _, v := range samples {
		if e.piece = append(e.piece, v); len(e.piece) == hop {
			e.look()
			e.piece = e.piece[:0]
		}
	}
}

// inaudible is a level below which all of a hop is taken for silence, which
// most of a recording of beeps is. It is a hundredth of floor.
const inaudible = 1e-4

// look takes in a hop and looks at each filter's output.
func (e *ear) look() {
	at := e.n % window
	silent := !slices.ContainsFunc(e.piece, func(v float32) bool { return v > inaudible || v < -inaudible })
	e.n += hop
	for i := range e.tones {
		f := &e.tones[i]
		f.take(e.piece, at, silent)
		amplitude := 2 * cmplx.Abs(f.sum) / window
		if b, ok := f.follow(e.n-window/2, amplitude); ok {
			e.Beeps = append(e.Beeps, b)
		}
	}
}

// take moves the window of a filter on by a hop, whose first sample has that
// place in the ring. The sum is made anew from its parts each time round, so
// that rounding does not add up over hours.
func (f *toneFilter) take(piece []float32, at int, silent bool) {
	var re, im float64
	if !silent {
		cos, sin := f.cos[at:at+hop], f.sin[at:at+hop]
		for i, v := range piece {
			re += float64(v) * cos[i]
			im += float64(v) * sin[i]
		}
	}
	part := complex(re, im)
	f.sum += part - f.parts[at/hop]
	f.parts[at/hop] = part
	if at == 0 {
		f.sum = 0
		for _, p := range f.parts {
			f.sum += p
		}
	}
}

// end says that no more samples come. It hears 20 ms of silence, which ends
// what is going on.
func (e *ear) end() {
	e.listen(make([]float32, 2*window+hop))
	slices.SortStableFunc(e.Beeps, func(a, b Beep) int {
		return cmp.Compare(a.At, b.At)
	})
}

// longest is after how many hops a tone is no beep but a tone.
const longest = 1000

// follow collects the amplitudes of a beep, and returns it when it is over.
func (f *toneFilter) follow(centre int, amplitude float64) (Beep, bool) {
	if amplitude < floor {
		if f.curve == nil {
			return Beep{}, false
		}
		if f.low++; f.low < window/hop {
			f.curve = append(f.curve, amplitude)
			return Beep{}, false
		}
		b, ok := f.measure()
		f.curve = nil
		return b, ok
	}
	if f.curve == nil {
		f.began = centre
	}
	f.low = 0
	if len(f.curve) < longest {
		f.curve = append(f.curve, amplitude)
	}
	return Beep{}, false
}

// measure finds where the amplitude passes half of the plateau on the way up
// and on the way down. There the middle of the window is at the edge of the
// tone, whatever the window's length.
func (f *toneFilter) measure() (Beep, bool) {
	sorted := slices.Clone(f.curve)
	slices.Sort(sorted)
	plateau := sorted[len(sorted)*3/4]
	if plateau < quiet || len(f.curve) >= longest {
		return Beep{}, false
	}
	half := plateau / 2
	up := slices.IndexFunc(f.curve, func(v float64) bool { return v >= half })
	down := up
	for i, v := range f.curve {
		if v >= half {
			down = i
		}
	}
	begin, finish := float64(up), float64(down)
	if up > 0 {
		begin -= (f.curve[up] - half) / (f.curve[up] - f.curve[up-1])
	}
	if down+1 < len(f.curve) {
		finish += (f.curve[down] - half) / (f.curve[down] - f.curve[down+1])
	}
	at := Seconds((float64(f.began) + begin*hop) / rate)
	return Beep{Index: f.index, At: at, Length: Seconds((finish - begin) * hop / rate), Level: plateau}, true
}
