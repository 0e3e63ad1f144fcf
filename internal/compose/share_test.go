package compose

import (
	"math"
	"testing"

	"huilu/internal/capture"
	"huilu/internal/examine"
)

// Two parts: what lies between them is cut out. In the second a screen is shared, which sends one picture and then nothing,
// because nothing moves on it.
func TestSharedScreenTakesTheLargePlaceAndTimeBetweenPartsIsCutOut(t *testing.T) {
	t.Parallel()
	c := newScene(t)
	c.join(0, "zoe", "Zoë")
	c.join(0, "bob", "Bob")
	c.publish(0, "zoe", capture.Camera, "video/VP8").send(0, filmed(t, "vp8", 1, 640, 360, 0, 3*sec))
	c.stop(3 * sec)

	c.begin(60 * sec)
	c.join(60*sec, "zoe", "Zoë")
	c.join(60*sec, "bob", "Bob")
	c.publish(60*sec, "zoe", capture.Camera, "video/VP8").send(60*sec, filmed(t, "vp8", 1, 640, 360, 3*sec, 6*sec))
	c.publish(60*sec, "zoe", capture.Microphone, "audio/opus").send(60*sec, voiceOf(t, 1, 3*sec, 8*sec))
	slide := c.publish(61*sec, "bob", capture.Screen, "video/VP8")
	slide.send(61*sec, develop(t, rollKey{who: 9, codec: "vp8", w: 1024, h: 768, fps: 5, frames: 2, gop: 1}))
	slide.event(65*sec, capture.Unpublished)
	c.stop(66 * sec)

	r := composed(t, c.close())
	stills(t, r.File, map[string]int{"share": 5 * 30})
	if len(r.Defects) > 0 {
		t.Errorf("defects: %+v", r.Defects)
	}
	if r.Duration != 9*sec {
		t.Errorf("duration = %v, want 9s: 3 s and 6 s", r.Duration)
	}
	screen, people := beside(2)
	slideAt := screen.center(shape{1024, 768}.fit(screen.size()))
	two := grid(2)
	seen := watchPlaces(t, r.File, two[0], two[1], slideAt, people[0], people[1])
	seen[0].shows(t, 1, 0, 4*sec, 1) // over the cut, too
	seen[1].empty(t, 0, 9*sec)
	seen[3].shows(t, 1, 4100*milli, 6*sec, 1)
	seen[4].empty(t, 4*sec, 8*sec)
	for n := 4*30 + 3; n < 8*30; n++ {
		if code := seen[2][n]; code == nil || code.Index != 9 {
			t.Fatalf("frame %d shows no slide", n)
		}
	}
	seen[2].empty(t, 8100*milli, 9*sec)
	// Zoe's last picture, at 6 s of the file, stands for five seconds: a camera that hangs is not a camera that is off.
	if code := seen[0][8*30+15]; code == nil || math.Abs(code.Seconds()-6) > 0.1 {
		t.Errorf("at 8.5 s Zoë's last picture should stand, got %v", code)
	}
	if len(r.Participants) != 2 || r.Participants[1].Name != "Bob" || r.Participants[1].Left != 9*sec {
		t.Errorf("participants = %+v", r.Participants)
	}
	rep, err := examine.Examine(t.Context(), r.File, examine.Options{Tiles: Places(), Duration: 9 * sec})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range rep.Bad() {
		t.Error(bad)
	}
	if p := rep.Person(1); p == nil || p.Sync.Pairs < 2 || math.Abs(p.Sync.Median.Duration().Seconds()) > 0.03 {
		t.Errorf("flash and beep of Zoë: %+v", p)
	}
}
