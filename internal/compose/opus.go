package compose

import (
	"slices"
	"time"
)

// opus reads Opus payloads (RFC 7587): each packet is a frame that can be decoded by itself.
type opus struct{}

func (opus) head([]byte) bool { return true }

// frame leaves out packets that carry no sound: in silence a sender ships a byte or two now and then (DTX), and the mixer
// fills what is not there with silence anyway.
func (opus) frame(parts [][]byte) (f frame, err error) {
	data := slices.Concat(parts...)
	if opusLength(data) == 0 {
		return f, errPayload
	}
	f.key = true
	if len(data) > 2 {
		f.data = data
	}
	return f, nil
}

// opusLength returns how long a packet sounds, from its first bytes (RFC 6716, 3.1 and 3.2); 0 when it is not Opus.
func opusLength(p []byte) time.Duration {
	if len(p) == 0 {
		return 0
	}
	var each time.Duration
	config := p[0] >> 3
	switch {
	case config < 12: // SILK
		each = [4]time.Duration{10, 20, 40, 60}[config%4] * time.Millisecond
	case config < 16: // hybrid
		each = [2]time.Duration{10, 20}[config%2] * time.Millisecond
	default: // CELT
		each = 2500 * time.Microsecond << (config % 4)
	}
	count := time.Duration(1)
	switch p[0] & 3 {
	case 1, 2:
		count = 2
	case 3:
		if len(p) < 2 {
			return 0
		}
		count = time.Duration(p[1] & 0x3f)
	}
	if each*count > 120*time.Millisecond {
		return 0
	}
	return each * count
}
