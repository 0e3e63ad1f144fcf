package compose

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// packed cuts encoded frames into payloads, as a sender does.
func packed(codec string, frame []byte) [][]byte {
	var p rtp.Payloader = &codecs.VP8Payloader{EnablePictureID: true}
	if codec == "h264" {
		p = &codecs.H264Payloader{}
	}
	return p.Payload(600, frame)
}

func readerOf(codec string) payloads {
	if codec == "h264" {
		return &h264{}
	}
	return vp8{}
}

func TestFrameSizesAreReadFromKeyFrames(t *testing.T) {
	t.Parallel()
	for _, codec := range []string{"vp8", "h264"} {
		for _, size := range []shape{{320, 180}, {426, 240}, {640, 360}, {180, 320}} {
			r := develop(t, rollKey{who: 1, codec: codec, w: size.w, h: size.h, fps: 30, frames: 2, gop: 30})
			c := readerOf(codec)
			p := packed(codec, r.frames[0])
			f, err := c.frame(p)
			if err != nil || !f.key || (shape{f.width, f.height}) != size {
				t.Errorf("%s %v: key %v, %dx%d, %v", codec, size, f.key, f.width, f.height, err)
			}
			if !c.head(p[0]) {
				t.Errorf("%s %v: the first packet is not taken for one", codec, size)
			}
			for i, part := range p[1:] {
				if codec == "vp8" && c.head(part) {
					t.Errorf("%s %v: packet %d is taken for the first", codec, size, i+1)
				}
			}
			if f, err := c.frame(packed(codec, r.frames[1])); err != nil || f.key || len(f.data) == 0 {
				t.Errorf("%s %v: second frame: %+v %v", codec, size, f, err)
			}
		}
	}
}

func TestPicturesTheServerMakesUpAreLeftOut(t *testing.T) {
	t.Parallel()
	// What an SFU sends when a track is muted or closed: a key frame of 8x8 (VP8) or of 2x2 (H.264; encoders pad it to one
	// macroblock and crop).
	blankVP8 := []byte{0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x08, 0x00, 0x08, 0x00, 0, 0}
	if f, err := (vp8{}).frame(packed("vp8", blankVP8)); err != nil || f.data != nil {
		t.Errorf("VP8: %+v %v", f, err)
	}
	blank := develop(t, rollKey{who: 1, codec: "h264", w: 2, h: 2, fps: 30, frames: 1, gop: 1})
	real := develop(t, rollKey{who: 1, codec: "h264", w: 320, h: 180, fps: 30, frames: 2, gop: 30})
	c := &h264{}
	for i, want := range []struct {
		frame []byte
		blank bool
	}{{real.frames[0], false}, {blank.frames[0], true}, {real.frames[1], false}} {
		f, err := c.frame(packed("h264", want.frame))
		if err != nil || (f.data == nil) != want.blank {
			t.Errorf("H.264 frame %d: blank %v, want %v, %v", i, f.data == nil, want.blank, err)
		}
	}
	if w, h, err := spsSize(c.sps); w != 320 || h != 180 || err != nil {
		t.Errorf("the blank picture's parameters were kept: %dx%d %v", w, h, err)
	}
}

func TestKeyFramesCarryTheirParameters(t *testing.T) {
	t.Parallel()
	r := develop(t, rollKey{who: 1, codec: "h264", w: 320, h: 180, fps: 30, frames: 2, gop: 1})
	c := &h264{}
	whole, err := c.frame(packed("h264", r.frames[0]))
	if err != nil {
		t.Fatal(err)
	}
	var slices [][]byte // the same without SPS and PPS, which some senders ship once
	for nal := range nalUnits(whole.data) {
		if nal[0]&0x1f == nalIDR {
			slices = append(slices, nal)
		}
	}
	again, err := c.frame(slices)
	if err != nil || !again.key || again.width != 320 {
		t.Fatalf("%+v %v", again, err)
	}
	config, err := avcConfig(again.data)
	if err != nil || config[0] != 1 || !bytes.Contains(config, c.sps) || !bytes.Contains(config, c.pps) {
		t.Errorf("config %x, %v", config, err)
	}
	if _, err := (&h264{}).frame(slices); err == nil {
		t.Error("a key frame without any parameters was taken")
	}
}

