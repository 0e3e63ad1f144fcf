package examine

import (
	"cmp"
	"image"
	"slices"

	"huilu/internal/people/mark"
)

// Found is a person's picture found in a frame.
type Found struct {
	Area image.Rectangle `json:"area"` // to a few pixels
	Code mark.Code       `json:"code"`
}

// narrowest is the least width of a tile that Find looks for: below it the
// cells are under six pixels and a strip is not reliably legible anyway.
const narrowest = 240

// Find looks for people's pictures of any size at any place of a frame, by
// their clock strips. It tries every size in steps of less than a percent and every
// place in steps of a third of a cell, so it takes some tens of milliseconds; use it
// on a few frames and Read where it found something on the others.
func Find(pix *image.Gray) []Found {
	groups := map[mark.Code][]image.Rectangle{}
	for w := float64(min(pix.Rect.Dx(), pix.Rect.Dy()*16/9)) * 1.008; w >= narrowest; w /= 1.008 {
		scan(pix, int(w), groups)
	}
	return strongest(groups)
}

// strongest turns groups of readings into tiles. A strip that is looked at
// askew may by chance read as another one, at few of the places around it: of
// readings that lie over one another, the one with the most places is right.
func strongest(groups map[mark.Code][]image.Rectangle) []Found {
	var all []Found
	for code, areas := range groups {
		all = append(all, Found{Area: middle(areas), Code: code})
	}
	slices.SortFunc(all, func(a, b Found) int {
		return cmp.Or(len(groups[b.Code])-len(groups[a.Code]), a.Code.Frame-b.Code.Frame, a.Code.Index-b.Code.Index)
	})
	var found []Found
	for _, f := range all {
		if !slices.ContainsFunc(found, func(o Found) bool { return overlap(f.Area, o.Area) }) {
			found = append(found, f)
		}
	}
	return found
}

// overlap reports whether the strips of two tiles lie over one another.
func overlap(a, b image.Rectangle) bool {
	return !mark.Strip(a).Intersect(mark.Strip(b)).Empty()
}

// scan tries every place for a tile of that width. A tile may stick out of the
// picture by less than the strip's distance from its border: where the tile is
// at the border, readings that are askew to either side still cancel out.
func scan(pix *image.Gray, w int, groups map[mark.Code][]image.Rectangle) {
	h := w * 9 / 16
	step, out := max(1, w/128), w/64
	glance := mark.NewGlance(w, h, pix.Stride)
	for y := pix.Rect.Min.Y - out/2; y+h <= pix.Rect.Max.Y+out/2; y += step {
		for x := pix.Rect.Min.X - out; x+w <= pix.Rect.Max.X+out; x += step {
			if !glance.At(pix.Pix, pix.PixOffset(x, y)) {
				continue
			}
			tile := image.Rect(x, y, x+w, y+h)
			if code, err := mark.Read(pix, tile); err == nil {
				groups[code] = append(groups[code], tile)
			}
		}
	}
}

// middle is the mean of the rectangles at which one strip could be read: it
// can be as much too far left as too far right, too small as too large.
func middle(areas []image.Rectangle) image.Rectangle {
	var x0, y0, x1, y1 int
	for _, a := range areas {
		x0, y0, x1, y1 = x0+a.Min.X, y0+a.Min.Y, x1+a.Max.X, y1+a.Max.Y
	}
	n := len(areas)
	return image.Rect((x0+n/2)/n, (y0+n/2)/n, (x1+n/2)/n, (y1+n/2)/n)
}
