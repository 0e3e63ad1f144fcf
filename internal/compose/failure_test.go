package compose

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"huilu/internal/capture"
)

// fakeFFmpeg is an ffmpeg that first runs a piece of shell, in which $* are its arguments.
func fakeFFmpeg(t *testing.T, script string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+script+"\nexec ffmpeg \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// six seconds of one person.
func short(t *testing.T) *scene {
	c := newScene(t)
	c.join(0, "zoe", "Zoë")
	c.publish(0, "zoe", capture.Camera, "video/H264").send(0, filmed(t, "h264", 1, 320, 180, 0, 6*sec))
	c.stop(6 * sec)
	return c
}

func TestWindowThatFailsOnceIsMadeAgain(t *testing.T) {
	t.Parallel()
	flag := filepath.Join(t.TempDir(), "failed")
	c := &Composer{FFmpeg: fakeFFmpeg(t, `case "$*" in *tile-00*) [ -e `+flag+` ] || { : > `+flag+`; echo boom >&2; exit 1; };; esac`)}
	r, err := c.Compose(t.Context(), input(t, short(t).close()), nil)
	if err != nil || len(r.Defects) > 0 {
		t.Fatalf("defects %+v, %v", r.Defects, err)
	}
	if _, err := os.Stat(flag); err != nil {
		t.Fatal("nothing failed")
	}
	watchPlaces(t, r.File, grid(1)...)[0].shows(t, 1, 0, 6*sec, 1)
}

func TestWindowThatFailsTwiceShowsNamesAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.join(0, "zoe", "Zoë")
	s.publish(0, "zoe", capture.Camera, "video/H264").send(0, filmed(t, "h264", 1, 320, 180, 0, 9*sec))
	s.stop(9 * sec) // windows of 6 and of 3 s
	c := &Composer{FFmpeg: fakeFFmpeg(t, `case "$*" in *tile-00*"-frames:v 180"*) echo boom >&2; exit 1;; esac`)}
	r, err := c.Compose(t.Context(), input(t, s.close()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Defects) != 1 || r.Defects[0].Kind != DefectWindow || r.Defects[0].At != 0 || r.Defects[0].Duration != 6*sec ||
		!strings.Contains(r.Defects[0].Detail, "boom") {
		t.Errorf("defects = %+v, want the window at 0", r.Defects)
	}
	seen := watchPlaces(t, r.File, grid(1)...)[0]
	seen.empty(t, 0, 6*sec)
	seen.shows(t, 1, 6*sec, 9*sec, 1)
}

func TestFullDiskIsTriedAgainLaterAndReplacesNothing(t *testing.T) {
	t.Parallel()
	c := &Composer{FFmpeg: fakeFFmpeg(t, `case "$*" in *tile-00*) echo "av_interleaved_write_frame(): No space left on device" >&2; exit 1;; esac`)}
	in := input(t, short(t).close())
	_, err := c.Compose(t.Context(), in, nil)
	if _, final := errors.AsType[*InputError](err); err == nil || final || errors.Is(err, ErrEmpty) {
		t.Fatalf("err = %v, want one that may be gone later", err)
	}
	if made := windowsIn(t, in.Work); len(made) > 0 {
		t.Errorf("windows were made: %v", made)
	}
	if _, err := (&Composer{}).Compose(t.Context(), in, nil); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestEndOfContextKillsTheChildren(t *testing.T) {
	t.Parallel()
	pids, priority := filepath.Join(t.TempDir(), "pids"), filepath.Join(t.TempDir(), "priority")
	c := &Composer{FFmpeg: fakeFFmpeg(t, `nice > `+priority+`; echo $$ >> `+pids+`; sleep 1000 & echo $! >> `+pids+`; wait`)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	in := input(t, short(t).close())
	in.Gentle = true
	go func() {
		_, err := c.Compose(ctx, in, nil)
		done <- err
	}()
	var running []int
	await(t, "a child", func() bool {
		running = nil
		text, _ := os.ReadFile(pids)
		for _, line := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(line); err == nil {
				running = append(running, pid)
			}
		}
		return len(running) >= 2
	})
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if text, err := os.ReadFile(priority); err != nil || strings.TrimSpace(string(text)) != "19" {
		t.Errorf("beside live meetings ffmpeg runs with priority %q, want 19 (%v)", text, err)
	}
	for _, pid := range running {
		await(t, fmt.Sprintf("the end of process %d", pid), func() bool { return gone(pid) })
	}
}

// gone says whether a process has ended; nobody may have collected its exit yet.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestChildrenDoNotSeeOurKeys(t *testing.T) {
	t.Setenv("HUILU_MASTER_KEY", "hunter2")
	seen := filepath.Join(t.TempDir(), "environment")
	tools, err := findTools(fakeFFmpeg(t, `env > `+seen), "", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tools.run(t.Context(), command{program: tools.ffmpeg, args: []string{"-version"}, limit: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(seen); err != nil || !strings.Contains(string(text), "PATH=") || strings.Contains(string(text), "HUILU_") {
		t.Errorf("%v; the child's environment:\n%s", err, text)
	}
}

func TestMissingProgramIsNamed(t *testing.T) {
	t.Parallel()
	_, err := (&Composer{FFmpeg: "/nowhere/ffmpeg"}).Compose(t.Context(), input(t, short(t).close()), nil)
	if err == nil || !strings.Contains(err.Error(), "install ffmpeg") {
		t.Errorf("err = %v", err)
	}
}

// One track's packets hold garbage, another log is damaged in its middle; both cost no more than themselves.
func TestCorruptTrackCostsOnlyItself(t *testing.T) {
	t.Parallel()
	c := newScene(t)
	for i, id := range []string{"zoe", "bob", "ada"} {
		c.join(0, id, id)
		tr := c.publish(0, id, capture.Camera, "video/VP8")
		film := filmed(t, "vp8", 1+i, 320, 180, 0, 6*sec)
		if id == "bob" {
			film.frames = slices.Clone(film.frames)
			for n, f := range film.frames {
				film.frames[n] = slices.Repeat([]byte{0x5a}, len(f))
			}
		}
		tr.send(0, film)
	}
	c.stop(6 * sec)
	dir := c.close()
	flip(t, filepath.Join(dir, "0003.rtpl"), 0.6)

	r := composed(t, dir)
	places := grid(3)
	seen := watchPlaces(t, r.File, places...)
	seen[0].shows(t, 1, 0, 6*sec, 1)
	seen[1].empty(t, 0, 6*sec)
	seen[2].shows(t, 3, 0, 2*sec, 1)
	told := map[string][]DefectKind{}
	for _, d := range r.Defects {
		told[d.Participant] = append(told[d.Participant], d.Kind)
	}
	if !slices.Contains(told["bob"], DefectCorrupt) || !slices.Contains(told["ada"], DefectCorrupt) || told["zoe"] != nil {
		t.Errorf("defects = %+v", r.Defects)
	}
}

// Frames that look right and cannot be decoded make the whole run fail. Whoever sends them, by mistake or to spoil the
// recording, blanks nobody else.
func TestNonsenseFromOnePersonBlanksNobodyElse(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]struct {
		codec, mime string
		frame       func(f []byte) []byte
	}{
		"a picture too large for any memory": {"vp8", "video/VP8", func(f []byte) []byte {
			return append([]byte{f[0] &^ 1, 0, 0, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f}, f[10:]...)
		}},
		"parameter sets of nothing": {"h264", "video/H264", func(f []byte) []byte {
			noise, random := make([]byte, 600), rand.New(rand.NewPCG(uint64(len(f)), 7))
			for i := range noise {
				noise[i] = byte(random.Uint32())
			}
			return slices.Concat([]byte{0, 0, 0, 1, 0x67}, noise[:20], []byte{0, 0, 0, 1, 0x68}, noise[20:30], []byte{0, 0, 0, 1, 0x65}, noise[30:])
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newScene(t)
			for i, id := range []string{"zoe", "mallory", "ada"} {
				c.join(0, id, id)
				codec, mime := "h264", "video/H264"
				if id == "mallory" {
					codec, mime = spoil.codec, spoil.mime
				}
				film := filmed(t, codec, 1+i, 320, 180, 0, 6*sec)
				if id == "mallory" {
					film.frames = slices.Clone(film.frames)
					for n, f := range film.frames {
						film.frames[n] = spoil.frame(f)
					}
				}
				c.publish(0, id, capture.Camera, mime).send(0, film)
			}
			c.stop(6 * sec)
			r := composed(t, c.close())
			seen := watchPlaces(t, r.File, grid(3)...)
			seen[0].shows(t, 1, 0, 6*sec, 1)
			seen[1].empty(t, 0, 6*sec)
			seen[2].shows(t, 3, 0, 6*sec, 1)
			blamed := map[string]bool{}
			for _, d := range r.Defects {
				blamed[d.Participant] = true
			}
			if !blamed["mallory"] || len(blamed) != 1 {
				t.Errorf("defects = %+v, want Mallory's only", r.Defects)
			}
		})
	}
}

// flip destroys some bytes at a fraction of a file.
func flip(t *testing.T, name string, at float64) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		b[int(at*float64(len(b)))+i] ^= 0xa5
	}
	if err := os.WriteFile(name, b, 0o640); err != nil {
		t.Fatal(err)
	}
}

func TestNothingToCompose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		shoot func(c *scene)
		want  error
	}{
		{"nobody published", func(c *scene) {
			c.join(0, "zoe", "Zoë")
			c.stop(60 * sec)
		}, ErrEmpty},
		{"under five seconds in all parts together", func(c *scene) {
			c.join(0, "zoe", "Zoë")
			c.publish(0, "zoe", capture.Camera, "video/VP8").send(0, filmed(t, "vp8", 1, 320, 180, 0, 2*sec))
			c.stop(2 * sec)
			c.begin(100 * sec)
			c.stop(102900 * milli)
		}, ErrEmpty},
		{"never started", func(*scene) {}, ErrEmpty},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			c.shoot(s)
			in := input(t, s.close())
			if _, err := (&Composer{}).Compose(t.Context(), in, nil); !errors.Is(err, c.want) {
				t.Errorf("err = %v, want %v", err, c.want)
			}
			if left, _ := os.ReadDir(in.Out); len(left) > 0 {
				t.Errorf("files of nothing: %v", left)
			}
		})
	}
}

