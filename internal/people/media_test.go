package people

import (
	"bytes"
	"os"
	"testing"
	"time"
)

func TestPreparedMediaIsOneWholeLoop(t *testing.T) {
	for _, p := range []Person{
		{Name: "Zoë", Index: 0},
		{Name: "张伟 ': %{pts}", Index: 1, Width: 640, Height: 360, FPS: 25},
		{Name: "vp8", Index: 2, Codec: "vp8", Width: 640, Height: 360, FPS: 20},
	} {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			dir, last := t.TempDir(), 0.0
			m, err := Prepare(t.Context(), p, 1500*time.Millisecond, dir, func(f float64) { last = f })
			if err != nil {
				t.Fatal(err)
			}
			if m.Loop != 2*time.Second || len(m.frames) != 2*m.Person.FPS || len(m.packets) != 50 {
				t.Errorf("loop %v, %d frames, %d packets", m.Loop, len(m.frames), len(m.packets))
			}
			if last != 1 {
				t.Errorf("progress ended at %v", last)
			}
			gap := 0
			for i, f := range m.frames {
				if gap++; f.key {
					gap = 0
				}
				if gap > m.Person.FPS/2 {
					t.Fatalf("frame %d is %d frames behind the last key frame", i, gap)
				}
			}
			again, err := Prepare(t.Context(), p, 2*time.Second, dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			if files, _ := os.ReadDir(dir); len(files) != 1 {
				t.Errorf("%d files in the cache, want 1: the second call must find the first one's", len(files))
			}
			if !bytes.Equal(again.frames[7].data, m.frames[7].data) {
				t.Error("the cached loop is not the one that was kept")
			}
		})
	}
}

func TestABrokenCacheFileIsReplaced(t *testing.T) {
	t.Parallel()
	dir, p := t.TempDir(), Person{Name: "x", Width: 320, Height: 180}
	if _, err := Prepare(t.Context(), p, 0, dir, nil); err != nil {
		t.Fatal(err)
	}
	files, _ := os.ReadDir(dir)
	file := dir + "/" + files[0].Name()
	whole, _ := os.ReadFile(file)
	for _, broken := range [][]byte{nil, whole[:len(whole)/2], []byte("not H.264 at all")} {
		if err := os.WriteFile(file, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := Prepare(t.Context(), p, 0, dir, nil)
		if err != nil || len(m.frames) != 60 {
			t.Fatalf("%d bytes in the cache: %v", len(broken), err)
		}
	}
}

func TestAPersonWhoCannotBeDrawnIsRefused(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]Person{
		"codec": {Codec: "av1"},
		"shape": {Width: 640, Height: 480},
		"odd":   {Width: 16 * 11, Height: 9 * 11},
		"huge":  {Width: 16000, Height: 9000},
		"rate":  {FPS: 29},
		"index": {Index: 32},
		"minus": {Index: -1},
	} {
		if _, err := Prepare(t.Context(), p, 0, t.TempDir(), nil); err == nil {
			t.Errorf("%s: %+v was accepted", name, p)
		}
	}
}

func FuzzSplitAnnexB(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 9, 16, 0, 0, 1, 0x65, 1, 2, 0, 0, 0, 1, 9, 16, 0, 0, 1, 0x41, 3})
	f.Add([]byte{0, 0, 1, 9})
	f.Fuzz(func(t *testing.T, raw []byte) {
		frames, err := splitAnnexB(raw)
		if err != nil {
			return
		}
		if len(frames) == 0 {
			t.Fatal("neither frames nor an error")
		}
		for _, fr := range frames {
			if len(fr.data) < 4 || fr.data[3]&0x1f != nalDelimiter {
				t.Fatalf("frame % x does not begin with a delimiter", fr.data)
			}
		}
	})
}
