package compose

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"huilu/internal/capture"
)

// BenchmarkCompose composes a meeting of two people, and beside it lets one ffmpeg do nothing but the same filters and
// encoders on the same pictures. "of-bare" is how fast the composer is by the clock compared with that (more is better;
// 1 is equal), "of-bare-cpu" the same in processor time. All of the composer is in it: conversion, joining, every check.
//
//	go test ./internal/compose -run '^$' -bench Compose -benchtime 1x
func BenchmarkCompose(b *testing.B) {
	const length = 40 * sec
	c := newScene(b)
	for i, id := range []string{"zoe", "bob"} {
		c.join(0, id, id)
		film := develop(b, rollKey{who: 1 + i, codec: "h264", w: 1280, h: 720, fps: 30, gop: 300, frames: int(length.Seconds()) * 30})
		c.publish(0, id, capture.Camera, film.mime).send(0, film)
		c.publish(0, id, capture.Microphone, "audio/opus").send(0, voiceOf(b, 1+i, 0, length))
	}
	c.stop(length)
	dir := c.close()
	for b.Loop() {
		ours, oursCPU := measure(func() {
			if _, err := (&Composer{}).Compose(b.Context(), input(b, dir), nil); err != nil {
				b.Fatal(err)
			}
		})
		args := bare(b, dir)
		theirs, theirsCPU := measure(func() {
			if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		})
		b.ReportMetric(theirs.Seconds()/ours.Seconds(), "of-bare")
		b.ReportMetric(theirsCPU.Seconds()/oursCPU.Seconds(), "of-bare-cpu")
		b.ReportMetric(length.Seconds()/ours.Seconds(), "x-realtime")
		b.ReportMetric(oursCPU.Seconds()/length.Minutes(), "cpu-s/min")
	}
}

func measure(f func()) (wall, cpu time.Duration) {
	used := func() (d time.Duration) {
		for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
			var u syscall.Rusage
			if syscall.Getrusage(who, &u) == nil {
				d += time.Duration(u.Utime.Nano() + u.Stime.Nano())
			}
		}
		return d
	}
	begin, before := time.Now(), used()
	f()
	return time.Since(begin), used() - before
}

// bare prepares one run of ffmpeg over the whole meeting and returns its arguments.
func bare(b *testing.B, dir string) []string {
	b.Helper()
	k := &composition{in: input(b, dir), progress: func(Progress) {}, fonts: must(findFonts(b.Context()))(b)}
	must(0, k.makeFolders())(b)
	must(0, k.read(b.Context()))(b)
	must(0, k.plan())(b)
	if len(k.epochs) != 1 {
		b.Fatalf("%d epochs", len(k.epochs))
	}
	g := must(k.render.prepare(job{windows: k.windows}, b.TempDir()))(b)
	args := []string{"-nostdin", "-v", "error", "-y", "-copyts", "-framerate", strconv.Itoa(FrameRate), "-i", filepath.Join(g.dir, backgroundFile)}
	for _, t := range g.tiles {
		args = append(args, "-reinit_filter", "0", "-i", filepath.Join(g.dir, t.video))
	}
	for _, t := range g.tiles {
		args = append(args, "-i", filepath.Join(g.dir, t.label))
	}
	m := &mixer{story: k.story}
	mix := "anull"
	for i, l := range lanes(k.story.people) {
		name := filepath.Join(g.dir, strconv.Itoa(i)+".mkv")
		must(m.write(l, name))(b)
		args = append(args, "-i", name)
		mix = mixFilters(i+1, strconv.FormatFloat(position(g.frames).Seconds(), 'f', 6, 64))
	}
	for i := 9; i >= 0; i-- { // the sound's inputs lie behind the pictures'
		mix = strings.ReplaceAll(mix, "["+strconv.Itoa(i)+":a]", "["+strconv.Itoa(i+1+2*len(g.tiles))+":a]")
	}
	picture, _, _ := strings.Cut(g.filters(), ";[c"+strconv.Itoa(2*len(g.tiles))+"]split")
	picture = strings.TrimSuffix(picture, "[c"+strconv.Itoa(2*len(g.tiles))+"]") + "[picture]"
	args = append(args, "-filter_complex", picture+";"+mix, "-map", "[picture]", "-frames:v", strconv.Itoa(g.frames))
	args = append(slices.Concat(args, encoderArgs, []string{"-map", "[sound]", "-t", strconv.FormatFloat(position(g.frames).Seconds(), 'f', 6, 64)}), soundArgs...)
	return append(args, "-movflags", "+faststart", filepath.Join(g.dir, "bare.mp4"))
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
