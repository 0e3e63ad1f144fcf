package compose

import (
	"flag"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"huilu/internal/capture"
	"huilu/internal/examine"
)

const (
	sec   = time.Second
	milli = time.Millisecond
)

// filmed makes a roll that shows its true time when it is sent from that time on.
func filmed(t testing.TB, codec string, who, w, h int, from, to time.Duration) roll {
	return develop(t, rollKey{who: who, codec: codec, w: w, h: h, fps: 30, gop: 60,
		first: int(from.Seconds()*30 + 0.5), frames: int((to-from).Seconds()*30 + 0.5)})
}

func voiceOf(t testing.TB, who int, from, to time.Duration) roll {
	return develop(t, rollKey{who: who, codec: "opus", first: int(from / (20 * milli)), frames: int((to - from) / (20 * milli))})
}

// A meeting as they are: one comes in with simulcast's ramp of resolutions, another later, turns the camera off for a while
// and leaves early; a third has only a microphone.
func TestEverybodyIsSeenFromJoinToLeaveInStep(t *testing.T) {
	t.Parallel()
	c := newScene(t)
	c.join(0, "zoe", "Zoë 王小明")
	c.join(0, "ada", "Ada")

	zoe := c.publish(0, "zoe", capture.Camera, "video/H264")
	zoe.send(200*milli, filmed(t, "h264", 1, 320, 180, 200*milli, 1*sec))
	zoe.send(1*sec, filmed(t, "h264", 1, 640, 360, 1*sec, 2*sec))
	zoe.send(2*sec, filmed(t, "h264", 1, 1280, 720, 2*sec, 12*sec))
	c.publish(0, "zoe", capture.Microphone, "audio/opus").send(200*milli, voiceOf(t, 1, 200*milli, 12*sec))

	ada := c.publish(0, "ada", capture.Microphone, "audio/opus")
	ada.send(500*milli, voiceOf(t, 2, 500*milli, 12*sec))

	c.join(3*sec, "bob", "Bob")
	bob := c.publish(3*sec, "bob", capture.Camera, "video/VP8")
	sound := c.publish(3*sec, "bob", capture.Microphone, "audio/opus")
	bob.send(3500*milli, filmed(t, "vp8", 3, 640, 360, 3500*milli, 6*sec))
	sound.send(3500*milli, voiceOf(t, 3, 3500*milli, 10*sec))
	bob.event(6*sec, capture.Mute)
	bob.event(8*sec, capture.Unmute)
	bob.send(8*sec, filmed(t, "vp8", 3, 640, 360, 8*sec, 10*sec))
	c.leave(10*sec, "bob")
	c.stop(12 * sec)

	r := composed(t, c.close())
	stills(t, r.File, map[string]int{"ramp": 20, "three": 5 * 30, "card": 7 * 30, "alone": 11 * 30})
	if len(r.Defects) > 0 {
		t.Errorf("defects: %+v", r.Defects)
	}
	two, three := grid(2), grid(3)
	seen := watchPlaces(t, r.File, two[0], two[1], three[0], three[2])
	seen[0].shows(t, 1, 500*milli, 3*sec, 1)
	seen[1].empty(t, 0, 3*sec)
	seen[2].shows(t, 1, 3200*milli, 10*sec, 1)
	seen[3].empty(t, 3200*milli, 3500*milli)
	seen[3].shows(t, 3, 3600*milli, 6*sec, 1)
	seen[3].empty(t, 6100*milli, 8*sec)
	seen[3].shows(t, 3, 8100*milli, 10*sec, 1)
	seen[0].shows(t, 1, 10100*milli, 12*sec, 1)

	examined(t, r, 12*sec, []examine.Expected{
		{Index: 1, Name: "zoe", Seen: spans(0.5, 12), Heard: spans(1, 12)},
		{Index: 2, Name: "ada", Heard: spans(1, 12)},
		{Index: 3, Name: "bob", Seen: spans(3.6, 6, 8.1, 10), Heard: spans(4, 10)},
	})
}

func spans(edges ...float64) (all []examine.Interval) {
	for i := 0; i < len(edges); i += 2 {
		all = append(all, examine.Interval{From: examine.Seconds(edges[i]), To: examine.Seconds(edges[i+1])})
	}
	return all
}

// examined lets package examine, which knows nothing of how the file was made, judge it.
func examined(t *testing.T, r Result, length time.Duration, people []examine.Expected) {
	t.Helper()
	rep, err := examine.Examine(t.Context(), r.File, examine.Options{Tiles: Places(), Duration: length, People: people})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range rep.Bad() {
		t.Error(bad)
	}
	t.Logf("\n%s", rep)
}

// stills keeps pictures of a test's result for whoever wants to look (go test -artifacts).
func stills(t *testing.T, file string, frames map[string]int) {
	t.Helper()
	if f := flag.Lookup("test.artifacts"); f == nil || f.Value.String() != "true" {
		return // they would be thrown away
	}
	at := map[int]string{}
	for name, n := range frames {
		at[n] = name
	}
	look(t, file, func(n int, img *image.Gray) {
		if at[n] == "" {
			return
		}
		f, err := os.Create(filepath.Join(t.ArtifactDir(), at[n]+".png"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := png.Encode(f, img); err != nil {
			t.Fatal(err)
		}
	})
}
