package compose

import (
	"math/rand/v2"
	"testing"
	"time"

	"huilu/internal/capture"
)

// What a network may do to packets without losing one: order them anew, send them twice. Nothing of it may be seen.
func TestReorderedAndRepeatedPacketsLeaveNoTrace(t *testing.T) {
	t.Parallel()
	c := newScene(t)
	for i, codec := range []string{"h264", "vp8"} {
		id := codec
		c.join(0, id, codec)
		r := filmed(t, codec, 1+i, 640, 360, 0, 5*sec)
		tr := c.publish(0, id, capture.Camera, r.mime)
		dice := rand.New(rand.NewPCG(7, uint64(i)))
		tr.harm = func(int) (h trouble) {
			if dice.IntN(10) == 0 {
				h.late = time.Duration(dice.IntN(300)) * milli
			}
			h.twice = dice.IntN(10) == 0
			return h
		}
		tr.send(0, r)
	}
	c.stop(5 * sec)
	r := composed(t, c.close())
	seen := watchPlaces(t, r.File, grid(2)...)
	seen[0].shows(t, 1, 100*milli, 4900*milli, 1)
	seen[1].shows(t, 2, 100*milli, 4900*milli, 1)
	if len(r.Defects) > 0 {
		t.Errorf("defects: %+v", r.Defects)
	}
}

// Every twentieth packet is lost for good, in bursts. A picture stands still until the next key frame, and is never torn:
// every strip that is seen is whole and shows its own time, or one of the last two seconds, which is a key frame's distance.
func TestLostPacketsFreezeThePictureUntilTheNextKeyFrame(t *testing.T) {
	t.Parallel()
	c := newScene(t)
	for i, codec := range []string{"h264", "vp8"} {
		c.join(0, codec, codec)
		r := filmed(t, codec, 1+i, 640, 360, 0, 6*sec)
		tr := c.publish(0, codec, capture.Camera, r.mime)
		dice := rand.New(rand.NewPCG(11, uint64(i)))
		tr.harm = func(n int) trouble { return trouble{lost: n > 40 && n%120 < 6 && dice.IntN(3) > 0} }
		tr.send(0, r)
	}
	c.stop(6 * sec)
	r := composed(t, c.close())
	seen := watchPlaces(t, r.File, grid(2)...)
	for i, s := range seen {
		moved, last := 0, -1
		for n := 15; n < 6*30; n++ {
			switch code := s[n]; {
			case code == nil || code.Index != 1+i:
				t.Fatalf("picture %d is torn or gone in frame %d: %v", i, n, code)
			case code.Frame > n+1 || code.Frame < n-75 || code.Frame < last:
				t.Fatalf("picture %d: frame %d shows %d after %d", i, n, code.Frame, last)
			default:
				if code.Frame != last {
					moved++
				}
				last = code.Frame
			}
		}
		if moved == 6*30-15 || moved < 30 {
			t.Errorf("picture %d moved in %d frames: the losses should be seen, and not all the time", i, moved)
		}
	}
}
