package compose

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The files of a result.
const (
	ResultFile = "recording.mp4"
	PosterFile = "poster.jpg"
)

// finish joins, checks and hands over.
func (k *composition) finish(ctx context.Context, sound string) (Result, error) {
	k.progress(Progress{Step: "join", Done: shareConvert + shareCompose})
	file, err := k.join(ctx, sound)
	if err != nil {
		if !surroundings(err) {
			k.forget(sound) // one of them must be broken, and nobody knows which
		}
		return Result{}, fmt.Errorf("join: %w", err)
	}
	checks, err := k.check(ctx, file)
	if err != nil {
		return Result{}, fmt.Errorf("check: %w", err)
	}
	if err := refused(checks); err != nil {
		k.forget(sound)
		return Result{}, err
	}
	poster := filepath.Join(k.folder("jobs"), PosterFile)
	if err := k.poster(ctx, file, poster); err != nil {
		return Result{}, fmt.Errorf("poster: %w", err)
	}
	return k.handOver(file, poster, checks)
}

// handOver describes the file and puts it into Out.
func (k *composition) handOver(file, poster string, checks []Check) (r Result, err error) {
	slices.SortStableFunc(k.defects, func(a, b Defect) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Track, b.Track), cmp.Compare(a.Kind, b.Kind))
	})
	r = Result{
		File: filepath.Join(k.in.Out, ResultFile), Poster: filepath.Join(k.in.Out, PosterFile),
		Duration: position(k.story.frames()), Checks: checks, StartedAt: k.started(), Participants: k.participants(),
		Windows: Windows{Total: len(k.windows), Reused: k.reused}, Defects: k.defects,
	}
	if r.Size, r.SHA256, err = digest(file); err != nil {
		return Result{}, err
	}
	if err := errors.Join(publish(poster, r.Poster), publish(file, r.File)); err != nil {
		return Result{}, fmt.Errorf("hand over: %w", err)
	}
	k.progress(Progress{Step: "check", Done: 1, At: r.Duration, Of: r.Duration})
	return r, nil
}

// join copies windows and sound into one file with its index in front.
func (k *composition) join(ctx context.Context, sound string) (string, error) {
	var list strings.Builder
	list.WriteString("ffconcat version 1.0\n")
	for _, w := range k.windows { // names are hashes: nothing to escape
		fmt.Fprintf(&list, "file %s.mp4\nduration %.9f\n", w.key, position(w.frames).Seconds())
	}
	names := filepath.Join(k.folder("windows"), "list.ffconcat")
	if err := os.WriteFile(names, []byte(list.String()), 0o640); err != nil {
		return "", err
	}
	out := filepath.Join(k.folder("jobs"), ResultFile)
	title := strings.ToValidUTF8(strings.ReplaceAll(k.render.artist.topic, "\x00", ""), "")
	_, err := k.tools.run(ctx, command{program: k.tools.ffmpeg, limit: 10*time.Minute + position(k.story.frames()), args: []string{
		"-nostdin", "-hide_banner", "-v", "error", "-y", "-f", "concat", "-i", names, "-i", sound,
		"-map", "0:v:0", "-map", "1:a:0", "-c", "copy", "-map_metadata", "-1", "-metadata", "title=" + title,
		"-metadata", "creation_time=" + k.started().Format(time.RFC3339), "-video_track_timescale", "90000",
		"-movflags", "+faststart", "-f", "mp4", out,
	}})
	return out, err
}

// poster takes a picture out of the file: some seconds in, where most people are seen.
func (k *composition) poster(ctx context.Context, file, out string) error {
	at := position(posterFrame(k.epochs)).Seconds()
	_, err := k.tools.run(ctx, command{program: k.tools.ffmpeg, limit: 5 * time.Minute, args: []string{
		"-nostdin", "-hide_banner", "-v", "error", "-y", "-ss", fmt.Sprintf("%.6f", at), "-i", file,
		"-frames:v", "1", "-q:v", "3", "-f", "mjpeg", out,
	}})
	return err
}

// posterFrame chooses the frame for the poster: three seconds into the first epoch with most pictures, or its middle when
// it is shorter. Epochs under a second do not count, unless there are no others.
func posterFrame(all []epoch) int {
	best, most := all[0], -1
	for _, e := range all {
		moving := 0
		for _, t := range e.tiles {
			if t.clip != nil {
				moving++
			}
		}
		if e.frames < FrameRate {
			moving = 0
		}
		if moving > most {
			best, most = e, moving
		}
	}
	return best.from + min(3*FrameRate, best.frames/2)
}

func (k *composition) participants() (all []Participant) {
	for _, who := range k.story.people {
		last := who.here[len(who.here)-1]
		all = append(all, Participant{ID: who.id, Name: who.name,
			Joined: k.story.place(who.here[0].from), Left: k.story.place(last.to - 1)})
	}
	return all
}

// refused returns an error when a check failed. Another attempt makes everything anew, see forget.
func refused(checks []Check) error {
	var bad []string
	for _, c := range checks {
		if !c.OK {
			bad = append(bad, fmt.Sprintf("%s is %s, limit %s", c.Name, c.Measured, c.Limit))
		}
	}
	if bad == nil {
		return nil
	}
	return &CheckError{Checks: checks, text: strings.Join(bad, "; ")}
}

// CheckError is a file that was made and did not pass. It was thrown away; another attempt makes everything anew.
type CheckError struct {
	Checks []Check
	text   string
}

func (e *CheckError) Error() string { return "the file did not pass its checks: " + e.text }

// forget removes what a bad file was made of.
func (k *composition) forget(sound string) {
	for _, w := range k.windows {
		os.Remove(k.render.file(w.key, ".mp4"))
		os.Remove(k.render.file(w.key, ".luma"))
	}
	os.Remove(sound)
}

// digest returns a file's size and SHA-256.
func digest(name string) (size int64, sum string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return 0, "", err
	}
	return size, hex.EncodeToString(h.Sum(nil)), nil
}

// publish moves a finished file to its place, whole or not at all, also when that is on another disk.
func publish(from, to string) error {
	if err := syncFile(from); err != nil {
		return err
	}
	if os.Rename(from, to) == nil {
		return syncDir(filepath.Dir(to))
	}
	temp := to + ".tmp"
	if err := copyFile(from, temp); err != nil {
		return err
	}
	return errors.Join(os.Rename(temp, to), syncDir(filepath.Dir(to)))
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
