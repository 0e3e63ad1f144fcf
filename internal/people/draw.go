package people

import (
	"image"
	"math"

	"huilu/internal/people/mark"
)

// artist draws the frames of one person. The background, which does not move,
// is painted once and copied; a frame costs little more than that copy.
type artist struct {
	person Person
	tile   image.Rectangle
	back   *image.YCbCr
	frame  *image.YCbCr
}

// newArtist prepares the background. name is the person's name as an alpha
// mask, painted by somebody who knows fonts.
func newArtist(p Person, name *image.Gray) *artist {
	tile := image.Rect(0, 0, p.Width, p.Height)
	a := &artist{
		person: p,
		tile:   tile,
		back:   image.NewYCbCr(tile, image.YCbCrSubsampleRatio420),
		frame:  image.NewYCbCr(tile, image.YCbCrSubsampleRatio420),
	}
	cb, cr := hue(p.Index)
	for i := range a.back.Cb {
		a.back.Cb[i], a.back.Cr[i] = cb, cr
	}
	luma := plane(a.back)
	for y := range p.Height {
		shade := 70 + 40*y/p.Height
		mark.Fill(luma, image.Rect(0, y, p.Width, y+1), uint8(shade))
	}
	a.plate(a.back, image.Rect(32, 16, 1248, 92), 16)
	a.plate(a.back, mark.Lamp(image.Rect(0, 0, 1280, 720)).Inset(-12), 90)
	at := mark.Place(tile, image.Rect(nameX, nameY, 1280, 720)).Min
	stamp(luma, name, at)
	return a
}

// Where things that move or speak are, in the 1280x720 reference picture.
const (
	nameX, nameY   = 460, 400
	clockX, clockY = 460, 510
	headX, headY   = 230, 420
	sweepY         = 668
)

// hue spreads the people's colours around the colour circle. The step is the
// golden angle, so that neighbours differ most.
func hue(index int) (cb, cr uint8) {
	angle := 2.4 * float64(index)
	return uint8(128 + 50*math.Cos(angle)), uint8(128 + 50*math.Sin(angle))
}

// plane is the luma of a picture as a gray picture that shares its memory.
func plane(p *image.YCbCr) *image.Gray {
	return &image.Gray{Pix: p.Y, Stride: p.YStride, Rect: p.Rect}
}

// draw paints frame n of the loop. The picture is valid until the next call.
func (a *artist) draw(n int) *image.YCbCr {
	copy(a.frame.Y, a.back.Y)
	copy(a.frame.Cb, a.back.Cb)
	copy(a.frame.Cr, a.back.Cr)
	luma, fps := plane(a.frame), a.person.FPS
	t := float64(n) / float64(fps)

	a.head(luma, t)
	a.digits(luma, n)
	sweep := int(1200 * (t - math.Floor(t)))
	mark.Fill(luma, mark.Place(a.tile, image.Rect(40, sweepY, 1240, sweepY+16)), 50)
	mark.Fill(luma, mark.Place(a.tile, image.Rect(40, sweepY, 40+sweep, sweepY+16)), 200)

	lamp := uint8(16)
	if mark.LampOn(n, fps) {
		lamp = 235
	}
	a.plate(a.frame, image.Rect(1008, 112, 1232, 336), lamp)
	mark.Draw(luma, a.tile, mark.Code{Index: a.person.Index, FPS: fps, Frame: n})
	return a.frame
}

// plate paints a colourless rectangle given in the reference picture.
func (a *artist) plate(p *image.YCbCr, r image.Rectangle, v uint8) {
	r = mark.Place(a.tile, r)
	mark.Fill(plane(p), r, v)
	for y := r.Min.Y / 2; y < r.Max.Y/2; y++ {
		for x := r.Min.X / 2; x < r.Max.X/2; x++ {
			p.Cb[y*p.CStride+x], p.Cr[y*p.CStride+x] = 128, 128
		}
	}
}

// head is a face that nods and sways: something that moves as people do, so
// that a frozen picture is a frozen picture.
func (a *artist) head(luma *image.Gray, t float64) {
	x := headX + int(24*math.Sin(2*math.Pi*t/3))
	y := headY + int(16*math.Sin(2*math.Pi*t/2))
	a.disc(luma, x, y, 150, 170)
	a.disc(luma, x-50, y-35, 18, 60)
	a.disc(luma, x+50, y-35, 18, 60)
	mark.Fill(luma, mark.Place(a.tile, image.Rect(x-45, y+55, x+45, y+70)), 60)
}

// disc paints a filled circle given in the reference picture.
func (a *artist) disc(luma *image.Gray, x, y, radius int, v uint8) {
	box := mark.Place(a.tile, image.Rect(x-radius, y-radius, x+radius, y+radius))
	r, mid := float64(box.Dy())/2, float64(box.Min.X+box.Max.X)/2
	for row := box.Min.Y; row < box.Max.Y; row++ {
		dy := float64(row-box.Min.Y) + 0.5 - r
		half := math.Sqrt(max(0, r*r-dy*dy))
		mark.Fill(luma, image.Rect(int(mid-half), row, int(mid+half), row+1), v)
	}
}

// stamp lays a mask of white over a plane.
func stamp(luma, mask *image.Gray, at image.Point) {
	area := mask.Rect.Add(at).Intersect(luma.Rect)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		dst := luma.Pix[luma.PixOffset(area.Min.X, y):][:area.Dx()]
		src := mask.Pix[mask.PixOffset(area.Min.X-at.X, y-at.Y):][:area.Dx()]
		for i, v := range src {
			alpha := min(max(int(v)-16, 0), 219) // video luma: 16 is black
			dst[i] += uint8((235 - int(dst[i])) * alpha / 219)
		}
	}
}
