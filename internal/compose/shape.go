package compose

// shape is a size in pixels, both even, as 4:2:0 pictures need.
type shape struct{ w, h int }

// shapeOf returns what a picture of this size becomes when it fills the canvas: a person's shape stays the same while
// simulcast changes the resolution, and changes when a phone is turned.
func shapeOf(w, h int) shape { return shape{w, h}.fit(shape{Width, Height}) }

// fit scales s to the largest size within box that keeps its proportions.
func (s shape) fit(box shape) shape {
	if s.w <= 0 || s.h <= 0 {
		return box
	}
	w, h := box.w, s.h*box.w/s.w
	if h > box.h {
		w, h = s.w*box.h/s.h, box.h
	}
	return shape{max(w&^1, 2), max(h&^1, 2)}
}

// like says whether two shapes differ by no more than what rounding the layers of one camera makes (426x240 is 16:9 too).
func (s shape) like(o shape) bool {
	const slack = 12
	return absolute(int64(s.w-o.w)) <= slack && absolute(int64(s.h-o.h)) <= slack
}

// rect is a place on the canvas, in pixels, all numbers even.
type rect struct{ x, y, w, h int }

func (r rect) size() shape { return shape{r.w, r.h} }

// center places s in the middle of r.
func (r rect) center(s shape) rect {
	return rect{r.x + (r.w-s.w)/2&^1, r.y + (r.h-s.h)/2&^1, s.w, s.h}
}
