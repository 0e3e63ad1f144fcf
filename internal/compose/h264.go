package compose

import (
	"encoding/binary"
	"iter"
	"slices"

	"github.com/pion/rtp/codecs"
)

// Types of NAL units (H.264, table 7-1) and of the packets that carry them (RFC 6184, table 3).
const (
	nalSlice = 1
	nalIDR   = 5
	nalSEI   = 6
	nalSPS   = 7
	nalPPS   = 8
	nalAUD   = 9
	nalSTAPA = 24
	nalFUA   = 28
)

// h264 reads H.264 payloads. Its frames are NAL units, each behind its length in four bytes. Every key frame carries the
// parameter sets, so that decoding can begin at any of them.
type h264 struct {
	sps, pps []byte // the last seen
}

func (h *h264) head(payload []byte) bool {
	if len(payload) < 2 {
		return false
	}
	switch payload[0] & 0x1f {
	case nalSTAPA:
		return len(payload) > 4 && h.head(payload[3:])
	case nalFUA:
		return len(payload) > 2 && payload[1]&0x80 != 0 && firstOfPicture(payload[1]&0x1f, payload[2])
	}
	return firstOfPicture(payload[0]&0x1f, payload[1])
}

// firstOfPicture says whether a NAL unit may begin a picture. A slice does when its first macroblock is number 0, which
// Exp-Golomb writes as a single 1 bit at the start of the slice header.
func firstOfPicture(typ, next byte) bool {
	switch typ {
	case nalSlice, nalIDR:
		return next&0x80 != 0
	case nalSEI, nalSPS, nalPPS, nalAUD:
		return true
	}
	return false
}

func (h *h264) frame(parts [][]byte) (f frame, err error) {
	unpack := codecs.H264Packet{IsAVC: true}
	var data []byte
	for _, part := range parts {
		units, err := unpack.Unmarshal(part)
		if err != nil {
			return f, err
		}
		data = append(data, units...)
	}
	var sps, pps []byte
	picture := false
	for nal := range nalUnits(data) {
		switch nal[0] & 0x1f {
		case nalSPS:
			sps = nal
		case nalPPS:
			pps = nal
		case nalSlice:
			picture = true
		case nalIDR:
			picture, f.key = true, true
		}
	}
	if !picture {
		h.remember(sps, pps) // parameter sets sent ahead of their picture
		return f, nil
	}
	if f.key {
		return h.keyFrame(data, sps, pps)
	}
	f.data = data
	return f, nil
}

// keyFrame finishes a frame that begins anew: it needs its size and its parameter sets.
func (h *h264) keyFrame(data, sps, pps []byte) (f frame, err error) {
	size := sps
	if size == nil {
		size = h.sps
	}
	f.key = true
	if f.width, f.height, err = spsSize(size); err != nil {
		return f, err
	}
	if f.width < smallest || f.height < smallest {
		return f, nil
	}
	h.remember(sps, pps)
	if h.pps == nil {
		return f, errPayload
	}
	if sps == nil || pps == nil {
		data = slices.Concat(withLength(h.sps), withLength(h.pps), data)
	}
	f.data = data
	return f, nil
}

func (h *h264) remember(sps, pps []byte) {
	if w, ht, err := spsSize(sps); err == nil && w >= smallest && ht >= smallest {
		h.sps = slices.Clone(sps)
	}
	if pps != nil {
		h.pps = slices.Clone(pps)
	}
}

func withLength(nal []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(nal))), nal...)
}

// nalUnits yields the units of a frame. It stops at the first length that does not fit.
func nalUnits(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(data) > 4 {
			n := int64(binary.BigEndian.Uint32(data))
			if n < 1 || n > int64(len(data)-4) || !yield(data[4:4+n]) {
				return
			}
			data = data[4+n:]
		}
	}
}

// avcConfig makes the decoder configuration (ISO 14496-15, 5.3.3.1) that a Matroska file holds, out of a key frame.
func avcConfig(key []byte) ([]byte, error) {
	var sps, pps []byte
	for nal := range nalUnits(key) {
		switch nal[0] & 0x1f {
		case nalSPS:
			sps = nal
		case nalPPS:
			pps = nal
		}
	}
	if len(sps) < 4 || pps == nil {
		return nil, errPayload
	}
	c := []byte{1, sps[1], sps[2], sps[3], 0xff, 0xe1} // version, profile, constraints, level, 4-byte lengths, one SPS
	c = binary.BigEndian.AppendUint16(c, uint16(len(sps)))
	c = append(append(c, sps...), 1)
	c = binary.BigEndian.AppendUint16(c, uint16(len(pps)))
	return append(c, pps...), nil
}
