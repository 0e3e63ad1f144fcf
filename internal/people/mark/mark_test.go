package mark

import (
	"image"
	"math/rand/v2"
	"testing"
)

func TestAStripIsReadBackFromAnySizeAndPlace(t *testing.T) {
	t.Parallel()
	canvas := image.Rect(0, 0, 1280, 720)
	for _, tile := range []image.Rectangle{
		canvas,
		image.Rect(0, 0, 640, 360),
		image.Rect(427, 240, 853, 480),
		image.Rect(960, 180, 1280, 360),
		image.Rect(11, 13, 11+240, 13+135),
	} {
		for _, want := range []Code{{0, 30, 0}, {31, 25, MaxFrame - 1}, {5, 20, 12345}, {17, 60, 1 << 17}} {
			pix := image.NewGray(canvas)
			Draw(pix, tile, want)
			if got, err := Read(pix, tile); err != nil || got != want {
				t.Errorf("tile %v: read %+v, %v; want %+v", tile, got, err, want)
			}
		}
	}
}

func TestAFlatOrNoisyPictureHasNoStrip(t *testing.T) {
	t.Parallel()
	pix := image.NewGray(image.Rect(0, 0, 1280, 720))
	for v := range 256 {
		Fill(pix, pix.Rect, uint8(v))
		if c, err := Read(pix, pix.Rect); err == nil {
			t.Fatalf("a picture of %d read as %+v", v, c)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		for i := range pix.Pix {
			pix.Pix[i] = uint8(r.IntN(256))
		}
		if c, err := Read(pix, pix.Rect); err == nil {
			t.Fatalf("noise read as %+v", c)
		}
	}
}

func TestEverySingleWrongCellIsNoticed(t *testing.T) {
	t.Parallel()
	word := Code{Index: 3, FPS: 30, Frame: 4711}.bits()
	for i := range cells {
		if c, err := parse(word ^ 1<<i); err == nil {
			t.Errorf("cell %d flipped and still read, as %+v", cells-1-i, c)
		}
	}
}

func TestTonesAreOnTheRaster(t *testing.T) {
	t.Parallel()
	seen := map[float64]bool{}
	for i := range MaxPeople {
		f := Tone(i)
		if int(f)%ToneRaster != 0 || f != float64(int(f)) {
			t.Errorf("tone %d is %v Hz, not a multiple of %d", i, f, ToneRaster)
		}
		seen[f] = true
	}
	if len(seen) != MaxPeople {
		t.Errorf("%d different tones for %d people", len(seen), MaxPeople)
	}
}

func TestTheLampIsOnForATenthOfEachSecond(t *testing.T) {
	t.Parallel()
	for fps, want := range map[int]int{20: 2, 25: 3, 30: 3, 60: 6} {
		on := 0
		for n := range 10 * fps {
			if LampOn(n, fps) {
				on++
			}
		}
		if on != 10*want {
			t.Errorf("%d fps: lamp on in %d frames of 10 s, want %d", fps, on, 10*want)
		}
		if !LampOn(fps, fps) || LampOn(fps-1, fps) {
			t.Errorf("%d fps: the lamp does not turn on at the whole second", fps)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Code{1, 30, 77}.bits())
	f.Fuzz(func(t *testing.T, word uint64) {
		word &= 1<<cells - 1
		c, err := parse(word)
		if err == nil && c.bits() != word {
			t.Fatalf("%040b reads as %+v, which writes %040b", word, c, c.bits())
		}
	})
}
