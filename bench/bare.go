package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"huilu/internal/capture"
)

// bare is the baseline of composing: one run of ffmpeg that makes the picture and the sound of a film from files, in one
// pass, with all the processors it wants. It has the filter graphs, the drawn background and names, and the encoder's
// settings of the composer's own runs. It has none of what makes a recording trustworthy: no windows, no look at what goes
// into the encoder, no check of the result.
type bare struct {
	folder string
	args   []string
}

// run makes the film.
func (b *bare) run(ctx context.Context) (cost, error) {
	return costOf(func() error { return ffmpeg(ctx, nil, b.args...) })
}

func ffmpeg(ctx context.Context, stdin []byte, args ...string) error {
	cmd := exec.CommandContext(ctx, "ffmpeg", append([]string{"-nostdin", "-hide_banner", "-v", "error", "-y"}, args...)...)
	if stdin != nil {
		cmd.Args = slices.DeleteFunc(cmd.Args, func(a string) bool { return a == "-nostdin" })
		cmd.Stdin = strings.NewReader(string(stdin))
	}
	out, err := cmd.CombinedOutput()
	if err == nil && len(out) > 0 {
		err = errors.New("it complains")
	}
	if err != nil {
		return fmt.Errorf("ffmpeg: %w: %.300s", err, out)
	}
	return nil
}

// spy stands in for ffmpeg: it keeps the arguments and inputs of each run in a folder of its own, and goes on as ffmpeg.
const spy = `#!/bin/sh
set -eu
kept=$(mktemp -d '%s/run-XXXXXX')
printf '%%s\n' "$@" > "$kept/args"
for a in "$@"; do
	case "$a" in *.png | *.mkv) cp "$a" "$kept/" ;; esac
done
exec ffmpeg "$@"
`

// kept is one run of ffmpeg that the spy saw.
type kept struct {
	folder string
	args   []string
}

// after returns the argument behind a flag.
func (k kept) after(flag string) string {
	if i := slices.Index(k.args, flag); i >= 0 && i+1 < len(k.args) {
		return k.args[i+1]
	}
	return ""
}

// between returns the arguments behind one and before the next other.
func (k kept) between(one, other string) []string {
	from := slices.Index(k.args, one) + 1
	n := slices.Index(k.args[from:], other)
	if from == 0 || n < 0 {
		return nil
	}
	return k.args[from : from+n]
}

// inputs returns the files of a kind that the run read, in order.
func (k kept) inputs(suffix string) (files []string) {
	for i, a := range k.args {
		if a == "-i" && strings.HasSuffix(k.args[i+1], suffix) {
			files = append(files, filepath.Join(k.folder, filepath.Base(k.args[i+1])))
		}
	}
	return files
}

// newBare lets the composer work once, with the spy, and puts its runs together to one.
func (e *env) newBare(ctx context.Context, f *film, folder string) (*bare, error) {
	b := &bare{folder: folder}
	picture, sound, err := b.observe(ctx, f)
	if err != nil {
		return nil, err
	}
	tracks, err := b.tracks(ctx, f.capture)
	if err != nil {
		return nil, err
	}
	pictures := picture.inputs(".png")
	if len(pictures) != len(tracks)+1 {
		return nil, fmt.Errorf("%d tracks, and pictures %v", len(tracks), pictures)
	}
	graph, err := oneGraph(picture.after("-filter_complex"), sound.after("-filter_complex"), 2*len(tracks)+1)
	if err != nil {
		return nil, err
	}
	b.args = []string{"-framerate", "30", "-i", pictures[0]}
	for _, t := range tracks {
		b.args = append(b.args, "-reinit_filter", "0", "-i", t)
	}
	for _, in := range append(pictures[1:], sound.inputs(".mkv")...) {
		b.args = append(b.args, "-i", in)
	}
	frames := strconv.Itoa(int(f.length.Seconds()*30 + 0.5))
	b.args = append(b.args, "-filter_complex", graph, "-map", "[picture]", "-frames:v", frames)
	b.args = append(b.args, picture.between(picture.after("-frames:v"), "-threads")...)
	b.args = append(append(b.args, "-map", "[sound]"), sound.between("[sound]", "-threads")...)
	b.args = append(b.args, "-movflags", "+faststart", "-f", "mp4", filepath.Join(folder, "bare.mp4"))
	return b, nil
}

