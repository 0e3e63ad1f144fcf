package compose

import (
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// What is drawn around the pictures. Neutral and dark, so that faces are the brightest; never black, so that a picture
// that is missing can be told from one that is dark.
var (
	colorCanvas = color.RGBA{0x14, 0x16, 0x1b, 0xff}
	colorTile   = color.RGBA{0x25, 0x28, 0x31, 0xff}
	colorText   = color.RGBA{0xf2, 0xf3, 0xf5, 0xff}
	colorQuiet  = color.RGBA{0x9a, 0xa1, 0xad, 0xff}
	colorLabel  = color.RGBA{0, 0, 0, 0x99} // black at 60 %

	// discs are the colours behind initials; a person has the same one in every recording.
	discs = []color.RGBA{
		{0x3f, 0x6f, 0xc4, 0xff}, {0x2f, 0x85, 0x6b, 0xff}, {0x9a, 0x5b, 0xb0, 0xff}, {0xb8, 0x64, 0x3c, 0xff},
		{0x4b, 0x7f, 0x95, 0xff}, {0xa8, 0x4d, 0x6b, 0xff}, {0x6c, 0x6f, 0xb5, 0xff}, {0x7a, 0x7f, 0x3a, 0xff},
	}
)

// artist draws what stands still in a window.
type artist struct {
	fonts *fonts
	topic string
	when  string // start of the recording, for people
}

func newArtist(f *fonts, topic string, start time.Time, zone *time.Location) *artist {
	if zone == nil {
		zone = time.UTC
	}
	return &artist{fonts: f, topic: topic, when: start.In(zone).Format("2006-01-02 15:04 MST")}
}

// headline is everything an empty room's picture says.
func (a *artist) headline() string { return a.topic + "\n" + a.when }

// background draws the canvas: cards for those without a picture, the ground of the tiles with one. Without anybody it
// shows the topic.
func (a *artist) background(tiles []tile) (image.Image, error) {
	img := image.NewRGBA(image.Rect(0, 0, Width, Height))
	draw.Draw(img, img.Rect, image.NewUniform(colorCanvas), image.Point{}, draw.Src)
	if len(tiles) == 0 {
		return img, a.title(img)
	}
	for _, t := range tiles {
		r := image.Rect(t.at.x, t.at.y, t.at.x+t.at.w, t.at.y+t.at.h)
		draw.Draw(img, r, image.NewUniform(colorTile), image.Point{}, draw.Src)
		if t.clip == nil {
			if err := a.card(img, r, t.who.name); err != nil {
				return nil, err
			}
		}
	}
	return img, nil
}

// title fills an empty room's picture.
func (a *artist) title(img *image.RGBA) error {
	r := img.Rect.Inset(Width / 10)
	if err := a.centered(img, r, a.topic, 40, Height/2, colorText); err != nil {
		return err
	}
	return a.centered(img, r, a.when, 22, Height/2+48, colorQuiet)
}

// card draws a disc with the initial and the name below it, in the middle of r.
func (a *artist) card(img *image.RGBA, r image.Rectangle, name string) error {
	size := nameSize(r.Dy())
	radius := r.Dy() / 6
	middle := r.Min.Add(r.Max).Div(2)
	disc := image.Pt(middle.X, middle.Y-size*3/4)
	fillRound(img, image.Rect(disc.X-radius, disc.Y-radius, disc.X+radius, disc.Y+radius), radius, discOf(name))
	initial := radius
	if err := a.centered(img, r, initialOf(name), initial, disc.Y+initial*36/100, colorText); err != nil {
		return err
	}
	return a.centered(img, r.Inset(size), name, size, disc.Y+radius+size*3/2, colorText)
}

// centered writes one line in the middle of r, cut to fit, on a baseline.
func (a *artist) centered(img *image.RGBA, r image.Rectangle, text string, size, baseline int, c color.Color) error {
	line, err := a.fonts.set(text, size)
	if err != nil {
		return err
	}
	if line, err = a.fonts.shorten(line, size, r.Dx()); err != nil {
		return err
	}
	write(img, line, (r.Min.X+r.Max.X-width(line))/2, baseline, c)
	return nil
}

// label draws a name on a dark, rounded ground, to be laid over a picture of the given width. Its size is even.
func (a *artist) label(name string, at rect) (image.Image, error) {
	size := labelSize(at.h)
	pad := size * 6 / 10
	line, err := a.fonts.set(name, size)
	if err != nil {
		return nil, err
	}
	if line, err = a.fonts.shorten(line, size, at.w-4*pad); err != nil {
		return nil, err
	}
	w, h := (width(line)+2*pad+1)&^1, (size*17/10+1)&^1
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	if len(line) > 0 {
		fillRound(img, img.Rect, h/4, colorLabel)
	}
	write(img, line, pad, (h+size*72/100)/2, colorText)
	return img, nil
}

// nameSize and labelSize are the heights of letters on a card and on a label, by the tile's height.
func nameSize(tile int) int { return min(max(tile/11, 15), 36) }

func labelSize(tile int) int { return min(max(tile/18, 14), 22) }

// write draws a line of text from x on.
func write(img draw.Image, line []glyph, x, baseline int, c color.Color) {
	d := font.Drawer{Dst: img, Src: image.NewUniform(c), Dot: fixed.P(x, baseline)}
	for _, g := range line {
		d.Face = g.face
		d.DrawString(string(g.r))
	}
}

// initialOf returns the letter that stands for a name.
func initialOf(name string) string {
	for _, r := range strings.TrimSpace(name) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "?"
}

func discOf(name string) color.RGBA {
	h := fnv.New32a()
	h.Write([]byte(name))
	return discs[h.Sum32()%uint32(len(discs))]
}

// fillRound fills a rectangle with round corners; with a radius of half its size it is a disc.
func fillRound(img draw.Image, r image.Rectangle, radius int, c color.Color) {
	const arc = 0.5523 // how far a cubic's handles reach to make a quarter of a circle
	w, h, q := float32(r.Dx()), float32(r.Dy()), float32(radius)
	k := q * (1 - arc)
	var z vector.Rasterizer
	z.Reset(r.Dx(), r.Dy())
	z.MoveTo(q, 0)
	z.LineTo(w-q, 0)
	z.CubeTo(w-k, 0, w, k, w, q)
	z.LineTo(w, h-q)
	z.CubeTo(w, h-k, w-k, h, w-q, h)
	z.LineTo(q, h)
	z.CubeTo(k, h, 0, h-k, 0, h-q)
	z.LineTo(0, q)
	z.CubeTo(0, k, k, 0, q, 0)
	z.ClosePath()
	z.Draw(img, r, image.NewUniform(c), image.Point{})
}

// savePNG writes an image for ffmpeg to read.
func savePNG(name string, img image.Image) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(f, img); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return f.Close()
}
