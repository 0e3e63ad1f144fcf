package examine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Box is one top-level box of an MP4 file (ISO/IEC 14496-12, 4.2).
type Box struct {
	Type   string `json:"type"` // four characters: ftyp, moov, mdat, …
	Offset int64  `json:"offset"`
	Size   int64  `json:"size"` // header included
}

// ErrNotMP4 says that the bytes are not a sequence of boxes.
var ErrNotMP4 = errors.New("not an MP4 file")

// maxBoxes bounds what a hostile file can make us keep: a fragmented recording
// of a day has fewer.
const maxBoxes = 1 << 18

// Boxes lists the top-level boxes of a file of that size. Errors wrap ErrNotMP4
// or come from r.
func Boxes(r io.ReaderAt, size int64) ([]Box, error) {
	var boxes []Box
	for at := int64(0); at < size; {
		b, err := readBox(r, at, size)
		if err != nil {
			return nil, err
		}
		if len(boxes) == maxBoxes {
			return nil, fmt.Errorf("%w: more than %d boxes", ErrNotMP4, maxBoxes)
		}
		boxes = append(boxes, b)
		at += b.Size
	}
	if len(boxes) == 0 {
		return nil, fmt.Errorf("%w: empty", ErrNotMP4)
	}
	return boxes, nil
}

// readBox reads the header of the box at that offset.
func readBox(r io.ReaderAt, at, size int64) (Box, error) {
	var head [16]byte
	n := min(int64(len(head)), size-at)
	if n < 8 {
		return Box{}, fmt.Errorf("%w: %d bytes left over at %d", ErrNotMP4, n, at)
	}
	if _, err := r.ReadAt(head[:n], at); err != nil && !errors.Is(err, io.EOF) {
		return Box{}, fmt.Errorf("read box at %d: %w", at, err)
	}
	b := Box{Type: string(head[4:8]), Offset: at}
	least := int64(8)
	switch length := binary.BigEndian.Uint32(head[:4]); length {
	case 0: // to the end of the file
		b.Size = size - at
	case 1: // the real size follows the type
		least = 16
		b.Size = int64(binary.BigEndian.Uint64(head[8:]))
	default:
		b.Size = int64(length)
	}
	if b.Size < least || b.Size > size-at {
		return Box{}, fmt.Errorf("%w: box %q at %d has size %d of %d left", ErrNotMP4, b.Type, at, b.Size, size-at)
	}
	return b, nil
}

// FastStart reports whether a player can begin before it has all of the file:
// the index (moov) comes before the media (mdat).
func FastStart(boxes []Box) bool {
	for _, b := range boxes {
		switch b.Type {
		case "moov":
			return true
		case "mdat":
			return false
		}
	}
	return false
}
