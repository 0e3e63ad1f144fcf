package examine

import (
	"image"
	"testing"
	"time"

	"huilu/internal/people/mark"
)

func TestTilesAreFoundWithoutBeingTold(t *testing.T) {
	t.Parallel()
	tiles := []image.Rectangle{
		image.Rect(0, 90, 960, 630),
		image.Rect(960, 0, 1280, 180),
		image.Rect(960, 181, 1280, 361),
		image.Rect(967, 500, 967+256, 500+144),
	}
	pix := image.NewGray(image.Rect(0, 0, 1280, 720))
	for i, tile := range tiles {
		mark.Fill(pix, tile, uint8(40+30*i))
		mark.Draw(pix, tile, mark.Code{Index: i, FPS: 30, Frame: 1000 + i})
	}
	t0 := time.Now()
	found := Find(pix)
	t.Logf("took %v", time.Since(t0))
	if len(found) != len(tiles) {
		t.Fatalf("found %d tiles, want %d: %+v", len(found), len(tiles), found)
	}
	for _, f := range found {
		want := tiles[f.Code.Index]
		if d := f.Area.Min.Sub(want.Min); abs(d.X) > 4 || abs(d.Y) > 4 {
			t.Errorf("tile %d found at %v, is at %v", f.Code.Index, f.Area, want)
		}
		if d := f.Area.Max.Sub(want.Max); abs(d.X) > 6 || abs(d.Y) > 6 {
			t.Errorf("tile %d found at %v, is at %v", f.Code.Index, f.Area, want)
		}
	}
}

func abs(v int) int { return max(v, -v) }
