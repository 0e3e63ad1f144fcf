package people

import (
	"fmt"
	"image"

	"huilu/internal/people/mark"
)

// Segments of the digits, in the usual naming of seven-segment displays:
//
//	 aaa
//	f   b
//	 ggg
//	e   c
//	 ddd
const (
	segA = 1 << iota
	segB
	segC
	segD
	segE
	segF
	segG
)

var digitSegments = [10]int{
	segA | segB | segC | segD | segE | segF,
	segB | segC,
	segA | segB | segG | segE | segD,
	segA | segB | segG | segC | segD,
	segF | segG | segB | segC,
	segA | segF | segG | segC | segD,
	segA | segF | segG | segE | segC | segD,
	segA | segB | segC,
	segA | segB | segC | segD | segE | segF | segG,
	segA | segB | segC | segD | segF | segG,
}

// segmentArea is where each segment lies in a digit of 48x88.
var segmentArea = map[int]image.Rectangle{
	segA: image.Rect(4, 0, 44, 10),
	segB: image.Rect(38, 4, 48, 42),
	segC: image.Rect(38, 46, 48, 84),
	segD: image.Rect(4, 78, 44, 88),
	segE: image.Rect(0, 46, 10, 84),
	segF: image.Rect(0, 4, 10, 42),
	segG: image.Rect(4, 39, 44, 49),
}

// digits paints the clock that people can read: minutes, seconds, milliseconds
// since the loop began. The strip says the same to machines.
func (a *artist) digits(luma *image.Gray, n int) {
	ms := n * 1000 / a.person.FPS
	x := clockX
	for _, r := range fmt.Sprintf("%02d:%02d.%03d", ms/60000, ms/1000%60, ms%1000) {
		at := func(r image.Rectangle) image.Rectangle {
			return mark.Place(a.tile, r.Add(image.Pt(x, clockY)))
		}
		switch r {
		case ':':
			mark.Fill(luma, at(image.Rect(4, 20, 14, 32)), 235)
			mark.Fill(luma, at(image.Rect(4, 56, 14, 68)), 235)
			x += 30
		case '.':
			mark.Fill(luma, at(image.Rect(4, 76, 14, 88)), 235)
			x += 30
		default:
			for seg, area := range segmentArea {
				if digitSegments[r-'0']&seg != 0 {
					mark.Fill(luma, at(area), 235)
				}
			}
			x += 64
		}
	}
}
