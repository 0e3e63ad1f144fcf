// Package mark is what synthetic people show and sound so that a recording of
// them can be measured afterwards: the people draw it, the examiner reads it.
//
// A picture of a person carries, in fractions of its own width (drawn here for
// 1280x720), and whatever the size it ends up in:
//
//	+----------------------------------------------------------+
//	|  [strip: 40 cells, 1200x60 at 40,24: who, frame, check]  |
//	|                                              +--------+  |
//	|      the person, moving                      |  lamp  |  |
//	|                                              | 224x224|  |
//	|      name and a clock for people             +--------+  |
//	+----------------------------------------------------------+
//
// The lamp turns white for a tenth of a second at each whole second; the
// person's own tone sounds during the same tenth. Both start at the same
// instant, so the distance between them in a recording is its lip-sync error.
//
// The strip is read without a threshold: each cell is two halves, one above the
// other, and says 1 when the upper half is the brighter one. Fades, limited
// range and compression move both halves alike. A check over all bits makes a
// wrong reading of a blurred or blended picture a 1-in-256 event, and the fixed
// first and last cells make a strip findable in a picture nobody described.
package mark

import (
	"image"
	"math"
	"time"
)

// reference is the picture all positions of this package are given in.
var reference = image.Pt(1280, 720)

// FlashLength is how long the lamp and the tone are on, from each whole second.
const FlashLength = 100 * time.Millisecond

// MaxPeople is how many people can be told apart by strip, tone and colour.
const MaxPeople = 1 << indexBits

// ToneRaster is what every tone is a multiple of, in Hz. A window of 1/ToneRaster
// seconds holds a whole number of periods of each tone, which makes the tones
// orthogonal: one person's beep is exactly nothing in another one's filter.
const ToneRaster = 100

// Tone is the frequency in Hz of the beep of the person with that index.
//
// It starts at 1 kHz, above hum and speech fundamentals, and ends at 10.3 kHz,
// below what Opus and AAC cut off at meeting bitrates.
func Tone(index int) float64 {
	return float64(1000 + 300*(index%MaxPeople))
}

// FlashFrames is for how many frames the lamp is on at that frame rate.
func FlashFrames(fps int) int {
	return max(1, int(math.Round(FlashLength.Seconds()*float64(fps))))
}

// LampOn reports whether the lamp is on in frame number n counted from a whole second.
func LampOn(n, fps int) bool {
	return n%fps < FlashFrames(fps)
}

// Lamp is the area of the lamp in a picture that fills tile.
func Lamp(tile image.Rectangle) image.Rectangle {
	return place(tile, 1008, 112, 224, 224)
}

// Strip is the area of the clock strip in a picture that fills tile.
func Strip(tile image.Rectangle) image.Rectangle {
	return place(tile, stripX, stripY, cells*cellSide, 2*cellSide)
}

// place moves a rectangle of the reference picture into tile.
func place(tile image.Rectangle, x, y, w, h int) image.Rectangle {
	sx := float64(tile.Dx()) / float64(reference.X)
	sy := float64(tile.Dy()) / float64(reference.Y)
	at := func(v int, s float64) int { return int(math.Round(float64(v) * s)) }
	return image.Rect(at(x, sx), at(y, sy), at(x+w, sx), at(y+h, sy)).Add(tile.Min)
}

// Place moves a rectangle given in the 1280x720 reference picture into tile.
func Place(tile, r image.Rectangle) image.Rectangle {
	return place(tile, r.Min.X, r.Min.Y, r.Dx(), r.Dy())
}
