package producer

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"huilu/internal/capture"
	"huilu/internal/compose"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

var begun = time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)

// world is everything around a producer. What happens is noted in order; what is to go wrong is set by name.
type world struct {
	rec     recording.Recording
	parts   []recording.Part
	result  compose.Result
	fails   map[string]error
	happens []string
	cause   string
	stored  recording.Result
	input   compose.Input
	ctx     context.Context // of Produce, if the test has one of its own
	stop    func()          // called while composing
}

func (w *world) note(what string) error {
	w.happens = append(w.happens, what)
	return w.fails[what]
}

func (w *world) Claim(context.Context, recording.ID) (recording.Recording, error) {
	return w.rec, w.note("claim")
}
func (w *world) Progress(context.Context, recording.ID, float64) error { return w.note("progress") }
func (w *world) Finish(_ context.Context, _ recording.ID, _ string, r recording.Result) error {
	w.stored = r
	return w.note("finish")
}
func (w *world) Discard(_ context.Context, _ recording.ID, why string) error {
	w.cause = why
	return w.note("discard")
}
func (w *world) Fail(_ context.Context, _ recording.ID, cause string) error {
	w.cause = cause
	return w.note("fail")
}
func (w *world) Parts(context.Context, recording.ID) ([]recording.Part, error) {
	return w.parts, w.fails["parts"]
}
func (w *world) Seal(context.Context, recording.ID) error { return w.note("seal") }
func (w *world) Put(_ context.Context, key, _ string) error {
	return w.note("put " + key)
}
func (w *world) Topic(context.Context, tenant.Key, int64) (string, error) {
	return "Weekly", w.fails["topic"]
}
func (w *world) Compose(_ context.Context, in compose.Input, progress func(compose.Progress)) (compose.Result, error) {
	w.input = in
	if err := os.MkdirAll(in.Out, 0o700); err != nil {
		return compose.Result{}, err
	}
	for range 100 {
		progress(compose.Progress{Done: 0.5})
	}
	if w.stop != nil {
		w.stop()
	}
	return w.result, w.note("compose")
}

// produce makes a producer in a temporary folder, with a capture folder in which a recorder ran, and runs it.
func produce(t *testing.T, w *world, change func(*Producer)) error {
	t.Helper()
	dir := t.TempDir()
	p := &Producer{
		Recordings: w, Parts: w, Sealer: w, Composer: w, Files: w, Topics: w,
		Able: func(context.Context) error { return w.fails["able"] }, Busy: func() bool { return w.fails["busy"] != nil },
		Capture: filepath.Join(dir, "capture"), Work: filepath.Join(dir, "work"), Log: slog.New(slog.DiscardHandler),
	}
	if w.rec.ID == 0 {
		w.rec = recording.Recording{ID: 7, Tenant: "acme", Meeting: 70, State: recording.Processing, Attempts: 1}
	}
	captured(t, filepath.Join(p.Capture, w.rec.ID.String()))
	if change != nil {
		change(p)
	}
	if w.ctx == nil {
		w.ctx = t.Context()
	}
	return p.Produce(w.ctx, w.rec.ID)
}

