package compose

import (
	"fmt"
	"image/color"
)

// luma is one small grey picture: a pixel out of each square of 20x20.
type luma []byte

const lumaStep = Width / lumaWidth

// groundLuma is how bright a tile without its picture is, by BT.601 as ffmpeg converts.
var groundLuma = lumaOf(colorTile)

func lumaOf(c color.RGBA) int {
	return 16 + (66*int(c.R)+129*int(c.G)+25*int(c.B)+128)>>8
}

// bare says whether a place shows the ground of the tile: its picture is missing. A camera in the dark is black, which
// the ground never is; and no camera sends one grey over the whole picture. The lower third is left out because the
// label lies there.
func (l luma) bare(r rect) bool {
	seen := 0
	for y := (r.y + lumaStep) / lumaStep; (y+1)*lumaStep <= r.y+r.h*2/3; y++ {
		for x := (r.x + lumaStep) / lumaStep; (x+1)*lumaStep <= r.x+r.w; x++ {
			seen++
			if absolute(int64(l[y*lumaWidth+x])-int64(groundLuma)) > 2 {
				return false
			}
		}
	}
	return seen > 0
}

// difference returns the mean difference of two pictures, in steps of brightness (0 to 255).
func (l luma) difference(o luma) float64 {
	sum := 0
	for i, v := range l {
		sum += int(absolute(int64(v) - int64(o[i])))
	}
	return float64(sum) / float64(len(l))
}

// bareError is a picture that did not get where it belongs.
type bareError struct {
	tile  int // number within the epoch
	frame int // within the window
}

func (e *bareError) Error() string {
	return fmt.Sprintf("tile %d shows nothing in frame %d", e.tile, e.frame)
}

// mean returns how bright a place is.
func (l luma) mean(r rect) float64 {
	sum, n := 0, 0
	for y := r.y / lumaStep; y < min((r.y+r.h)/lumaStep, lumaHeight); y++ {
		for x := r.x / lumaStep; x < min((r.x+r.w)/lumaStep, lumaWidth); x++ {
			sum, n = sum+int(l[y*lumaWidth+x]), n+1
		}
	}
	if n == 0 {
		return 0
	}
	return float64(sum) / float64(n)
}
