package examine

import "image"

// A frame is judged by the means of a grid of blocks of 16x16 pixels: fine
// enough to see a name in it, coarse enough not to see noise.
const block = 16

// Luma below which a frame is black (video black is 16), and differences below
// which it is all one colour.
const (
	blackBelow = 32
	flatBelow  = 8
)

// isBlank reports whether nothing is in a frame: it is black, or one colour
// from corner to corner, which is what a composition without its tiles is.
func isBlank(pix *image.Gray) bool {
	low, high := 256, -1
	for y := pix.Rect.Min.Y; y+block <= pix.Rect.Max.Y; y += block {
		for x := pix.Rect.Min.X; x+block <= pix.Rect.Max.X; x += block {
			v := blockMean(pix, x, y)
			low, high = min(low, v), max(high, v)
			if high >= blackBelow && high-low >= flatBelow {
				return false
			}
		}
	}
	return true
}

// blockMean looks at a quarter of the pixels of a block.
func blockMean(pix *image.Gray, x, y int) int {
	sum := 0
	for dy := 0; dy < block; dy += 2 {
		row := pix.Pix[pix.PixOffset(x, y+dy):][:block]
		for dx := 0; dx < block; dx += 2 {
			sum += int(row[dx])
		}
	}
	return sum / (block * block / 4)
}

// stillness measures for how long the whole picture has not changed.
type stillness struct {
	before  []uint8 // every fourth pixel of every fourth row of the frame before
	spare   []uint8 // memory for the next one
	since   float64
	started bool

	Longest Seconds // the longest time without a change
	At      Seconds // when that began
}

// moved is the mean difference above which two frames differ. Encoders at
// crf 28 repeat an unchanged picture with less than 0.05; a clock's digit alone
// is 0.2.
const moved = 0.1

func (s *stillness) look(at float64, pix *image.Gray) {
	now := s.spare[:0]
	for y := pix.Rect.Min.Y; y < pix.Rect.Max.Y; y += 4 {
		row := pix.Pix[pix.PixOffset(pix.Rect.Min.X, y):][:pix.Rect.Dx()]
		for x := 0; x < len(row); x += 4 {
			now = append(now, row[x])
		}
	}
	if !s.started || differs(s.before, now) {
		s.since, s.started = at, true
	} else if d := Seconds(at - s.since); d > s.Longest {
		s.Longest, s.At = d, Seconds(s.since)
	}
	s.before, s.spare = now, s.before
}

func differs(a, b []uint8) bool {
	sum := 0
	for i, v := range a {
		d := int(v) - int(b[i])
		sum += max(d, -d)
	}
	return float64(sum) > moved*float64(len(a))
}
