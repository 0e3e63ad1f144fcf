package compose

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"huilu/internal/capture"
)

// Composer composes recordings. It may be used by several goroutines, with a Work folder each.
type Composer struct {
	FFmpeg  string // path; empty means the one in PATH
	FFprobe string // path; empty means the one in PATH
	Log     *slog.Logger
}

// composition is one run of Compose.
type composition struct {
	in    Input
	log   *slog.Logger
	tools tools
	fonts *fonts

	meta    capture.Meta
	tracks  []*media
	story   *story
	epochs  []epoch
	windows []window
	render  *renderer
	reused  int

	progress func(Progress)
	mu       sync.Mutex // guards the fields below
	composed int        // frames
	defects  []Defect
}

// Compose makes the recording's file. It can be killed at any time and called again with the same Input: finished windows
// are used again, and the result is the same.
//
// progress may be nil; it is called from several goroutines, one at a time. ErrEmpty and *InputError are final; any other
// error may be gone at the next attempt. Once ctx is done Compose kills its children and returns soon. It never writes to
// Capture, and Out holds either the whole result or nothing new.
func (c *Composer) Compose(ctx context.Context, in Input, progress func(Progress)) (Result, error) {
	k := &composition{in: in, log: c.Log, progress: progress}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	if k.progress == nil {
		k.progress = func(Progress) {}
	}
	var err error
	if k.tools, err = findTools(c.FFmpeg, c.FFprobe, in.Gentle); err != nil {
		return Result{}, err
	}
	if k.fonts, err = findFonts(ctx); err != nil {
		return Result{}, err
	}
	if err := k.makeFolders(); err != nil {
		return Result{}, fmt.Errorf("compose: %w", err)
	}
	defer k.tidy()
	r, err := k.run(ctx)
	if err == nil || errors.Is(err, ErrEmpty) {
		return r, err
	}
	if _, ok := errors.AsType[*InputError](err); ok {
		return Result{}, err
	}
	return Result{}, fmt.Errorf("compose: %w", err)
}

func (k *composition) folder(name string) string { return filepath.Join(k.in.Work, name) }

// makeFolders makes what is missing and removes what a killed attempt left half done.
func (k *composition) makeFolders() error {
	for _, name := range []string{"tracks", "jobs"} {
		if err := os.RemoveAll(k.folder(name)); err != nil {
			return err
		}
	}
	for _, dir := range []string{k.folder("tracks"), k.folder("jobs"), k.folder("windows"), k.folder("sound"), k.in.Out} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return err
		}
	}
	return nil
}

// tidy removes what the next attempt would make anew.
func (k *composition) tidy() {
	for _, m := range k.tracks {
		m.close()
	}
	for _, name := range []string{"tracks", "jobs"} {
		if err := os.RemoveAll(k.folder(name)); err != nil {
			k.log.Warn("compose: folder stays behind", "folder", k.folder(name), "err", err)
		}
	}
}

func (k *composition) run(ctx context.Context) (Result, error) {
	if err := k.read(ctx); err != nil {
		return Result{}, err
	}
	if err := k.worth(); err != nil {
		return Result{}, err
	}
	if err := k.plan(); err != nil {
		return Result{}, err
	}
	sound, err := k.make(ctx)
	if err != nil {
		return Result{}, err
	}
	return k.finish(ctx, sound)
}

// read converts the tracks and understands the timeline.
func (k *composition) read(ctx context.Context) error {
	rec, err := capture.Open(k.in.Capture)
	if err != nil {
		return unreadable(err)
	}
	defer rec.Close()
	k.meta = rec.Meta()
	events, err := rec.Timeline()
	if err != nil {
		return unreadable(err)
	}
	for _, damage := range rec.Damage() {
		k.defect(Defect{Kind: DefectCorrupt, Detail: damage.Error()})
	}
	if err := k.convert(ctx, rec.Tracks()); err != nil {
		return err
	}
	k.story = tell(events, k.tracks)
	k.inspectTracks(rec.Tracks())
	return nil
}

// unreadable tells a folder that is broken from a disk that is.
func unreadable(err error) error {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, typ := errors.AsType[*json.UnmarshalTypeError](err)
	if syntax || typ || errors.Is(err, fs.ErrNotExist) {
		return &InputError{Cause: "what was captured is missing or cannot be read", Err: err}
	}
	return err
}

