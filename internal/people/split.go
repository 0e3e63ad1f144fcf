package people

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
)

// split cuts an encoder's output into frames.
func split(codec string, raw []byte) ([]frame, error) {
	if codec == "vp8" {
		return splitIVF(raw)
	}
	return splitAnnexB(raw)
}

// NAL unit types of H.264 (table 7-1) that matter here.
const (
	nalIDR       = 5
	nalDelimiter = 9
)

// splitAnnexB cuts an H.264 stream at its access unit delimiters, which the
// encoder was told to write. A frame keeps its start codes.
func splitAnnexB(raw []byte) ([]frame, error) {
	var frames []frame
	begin := -1
	for at := range startCodes(raw) {
		if raw[at+3]&0x1f != nalDelimiter {
			continue
		}
		if begin >= 0 {
			frames = append(frames, annexBFrame(raw[begin:at]))
		} else if len(bytes.TrimLeft(raw[:at], "\x00")) > 0 {
			return nil, errors.New("H.264 stream does not begin with an access unit delimiter")
		}
		begin = at
	}
	if begin < 0 {
		return nil, errors.New("H.264 stream without access unit delimiters")
	}
	return append(frames, annexBFrame(raw[begin:])), nil
}

// startCodes yields where each 00 00 01 is that has a byte behind it.
func startCodes(raw []byte) func(func(int) bool) {
	return func(yield func(int) bool) {
		for at := 0; ; at += 3 {
			i := bytes.Index(raw[at:], []byte{0, 0, 1})
			if i < 0 || at+i+3 >= len(raw) {
				return
			}
			at += i
			if !yield(at) {
				return
			}
		}
	}
}

// annexBFrame tells whether an access unit is a key frame, and drops the zero
// that belongs to the four-byte start code of the following one.
func annexBFrame(unit []byte) frame {
	f := frame{data: bytes.TrimRight(unit, "\x00")}
	for at := range startCodes(f.data) {
		if f.data[at+3]&0x1f == nalIDR {
			f.key = true
		}
	}
	return f
}

// splitIVF takes the frames out of an IVF file. The lowest bit of a VP8 frame
// says that it is not a key frame (RFC 6386, 9.1).
func splitIVF(raw []byte) ([]frame, error) {
	r, _, err := ivfreader.NewWith(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read ivf: %w", err)
	}
	var frames []frame
	for {
		data, _, err := r.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			return frames, nil
		} else if err != nil {
			return nil, fmt.Errorf("read ivf: %w", err)
		}
		if len(data) == 0 {
			return nil, errors.New("empty frame in ivf")
		}
		frames = append(frames, frame{data: data, key: data[0]&1 == 0})
	}
}
