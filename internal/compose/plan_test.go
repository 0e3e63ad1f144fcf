package compose

import (
	"fmt"
	"image"
	"slices"
	"strings"
	"testing"
	"time"

	"huilu/internal/capture"
)

// began is when the plans of these tests begin, unix ns.
const began = int64(1_700_000_000_000_000_000)

func at(d time.Duration) int64 { return began + int64(d) }

// filmStub writes a real index with a frame at each time and a key frame first, after each gap of a second, and at every turn.
func filmStub(t *testing.T, m capture.TrackMeta, sizes map[time.Duration]shape, times ...time.Duration) *media {
	t.Helper()
	codec := map[capture.Kind]string{capture.Video: "V_VP8", capture.Audio: "A_OPUS"}[m.Kind]
	f := &media{TrackMeta: m, log: m.SID, codec: codec, count: len(times)}
	var err error
	dir := t.TempDir()
	if f.index, err = createFile(dir, "index"); err != nil {
		t.Fatal(err)
	}
	if f.data, err = createFile(dir, "data"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	var b []byte
	for i, d := range times {
		e := entry{at: at(d)}
		if s, turned := sizes[d]; turned || i == 0 || d-times[i-1] > sec {
			if !turned {
				s = shape{1280, 720}
			}
			e.key, e.width, e.height = true, uint16(s.w), uint16(s.h)
		}
		b = e.append(b)
	}
	if _, err := f.index.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := f.settle([]line{{tick: 1}}); err != nil {
		t.Fatal(err)
	}
	return f
}

// every returns times from, from+step, ... before to.
func every(step, from, to time.Duration) (times []time.Duration) {
	for d := from; d < to; d += step {
		times = append(times, d)
	}
	return times
}

func camera(part int, who, sid string) capture.TrackMeta {
	return capture.TrackMeta{Part: part, ParticipantID: who, SID: sid, Kind: capture.Video, Source: capture.Camera}
}

// event makes events short to write: who, what, when, and of which track.
func event(d time.Duration, typ capture.EventType, who, sid string) capture.Event {
	e := capture.Event{At: time.Unix(0, at(d)), Type: typ, Part: 1, ParticipantID: who, Name: strings.ToUpper(who), TrackSID: sid}
	if sid != "" {
		e.Kind, e.Source = capture.Video, capture.Camera
		if strings.HasPrefix(sid, "screen") {
			e.Source = capture.Screen
		}
	}
	return e
}

// shot describes a plan in words: "0-90 zoe* bob" is a grid in which zoe moves and bob is a card; a screen has brackets.
func shot(s *story) (lines []string) {
	for _, e := range epochs(s) {
		words := []string{fmt.Sprintf("%d-%d", e.from, e.end())}
		for _, t := range e.tiles {
			word := t.who.id
			if t.clip != nil {
				word += "*"
			}
			if t.screen {
				word = "[" + word + "]"
			}
			words = append(words, word)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return lines
}

func TestWhoIsSeenWhen(t *testing.T) {
	t.Parallel()
	steady := func(from, to time.Duration) []time.Duration { return every(33*milli, from, to) }
	screen := camera(1, "bob", "screen")
	screen.Source = capture.Screen
	for _, c := range []struct {
		name   string
		tracks func(t *testing.T) []*media
		events []capture.Event
		want   []string
	}{
		{"a card until the first picture, and from leaving on nobody", func(t *testing.T) []*media {
			return []*media{filmStub(t, camera(1, "zoe", "z"), nil, steady(1*sec, 8*sec)...)}
		}, []capture.Event{
			event(0, capture.Join, "zoe", ""), event(200*milli, capture.Published, "zoe", "z"), event(6*sec, capture.Leave, "zoe", ""),
		}, []string{"0-30 zoe", "30-180 zoe*", "180-300"}},

		{"camera off and on again without a picture of before", func(t *testing.T) []*media {
			return []*media{filmStub(t, camera(1, "zoe", "z"), nil, append(steady(0, 4*sec), steady(6500*milli, 10*sec)...)...)}
		}, []capture.Event{
			event(0, capture.Join, "zoe", ""), event(0, capture.Published, "zoe", "z"),
			event(3*sec, capture.Mute, "zoe", "z"), event(6*sec, capture.Unmute, "zoe", "z"),
		}, []string{"0-90 zoe*", "90-195 zoe", "195-300 zoe*"}},

		{"a camera that hangs stands for five seconds", func(t *testing.T) []*media {
			return []*media{filmStub(t, camera(1, "zoe", "z"), nil, append(steady(0, 2*sec), steady(9*sec, 10*sec)...)...)}
		}, []capture.Event{event(0, capture.Join, "zoe", ""), event(0, capture.Published, "zoe", "z")},
			[]string{"0-209 zoe*", "209-270 zoe", "270-300 zoe*"}},

		{"unpublished", func(t *testing.T) []*media {
			return []*media{filmStub(t, camera(1, "zoe", "z"), nil, steady(0, 5*sec)...)}
		}, []capture.Event{
			event(0, capture.Join, "zoe", ""), event(0, capture.Published, "zoe", "z"), event(4*sec, capture.Unpublished, "zoe", "z"),
		}, []string{"0-120 zoe*", "120-300 zoe"}},

		{"the recorder came back: one picture, not two", func(t *testing.T) []*media {
			return []*media{
				filmStub(t, camera(1, "zoe", "z"), nil, steady(0, 5*sec)...),
				filmStub(t, camera(1, "zoe", "z"), nil, steady(4*sec, 10*sec)...),
			}
		}, []capture.Event{event(0, capture.Join, "zoe", ""), event(0, capture.Published, "zoe", "z")},
			[]string{"0-120 zoe*", "120-300 zoe*"}},

		{"a phone is turned", func(t *testing.T) []*media {
			turned := 33 * milli * 152
			return []*media{filmStub(t, camera(1, "zoe", "z"), map[time.Duration]shape{turned: {720, 1280}}, steady(0, 10*sec)...)}
		}, []capture.Event{event(0, capture.Join, "zoe", ""), event(0, capture.Published, "zoe", "z")},
			[]string{"0-150 zoe*", "150-300 zoe*"}},

		{"simulcast is no turn", func(t *testing.T) []*media {
			return []*media{filmStub(t, camera(1, "zoe", "z"), map[time.Duration]shape{0: {320, 180}, 33 * milli * 30: {426, 240}, 33 * milli * 60: {1280, 720}}, steady(0, 10*sec)...)}
		}, []capture.Event{event(0, capture.Join, "zoe", ""), event(0, capture.Published, "zoe", "z")},
			[]string{"0-300 zoe*"}},

		{"steps that follow at once are one", func(t *testing.T) []*media {
			return []*media{filmStub(t, camera(1, "bob", "b"), nil, steady(5*sec+60*milli, 10*sec)...)}
		}, []capture.Event{event(0, capture.Join, "zoe", ""), event(5*sec, capture.Join, "bob", ""), event(5*sec, capture.Published, "bob", "b")},
			[]string{"0-152 zoe", "152-300 zoe bob*"}},

		{"a screen, and its owner beside it", func(t *testing.T) []*media {
			return []*media{filmStub(t, screen, nil, 3*sec, 3100*milli)}
		}, []capture.Event{
			event(0, capture.Join, "zoe", ""), event(0, capture.Join, "bob", ""),
			event(3*sec, capture.Published, "bob", "screen"), event(9*sec, capture.Unpublished, "bob", "screen"),
		}, []string{"0-90 zoe bob", "90-270 [bob*] zoe bob", "270-300 zoe bob"}},

		{"the join got lost", func(t *testing.T) []*media {
			return []*media{filmStub(t, camera(1, "zoe", "z"), nil, steady(2*sec, 4*sec)...)}
		}, nil, []string{"0-60", "60-269 zoe*", "269-300"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			events := append([]capture.Event{{At: time.Unix(0, began), Type: capture.RecStart, Part: 1}}, c.events...)
			events = append(events, capture.Event{At: time.Unix(0, at(10*sec)), Type: capture.RecStop, Part: 1})
			if got := shot(tell(events, c.tracks(t))); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// Twelve people: nine have a place; who speaks and has none gets the place of who was silent longest, and keeps it. Beside a
// screen there are three places.
func TestSpeakersHaveThePlaces(t *testing.T) {
	t.Parallel()
	events := []capture.Event{{At: time.Unix(0, began), Type: capture.RecStart, Part: 1}}
	for i := range 12 {
		events = append(events, event(0, capture.Join, fmt.Sprintf("p%02d", i), ""))
	}
	say := func(d time.Duration, ids ...string) {
		events = append(events, capture.Event{At: time.Unix(0, at(d)), Type: capture.Speakers, Part: 1, Speakers: ids})
	}
	for i := range 8 { // all but p08 and those without a place
		say(time.Duration(i+1)*100*milli, fmt.Sprintf("p%02d", i))
	}
	say(10*sec, "p11", "p00")
	say(11*sec, "p10")        // too soon after the swap
	say(13*sec, "p10")        // now
	say(16*sec, "p03", "p05") // both have places
	screen := camera(1, "p02", "screen")
	screen.Source = capture.Screen
	events = append(events, event(20*sec, capture.Published, "p02", "screen"), event(30*sec, capture.Unpublished, "p02", "screen"),
		capture.Event{At: time.Unix(0, at(40*sec)), Type: capture.RecStop, Part: 1})
	slices.SortStableFunc(events, func(a, b capture.Event) int { return a.At.Compare(b.At) })
	got := shot(tell(events, []*media{filmStub(t, screen, nil, 20*sec)}))
	want := []string{
		"0-300 p00 p01 p02 p03 p04 p05 p06 p07 p08",
		"300-390 p00 p01 p02 p03 p04 p05 p06 p07 p11",
		"390-600 p00 p02 p03 p04 p05 p06 p07 p10 p11",
		"600-900 [p02*] p03 p05 p10",
	}
	if len(got) != 5 || !slices.Equal(got[:4], want) {
		t.Fatalf("got\n%s\nwant\n%s\nand nine again", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := len(strings.Fields(got[4])); n != 10 || !strings.Contains(got[4], "p03 ") {
		t.Errorf("after the screen: %s", got[4])
	}
}

func TestTilesLieWithinTheCanvasAndDoNotTouch(t *testing.T) {
	for n := 1; n <= maxTiles; n++ {
		tilesFit(t, fmt.Sprintf("grid of %d", n), grid(n))
	}
	for n := 1; n <= maxBeside; n++ {
		screen, people := beside(n)
		tilesFit(t, fmt.Sprintf("%d beside a screen", n), append(people, screen))
		if screen.w < 2*people[0].w {
			t.Errorf("screen of %d, people of %d", screen.w, people[0].w)
		}
	}
	if places := Places(); len(places) < 20 || !slices.Contains(places, image.Rect(0, 0, Width, Height)) {
		t.Errorf("places: %v", places)
	}
}

func tilesFit(t *testing.T, name string, places []rect) {
	t.Helper()
	for i, p := range places {
		if p.x < 0 || p.y < 0 || p.x+p.w > Width || p.y+p.h > Height || p.x%2+p.y%2+p.w%2+p.h%2 != 0 {
			t.Errorf("%s: tile %d at %+v", name, i, p)
		}
		if r := float64(p.w) / float64(p.h); r < 1.76 || r > 1.81 {
			t.Errorf("%s: tile %d is not 16:9: %+v", name, i, p)
		}
		for _, o := range places[i+1:] {
			if p.image().Overlaps(o.image()) {
				t.Errorf("%s: %+v and %+v overlap", name, p, o)
			}
		}
	}
	if len(places) > 1 && len(places) < maxTiles && slices.IsSortedFunc(places, func(a, b rect) int { return a.y - b.y }) {
		last := places[len(places)-1]
		row := slices.DeleteFunc(slices.Clone(places), func(p rect) bool { return p.y != last.y })
		if left, right := row[0].x, Width-row[len(row)-1].x-row[0].w; absolute(int64(left-right)) > 2 {
			t.Errorf("%s: the last row is not in the middle: %d left, %d right", name, left, right)
		}
	}
}

func TestWindowsCoverEveryFrameOnce(t *testing.T) {
	for _, lengths := range [][]int{{150}, {1}, {59, 61, 3000}, {108000}, {901, 899, 17}, {7, 8, 9}} {
		var all []epoch
		from := 0
		for _, n := range lengths {
			all = append(all, epoch{from: from, frames: n})
			from += n
		}
		next := 0
		for _, w := range cutWindows(all) {
			if w.from != next || w.frames < 1 || w.frames > longestWindow {
				t.Errorf("%v: window at %d of %d frames, want it at %d", lengths, w.from, w.frames, next)
			}
			if (w.from-w.epoch.from)%gop != 0 || w.from+w.frames > w.epoch.end() {
				t.Errorf("%v: window at %d+%d in epoch at %d+%d", lengths, w.from, w.frames, w.epoch.from, w.epoch.frames)
			}
			next = w.from + w.frames
		}
		if next != from {
			t.Errorf("%v: %d of %d frames", lengths, next, from)
		}
	}
}

// With a key frame every second each window is a run of its own. With one key frame an hour ago, windows follow each other in
// one run, so that nothing is decoded twice; one that is there already ends the run.
func TestWindowsWithoutKeyFramesAreMadeInOneRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		keys map[time.Duration]shape
		have int // frame of a window that is there
		want []int
	}{
		{"many key frames", everySecond(60), -1, []int{1, 1, 1, 1}},
		{"one key frame", nil, -1, []int{4}},
		{"one key frame, and one window there", nil, 480, []int{1, 2}},
	} {
		film := filmStub(t, camera(1, "zoe", "z"), c.keys, every(500*milli, 0, 60*sec)...)
		s := tell([]capture.Event{
			{At: time.Unix(0, began), Type: capture.RecStart, Part: 1}, event(0, capture.Join, "zoe", ""),
			{At: time.Unix(0, at(60*sec)), Type: capture.RecStop, Part: 1},
		}, []*media{film})
		jobs, err := plan(cutWindows(epochs(s)), func(w window) bool { return w.from == c.have })
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, j := range jobs {
			got = append(got, len(j.windows))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: runs of %v windows, want %v", c.name, got, c.want)
		}
	}
}

func everySecond(n int) map[time.Duration]shape {
	keys := map[time.Duration]shape{}
	for i := range n {
		keys[time.Duration(i)*sec] = shape{640, 360}
	}
	return keys
}

func TestWindowsAreNamedByWhatIsInThem(t *testing.T) {
	t.Parallel()
	name := func(who string, times []time.Duration, headline string) string {
		events := []capture.Event{{At: time.Unix(0, began), Type: capture.RecStart, Part: 1}}
		if who != "" {
			events = append(events, event(0, capture.Join, who, ""))
		}
		events = append(events, capture.Event{At: time.Unix(0, at(6*sec)), Type: capture.RecStop, Part: 1})
		var tracks []*media
		if times != nil {
			tracks = append(tracks, filmStub(t, camera(1, who, "z"), nil, times...))
		}
		w := cutWindows(epochs(tell(events, tracks)))[0]
		if err := w.sign(headline); err != nil {
			t.Fatal(err)
		}
		return w.key
	}
	film := every(100*milli, 0, 6*sec)
	base := name("zoe", film, "topic")
	if again := name("zoe", film, "another topic"); again != base {
		t.Error("a topic that is not shown changes the name")
	}
	for what, key := range map[string]string{
		"another name": name("bob", film, "topic"), "a card": name("zoe", nil, "topic"),
		"a frame less": name("zoe", film[:len(film)-1], "topic"), "nobody": name("", nil, "topic"),
	} {
		if key == base {
			t.Errorf("%s has the same name", what)
		}
	}
	if name("", nil, "topic") == name("", nil, "another") {
		t.Error("a topic that is shown does not change the name")
	}
}

func TestSoundThatDoesNotOverlapSharesALane(t *testing.T) {
	m := &media{}
	voice := func(from, to time.Duration) clip { return clip{span: span{at(from), at(to)}, media: m} }
	people := []*person{
		{voice: []clip{voice(0, 10*sec), voice(20*sec, 30*sec)}},
		{voice: []clip{voice(5*sec, 15*sec)}},
		{voice: []clip{voice(16*sec, 40*sec)}},
	}
	all := lanes(people)
	if len(all) != 2 || len(all[0])+len(all[1]) != 4 {
		t.Errorf("lanes: %+v", all)
	}
}

func TestWindowsCoverAnEpochAndNoneIsTiny(t *testing.T) {
	t.Parallel()
	for frames := shortEpoch; frames < 4000; frames++ {
		at := 100
		for _, w := range cutWindows([]epoch{{from: at, frames: frames}}) {
			if w.from != at || w.frames < shortEpoch || w.frames > longestWindow+gop || (w.from-100)%gop != 0 {
				t.Fatalf("%d frames: a window of %d at %d, want the next at %d, on the grid", frames, w.frames, w.from, at)
			}
			at += w.frames
		}
		if at != 100+frames {
			t.Fatalf("%d frames: windows end at %d", frames, at-100)
		}
	}
}

// 361 frames were cut into windows of 180, 180 and 1, and the file never passed its checks.
func TestARecordingThatIsOneFrameTooLongIsMade(t *testing.T) {
	t.Parallel()
	const length = 361 * sec / FrameRate
	c := newScene(t)
	c.join(0, "zoe", "Zoë")
	c.publish(0, "zoe", capture.Camera, "video/H264").send(0, filmed(t, "h264", 1, 320, 180, 0, 13*sec))
	c.stop(length)
	r := composed(t, c.close())
	if (r.Duration-length).Abs() > sec/FrameRate || len(r.Defects) > 0 {
		t.Errorf("duration %v, want %v; defects %+v", r.Duration, length, r.Defects)
	}
}