// convert converts all tracks, several at a time.
func (k *composition) convert(ctx context.Context, tracks []capture.Track) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(k.cores())
	done := 0
	for _, t := range tracks {
		group.Go(func() error {
			m, err := convert(ctx, t, k.folder("tracks"))
			if err != nil && !errors.Is(err, errCodec) {
				return err
			}
			k.mu.Lock()
			defer k.mu.Unlock()
			if m != nil {
				k.tracks = append(k.tracks, m)
			}
			done++
			k.progress(Progress{Step: "convert", Done: shareConvert * float64(done) / float64(len(tracks))})
			return nil
		})
	}
	err := group.Wait()
	slices.SortFunc(k.tracks, func(a, b *media) int { return cmp.Compare(a.log, b.log) })
	return err
}

// The steps' shares of the work, for progress.
const (
	shareConvert = 0.04
	shareCompose = 0.82
	shareJoin    = 0.02
)

// worth returns an error when there is nothing to make a recording of.
func (k *composition) worth() error {
	length := position(k.story.frames())
	if !k.story.published && len(k.tracks) == 0 || length < shortest {
		k.log.Info("compose: nothing to compose", "recording", k.meta.RecordingID, "duration", length, "tracks", len(k.tracks))
		return ErrEmpty
	}
	if length > longest {
		return &InputError{Cause: fmt.Sprintf("the recording seems to last %v: the clock was changed while it ran",
			length.Round(time.Hour))}
	}
	broken := 0
	for _, m := range k.tracks {
		if m.count > 0 {
			return nil
		}
		if m.stats.dropped > 0 || m.damaged > 0 {
			broken++
		}
	}
	if broken > 0 {
		return &InputError{Cause: "nothing of what was captured can be decoded",
			Err: fmt.Errorf("%d of %d tracks are broken", broken, len(k.tracks))}
	}
	return nil
}

// plan cuts the film into windows and names them.
func (k *composition) plan() error {
	k.epochs = epochs(k.story)
	k.windows = cutWindows(k.epochs)
	artist := newArtist(k.fonts, cmp.Or(k.in.Topic, k.meta.Topic), k.started(), k.in.Timezone)
	for i := range k.windows {
		if err := k.windows[i].sign(artist.headline()); err != nil {
			return err
		}
	}
	k.render = &renderer{
		tools: k.tools, artist: artist, jobs: k.folder("jobs"), windows: k.folder("windows"), done: k.advance, defect: k.defect,
	}
	for _, w := range k.windows {
		if k.render.have(w) {
			k.reused++
			k.composed += w.frames
		}
	}
	return nil
}

func (k *composition) started() time.Time { return time.Unix(0, k.story.parts[0].from).UTC() }

// cores is how many things are done at a time.
func (k *composition) cores() int {
	if k.in.Gentle {
		return 1
	}
	return min(runtime.GOMAXPROCS(0), 8)
}

// runs is how many programs run at a time. Twice the cores: a run has one thread, so that no time goes into waiting for
// other threads; and when the last windows are made, no core is idle while another still has two of them to do.
func (k *composition) runs() int {
	if k.in.Gentle {
		return 1
	}
	return min(2*k.cores(), 12)
}

// make makes the sound and all windows that are not there yet.
func (k *composition) make(ctx context.Context) (sound string, err error) {
	jobs, err := plan(k.windows, k.render.have)
	if err != nil {
		return "", err
	}
	k.render.threads = max(k.cores()/max(len(jobs), 1), 1)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(k.runs())
	group.Go(func() error {
		m := &mixer{tools: k.tools, story: k.story, jobs: k.folder("jobs"), sound: k.folder("sound")}
		file, defects, err := m.mix(ctx)
		if err != nil {
			return fmt.Errorf("sound: %w", err)
		}
		for _, d := range defects {
			k.defect(d)
		}
		sound = file
		return nil
	})
	for _, j := range jobs {
		group.Go(func() error { return k.try(ctx, j) })
	}
	return sound, group.Wait()
}

// advance counts frames of picture.
func (k *composition) advance(frames int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.composed += frames
	if k.composed%FrameRate != 0 {
		return
	}
	whole := k.story.frames()
	k.progress(Progress{Step: "compose", At: position(min(k.composed, whole)), Of: position(whole),
		Done: shareConvert + shareCompose*float64(min(k.composed, whole))/float64(whole)})
}

func (k *composition) defect(d Defect) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.defects = append(k.defects, d)
}
