// Package importer makes an existing video a finished meeting's recording.
//
//	probe ─▶ make it an MP4 every player opens (copied when it is one inside, encoded when not) ─▶ poster ─▶ store ─▶
//	one transaction: meeting, recording, minute, recording_ready
//
// Until that transaction nothing can be seen of it; a file that cannot be read leaves nothing behind.
package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huilu/internal/field"
	"huilu/internal/ident"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// ErrNotVideo means that ffmpeg finds no picture in the file.
var ErrNotVideo = errors.New("not a video file")

// Meetings, Recordings, Files and Within are what this package needs of the others.
type (
	Meetings interface {
		Adopt(ctx context.Context, owner tenant.User, topic string, startedAt time.Time, length time.Duration) (meeting.Meeting, error)
	}
	Recordings interface {
		Adopt(ctx context.Context, m meeting.Meeting) (recording.Recording, error)
		Finish(ctx context.Context, id recording.ID, token string, r recording.Result) error
	}
	Files interface {
		Put(ctx context.Context, key, path string) error
		Delete(ctx context.Context, key string) error
	}
	Within func(ctx context.Context, f func(context.Context) error) error
)

// Importer imports files.
type Importer struct {
	Work string // folder for what is being made; it holds the whole video for a while

	Meetings        Meetings
	Recordings      Recordings
	Files           Files
	Within          Within
	FFmpeg, FFprobe string
	Say             func(string) // progress for people
}

// Source is the video and whose it is.
type Source struct {
	File      string
	Owner     tenant.User
	Topic     string    // empty: the name of the file
	StartedAt time.Time // zero: so that it ended when the file was last changed
}

// Imported is the result.
type Imported struct {
	Meeting  int64
	Minute   string
	Duration time.Duration
}

// Import does the whole.
func (i *Importer) Import(ctx context.Context, s Source) (Imported, error) {
	info, err := os.Stat(s.File)
	if err != nil {
		return Imported{}, err
	}
	if s, err = s.complete(); err != nil {
		return Imported{}, err
	}
	v, err := i.probe(ctx, s.File)
	if err != nil {
		return Imported{}, err
	}
	work, err := os.MkdirTemp(i.Work, "import-")
	if err != nil {
		return Imported{}, err
	}
	defer os.RemoveAll(work)
	file, poster, err := i.convert(ctx, s.File, work, v)
	if err != nil {
		return Imported{}, err
	}
	made, err := i.probe(ctx, file)
	if err == nil && made.length == 0 {
		err = fmt.Errorf("%s: %w", s.File, ErrNotVideo)
	}
	if err != nil {
		return Imported{}, err
	}
	if lost := v.length - made.length; lost > tolerated(v.length) {
		return Imported{}, fmt.Errorf("%s: only the first %s of %s can be read; the file is damaged", s.File, made.length, v.length)
	}
	if s.StartedAt.IsZero() {
		s.StartedAt = earlier(info.ModTime(), time.Now()).Add(-made.length)
	}
	return i.keep(ctx, s, file, poster, made.length)
}

// complete fills in the title and says what is wrong before hours go into encoding.
func (s Source) complete() (Source, error) {
	if s.Topic = strings.TrimSpace(s.Topic); s.Topic == "" {
		name := strings.Map(printable, strings.ToValidUTF8(filepath.Base(s.File), ""))
		if stem := strings.TrimSuffix(name, filepath.Ext(name)); stem != "" {
			name = stem
		}
		s.Topic = string([]rune(name)[:min(len([]rune(name)), meeting.MaxTopic)])
	}
	switch n := utf8.RuneCountInString(s.Topic); {
	case n > meeting.MaxTopic || !utf8.ValidString(s.Topic) || strings.ContainsFunc(s.Topic, unicode.IsControl):
		return s, field.Invalid("topic", "must have 1 to %d characters on one line", meeting.MaxTopic)
	case s.StartedAt.After(time.Now()):
		return s, field.Invalid("started_at", "must not be in the future")
	}
	return s, nil
}

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// tolerated is how much shorter than it says a video may be: sound often lasts a little longer than the picture.
func tolerated(length time.Duration) time.Duration { return max(2*time.Second, length/50) }

// keep stores the files, then makes everything visible in one transaction.
func (i *Importer) keep(ctx context.Context, s Source, file, poster string, length time.Duration) (done Imported, err error) {
	size, sum, err := digest(file)
	if err != nil {
		return done, err
	}
	folder := string(s.Owner.Tenant) + "/import-" + ident.EventID() + "/"
	kept := recording.MinuteFile{File: folder + "recording.mp4", Poster: folder + "poster.jpg", Size: size, SHA256: sum}
	i.Say("storing")
	err = errors.Join(i.Files.Put(ctx, kept.File, file), i.Files.Put(ctx, kept.Poster, poster))
	if err == nil {
		err = i.Within(ctx, func(ctx context.Context) error {
			m, err := i.Meetings.Adopt(ctx, s.Owner, s.Topic, s.StartedAt, length)
			if err != nil {
				return err
			}
			r, err := i.Recordings.Adopt(ctx, m)
			if err != nil {
				return err
			}
			done = Imported{Meeting: m.ID, Minute: ident.Minute(), Duration: length}
			return i.Recordings.Finish(ctx, r.ID, done.Minute, recording.Result{Minute: kept, Duration: length})
		})
	}
	if err != nil {
		clean := context.WithoutCancel(ctx)
		_, _ = i.Files.Delete(clean, kept.File), i.Files.Delete(clean, kept.Poster) // may not be there
	}
	return done, err
}

