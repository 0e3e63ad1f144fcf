package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Times stay as they are given: the first one, gaps, and tenths of milliseconds. A muxer that begins at zero puts picture and
// sound apart.
func TestMatroskaKeepsEveryTime(t *testing.T) {
	t.Parallel()
	voice := voiceOf(t, 1, 0, sec)
	times := []time.Duration{1234567 * time.Microsecond, 1254600 * time.Microsecond, 9 * sec, 9*sec + 20*milli, 3600 * sec}
	var file bytes.Buffer
	w, err := newMKV(&file, mkvTrack{codec: "A_OPUS", private: opusHead()})
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range times {
		if err := w.write(at, true, voice.frames[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.write(10*sec, true, voice.frames[9]), w.flush()); err != nil { // back in time: moved behind the last
		t.Fatal(err)
	}
	cmd := exec.Command("ffprobe", "-v", "error", "-show_entries", "packet=pts_time,size", "-of", "csv=p=0", "-")
	cmd.Stdin = &file
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := ""
	for i, at := range []string{"1.234600", "1.254600", "9.000000", "9.020000", "3600.000000", "3600.000100"} {
		size := len(voice.frames[i])
		if i == 5 {
			size = len(voice.frames[9])
		}
		want += fmt.Sprintf("%s,%d\n", at, size)
	}
	if string(out) != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
}

func testFonts(t *testing.T) *fonts {
	t.Helper()
	f, err := findFonts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestNamesAreDrawnInTheirScript(t *testing.T) {
	t.Parallel()
	a := newArtist(testFonts(t), "周会 Weekly", time.Date(2026, 3, 4, 23, 30, 0, 0, time.UTC), time.FixedZone("CST", 8*3600))
	if !strings.Contains(a.headline(), "2026-03-05 07:30 CST") {
		t.Errorf("headline %q: the time should be the owner's", a.headline())
	}
	// Latin, Chinese and both: as wide as their letters, so none of them is left out.
	one := func(name string) int {
		line, err := a.fonts.set(name, 40)
		if err != nil {
			t.Fatal(err)
		}
		return width(line)
	}
	if latin, han, both := one("Zoë"), one("王小明"), one("Zoë王小明"); latin < 50 || han < 110 || both < latin+han-2 {
		t.Errorf("widths: %d, %d, both %d", latin, han, both)
	}
	if one("\u200b\n\x00🏳️‍🌈") > 20 {
		t.Error("what cannot be drawn takes room")
	}
	long, err := a.fonts.set(strings.Repeat("王", 100), 40)
	if err != nil {
		t.Fatal(err)
	}
	short, err := a.fonts.shorten(long, 40, 300)
	if err != nil || width(short) > 300 || width(short) < 240 || short[len(short)-1].r != '…' {
		t.Errorf("shortened to %d, %v", width(short), err)
	}
}

// Any name makes a label and a card, without a panic, within its tile.
func TestEveryNameFits(t *testing.T) {
	t.Parallel()
	a := newArtist(testFonts(t), "", time.Now(), nil)
	for _, name := range []string{"", " ", "Zoë", "王小明", strings.Repeat("long ", 50), "';:,[]%{}\\\n", "\xff\xfe", "🎉", "اسم"} {
		for _, at := range append(grid(9), grid(1)...) {
			label, err := a.label(name, at)
			if err != nil || label.Bounds().Dx() > at.w || label.Bounds().Dx()%2+label.Bounds().Dy()%2 != 0 || label.Bounds().Dx() < 2 {
				t.Errorf("label %q on %v: %v %v", name, at, label.Bounds(), err)
			}
		}
		tiles := []tile{{who: &person{name: name}, at: grid(2)[0]}, {who: &person{name: name}, at: grid(2)[1]}}
		if _, err := a.background(tiles); err != nil {
			t.Errorf("card %q: %v", name, err)
		}
	}
	empty, err := a.background(nil)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "empty.png", empty)
}

func keep(t *testing.T, name string, img image.Image) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.ArtifactDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

// small makes a small grey picture of one brightness.
func small(v int) luma { return bytes.Repeat([]byte{byte(v)}, lumaSize) }

func TestMissingPictureIsTold(t *testing.T) {
	if got := lumaOf(color.RGBA{255, 255, 255, 255}); got != 235 {
		t.Errorf("white is %d", got)
	}
	for _, r := range append(grid(9), grid(2)...) {
		ground := small(groundLuma + 1) // converters round
		if !ground.bare(r) {
			t.Errorf("%v: a tile without picture is not noticed", r)
		}
		if small(16).bare(r) || small(40).bare(r) {
			t.Errorf("%v: a dark picture is taken for none", r)
		}
		ground[(r.y+r.h/3)/lumaStep*lumaWidth+(r.x+r.w/2)/lumaStep] += 9
		if ground.bare(r) {
			t.Errorf("%v: a picture with something in it is taken for none", r)
		}
	}
	if d := small(100).difference(small(110)); d != 10 {
		t.Errorf("difference %v", d)
	}
	if m := small(77).mean(grid(3)[2]); m != 77 {
		t.Errorf("mean %v", m)
	}
}

func TestPacketTimesAreJudged(t *testing.T) {
	for _, c := range []struct {
		name                      string
		lines                     string
		count, unordered, unequal int
		length                    time.Duration
	}{
		{"good, with pictures out of order", "packet,6000,0,3000 packet,15000,3000,3000 packet,9000,6000,3000 packet,12000,9000,3000", 4, 0, 0, 4 * sec / 30},
		{"a frame too far", "packet,0,0,3000 packet,9000,9000,3000", 2, 0, 1, 4 * sec / 30},
		{"twice the same", "packet,0,0,3000 packet,0,0,3000", 2, 1, 1, sec / 30},
		{"backwards", "packet,3000,3000,3000 packet,0,0,3000", 2, 1, 1, 2 * sec / 30},
	} {
		p := packets{steps: map[int64]int{}}
		for line := range strings.FieldsSeq(c.lines + " stream,1/90000") {
			if err := p.line(line); err != nil {
				t.Fatal(err)
			}
		}
		if p.count != c.count || p.unordered != c.unordered || p.uneven() != c.unequal || (p.length()-c.length).Abs() > 1 {
			t.Errorf("%s: %+v, length %v, uneven %d", c.name, p, p.length(), p.uneven())
		}
	}
	if err := (&packets{}).line("packet,N/A,0,3000"); err == nil {
		t.Error("a packet without time was taken")
	}
}

func TestIndexBehindTheMediaIsNoticed(t *testing.T) {
	box := func(name string, n int) string {
		return fmt.Sprintf("\x00\x00\x00%c%s%s", n+8, name, strings.Repeat("x", n))
	}
	for _, c := range []struct {
		file    string
		front   bool
		failing bool
	}{
		{box("ftyp", 16) + box("moov", 20) + box("mdat", 8), true, false},
		{box("ftyp", 16) + box("free", 0) + box("mdat", 8) + box("moov", 20), false, false},
		{box("ftyp", 16), false, true},
		{"\x00\x00\x00\x01ftyp\x00\x00\x00\x00\x00\x00\x00\x02xxxx", false, true},
	} {
		name := filepath.Join(t.TempDir(), "a.mp4")
		if err := os.WriteFile(name, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		if front, err := indexInFront(name); front != c.front || (err != nil) != c.failing {
			t.Errorf("%q: %v %v", c.file, front, err)
		}
	}
}

func TestPosterShowsMostPeople(t *testing.T) {
	face := tile{clip: &clip{}}
	all := []epoch{
		{from: 0, frames: 100, tiles: []tile{{}, {}}},
		{from: 100, frames: 10, tiles: []tile{face, face, face}}, // too short to look at
		{from: 110, frames: 60, tiles: []tile{face, face}},
		{from: 170, frames: 600, tiles: []tile{face, {}}},
	}
	if got := posterFrame(all); got != 140 {
		t.Errorf("frame %d", got)
	}
	if got := posterFrame(all[:1]); got != 50 {
		t.Errorf("without any picture: frame %d", got)
	}
}

func TestWhoseFaultAFailureIs(t *testing.T) {
	exit := func(script string) error { return exec.Command("sh", "-c", script).Run() }
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"no room", fmt.Errorf("write: %w", syscall.ENOSPC), true},
		{"ffmpeg has no room", &toolError{complaint: "x\nfoo: No space left on device\n", err: exit("exit 1")}, true},
		{"killed from outside", &toolError{err: exit("kill -9 $$")}, true},
		{"told to end", context.Canceled, true},
		{"crashed", &toolError{err: exit("kill -SEGV $$")}, false},
		{"refused its input", &toolError{complaint: "Invalid data", err: exit("exit 1")}, false},
		{"took too long", errors.Join(context.DeadlineExceeded, &toolError{err: exit("kill -9 $$")}), false},
		{"a tile is missing", &bareError{}, false},
	} {
		if got := surroundings(c.err); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestSlowProgramIsEnded(t *testing.T) {
	t.Parallel()
	_, err := tools{}.run(t.Context(), command{program: "sleep", args: []string{"1000"}, limit: 50 * milli})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}

func TestSoundThatIsNotThereIsTold(t *testing.T) {
	pcm := make([]byte, 2*listenRate*3/2)
	pcm[2*listenRate-1] = 0x80 // the lowest sample there is, at the end of the first second
	if got, err := listen(bytes.NewReader(pcm)); err != nil || len(got) != 2 || got[0] != 32768 || got[1] != 0 {
		t.Errorf("heard %v, %v", got, err)
	}
	who := &person{id: "zoe", voice: []clip{{span: span{at(0), at(20 * sec)}}}}
	s := &story{
		parts:    []part{{span: span{at(0), at(20 * sec)}, frames: 600}},
		people:   []*person{who},
		speakers: []voiced{{at(2 * sec), []string{"zoe"}}, {at(8500 * milli), nil}, {at(12 * sec), []string{"bob"}}},
	}
	for _, c := range []struct {
		name string
		loud func(second int) int
		told bool
	}{
		{"heard", func(int) int { return 900 }, false},
		{"heard for the most part", func(n int) int { return n % 3 * 500 }, false},
		{"silent while she speaks", func(n int) int {
			if n >= 2 && n < 8 {
				return 3
			}
			return 900
		}, true},
		{"silent while nobody speaks", func(n int) int {
			if n >= 2 && n < 8 {
				return 900
			}
			return 0
		}, false},
	} {
		k := &composition{story: s}
		var seconds []int
		for n := range 20 {
			seconds = append(seconds, c.loud(n))
		}
		if k.hear(seconds); (len(k.defects) > 0) != c.told {
			t.Errorf("%s: %+v", c.name, k.defects)
		}
	}
}