func TestWhatCannotGetBetterIsSaid(t *testing.T) {
	t.Parallel()
	garbage := newScene(t)
	garbage.join(0, "zoe", "Zoë")
	tr := garbage.publish(0, "zoe", capture.Camera, "video/H264")
	for i := range 200 {
		tr.frame(time.Duration(i)*33*milli, []byte{0x30, 1, 2, 3})
	}
	garbage.stop(7 * sec)
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "recording.json"), []byte("{"), 0o640); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"nothing can be decoded": garbage.close(), "no folder": filepath.Join(t.TempDir(), "none"), "broken folder": broken,
	} {
		_, err := (&Composer{}).Compose(t.Context(), input(t, dir), nil)
		if bad, ok := errors.AsType[*InputError](err); !ok || bad.Cause == "" {
			t.Errorf("%s: err = %v, want an InputError", name, err)
		}
	}
}

// A recorder that died leaves no rec_stop; a meeting in which everybody kept the microphone off still is one.
func TestInterruptedSilentMeetingHasNamesAndSilence(t *testing.T) {
	t.Parallel()
	c := newScene(t)
	c.start = time.Now().Add(-6 * sec) // closing the logs is noted at the true time
	c.must(c.s.Note(capture.Event{At: c.start, Type: capture.RecStart, Part: 1}))
	c.join(0, "zoe", "Zoë")
	tr := c.publish(0, "zoe", capture.Microphone, "audio/opus")
	tr.event(0, capture.Mute)
	c.publish(0, "zoe", capture.Camera, "video/AV1")
	c.speak(6*sec, "zoe") // the last that is known, but for the logs' ends
	r := composed(t, c.close())
	if r.Duration < 6*sec || r.Duration > 60*sec {
		t.Errorf("duration = %v", r.Duration)
	}
	var kinds []DefectKind
	for _, d := range r.Defects {
		kinds = append(kinds, d.Kind)
	}
	slices.Sort(kinds)
	if !slices.Equal(kinds, []DefectKind{DefectCodec, DefectUnfinished}) {
		t.Errorf("defects = %+v", r.Defects)
	}
}
