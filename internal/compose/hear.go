package compose

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

const (
	listenRate = 8000 // samples per second; enough to hear whether there is anything

	// silent is the highest sample of what counts as silence: -66 dBFS. Who is told to speak is louder than -35.
	silent = 16
)

// listen reads 16-bit samples and returns the highest of each second.
func listen(in io.Reader) (loudness []int, err error) {
	second := make([]byte, 2*listenRate)
	for {
		n, err := io.ReadFull(in, second)
		high := 0
		for b := second[:n&^1]; len(b) > 0; b = b[2:] {
			high = max(high, int(absolute(int64(int16(binary.LittleEndian.Uint16(b))))))
		}
		if n > 0 {
			loudness = append(loudness, high)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return loudness, nil
		} else if err != nil {
			return nil, err
		}
	}
}

// hear compares the sound with what the SFU heard: in most of the seconds in which somebody spoke, something must be
// heard. It tells a defect and refuses nothing: whom an SFU holds for a speaker is an estimate.
func (k *composition) hear(loudness []int) {
	spoken, missing := 0, 0
	for n, high := range loudness {
		if !k.story.spoken(time.Duration(n) * time.Second) {
			continue
		}
		if spoken++; high <= silent {
			missing++
		}
	}
	if missing > 2 && missing > spoken/2 {
		k.defect(Defect{Kind: DefectSound,
			Detail: fmt.Sprintf("in %d of %d seconds in which somebody spoke nothing is heard", missing, spoken)})
	}
}

// spoken says whether, for the whole second from a place in the file on, somebody with a microphone was speaking.
func (s *story) spoken(from time.Duration) bool {
	for _, p := range s.parts {
		begin := position(p.first)
		if from < begin || from+time.Second > begin+position(p.frames) {
			continue
		}
		at := span{p.from + int64(from-begin), p.from + int64(from-begin+time.Second)}
		n, _ := slices.BinarySearchFunc(s.speakers, at.from+1, func(v voiced, t int64) int { return int(v.at - t) })
		if n == 0 || s.speakers[n-1].at < p.from || n < len(s.speakers) && s.speakers[n].at < at.to {
			return false
		}
		return s.speaks(s.speakers[n-1], at)
	}
	return false
}

func (s *story) speaks(v voiced, at span) bool {
	for _, who := range s.people {
		if !slices.Contains(v.ids, who.id) {
			continue
		}
		for _, c := range who.voice {
			if c.from <= at.from && at.to <= c.to {
				return true
			}
		}
	}
	return false
}
