package examine

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"huilu/internal/people/mark"
)

// lookAt decodes the video and shows it to an eye.
func (r *Report) lookAt(ctx context.Context, o Options) (*eye, error) {
	video := r.Probe.Stream("video")
	if video == nil || video.Packets == 0 {
		return newEye(o.Tiles, o.Loop, 1), nil
	}
	frame := 1 / max(video.FrameRate, 1)
	e := newEye(o.Tiles, o.Loop, frame)
	watch := func(in io.Reader) error {
		for n := 0; ; n++ {
			pix := e.canvas(video.Width, video.Height)
			if _, err := io.ReadFull(in, pix.Pix); errors.Is(err, io.EOF) {
				e.end()
				return nil
			} else if err != nil {
				return fmt.Errorf("frame %d: %w", n, err)
			}
			// Frames come out in the order of their presentation times, one for each packet.
			at := video.times[min(n, len(video.times)-1)]
			e.look(at, pix)
			if n%100 == 0 {
				o.Progress(0.9 * float64(n) / float64(video.Packets))
			}
		}
	}
	complaint, err := child(ctx, watch, "ffmpeg", "-v", "error", "-nostdin", "-i", "file:"+r.File, "-map", "0:v:0",
		"-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1")
	r.Complaint += complaint
	return e, err
}

// listenTo decodes the sound and lets an ear hear it. With -copyts and
// first_pts=0 sample n is at n/rate seconds of the file, whatever the edit
// list says about where the sound begins.
func (r *Report) listenTo(ctx context.Context) ([]Beep, error) {
	audio := r.Probe.Stream("audio")
	if audio == nil || audio.Packets == 0 {
		return nil, nil
	}
	var everyone []int
	for i := range mark.MaxPeople {
		everyone = append(everyone, i)
	}
	e := newEar(everyone)
	listen := func(in io.Reader) error {
		in = bufio.NewReaderSize(in, 1<<16)
		raw, samples := make([]byte, 4*rate/10), make([]float32, 0, rate/10)
		for {
			n, err := io.ReadFull(in, raw)
			samples = samples[:0]
			for i := 0; i+4 <= n; i += 4 {
				samples = append(samples, math.Float32frombits(binary.LittleEndian.Uint32(raw[i:])))
			}
			e.listen(samples)
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	complaint, err := child(ctx, listen, "ffmpeg", "-v", "error", "-nostdin", "-copyts", "-i", "file:"+r.File, "-map", "0:a:0",
		"-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", fmt.Sprint(rate), "-f", "f32le", "pipe:1")
	r.Complaint += complaint
	e.end()
	return e.Beeps, err
}
