package mark

import (
	"errors"
	"image"
	"math"
)

// Where the strip is in the reference picture, and how its 40 cells are used:
//
//	1011 | rate 3 | index 5 | frame 18 | check 8 | 01
//
// A cell is 30x30 for each half, so it is still 7.5x7.5 in a tile of 320x180.
const (
	stripX, stripY = 40, 24
	cellSide       = 30

	headBits, headPattern = 4, 0b1011
	rateBits              = 3
	indexBits             = 5
	frameBits             = 18
	checkBits             = 8
	tailBits, tailPattern = 2, 0b01

	cells = headBits + rateBits + indexBits + frameBits + checkBits + tailBits
)

// MaxFrame is the first frame number that does not fit: 2.4 hours at 30 fps.
const MaxFrame = 1 << frameBits

// rates are the frame rates a strip can name.
var rates = [1 << rateBits]int{10, 15, 20, 24, 25, 30, 50, 60}

// legible is the least difference between the halves of a cell, of 219 when
// fresh (255 from a decoder that stretches video luma to full range). Encoders at crf 28 leave more than 100; noise in a flat picture is
// below 10.
const legible = 40

// ErrNoStrip says that there is no legible strip in the picture: nobody is
// there, or it is too blurred or too dark to be trusted.
var ErrNoStrip = errors.New("no legible clock strip")

// Code is what a strip says.
type Code struct {
	Index int // who: 0 … MaxPeople-1
	FPS   int // frames per second of the camera, one of a fixed set
	Frame int // frame number since the loop began: 0 … MaxFrame-1
}

// Seconds is the camera's time in its loop.
func (c Code) Seconds() float64 { return float64(c.Frame) / float64(c.FPS) }

// RateKnown reports whether a strip can name that frame rate.
func RateKnown(fps int) bool { return rateIndex(fps) >= 0 }

func rateIndex(fps int) int {
	for i, r := range rates {
		if r == fps {
			return i
		}
	}
	return -1
}

// bits packs the code into cells, first cell in the highest of 40 bits.
func (c Code) bits() uint64 {
	body := uint64(max(rateIndex(c.FPS), 0))
	body = body<<indexBits | uint64(c.Index%MaxPeople)
	body = body<<frameBits | uint64(c.Frame%MaxFrame)
	word := uint64(headPattern)<<(rateBits+indexBits+frameBits) | body
	return (word<<checkBits|uint64(check(body)))<<tailBits | tailPattern
}

// parse is the reverse of bits.
func parse(word uint64) (Code, error) {
	take := func(n int) uint64 {
		v := word & (1<<n - 1)
		word >>= n
		return v
	}
	tail, sum := take(tailBits), take(checkBits)
	body := word & (1<<(rateBits+indexBits+frameBits) - 1)
	frame, index, rate := take(frameBits), take(indexBits), take(rateBits)
	if tail != tailPattern || take(headBits) != headPattern || uint8(sum) != check(body) {
		return Code{}, ErrNoStrip
	}
	return Code{Index: int(index), FPS: rates[rate], Frame: int(frame)}, nil
}

// check is a CRC-8 (polynomial x^8+x^2+x+1) over the body. It starts from ones
// so that a strip of zeros is not valid.
func check(body uint64) uint8 {
	sum := uint8(0xff)
	for i := rateBits + indexBits + frameBits - 1; i >= 0; i-- {
		top := sum>>7 ^ uint8(body>>i&1)
		sum <<= 1
		if top == 1 {
			sum ^= 0x07
		}
	}
	return sum
}

// Draw paints the strip of a picture that fills tile. Values are video luma:
// 16 is black, 235 is white.
func Draw(pix *image.Gray, tile image.Rectangle, c Code) {
	word := c.bits()
	for i := range cells {
		up, down := cell(tile, i)
		if word>>(cells-1-i)&1 == 0 {
			up, down = down, up
		}
		Fill(pix, up, 235)
		Fill(pix, down, 16)
	}
}

// cell is the upper and the lower half of a cell in a picture that fills tile.
func cell(tile image.Rectangle, i int) (up, down image.Rectangle) {
	x := stripX + i*cellSide
	return place(tile, x, stripY, cellSide, cellSide), place(tile, x, stripY+cellSide, cellSide, cellSide)
}

// Fill paints a rectangle of a plane.
func Fill(pix *image.Gray, r image.Rectangle, v uint8) {
	r = r.Intersect(pix.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := pix.Pix[pix.PixOffset(r.Min.X, y):][:r.Dx()]
		for i := range row {
			row[i] = v
		}
	}
}

// Read reads the strip of a picture that fills tile. The error is ErrNoStrip.
func Read(pix *image.Gray, tile image.Rectangle) (Code, error) {
	c, _, err := ReadContrast(pix, tile)
	return c, err
}

// ReadContrast reads like Read and also says how legible the worst cell was
// (0 … 255), by which two readings of one strip can be ranked.
func ReadContrast(pix *image.Gray, tile image.Rectangle) (Code, float64, error) {
	word, worst := uint64(0), math.Inf(1)
	for i := range cells {
		up, down := cell(tile, i)
		d := Mean(pix, core(up)) - Mean(pix, core(down))
		word <<= 1
		if d > 0 {
			word |= 1
		}
		if worst = min(worst, math.Abs(d)); worst < legible {
			return Code{}, worst, ErrNoStrip
		}
	}
	c, err := parse(word)
	return c, worst, err
}

// core is the middle half of a cell: scaling and block edges blur its border.
func core(r image.Rectangle) image.Rectangle {
	dx, dy := r.Dx()/4, r.Dy()/4
	return image.Rect(r.Min.X+dx, r.Min.Y+dy, r.Max.X-dx, r.Max.Y-dy)
}

// Mean is the mean value of a rectangle of a plane; 0 when it lies outside.
func Mean(pix *image.Gray, r image.Rectangle) float64 {
	r = r.Intersect(pix.Rect)
	if r.Empty() {
		return 0
	}
	sum := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, v := range pix.Pix[pix.PixOffset(r.Min.X, y):][:r.Dx()] {
			sum += int(v)
		}
	}
	return float64(sum) / float64(r.Dx()*r.Dy())
}

// Glance is a quick look whether a strip may be there, by one pixel in each
// half of the six fixed cells. It is for searching: most places that are none
// are left after two pixels. It serves tiles of one size in pictures of one
// stride.
type Glance struct {
	upper, lower [headBits + tailBits]int // where in Pix the brighter and the darker half of each fixed cell are, from the tile's corner
}

// NewGlance prepares looking for tiles of that size.
func NewGlance(w, h, stride int) *Glance {
	const fixed = headPattern<<(cells-headBits) | tailPattern
	g, n := &Glance{}, 0
	tile := image.Rect(0, 0, w, h)
	for i := range cells {
		if i >= headBits && i < cells-tailBits {
			continue
		}
		up, down := cell(tile, i)
		if fixed>>(cells-1-i)&1 == 0 {
			up, down = down, up
		}
		g.upper[n], g.lower[n] = centre(up, stride), centre(down, stride)
		n++
	}
	return g
}

func centre(r image.Rectangle, stride int) int {
	return (r.Min.Y+r.Max.Y)/2*stride + (r.Min.X+r.Max.X)/2
}

// At reports whether the strip of a tile may be there whose corner has that
// offset in pix. All of the tile has to lie in the picture.
func (g *Glance) At(pix []uint8, corner int) bool {
	for i, up := range g.upper {
		if int(pix[corner+up])-int(pix[corner+g.lower[i]]) < legible {
			return false
		}
	}
	return true
}
