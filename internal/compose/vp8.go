package compose

import (
	"slices"

	"github.com/pion/rtp/codecs"
)

// smallest is the size below which a picture is not a person's: when a track closes, the SFU sends key frames of 8x8 (VP8)
// or 2x2 (H.264) pixels, so that nobody is left with a frozen face.
const smallest = 16

// vp8 reads VP8 payloads (RFC 7741) and the frame header (RFC 6386, 9.1).
type vp8 struct{}

func (vp8) head(payload []byte) bool {
	var p codecs.VP8Packet
	if _, err := p.Unmarshal(payload); err != nil {
		return false
	}
	return p.S == 1 && p.PID == 0
}

func (vp8) frame(parts [][]byte) (f frame, err error) {
	bodies := make([][]byte, len(parts))
	for i, part := range parts {
		var p codecs.VP8Packet
		if bodies[i], err = p.Unmarshal(part); err != nil {
			return f, err
		}
	}
	data := slices.Concat(bodies...)
	if len(data) < 3 {
		return f, errPayload
	}
	if data[0]&1 == 1 { // inter frame
		return frame{data: data}, nil
	}
	if len(data) < 10 || data[3] != 0x9d || data[4] != 0x01 || data[5] != 0x2a {
		return f, errPayload
	}
	f.key = true
	f.width = int(data[6]) | int(data[7]&0x3f)<<8
	f.height = int(data[8]) | int(data[9]&0x3f)<<8
	if f.width >= smallest && f.height >= smallest {
		f.data = data
	}
	return f, nil
}
