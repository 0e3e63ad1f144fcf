package examine_test

import (
	"context"
	"fmt"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huilu/internal/examine"
	"huilu/internal/people"
)

var canvas = image.Rect(0, 0, 1280, 720)

// film makes the MP4 of one person alone.
func film(t *testing.T, p people.Person, length, late time.Duration) string {
	t.Helper()
	m, err := people.Prepare(t.Context(), p, length, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "film.mp4")
	if err := m.Film(t.Context(), file, late); err != nil {
		t.Fatal(err)
	}
	return file
}

// ffmpeg runs ffmpeg and returns the path of its output, an MP4 by that name.
func ffmpeg(t *testing.T, name string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".mp4")
	args = append([]string{"-v", "error", "-nostdin", "-y"}, args...)
	out, err := exec.CommandContext(t.Context(), "ffmpeg", append(args, file)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return file
}

func look(t *testing.T, file string, o examine.Options) *examine.Report {
	t.Helper()
	r, err := examine.Examine(t.Context(), file, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// always expects one person for the whole file.
func always(index int, length float64) []examine.Expected {
	whole := []examine.Interval{{From: 0, To: examine.Seconds(length)}}
	return []examine.Expected{{Index: index, Name: fmt.Sprintf("number %d", index), Seen: whole, Heard: whole}}
}

func TestAPerfectFilmPassesEveryCheck(t *testing.T) {
	t.Parallel()
	for _, p := range []people.Person{
		{Name: "Ada", Index: 0},
		{Name: "Bo", Index: 9, FPS: 25},
		{Name: "Cy", Index: 31, Width: 640, Height: 360, FPS: 20},
	} {
		file := film(t, p, 6*time.Second, 0)
		r := look(t, file, examine.Options{Duration: 6 * time.Second, People: always(p.Index, 6)})
		if !r.OK() {
			t.Errorf("%s:\n%s", p.Name, r)
		}
		q := r.Person(p.Index)
		if q == nil || len(q.Visible) != 1 || len(q.Clock) != 1 || len(q.Flashes) != 5 || len(q.Beeps) != 6 {
			t.Fatalf("%s: seen %+v", p.Name, q)
		}
		if math.Abs(float64(q.Clock[0].Offset)) > 0.0005 || q.Clock[0].Spread > 0.0005 {
			t.Errorf("%s: the clock is off by %v ± %v", p.Name, q.Clock[0].Offset, q.Clock[0].Spread)
		}
	}
}

func TestAShiftOfTheSoundIsMeasuredToFiveMilliseconds(t *testing.T) {
	t.Parallel()
	for _, late := range []time.Duration{-150, -37, 0, 13, 50, 211} {
		late *= time.Millisecond
		file := film(t, people.Person{Name: "Late", Index: 2, Width: 640, Height: 360}, 5*time.Second, late)
		r := look(t, file, examine.Options{Tiles: []image.Rectangle{image.Rect(0, 0, 640, 360)}, People: always(2, 5)})
		s := r.Person(2).Sync
		for name, got := range map[string]examine.Seconds{"median": s.Median, "worst": s.Worst, "fine": s.Fine} {
			if d := got.Duration() - late; d < -5*time.Millisecond || d > 5*time.Millisecond {
				t.Errorf("sound late by %v: %s measured %v", late, name, got.Duration())
			}
		}
		if bad := names(r.Bad()); (late.Abs() > 40*time.Millisecond) != strings.Contains(bad, "flash and beep apart, worst") {
			t.Errorf("sound late by %v: bad checks: %s", late, bad)
		}
	}
}

func names(checks []examine.Check) string {
	var list []string
	for _, c := range checks {
		list = append(list, c.Name)
	}
	return strings.Join(list, "; ")
}

// grid puts several films into one picture, as a composer would.
func grid(t *testing.T, films []string, tiles []image.Rectangle, encoder ...string) string {
	t.Helper()
	var args []string
	graph, last := "color=0x202020:s=1280x720:r=30[b0]", "b0"
	for i, f := range films {
		args = append(args, "-i", f)
		r := tiles[i]
		graph += fmt.Sprintf(";[%d:v]scale=%d:%d[t%d];[%s][t%d]overlay=%d:%d:shortest=1[b%d]",
			i, r.Dx(), r.Dy(), i, last, i, r.Min.X, r.Min.Y, i+1)
		last = fmt.Sprintf("b%d", i+1)
	}
	var sound string
	for i := range films {
		sound += fmt.Sprintf("[%d:a]", i)
	}
	graph += fmt.Sprintf(";%samix=inputs=%d:normalize=0[a]", sound, len(films))
	args = append(args, "-filter_complex", graph, "-map", "["+last+"]", "-map", "[a]", "-c:v", "libx264", "-pix_fmt", "yuv420p")
	args = append(append(args, encoder...), "-c:a", "aac", "-movflags", "+faststart")
	return ffmpeg(t, "grid", args...)
}

func TestSmallTilesAreReadAfterHarshEncoding(t *testing.T) {
	t.Parallel()
	tiles := []image.Rectangle{
		image.Rect(0, 90, 960, 630), image.Rect(960, 90, 1280, 270), image.Rect(960, 270, 1280, 450), image.Rect(960, 450, 1280, 630),
	}
	var films []string
	var expected []examine.Expected
	for i := range tiles {
		films = append(films, film(t, people.Person{Name: "P", Index: i}, 5*time.Second, 0))
		expected = append(expected, always(i, 5)...)
	}
	file := grid(t, films, tiles, "-preset", "veryfast", "-crf", "28")
	for name, given := range map[string][]image.Rectangle{"tiles given": tiles, "tiles searched for": nil} {
		r := look(t, file, examine.Options{Tiles: given, Duration: 5 * time.Second, People: expected})
		if !r.OK() {
			t.Errorf("%s:\n%s", name, r)
		}
		for i := range tiles {
			p := r.Person(i)
			if p == nil || len(p.Visible) != 1 || len(p.Clock) != 1 || p.Clock[0].Spread > 0.001 {
				t.Fatalf("%s: person %d: %+v", name, i, p)
			}
			t.Logf("%s: person %d: contrast at its worst %.0f, sync %+v", name, i, p.Contrast, p.Sync)
		}
	}
}

func TestWhatIsPlantedIsFoundAndNothingElse(t *testing.T) {
	t.Parallel()
	const length = 8
	clean := film(t, people.Person{Name: "Eve", Index: 4, Width: 640, Height: 360}, length*time.Second, 0)
	encode := []string{"-c:v", "libx264", "-preset", "ultrafast", "-crf", "26", "-c:a", "aac", "-movflags", "+faststart"}
	again := func(name string, filter ...string) string {
		return ffmpeg(t, name, append(append([]string{"-i", clean}, filter...), encode...)...)
	}
	for _, planted := range []struct {
		name, file string
		bad        []string // checks that have to be bad; all others good
	}{
		{"nothing", again("nothing"), nil},
		{"one black frame", again("black", "-vf", `drawbox=t=fill:c=black:enable=eq(n\,100)`), []string{"blank pictures"}},
		{"one grey frame", again("grey", "-vf", `drawbox=t=fill:c=0x303030:enable=eq(n\,100)`), []string{"blank pictures"}},
		{"half a second frozen", again("frozen", "-vf", `loop=loop=15:size=1:start=100,setpts=N/30/TB,trim=end=8`),
			[]string{"longest still picture", "flash and beep apart, worst", "flash and beep apart, median", "jumps of the clock"}},
		{"a second without picture", again("gone", "-vf", `drawbox=w=320:h=180:t=fill:c=gray:enable=between(t\,3\,4)`), []string{"picture missing"}},
		{"two beeps missing", again("mute", "-af", `volume=0:enable=between(t\,2.9\,4.5)`), []string{"longest silence"}},
		{"sound too short", again("short", "-af", `atrim=end=7.5`), []string{"picture and sound end apart"}},
		{"no sound", again("deaf", "-an"), []string{"streams that are missing", "longest silence", "flash and beep apart, worst", "flash and beep apart, median"}},
		{"index at the end", ffmpeg(t, "slow", "-i", clean, "-c", "copy"), []string{"index behind the media"}},
		{"a frame left out", again("gap", "-vf", `select=not(eq(n\,77))`, "-fps_mode", "passthrough"), []string{"gap in the picture"}},
		{"slow picture", again("drift", "-vf", "setpts=PTS*1.01", "-r", "30"),
			[]string{"drift of the clock", "flash and beep apart, worst", "flash and beep apart, median"}},
	} {
		t.Run(planted.name, func(t *testing.T) {
			t.Parallel()
			r := look(t, planted.file, examine.Options{Tiles: []image.Rectangle{image.Rect(0, 0, 640, 360)}, People: always(4, length)})
			bad := names(r.Bad())
			t.Log(bad)
			for _, want := range planted.bad {
				if !strings.Contains(bad, want) {
					t.Errorf("not found: %q; bad: %s", want, bad)
				}
			}
			for _, c := range r.Bad() {
				if !mentioned(planted.bad, c.Name) {
					t.Errorf("found though not planted: %s", c)
				}
			}
		})
	}
}

func TestSomebodySeenAtTheWrongTimeIsFound(t *testing.T) {
	t.Parallel()
	file := film(t, people.Person{Name: "Gus", Index: 6, Width: 640, Height: 360}, 8*time.Second, 0)
	interval := func(from, to examine.Seconds) []examine.Interval { return []examine.Interval{{From: from, To: to}} }
	for name, c := range map[string]struct {
		want examine.Expected
		bad  string
	}{
		"all the time":          {examine.Expected{Index: 6, Seen: interval(0, 8), Heard: interval(0, 8)}, ""},
		"from where it is sure": {examine.Expected{Index: 6, Seen: interval(1.5, 8), Heard: interval(1.5, 8)}, ""},
		"left in the middle":    {examine.Expected{Index: 6, Seen: interval(0, 4), Heard: interval(0, 8)}, "picture when there should be none"},
		"came in the middle":    {examine.Expected{Index: 6, Seen: interval(4, 8), Heard: interval(0, 8)}, "picture when there should be none"},
		"stayed too long":       {examine.Expected{Index: 6, Seen: interval(0, 9), Heard: interval(0, 8)}, "picture missing"},
		"somebody else":         {examine.Expected{Index: 7}, "people nobody invited"},
	} {
		r := look(t, file, examine.Options{Tiles: []image.Rectangle{image.Rect(0, 0, 640, 360)}, People: []examine.Expected{c.want}})
		if bad := names(r.Bad()); !strings.HasPrefix(bad, c.bad) || c.bad == "" && bad != "" {
			t.Errorf("%s: bad checks %q, want %q", name, bad, c.bad)
		}
	}
}

func mentioned(list []string, name string) bool {
	for _, s := range list {
		if strings.HasPrefix(name, s) {
			return true
		}
	}
	return false
}

func TestADamagedFileIsSaidToBeDamaged(t *testing.T) {
	t.Parallel()
	file := film(t, people.Person{Name: "Dee", Index: 1, Width: 640, Height: 360}, 5*time.Second, 0)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(raw) / 2; i < len(raw)/2+2000; i++ {
		raw[i] ^= 0x55
	}
	damaged := filepath.Join(t.TempDir(), "damaged.mp4")
	if err := os.WriteFile(damaged, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := examine.DecodeClean(t.Context(), file); err != nil || c != "" {
		t.Errorf("the sound file: %q, %v", c, err)
	}
	if c, err := examine.DecodeClean(t.Context(), damaged); err != nil || c == "" {
		t.Errorf("the damaged file: %q, %v; want a complaint", c, err)
	}
	if r := look(t, damaged, examine.Options{}); !strings.Contains(names(r.Bad()), "complaints of the decoders") {
		t.Errorf("the damaged file:\n%s", r)
	}
	for name, size := range map[string]int{"empty": 0, "cut": len(raw) / 3, "text": -1} {
		bad := filepath.Join(t.TempDir(), name)
		body := raw
		if size < 0 {
			body = []byte("this is not a video, but it is long enough to be read as boxes")
		} else {
			body = raw[:size]
		}
		if err := os.WriteFile(bad, body, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := examine.Examine(t.Context(), bad, examine.Options{}); err == nil {
			t.Errorf("%s: examined without an error", name)
		}
	}
}

func TestAnExaminationEndsWhenItIsToldTo(t *testing.T) {
	t.Parallel()
	file := film(t, people.Person{Name: "Fay", Index: 1, Width: 640, Height: 360}, 5*time.Second, 0)
	ctx, stop := context.WithCancel(t.Context())
	_, err := examine.Examine(ctx, file, examine.Options{Progress: func(float64) { stop() }})
	if err == nil {
		t.Error("no error although the context ended in the middle")
	}
}
