package compose

import "math/bits"

// bitReader reads the bits of a NAL unit. Past the end it reads zeros and remembers that it did.
type bitReader struct {
	data []byte
	pos  int // bits
	over bool
}

func (r *bitReader) bit() uint32 {
	if r.pos>>3 >= len(r.data) {
		r.over = true
		return 0
	}
	b := r.data[r.pos>>3] >> (7 - r.pos&7) & 1
	r.pos++
	return uint32(b)
}

func (r *bitReader) bits(n int) (v uint32) {
	for range n {
		v = v<<1 | r.bit()
	}
	return v
}

// ue reads an unsigned Exp-Golomb number (H.264, 9.1).
func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.bit() == 0 {
		if zeros++; zeros > 31 || r.over {
			r.over = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.bits(zeros)
}

// spsSize reads the picture size in pixels out of a sequence parameter set (H.264, 7.3.2.1.1), cropping included.
func spsSize(sps []byte) (width, height int, err error) {
	if len(sps) < 5 || sps[0]&0x1f != nalSPS {
		return 0, 0, errPayload
	}
	r := &bitReader{data: unescape(sps[1:])}
	profile := r.bits(8)
	r.bits(16) // constraints, level
	r.ue()     // id
	chroma := uint32(1)
	if hasChroma(profile) {
		chroma = readChroma(r)
	}
	r.ue() // frame numbers
	readOrderCount(r)
	r.ue()  // reference frames
	r.bit() // gaps allowed
	w := (uint64(r.ue()) + 1) * 16
	h := (uint64(r.ue()) + 1) * 16
	if r.bit() == 0 { // pictures may be fields
		h *= 2
		r.bit()
	}
	r.bit() // direct inference
	if r.bit() == 1 {
		left, right, top, bottom := r.ue(), r.ue(), r.ue(), r.ue()
		ux, uy := cropUnits(chroma)
		w -= min(w, (uint64(left)+uint64(right))*ux)
		h -= min(h, (uint64(top)+uint64(bottom))*uy)
	}
	if r.over || w == 0 || h == 0 || bits.Len64(w) > 15 || bits.Len64(h) > 15 {
		return 0, 0, errPayload
	}
	return int(w), int(h), nil
}

func hasChroma(profile uint32) bool {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	}
	return false
}

// readChroma reads what the high profiles add and returns the chroma format.
func readChroma(r *bitReader) uint32 {
	chroma := r.ue()
	lists := 8
	if chroma == 3 {
		r.bit()
		lists = 12
	}
	r.ue() // bit depths
	r.ue()
	r.bit()
	if r.bit() == 0 {
		return chroma
	}
	for i := range lists {
		if r.bit() == 0 {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		skipScalingList(r, size)
	}
	return chroma
}

func skipScalingList(r *bitReader, size int) {
	last, next := int32(8), int32(8)
	for range size {
		if r.over {
			return
		}
		if next != 0 {
			v := r.ue() // signed: 0, 1, -1, 2, -2 ...
			delta := int32(v+1) / 2
			if v%2 == 0 {
				delta = -delta
			}
			next = (last + delta) & 0xff
		}
		if next != 0 {
			last = next
		}
	}
}

func readOrderCount(r *bitReader) {
	switch r.ue() {
	case 0:
		r.ue()
	case 1:
		r.bit()
		r.ue()
		r.ue()
		for range min(r.ue(), 255) {
			r.ue()
		}
	}
}

// cropUnits returns how many pixels one step of cropping is, for progressive pictures.
func cropUnits(chroma uint32) (x, y uint64) {
	switch chroma {
	case 1:
		return 2, 2
	case 2:
		return 2, 1
	}
	return 1, 1
}

// unescape removes the bytes that keep start codes out of a NAL unit (00 00 03 means 00 00).
func unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	zeros := 0
	for _, c := range b {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if zeros++; c != 0 {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}
