package people

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"time"

	"huilu/internal/people/mark"
)

// Media is what a person sends, encoded: one loop of pictures and of sound,
// both beginning at a whole second. It does not change and may be shared by
// several sessions.
type Media struct {
	Person Person
	Loop   time.Duration // whole seconds; the clock strip starts again after it

	frames  []frame  // Loop*FPS pictures, the first one a key frame
	packets [][]byte // 50 Opus packets: every second sounds the same
}

// frame is one encoded picture: an H.264 access unit in Annex B, or a VP8 frame.
type frame struct {
	data []byte
	key  bool
}

// Bytes is the memory the encoded media take.
func (m *Media) Bytes() int {
	sum := 0
	for _, f := range m.frames {
		sum += len(f.data)
	}
	for _, p := range m.packets {
		sum += len(p)
	}
	return sum
}

// mediaVersion changes whenever the picture or the encoding does, so that a
// loop cached by another version is not used.
const mediaVersion = 2

// maxLoop bounds a loop in memory; a clock strip could count further.
const maxLoop = time.Hour

// Prepare draws and encodes the media of a person, or reads them from dir,
// where an earlier call left them. d is rounded up to whole seconds and is at
// least two of them. progress, which may be nil, is called with the fraction
// that is done, from 0 to 1, on the calling goroutine.
//
// A second of 720p takes 0.1 s or so of one core.
func Prepare(ctx context.Context, p Person, d time.Duration, dir string, progress func(float64)) (*Media, error) {
	p, err := p.complete()
	if err != nil {
		return nil, err
	}
	loop := max(2*time.Second, (d + time.Second - 1).Truncate(time.Second))
	if loop > maxLoop {
		return nil, fmt.Errorf("person %q: a loop of %v is longer than %v", p.Name, loop, maxLoop)
	}
	if progress == nil {
		progress = func(float64) {}
	}
	m := &Media{Person: p, Loop: loop}
	if m.frames, err = pictures(ctx, p, loop, dir, progress); err != nil {
		return nil, fmt.Errorf("picture of %q: %w", p.Name, err)
	}
	if m.packets, err = sound(ctx, p.Tone()); err != nil {
		return nil, fmt.Errorf("sound of %q: %w", p.Name, err)
	}
	progress(1)
	return m, nil
}

// pictures returns the frames of the loop, from the folder if they are there.
func pictures(ctx context.Context, p Person, loop time.Duration, dir string, progress func(float64)) ([]frame, error) {
	count := int(loop.Seconds()) * p.FPS
	file := filepath.Join(dir, cacheName(p, loop))
	if raw, err := os.ReadFile(file); err == nil {
		if frames, err := split(p.Codec, raw); err == nil && len(frames) == count {
			return frames, nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	raw, err := encode(ctx, p, count, progress)
	if err != nil {
		return nil, err
	}
	frames, err := split(p.Codec, raw)
	if err != nil {
		return nil, err
	}
	if len(frames) != count || !frames[0].key {
		return nil, fmt.Errorf("encoder made %d frames of %d, first one key: %v", len(frames), count, len(frames) > 0 && frames[0].key)
	}
	return frames, keep(file, raw)
}

func cacheName(p Person, loop time.Duration) string {
	said, _ := json.Marshal(struct {
		Version int
		Person  Person
		Loop    time.Duration
	}{mediaVersion, p, loop})
	return fmt.Sprintf("people-%x.%s", sha256.Sum256(said), p.Codec)
}

// keep writes a file so that a reader sees all of it or nothing.
func keep(file string, raw []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".people-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(raw)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}

// encode draws count frames into ffmpeg and returns its elementary stream.
//
// A key frame every half second answers every request for one: the loop was
// encoded before anybody could ask.
func encode(ctx context.Context, p Person, count int, progress func(float64)) ([]byte, error) {
	at := mark.Place(image.Rect(0, 0, p.Width, p.Height), image.Rect(nameX, nameY, 1280, nameY+88))
	name, err := paintText(ctx, p.Name, at.Dx(), at.Dy())
	if err != nil {
		return nil, err
	}
	a := newArtist(p, name)
	feed := func(w io.Writer) error {
		for n := range count {
			pic := a.draw(n)
			for _, plane := range [][]byte{pic.Y, pic.Cb, pic.Cr} {
				if _, err := w.Write(plane); err != nil {
					return err
				}
			}
			if n%p.FPS == 0 {
				progress(float64(n) / float64(count))
			}
		}
		return nil
	}
	args := []string{"-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", p.Width, p.Height),
		"-r", fmt.Sprint(p.FPS), "-i", "pipe:0", "-threads", "1"}
	gop := fmt.Sprint(max(1, p.FPS/2))
	if p.Codec == "vp8" {
		args = append(args, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1500k",
			"-g", gop, "-keyint_min", gop, "-lag-in-frames", "0", "-auto-alt-ref", "0", "-f", "ivf", "pipe:1")
	} else {
		args = append(args, "-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-tune", "zerolatency",
			"-crf", "24", "-x264-params", "aud=1:repeat-headers=1:scenecut=0:keyint="+gop+":min-keyint="+gop,
			"-f", "h264", "pipe:1")
	}
	return run(ctx, "", feed, args...)
}