// The second slice of a picture looks like a frame to RTP; only its header says that it does not begin one.
func TestLaterSliceDoesNotBeginAPicture(t *testing.T) {
	for _, c := range []struct {
		name    string
		payload []byte
		want    bool
	}{
		{"first slice", []byte{0x65, 0x88}, true},
		{"second slice", []byte{0x65, 0x48}, false},
		{"parameters", []byte{0x67, 0x42}, true},
		{"parameters, several in one", []byte{0x78, 0, 4, 0x67, 0x42}, true},
		{"start of a fragmented first slice", []byte{0x7c, 0x85, 0x88}, true},
		{"start of a fragmented second slice", []byte{0x7c, 0x85, 0x48}, false},
		{"middle of a fragmented slice", []byte{0x7c, 0x05, 0x88}, false},
		{"nothing", []byte{0x65}, false},
	} {
		if got := (&h264{}).head(c.payload); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestOpusLengths(t *testing.T) {
	for _, c := range []struct {
		packet []byte
		want   time.Duration
	}{
		{nil, 0},
		{[]byte{0xfc, 1, 2}, 20 * milli}, // CELT, 20 ms, one frame
		{[]byte{0x80, 1, 2}, 2500 * time.Microsecond}, // CELT, 2.5 ms
		{[]byte{0x18, 1, 2}, 60 * milli},              // SILK, 60 ms
		{[]byte{0x09, 1, 2}, 40 * milli},              // SILK, 20 ms, two frames
		{[]byte{0x0b, 6, 2}, 120 * milli},             // SILK, 20 ms, six frames
		{[]byte{0x0b, 7, 2}, 0},                       // longer than any packet
		{[]byte{0x0b}, 0},
	} {
		if got := opusLength(c.packet); got != c.want {
			t.Errorf("%x: %v, want %v", c.packet, got, c.want)
		}
	}
	if f, err := (opus{}).frame([][]byte{{0xf8}}); err != nil || f.data != nil {
		t.Errorf("silence: %+v %v, want nothing", f, err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(byte(0), []byte{0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x08, 0x00, 0x08, 0x00})
	f.Add(byte(1), []byte{0x78, 0, 4, 0x67, 0x42, 0, 0x1f, 0, 2, 0x68, 0xce, 0, 2, 0x65, 0x88})
	f.Add(byte(1), []byte{0x7c, 0x85, 0x88, 0x7c, 0x45, 1})
	f.Add(byte(2), []byte{0x0b, 6, 2})
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		codec := []payloads{vp8{}, &h264{}, opus{}}[which%3]
		half := len(b) / 2
		for _, parts := range [][][]byte{{b}, {b[:half], b[half:]}} {
			codec.head(parts[0])
			got, err := codec.frame(parts)
			if err == nil && got.key && got.data != nil && which%3 < 2 && (got.width < smallest || got.height < smallest) {
				t.Errorf("a key frame of %dx%d", got.width, got.height)
			}
			if which%3 == 1 && err == nil && got.key && got.data != nil {
				if _, err := avcConfig(got.data); err != nil {
					t.Errorf("a key frame without parameters: %v", err)
				}
			}
		}
		parseReport(b)
	})
}

func FuzzSPS(f *testing.F) {
	f.Add([]byte{0x67, 0x42, 0xc0, 0x0d, 0xd9, 0x01, 0x41, 0xfa, 0x10})
	f.Add([]byte{0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb})
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, h, err := spsSize(b); err == nil && (w < 1 || h < 1 || w > 1<<15 || h > 1<<15) {
			t.Errorf("%dx%d", w, h)
		}
	})
}