// video is what ffprobe says of a file.
type video struct {
	length   time.Duration // zero when the file does not say, as those that browsers record
	copyable bool          // H.264 in the common pixel format, and AAC or no sound
}

// formats are the containers that are opened. Others, such as playlists, make ffmpeg open further files, whoever they belong to.
const formats = "mov,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,wav,h264,hevc,mpegvideo,m4v,ivf,mxf,rm,gxf,dv"

func (i *Importer) probe(ctx context.Context, file string) (v video, err error) {
	out, err := exec.CommandContext(ctx, i.FFprobe, "-v", "error", "-format_whitelist", formats, "-of", "json", "-show_entries",
		"format=duration:stream=codec_type,codec_name,pix_fmt:stream_disposition=attached_pic", "file:"+file).Output()
	switch {
	case ctx.Err() != nil:
		return v, ctx.Err()
	case isExit(err):
		return v, fmt.Errorf("%s: %w: %s", file, ErrNotVideo, lastLine(err))
	case err != nil:
		return v, fmt.Errorf("ffprobe cannot be started, install ffmpeg or correct composer.ffprobe: %w", err)
	}
	var p struct {
		Streams []struct {
			Type        string `json:"codec_type"`
			Codec       string `json:"codec_name"`
			Format      string `json:"pix_fmt"`
			Disposition struct {
				Cover int `json:"attached_pic"` // the cover of a song is no video
			} `json:"disposition"`
		} `json:"streams"`
		Format struct {
			Duration string `json:"duration"`
		} `json:"format"`
	}
	if err := json.Unmarshal(out, &p); err != nil {
		return v, fmt.Errorf("ffprobe: %w", err)
	}
	pictures := 0
	v.copyable = true
	for _, s := range p.Streams {
		switch {
		case s.Type == "video" && s.Disposition.Cover == 0:
			pictures++
			v.copyable = v.copyable && s.Codec == "h264" && s.Format == "yuv420p"
		case s.Type == "audio":
			v.copyable = v.copyable && s.Codec == "aac"
		}
	}
	if pictures == 0 {
		return v, fmt.Errorf("%s: %w", file, ErrNotVideo)
	}
	seconds, err := strconv.ParseFloat(p.Format.Duration, 64)
	if err != nil || seconds <= 0 {
		v.copyable = false // whoever does not know how long it is may have written times that do not fit together
		return v, nil
	}
	v.length = time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
	return v, nil
}

// convert leaves an MP4 with its index in front, and a picture from a second in.
func (i *Importer) convert(ctx context.Context, from, work string, v video) (file, poster string, err error) {
	file, poster = filepath.Join(work, "recording.mp4"), filepath.Join(work, "poster.jpg")
	codec := []string{"-c", "copy"}
	i.Say("copying the streams into an MP4")
	if !v.copyable {
		i.Say("encoding to H.264 and AAC; this takes a while")
		codec = []string{"-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p", "-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2", "-c:a", "aac", "-b:a", "128k"}
	}
	// Nothing else of the file goes along: phones write down where they were.
	args := append([]string{"-map", "0:v:0", "-map", "0:a:0?", "-map_metadata", "-1", "-map_chapters", "-1"}, codec...)
	if err := i.ffmpeg(ctx, from, append(args, "-movflags", "+faststart", file)...); err != nil {
		return "", "", err
	}
	at := min(time.Second, v.length/2) // the first picture when the length is not known
	return file, poster, i.ffmpeg(ctx, file, "-ss", fmt.Sprintf("%.3f", at.Seconds()), "-frames:v", "1", "-q:v", "3", poster)
}

func (i *Importer) ffmpeg(ctx context.Context, from string, args ...string) error {
	all := append([]string{"-nostdin", "-v", "error", "-y", "-format_whitelist", formats, "-i", "file:" + from}, args...)
	if _, err := exec.CommandContext(ctx, i.FFmpeg, all...).Output(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("ffmpeg: %w: %s", err, lastLine(err))
	}
	return nil
}

// isExit says whether a program ran, and said no.
func isExit(err error) bool {
	_, exited := errors.AsType[*exec.ExitError](err)
	return exited
}

// lastLine is what a child process said last.
func lastLine(err error) string {
	exit, exited := errors.AsType[*exec.ExitError](err)
	if !exited {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
	return lines[len(lines)-1]
}

func digest(file string) (int64, string, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return n, hex.EncodeToString(h.Sum(nil)), err
}
