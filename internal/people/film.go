package people

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"
)

// Film writes the loop as an MP4: what a perfect recording of the person alone
// would be. It is the ruler that the examiner is held against, and a file to
// import. late is by how much the sound is behind the picture (negative: ahead).
//
// Only H.264 can be filmed.
func (m *Media) Film(ctx context.Context, file string, late time.Duration) error {
	if m.Person.Codec != "h264" {
		return fmt.Errorf("film %q: codec %s, need h264", m.Person.Name, m.Person.Codec)
	}
	dir, err := os.MkdirTemp("", "huilu-film-")
	if err != nil {
		return fmt.Errorf("film %q: %w", m.Person.Name, err)
	}
	defer os.RemoveAll(dir)
	var stream []byte
	for _, f := range m.frames {
		stream = append(stream, f.data...)
	}
	if err := os.WriteFile(filepath.Join(dir, "picture.h264"), stream, 0o600); err != nil {
		return fmt.Errorf("film %q: %w", m.Person.Name, err)
	}
	if file, err = filepath.Abs(file); err != nil {
		return fmt.Errorf("film %q: %w", m.Person.Name, err)
	}
	_, err = run(ctx, dir, func(w io.Writer) error { return m.pcm(w, late) },
		"-r", fmt.Sprint(m.Person.FPS), "-f", "h264", "-i", "picture.h264",
		"-f", "s16le", "-ar", fmt.Sprint(sampleRate), "-ac", "1", "-i", "pipe:0",
		"-map", "0:v", "-map", "1:a", "-c:v", "copy", "-video_track_timescale", "90000",
		"-c:a", "aac", "-b:a", "128k", "-ac", "2", "-movflags", "+faststart", "-f", "mp4", "file:"+file)
	if err != nil {
		return fmt.Errorf("film %q: %w", m.Person.Name, err)
	}
	return nil
}

// pcm writes the sound of the whole loop as 16-bit samples.
func (m *Media) pcm(w io.Writer, late time.Duration) error {
	shift := int(late * sampleRate / time.Second)
	for second := range int(m.Loop / time.Second) {
		raw := make([]byte, 0, 2*sampleRate)
		for i := range sampleRate {
			at := second*sampleRate + i - shift
			v := beep(m.Person.Tone(), (at%sampleRate+sampleRate)%sampleRate)
			raw = binary.LittleEndian.AppendUint16(raw, uint16(int16(math.Round(v*32767))))
		}
		if _, err := w.Write(raw); err != nil {
			return err
		}
	}
	return nil
}
