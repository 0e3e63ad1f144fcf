package compose

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"huilu/internal/capture"
	"huilu/internal/examine"
)

// Sound stays where it belongs over everything that makes gaps: lost packets, silence in which nothing is sent, a muted
// microphone, a recorder that came back and has the same second twice, two people at once. Nobody has a camera.
func TestSoundStaysInTimeOverGapsOfAllKinds(t *testing.T) {
	t.Parallel()
	c := newScene(t)
	c.join(0, "zoe", "Zoë")
	c.join(0, "bob", "Bob")
	dice := rand.New(rand.NewPCG(2, 2))
	zoe := c.publish(0, "zoe", capture.Microphone, "audio/opus")
	n := 0
	zoe.harm = func(int) trouble {
		inBeep := n%50 < 6 // a beep without its beginning could not be measured
		n++
		return trouble{lost: !inBeep && dice.IntN(15) == 0, late: time.Duration(dice.IntN(2)*dice.IntN(80)) * milli}
	}
	zoe.send(0, voiceOf(t, 1, 0, 5*sec))
	zoe.event(5*sec, capture.Mute)
	zoe.send(5*sec, voiceOf(t, 9, 5*sec, 6*sec)) // whatever comes now must not be heard
	zoe.event(7*sec, capture.Unmute)
	n = 0
	zoe.send(7*sec, voiceOf(t, 1, 7*sec, 10*sec))

	quiet := voiceOf(t, 3, 0, 6*sec)
	bob := c.publish(0, "bob", capture.Microphone, "audio/opus")
	for i, f := range quiet.frames { // nothing is sent in silence but a byte now and then
		at := time.Duration(i) * 20 * milli
		switch {
		case i%50 < 8:
			bob.frame(at, f)
		case i%20 == 0:
			bob.frame(at, []byte{0xf8})
		}
		if i%100 == 7 {
			bob.report(at)
		}
	}
	again := c.publish(5*sec, "bob", capture.Microphone, "audio/opus") // another log of the same microphone
	again.send(5*sec, voiceOf(t, 3, 5*sec, 10*sec))
	c.stop(10 * sec)

	r := composed(t, c.close())
	rep, err := examine.Examine(t.Context(), r.File, examine.Options{Tiles: Places(), Duration: 10 * sec})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range rep.Bad() {
		t.Error(bad)
	}
	beeps(t, rep, 1, []int{0, 1, 2, 3, 4, 7, 8, 9})
	beeps(t, rep, 3, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	if p := rep.Person(9); p != nil {
		t.Errorf("what was said while muted is heard: %+v", p.Beeps)
	}
	if len(r.Defects) > 0 {
		t.Errorf("defects: %+v", r.Defects)
	}
}

// beeps wants a person's beeps at these seconds, 6.5 ms late by Opus and 5 ms by what a filter can tell, and as loud as they
// were: twice the level would be an echo.
func beeps(t *testing.T, rep *examine.Report, who int, seconds []int) {
	t.Helper()
	const level = 0.1 * math.Sqrt2 // on both sides
	p := rep.Person(who)
	if p == nil {
		t.Fatalf("person %d is not heard", who)
	}
	var heard []int
	for _, b := range p.Beeps {
		heard = append(heard, int(math.Round(float64(b.At))))
		if late := float64(b.At) - math.Round(float64(b.At)); math.Abs(late) > 0.015 {
			t.Errorf("person %d: the beep at %v is %.1f ms late", who, b.At, 1000*late)
		}
		if math.Abs(b.Level-level) > 0.02 {
			t.Errorf("person %d: the beep at %v has the level %.3f, want %.3f", who, b.At, b.Level, level)
		}
	}
	if !slices.Equal(heard, seconds) {
		t.Errorf("person %d beeps at %v, want %v", who, heard, seconds)
	}
}
