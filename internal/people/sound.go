package people

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/pion/webrtc/v4/pkg/media/oggreader"

	"huilu/internal/people/mark"
)

const (
	sampleRate   = 48000
	packetLength = 20 * time.Millisecond
	packetsASec  = int(time.Second / packetLength)

	// beepLevel leaves room for nine people who beep at once without a limiter
	// having to act.
	beepLevel = 0.1
)

// sound encodes one second of a person: a beep of a tenth, then silence. The
// packets can follow one another for ever.
//
// An Opus decoder gives back what went in later by the encoder's look-ahead
// (312 samples, 6.5 ms). A file says so in its header and players cut it off;
// RTP has no such header. So the sound goes in earlier by as much, and what a
// receiver decodes at a packet's time is what belongs to that time.
func sound(ctx context.Context, tone float64) ([][]byte, error) {
	const usualLookAhead = 312
	packets, ahead, err := encodeOpus(ctx, tone, usualLookAhead)
	if err == nil && ahead != usualLookAhead {
		packets, _, err = encodeOpus(ctx, tone, ahead)
	}
	return packets, err
}

// encodeOpus encodes three seconds and returns the packets of the middle one,
// where the encoder neither starts nor ends, and the encoder's look-ahead.
func encodeOpus(ctx context.Context, tone float64, lookAhead int) ([][]byte, int, error) {
	const seconds = 3
	feed := func(w io.Writer) error {
		pcm := make([]byte, 0, 2*seconds*sampleRate)
		for i := range seconds * sampleRate {
			v := beep(tone, (i+lookAhead)%sampleRate)
			pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(math.Round(v*32767))))
		}
		_, err := w.Write(pcm)
		return err
	}
	raw, err := run(ctx, "", feed, "-f", "s16le", "-ar", fmt.Sprint(sampleRate), "-ac", "1", "-i", "pipe:0",
		"-c:a", "libopus", "-b:a", "48k", "-frame_duration", "20", "-application", "audio",
		"-page_duration", fmt.Sprint(packetLength.Microseconds()), "-f", "ogg", "pipe:1")
	if err != nil {
		return nil, 0, err
	}
	packets, ahead, err := splitOgg(raw)
	if err != nil {
		return nil, 0, err
	}
	if len(packets) < 2*packetsASec {
		return nil, 0, fmt.Errorf("encoder made %d packets of %d", len(packets), seconds*packetsASec)
	}
	return packets[packetsASec : 2*packetsASec], ahead, nil
}

// beep is sample i of the second: a sine that begins in phase at 0 and fades
// in and out within a millisecond, so that it does not click.
func beep(tone float64, i int) float64 {
	length := int(mark.FlashLength * sampleRate / time.Second)
	if i >= length {
		return 0
	}
	const fade = sampleRate / 1000
	gain := min(1, float64(i)/fade, float64(length-i)/fade)
	return beepLevel * gain * math.Sin(2*math.Pi*tone*float64(i)/sampleRate)
}

// loudness is the audio level of packet n of a second as RTP carries it
// (RFC 6464): 0 is the loudest, 127 is silence, in -dBov.
func loudness(n int) uint8 {
	if time.Duration(n)*packetLength < mark.FlashLength {
		return uint8(math.Round(-20 * math.Log10(beepLevel/math.Sqrt2)))
	}
	return 127
}

// splitOgg takes the Opus packets out of an Ogg file that has one in each page.
func splitOgg(raw []byte) (packets [][]byte, lookAhead int, err error) {
	r, head, err := oggreader.NewWith(bytes.NewReader(raw))
	if err != nil {
		return nil, 0, fmt.Errorf("read ogg: %w", err)
	}
	for {
		page, _, err := r.ParseNextPage()
		if errors.Is(err, io.EOF) {
			return packets, int(head.PreSkip), nil
		} else if err != nil {
			return nil, 0, fmt.Errorf("read ogg: %w", err)
		}
		if !bytes.HasPrefix(page, []byte("OpusTags")) {
			packets = append(packets, page)
		}
	}
}
