package examine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// box writes the bytes of a box.
func box(kind string, body int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+body))
	return append(append(b, kind...), make([]byte, body)...)
}

// largeBox writes a box with a 64-bit size.
func largeBox(kind string, body int) []byte {
	b := binary.BigEndian.AppendUint32(nil, 1)
	b = binary.BigEndian.AppendUint64(append(b, kind...), uint64(16+body))
	return append(b, make([]byte, body)...)
}

func TestFastStartIsTheOrderOfTheBoxes(t *testing.T) {
	t.Parallel()
	open := append([]byte{0, 0, 0, 0}, "mdat and to the end"...)
	for name, c := range map[string]struct {
		file []byte
		want bool
	}{
		"index first":  {bytes.Join([][]byte{box("ftyp", 16), box("moov", 100), box("mdat", 9)}, nil), true},
		"media first":  {bytes.Join([][]byte{box("ftyp", 16), box("mdat", 9), box("moov", 100)}, nil), false},
		"large boxes":  {bytes.Join([][]byte{box("ftyp", 16), largeBox("mdat", 70000), box("moov", 1)}, nil), false},
		"open end":     {bytes.Join([][]byte{box("free", 0), box("moov", 1), open}, nil), true},
		"without both": {box("ftyp", 4), false},
	} {
		boxes, err := Boxes(bytes.NewReader(c.file), int64(len(c.file)))
		if err != nil || FastStart(boxes) != c.want {
			t.Errorf("%s: fast start %v, %v; want %v", name, FastStart(boxes), err, c.want)
		}
	}
}

func TestBytesThatAreNoBoxesAreRefused(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{
		"empty":             nil,
		"seven bytes":       make([]byte, 7),
		"size below header": {0, 0, 0, 4, 'm', 'o', 'o', 'v'},
		"beyond the end":    {0, 0, 1, 0, 'm', 'o', 'o', 'v'},
		"large, cut":        {0, 0, 0, 1, 'm', 'o', 'o', 'v', 0, 0},
		"large, negative":   {0, 0, 0, 1, 'm', 'o', 'o', 'v', 255, 0, 0, 0, 0, 0, 0, 0},
		"rest":              append(box("ftyp", 0), 1, 2, 3),
	} {
		if b, err := Boxes(bytes.NewReader(file), int64(len(file))); !errors.Is(err, ErrNotMP4) {
			t.Errorf("%s: %v, %v; want ErrNotMP4", name, b, err)
		}
	}
}

func FuzzBoxes(f *testing.F) {
	f.Add(bytes.Join([][]byte{box("ftyp", 16), box("moov", 4), largeBox("mdat", 9)}, nil))
	f.Fuzz(func(t *testing.T, file []byte) {
		boxes, err := Boxes(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		at := int64(0)
		for _, b := range boxes {
			if b.Offset != at || b.Size < 8 {
				t.Fatalf("box %+v at %d", b, at)
			}
			at += b.Size
		}
		if at != int64(len(file)) {
			t.Fatalf("boxes end at %d of %d", at, len(file))
		}
	})
}

func FuzzParsePacket(f *testing.F) {
	f.Add("stream_index=0|pts=0|dts=-512|duration=512|flags=K_")
	f.Add("stream_index=1|pts=N/A|dts=N/A|duration=N/A|flags=__")
	f.Fuzz(func(t *testing.T, line string) {
		if p, err := parsePacket(line); err == nil && p == (packet{}) && len(line) < len("stream_index=0|pts=0|dts=0") {
			t.Fatalf("%q was read as a packet", line)
		}
	})
}
