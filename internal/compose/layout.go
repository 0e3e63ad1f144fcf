package compose

import (
	"image"
	"math"
	"slices"
)

const (
	maxTiles  = 9 // people on the grid
	maxBeside = 3 // people beside a shared screen
	gutter    = 8 // pixels between tiles and around them

	sharePart = 3 // of four parts of the width belong to a shared screen
)

// grid returns the places of n tiles, in reading order: as many columns as the square root says, 16:9, the last row in
// the middle. One tile has all the room.
func grid(n int) []rect {
	switch n {
	case 0:
		return nil
	case 1:
		return []rect{{0, 0, Width, Height}}
	}
	cols := int(math.Ceil(math.Sqrt(float64(n))))
	rows := (n + cols - 1) / cols
	tile := wide((Width - (cols+1)*gutter) / cols)
	top := (Height - rows*tile.h - (rows-1)*gutter) / 2
	places := make([]rect, n)
	for i := range places {
		row := i / cols
		inRow := min(cols, n-row*cols)
		left := (Width - inRow*tile.w - (inRow-1)*gutter) / 2
		places[i] = rect{(left + i%cols*(tile.w+gutter)) &^ 1, (top + row*(tile.h+gutter)) &^ 1, tile.w, tile.h}
	}
	return places
}

// beside returns the places of a shared screen, on the left, and of n tiles in a column on its right.
func beside(n int) (screen rect, places []rect) {
	cell := Width / 4 * sharePart
	s := wide(cell - gutter - gutter/2)
	screen = rect{gutter, (Height - s.h) / 2 &^ 1, s.w, s.h}
	tile := wide(Width - cell - gutter - gutter/2)
	top := (Height - n*tile.h - (n-1)*gutter) / 2
	for i := range n {
		places = append(places, rect{cell + gutter/2, (top + i*(tile.h+gutter)) &^ 1, tile.w, tile.h})
	}
	return screen, places
}

// wide returns the 16:9 shape of about this width.
func wide(w int) shape { return shape{w &^ 1, w * 9 / 16 &^ 1} }

// Places returns every place where a picture can lie, in any layout: what somebody has to know who wants to find people in
// a finished file.
func Places() (places []image.Rectangle) {
	add := func(rs ...rect) {
		for _, r := range rs {
			at := image.Rect(r.x, r.y, r.x+r.w, r.y+r.h)
			if !slices.Contains(places, at) {
				places = append(places, at)
			}
		}
	}
	for n := range maxTiles {
		add(grid(n + 1)...)
	}
	for n := range maxBeside {
		screen, people := beside(n + 1)
		add(append(people, screen)...)
	}
	return places
}
