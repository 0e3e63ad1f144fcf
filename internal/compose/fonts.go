package compose

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
)

// fonts draws names in any of the scripts it has a font for, rune by rune.
type fonts struct {
	families []*opentype.Font // in the order they are asked
	sizes    map[faceKey]font.Face
	buf      sfnt.Buffer
}

type faceKey struct{ family, size int }

// wanted lists the fonts names are drawn with, and a rune that each must have.
var wanted = []struct {
	pattern string // for fontconfig
	sample  rune
	install string // Debian's name, for the message
}{
	{"DejaVu Sans:style=Book", 'A', "fonts-dejavu-core"},
	{"Noto Sans CJK SC:style=Regular:lang=zh-cn", '会', "fonts-noto-cjk"},
}

// CheckFonts says whether names in Latin and Chinese letters can be drawn on this machine, and if not, what to install.
func CheckFonts(ctx context.Context) error {
	_, err := findFonts(ctx)
	return err
}

// findFonts asks fontconfig where the fonts are.
func findFonts(ctx context.Context) (*fonts, error) {
	f := &fonts{sizes: map[faceKey]font.Face{}}
	for _, w := range wanted {
		one, err := findFont(ctx, w.pattern)
		if err == nil {
			var glyph sfnt.GlyphIndex
			if glyph, err = one.GlyphIndex(&f.buf, w.sample); err == nil && glyph == 0 {
				err = fmt.Errorf("the nearest font has no %q", w.sample)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("compose: no font for names (%s), install %s: %w", w.pattern, w.install, err)
		}
		f.families = append(f.families, one)
	}
	return f, nil
}

func findFont(ctx context.Context, pattern string) (*opentype.Font, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second) // the first call on a machine builds a cache
	defer cancel()
	out, err := exec.CommandContext(ctx, "fc-match", "-f", "%{index} %{file}", pattern).Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("fc-match is missing, install fontconfig")
	} else if err != nil {
		return nil, fmt.Errorf("fc-match: %w", err)
	}
	number, file, _ := strings.Cut(string(out), " ")
	index, err := strconv.Atoi(number)
	if err != nil {
		return nil, fmt.Errorf("fc-match answered %q", out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	all, err := opentype.ParseCollection(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return all.Font(index & 0xffff) // the upper bits number variations
}

// glyphs is one rune after another with the face that has it.
type glyph struct {
	r    rune
	face font.Face
}

// set finds a face for each rune. What no font has, and what is not seen, is left out.
func (f *fonts) set(text string, size int) (line []glyph, err error) {
	for _, r := range text {
		if unicode.IsSpace(r) {
			r = ' '
		}
		if !unicode.IsGraphic(r) {
			continue
		}
		for i, family := range f.families {
			if g, err := family.GlyphIndex(&f.buf, r); err != nil || g == 0 {
				continue
			}
			face, err := f.face(i, size)
			if err != nil {
				return nil, err
			}
			line = append(line, glyph{r, face})
			break
		}
	}
	return line, nil
}

func (f *fonts) face(family, size int) (font.Face, error) {
	key := faceKey{family, size}
	if face := f.sizes[key]; face != nil {
		return face, nil
	}
	face, err := opentype.NewFace(f.families[family], &opentype.FaceOptions{Size: float64(size), DPI: 72})
	if err != nil {
		return nil, fmt.Errorf("font at %d px: %w", size, err)
	}
	f.sizes[key] = face
	return face, nil
}

// width returns how many pixels a line takes.
func width(line []glyph) int {
	var w int
	for _, g := range line {
		if a, ok := g.face.GlyphAdvance(g.r); ok {
			w += int(a)
		}
	}
	return (w + 63) / 64
}

// shorten cuts a line to at most so many pixels and ends it with three dots.
func (f *fonts) shorten(line []glyph, size, most int) ([]glyph, error) {
	if width(line) <= most {
		return line, nil
	}
	dots, err := f.set("…", size)
	if err != nil {
		return nil, err
	}
	for len(line) > 0 && width(line)+width(dots) > most {
		line = line[:len(line)-1]
	}
	return append(line, dots...), nil
}
