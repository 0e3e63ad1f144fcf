package compose

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// renderer makes windows.
type renderer struct {
	tools   tools
	threads int
	jobs    string // folder for what a run needs while it runs
	windows string // folder of finished windows
	done    func(frames int)
	defect  func(Defect)

	mu     sync.Mutex // guards artist, whose fonts keep state
	artist *artist
}

func (r *renderer) file(key, suffix string) string { return filepath.Join(r.windows, key+suffix) }

// have says whether a window was made before. The picture is put in its place last, see keep.
func (r *renderer) have(w window) bool {
	look, err := os.Stat(r.file(w.key, ".luma"))
	if err != nil || look.Size() != int64(w.frames*lumaSize) {
		return false
	}
	picture, err := os.Stat(r.file(w.key, ".mp4"))
	return err == nil && picture.Size() > 0
}

// render makes the windows of a job. Those that were finished before an error are kept.
func (r *renderer) render(ctx context.Context, j job) error {
	dir, err := os.MkdirTemp(r.jobs, "job-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	g, err := r.prepare(j, dir)
	if err != nil {
		return err
	}
	k := &keeper{r: r, job: j, dir: dir, seen: make(chan lumas, len(j.windows))}
	complaint, err := r.tools.run(ctx, command{
		program: r.tools.ffmpeg, args: g.args(), stdout: k.look, extra: k.collect,
		limit: g.limit(),
	})
	if err == nil && k.kept < len(j.windows) {
		err = fmt.Errorf("%d of %d windows were made: %w", k.kept, len(j.windows), errShort)
	}
	if line, _, _ := strings.Cut(strings.TrimSpace(complaint), "\n"); err == nil && line != "" {
		r.defect(Defect{Kind: DefectDecode, At: position(j.windows[0].from), Duration: position(g.frames), Detail: line})
	}
	return err
}

// try makes the picture of one tile of a window alone, as render would, and throws it away. The error says what is wrong with it.
func (r *renderer) try(ctx context.Context, w window, tile int) error {
	dir, err := os.MkdirTemp(r.jobs, "try-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	g := graph{dir: dir, threads: r.threads, frames: w.frames}
	if g.bias, err = w.bias(); err != nil {
		return err
	}
	t := w.epoch.tiles[tile]
	alone := graphTile{video: fmt.Sprintf("tile-%02d.mkv", tile), at: t.picture()}
	if err := t.cut(filepath.Join(dir, alone.video), w.span(), g.bias); err != nil {
		return err
	}
	_, err = r.tools.run(ctx, command{program: r.tools.ffmpeg, args: g.trialArgs(alone), limit: g.limit()})
	return err
}

// limit is when a run takes so long that it will never end.
func (g graph) limit() time.Duration { return 5*time.Minute + 20*position(g.frames) + g.bias }

// bias is added to the times of a run that begins with w, which keeps every one of them positive.
func (w window) bias() (time.Duration, error) {
	ahead, err := w.ahead()
	return time.Duration(ahead).Truncate(time.Second) + 2*time.Second, err
}

// errShort is a run that ended well and too early.
var errShort = errors.New("the run ended early")

// prepare writes everything a run reads into dir.
func (r *renderer) prepare(j job, dir string) (graph, error) {
	g := graph{dir: dir, threads: r.threads}
	for i, w := range j.windows {
		if i > 0 {
			g.cuts = append(g.cuts, g.frames)
		}
		g.frames += w.frames
	}
	first, last := j.windows[0], j.windows[len(j.windows)-1]
	whole := span{first.span().from, last.span().to}
	var err error
	if g.bias, err = first.bias(); err != nil {
		return g, err
	}
	for i, t := range first.epoch.tiles {
		if t.clip == nil {
			continue
		}
		name := fmt.Sprintf("tile-%02d", i)
		if err := t.cut(filepath.Join(dir, name+".mkv"), whole, g.bias); err != nil {
			return g, fmt.Errorf("tile %d: %w", i, err)
		}
		label, err := r.label(t, filepath.Join(dir, name+".png"))
		if err != nil {
			return g, err
		}
		const inset = 10
		g.tiles = append(g.tiles, graphTile{
			video: name + ".mkv", label: name + ".png", at: t.picture(),
			mark: point{t.at.x + inset, t.at.y + t.at.h - inset - label.Dy()},
		})
	}
	return g, r.background(first.epoch.tiles, filepath.Join(dir, backgroundFile))
}

// picture is where the tile's picture lies: in the middle, as large as its proportions allow. A picture that would leave a
// sliver of the tile uncovered is stretched by that much.
func (t tile) picture() rect {
	s := t.clip.shape.fit(t.at.size())
	if s.like(t.at.size()) {
		return t.at
	}
	return t.at.center(s)
}

func (r *renderer) label(t tile, file string) (image.Rectangle, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	img, err := r.artist.label(t.who.name, t.at)
	if err != nil {
		return image.Rectangle{}, fmt.Errorf("label of %s: %w", t.who.id, err)
	}
	return img.Bounds(), savePNG(file, img)
}

func (r *renderer) background(tiles []tile, file string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	img, err := r.artist.background(tiles)
	if err != nil {
		return fmt.Errorf("background: %w", err)
	}
	return savePNG(file, img)
}

// cut writes the frames that a tile needs for a span, with times that count from the span's start plus bias.
func (t tile) cut(name string, s span, bias time.Duration) (err error) {
	from, end, _, err := t.reach(s)
	if err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffered := bufio.NewWriterSize(f, 1<<18)
	var out *mkvWriter
	var data []byte
	m, n := t.clip.media, from
	for e, err := range m.entries(from, end) {
		if err != nil {
			return err
		}
		if n++; n == end {
			e.at = max(e.at, s.from) // a picture that stands all the time would otherwise be dropped as too old
		}
		if data, err = m.payload(e, data); err != nil {
			return err
		}
		if out == nil {
			if out, err = m.begin(buffered, e, data); err != nil {
				return err
			}
		}
		if err := out.write(time.Duration(e.at-s.from)+bias, e.key, data); err != nil {
			return err
		}
	}
	return errors.Join(out.flush(), buffered.Flush())
}

// begin writes the head of a file whose first frame is e.
func (m *media) begin(w io.Writer, e entry, data []byte) (*mkvWriter, error) {
	head := mkvTrack{codec: m.codec, width: int(e.width), height: int(e.height)}
	if m.codec == "V_MPEG4/ISO/AVC" {
		var err error
		if head.private, err = avcConfig(data); err != nil {
			return nil, fmt.Errorf("key frame of %s: %w", m.log, err)
		}
	}
	return newMKV(w, head)
}

// lumas is what was seen of one window, and what was wrong with it.
type lumas struct {
	data []byte
	err  error
}

// keeper takes over windows while ffmpeg makes them. One goroutine looks at the small grey pictures, another waits for
// finished files; a window is kept when both are satisfied.
type keeper struct {
	r    *renderer
	job  job
	dir  string
	seen chan lumas
	kept int // owned by collect
}

// look reads the small grey pictures and searches them for tiles without their picture.
func (k *keeper) look(in io.Reader) error {
	defer close(k.seen)
	for _, w := range k.job.windows {
		l := lumas{data: make([]byte, 0, w.frames*lumaSize)}
		for n := range w.frames {
			l.data = l.data[:len(l.data)+lumaSize]
			one := luma(l.data[n*lumaSize:])
			if _, err := io.ReadFull(in, one); err != nil {
				return nil // ffmpeg ended early and says why
			}
			if l.err == nil {
				l.err = w.inspect(one, n)
			}
			k.r.done(1)
		}
		k.seen <- l
	}
	_, err := io.Copy(io.Discard, in)
	return err
}

func (w window) inspect(l luma, frame int) error {
	for i, t := range w.epoch.tiles {
		if t.clip != nil && l.bare(t.picture()) {
			return &bareError{tile: i, frame: frame}
		}
	}
	return nil
}

// collect reads ffmpeg's list of finished files.
func (k *keeper) collect(in io.Reader) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		name, _, _ := strings.Cut(lines.Text(), ",")
		if k.kept >= len(k.job.windows) {
			return fmt.Errorf("ffmpeg made more windows than it should: %s", name)
		}
		l, ok := <-k.seen
		if !ok {
			return nil // it was cut short
		}
		if l.err != nil {
			return l.err
		}
		if err := k.keep(k.job.windows[k.kept], filepath.Join(k.dir, filepath.Base(name)), l.data); err != nil {
			return err
		}
		k.kept++
	}
	return lines.Err()
}

// keep moves a finished window to its place: first what it looks like, then, as the sign that it is whole, the picture.
func (k *keeper) keep(w window, file string, look []byte) error {
	temp := file + ".luma"
	if err := os.WriteFile(temp, look, 0o640); err != nil {
		return err
	}
	if err := syncFile(file); err != nil {
		return err
	}
	return errors.Join(os.Rename(temp, k.r.file(w.key, ".luma")), os.Rename(file, k.r.file(w.key, ".mp4")))
}

// syncFile makes a file that another process wrote survive a power cut.
func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// seenIn returns the small grey pictures of a finished window.
func (r *renderer) seenIn(w window) ([]byte, error) {
	b, err := os.ReadFile(r.file(w.key, ".luma"))
	if err == nil && len(b) != w.frames*lumaSize {
		err = fmt.Errorf("%s.luma: %d bytes, want %d", w.key, len(b), w.frames*lumaSize)
	}
	return b, err
}