// captured makes a capture folder in which a recorder ran for a moment.
func captured(t *testing.T, dir string) {
	t.Helper()
	s, err := capture.Create(dir, capture.Meta{RecordingID: "7", MeetingID: "70"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Part(1, begun); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func lasting(d time.Duration) []recording.Part {
	return []recording.Part{{N: 1, StartedAt: begun, StoppedAt: begun.Add(d)}}
}

func TestARecordingIsStoredBeforeItIsFinished(t *testing.T) {
	t.Parallel()
	w := &world{result: compose.Result{
		File: "recording.mp4", Poster: "poster.jpg", Duration: 30 * time.Second, Size: 5, SHA256: "ab",
		Defects: []compose.Defect{{Kind: compose.DefectFrozen, At: 1500 * time.Millisecond, Duration: time.Second, Participant: "p1", Detail: "lost packets"}},
	}}
	var folder string
	err := produce(t, w, func(p *Producer) { folder = filepath.Join(p.Work, "7") })
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"claim", "seal", "progress", "compose", "put acme/7/recording.mp4", "put acme/7/poster.jpg", "finish"}
	if !slices.Equal(w.happens, want) {
		t.Errorf("%v, want %v", w.happens, want)
	}
	if m := w.stored.Minute; m.File != "acme/7/recording.mp4" || m.Poster != "acme/7/poster.jpg" || m.Size != 5 || m.SHA256 != "ab" || w.stored.Duration != 30*time.Second {
		t.Errorf("finished with %+v", w.stored)
	}
	if d := w.stored.Minute.Defects; len(d) != 1 || d[0] != "frozen at 1.5s for 1s of p1: lost packets" {
		t.Errorf("defects %q", d)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the work folder stays behind: %v", err)
	}
}

func TestWhatIsComposedFollowsTheRecording(t *testing.T) {
	t.Parallel()
	w := &world{rec: recording.Recording{ID: 9, Tenant: "acme", Meeting: 70, Timezone: -3, HasZone: true, Attempts: 1}, fails: map[string]error{"busy": errors.New("people meet")}}
	if err := produce(t, w, nil); err != nil {
		t.Fatal(err)
	}
	if in := w.input; !in.Gentle || in.Topic != "Weekly" || filepath.Base(in.Capture) != "9" || filepath.Dir(in.Out) != in.Work {
		t.Errorf("input %+v", in)
	}
	if _, offset := begun.In(w.input.Timezone).Zone(); offset != -3*3600 {
		t.Errorf("the zone is %d s from UTC", offset)
	}
	if slices.Contains(w.happens, "put acme/9/poster.jpg") || w.stored.Minute.Poster != "" {
		t.Errorf("a poster that was not made is stored: %v", w.happens)
	}
}

// TestEveryEndOfAComposition is the table of what becomes of a recording. Attempts that are used up count only when the
// machine could have composed.
func TestEveryEndOfAComposition(t *testing.T) {
	t.Parallel()
	trouble := errors.New("trouble")
	for name, c := range map[string]struct {
		fails    map[string]error
		attempts int
		parts    []recording.Part
		change   func(*Producer)
		end      string // last thing that happens
		again    bool   // Produce returns an error, so it is tried again
		cause    string
	}{
		"an earlier attempt finished it":      {fails: map[string]error{"claim": recording.ErrMoved}, end: "claim"},
		"the recording is gone":               {fails: map[string]error{"claim": recording.ErrNotFound}, end: "claim"},
		"the database does not answer":        {fails: map[string]error{"claim": trouble}, end: "claim", again: true},
		"the recorder cannot be stopped":      {fails: map[string]error{"seal": trouble}, end: "seal", again: true},
		"the topic cannot be read":            {fails: map[string]error{"topic": trouble}, end: "seal", again: true},
		"first failure":                       {fails: map[string]error{"compose": trouble}, end: "compose", again: true},
		"last failure but one":                {fails: map[string]error{"compose": trouble}, attempts: MaxAttempts - 1, end: "compose", again: true},
		"last failure":                        {fails: map[string]error{"compose": trouble}, attempts: MaxAttempts, end: "fail", cause: "composition failed 5 times: trouble"},
		"what was captured is broken":         {fails: map[string]error{"compose": &compose.InputError{Cause: "nothing can be decoded"}}, end: "fail", cause: "nothing can be decoded"},
		"nobody published":                    {fails: map[string]error{"compose": compose.ErrEmpty}, parts: lasting(time.Minute), end: "discard", cause: "nothing was published, or it was shorter than 5 seconds"},
		"too short":                           {fails: map[string]error{"compose": compose.ErrEmpty}, parts: lasting(4 * time.Second), end: "discard", cause: "nothing was published, or it was shorter than 5 seconds"},
		"the file store is away":              {fails: map[string]error{"put acme/7/recording.mp4": trouble}, attempts: MaxAttempts + 3, end: "put acme/7/recording.mp4", again: true},
		"the database goes away at the end":   {fails: map[string]error{"finish": trouble}, attempts: MaxAttempts + 3, end: "finish", again: true},
		"no program to compose with":          {fails: map[string]error{"able": trouble}, end: "", again: true},
		"stopped too early, no recorder ran":  {parts: lasting(4 * time.Second), change: noCapture, end: "discard", cause: "nothing was published, or it was shorter than 5 seconds"},
		"no recorder ran for a whole meeting": {parts: lasting(time.Minute), change: noCapture, end: "fail", cause: "nothing was captured: the recorder could not start"},
		"the recorder never got in":           {fails: map[string]error{"compose": compose.ErrEmpty}, parts: lasting(time.Minute), change: noPart, end: "fail", cause: "nothing was captured: the recorder could not start"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{fails: c.fails, parts: c.parts, result: compose.Result{File: "recording.mp4"}}
			w.rec = recording.Recording{ID: 7, Tenant: "acme", Meeting: 70, Attempts: max(c.attempts, 1)}
			err := produce(t, w, c.change)
			if (err != nil) != c.again {
				t.Errorf("Produce returns %v", err)
			}
			if got := last(w.happens); got != c.end || w.cause != c.cause {
				t.Errorf("it ends with %q because %q, want %q because %q", got, w.cause, c.end, c.cause)
			}
		})
	}
}

func noCapture(p *Producer) { _ = os.RemoveAll(p.Capture) }

// noPart leaves a capture folder in which no recorder ever began.
func noPart(p *Producer) {
	noCapture(p)
	s, err := capture.Create(filepath.Join(p.Capture, "7"), capture.Meta{RecordingID: "7"})
	if err == nil {
		_ = s.Close()
	}
}

func last(happened []string) string {
	if len(happened) == 0 {
		return ""
	}
	return happened[len(happened)-1]
}

func TestAttemptsWithoutRoomOnTheDiskDoNotFailTheRecording(t *testing.T) {
	t.Parallel()
	w := &world{rec: recording.Recording{ID: 7, Tenant: "acme", Attempts: MaxAttempts + 1}, fails: map[string]error{"compose": errors.New("no space left on device")}}
	looks := 0
	err := produce(t, w, func(p *Producer) {
		p.Able = func(context.Context) error { // the disk fills up while composing
			if looks++; looks > 1 {
				return errors.New("the disk is full")
			}
			return nil
		}
	})
	if err == nil || slices.Contains(w.happens, "fail") {
		t.Errorf("%v, %v", err, w.happens)
	}
}

func TestAStopOfTheServerDoesNotFailTheRecording(t *testing.T) {
	t.Parallel()
	w := &world{rec: recording.Recording{ID: 7, Tenant: "acme", Attempts: MaxAttempts}, fails: map[string]error{"compose": context.Canceled}}
	w.ctx, w.stop = context.WithCancel(t.Context())
	if err := produce(t, w, nil); err == nil || slices.Contains(w.happens, "fail") {
		t.Errorf("%v, %v", err, w.happens)
	}
}

func TestDescribeNamesOnlyWhatIsKnown(t *testing.T) {
	t.Parallel()
	if got := describe(compose.Defect{Kind: compose.DefectUnfinished, Detail: "the recorder died"}); got != "unfinished at 0s: the recorder died" || strings.Contains(got, "of") {
		t.Errorf("%q", got)
	}
}