// observe returns the composer's run with the most pictures, and the one that mixes the sound.
func (b *bare) observe(ctx context.Context, f *film) (picture, sound kept, err error) {
	runs := filepath.Join(b.folder, "runs")
	if err := os.MkdirAll(runs, 0o700); err != nil {
		return picture, sound, err
	}
	program := filepath.Join(b.folder, "ffmpeg")
	if err := os.WriteFile(program, fmt.Appendf(nil, spy, runs), 0o700); err != nil {
		return picture, sound, err
	}
	if err := composeInto(ctx, f.capture, filepath.Join(b.folder, "observed"), program); err != nil {
		return picture, sound, err
	}
	all, err := filepath.Glob(filepath.Join(runs, "run-*"))
	if err != nil {
		return picture, sound, err
	}
	for _, folder := range all {
		text, err := os.ReadFile(filepath.Join(folder, "args"))
		if err != nil {
			return picture, sound, err
		}
		k := kept{folder, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")}
		switch {
		case slices.Contains(k.args, "[picture]") && len(k.inputs("")) > len(picture.inputs("")):
			picture = k
		case slices.Contains(k.args, "[sound]") && !slices.Contains(k.args, "[picture]"):
			sound = k
		}
	}
	if picture.args == nil || sound.args == nil {
		return picture, sound, fmt.Errorf("the composer ran ffmpeg %d times, but not for picture and sound", len(all))
	}
	return picture, sound, nil
}

var (
	looking = regexp.MustCompile(`;\[(c\d+)\]split\[picture\]\[small\];.*$`)
	bias    = regexp.MustCompile(`setpts=PTS-[0-9.]+/TB`)
	lane    = regexp.MustCompile(`\[(\d+):a\]`)
)

// oneGraph joins the graphs of picture and sound. The look at the picture is left out, the picture's files begin at zero,
// and the sound's files are the inputs from the given number on.
func oneGraph(picture, sound string, first int) (string, error) {
	if !looking.MatchString(picture) || !bias.MatchString(picture) {
		return "", fmt.Errorf("the composer's filters have changed: %s", picture)
	}
	picture = looking.ReplaceAllString(picture, ";[$1]null[picture]")
	picture = bias.ReplaceAllString(picture, "setpts=PTS-0/TB")
	sound = lane.ReplaceAllStringFunc(sound, func(s string) string {
		n, _ := strconv.Atoi(lane.FindStringSubmatch(s)[1]) // digits
		return fmt.Sprintf("[%d:a]", first+n)
	})
	return picture + ";" + sound, nil
}

// tracks writes each camera that was captured as one file, of the pictures as they came.
func (b *bare) tracks(ctx context.Context, folder string) (files []string, err error) {
	r, err := capture.Open(folder)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for i, t := range r.Tracks() {
		if t.Kind != capture.Video {
			continue
		}
		stream, err := elementary(t)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.File, err)
		}
		file := filepath.Join(b.folder, fmt.Sprintf("track-%d.mkv", i))
		if err := ffmpeg(ctx, stream, "-framerate", "30", "-f", "h264", "-i", "pipe:0", "-c", "copy", file); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// elementary takes the pictures out of the packets. The people of the benchmarks send thirty a second, and on loopback
// none is lost, so that the order is all there is to their time.
func elementary(t capture.Track) (stream []byte, err error) {
	var packets []*rtp.Packet
	order := map[*rtp.Packet]int{}
	for rec, err := range t.Records() {
		if err != nil {
			return nil, err
		}
		if rec.Type != capture.RTP {
			continue
		}
		p := &rtp.Packet{}
		if err := p.Unmarshal(rec.Payload); err != nil {
			return nil, err
		}
		n := int(p.SequenceNumber)
		if len(packets) > 0 {
			last := packets[len(packets)-1]
			n = order[last] + int(int16(p.SequenceNumber-last.SequenceNumber))
		}
		packets, order[p] = append(packets, p), n
	}
	slices.SortStableFunc(packets, func(a, b *rtp.Packet) int { return order[a] - order[b] })
	var d codecs.H264Packet
	for _, p := range packets {
		if len(p.Payload) == 0 {
			continue // padding
		}
		piece, err := d.Unmarshal(p.Payload)
		if err != nil {
			return nil, err
		}
		stream = append(stream, piece...)
	}
	return stream, nil
}
