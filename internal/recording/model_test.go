package recording_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huilu/internal/event"
	"huilu/internal/ident"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/store/storetest"
)

// model is what the package comment of recording says of one meeting's recording, in thirty lines.
type model struct {
	running  bool // the meeting
	state    recording.State
	open     bool // a part
	parts    int
	attempts int
	jobs     int // waiting
	minutes  int
	news     []event.Type
}

func (m *model) start() error {
	switch {
	case !m.running:
		return meeting.ErrNotRunning
	case m.open:
		return recording.ErrIsRecording
	}
	m.state, m.open, m.parts, m.news = recording.Running, true, m.parts+1, []event.Type{event.RecordingStarted}
	return nil
}

func (m *model) stop() error {
	switch {
	case !m.running:
		return meeting.ErrNotRunning
	case !m.open:
		return recording.ErrNotRecording
	}
	m.open, m.news = false, []event.Type{event.RecordingEnded}
	return nil
}

func (m *model) end() error {
	if !m.running {
		return meeting.ErrNotRunning
	}
	m.running, m.news = false, []event.Type{event.MeetingLeft, event.MeetingEnded}
	if m.open {
		m.open, m.news = false, append(m.news, event.RecordingEnded)
	}
	if m.state == recording.Running {
		m.state, m.jobs = recording.Processing, 1
	}
	return nil
}

// leave is the end of processing; anywhere else it changes nothing, and where nothing is it is an error.
func (m *model) leave(to recording.State) error {
	switch {
	case m.state == "":
		return recording.ErrNotFound
	case m.state != recording.Processing:
		return nil
	}
	m.state = to
	if to == recording.Ready {
		m.minutes, m.news = 1, []event.Type{event.RecordingReady}
	}
	return nil
}

func (m *model) claim() error {
	switch m.state {
	case "":
		return recording.ErrNotFound
	case recording.Processing:
		m.attempts++
		return nil
	}
	return recording.ErrMoved
}

func (m *model) retry() error {
	switch m.state {
	case "":
		return recording.ErrNotFound
	case recording.Failed:
		m.state, m.jobs, m.attempts = recording.Processing, 1, 0
		return nil
	}
	return recording.ErrMoved
}

func (m *model) resume() error {
	if m.state == recording.Processing {
		m.jobs = 1
	}
	return nil
}

// fetch is what the owner is told (design.md, GET recording).
func (m *model) fetch() error {
	switch {
	case m.running:
		return recording.ErrNotEnded
	case m.state == recording.Processing:
		return recording.ErrProcessing
	case m.state == recording.Ready:
		return nil
	case m.state == recording.Failed:
		return recording.ErrProduction
	}
	return recording.ErrNotFound
}

// Whatever is called in whatever order, the recording goes the ways of the diagram and no others,
// each step with its events, its job and its minute.
func TestTheLifeOfARecordingIsTheDiagrams(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		auto := rapid.Bool().Draw(t, "auto_record")
		met := w.meets(meeting.Settings{AutoRecord: auto})
		m := &model{running: true}
		if auto {
			check(w.t, m.start())
		}
		w.news.types()
		id := func() recording.ID { return w.recording(met).ID }
		step := func(what string, do, want func() error) func() {
			return func() {
				w.after(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
				m.news = nil
				if got, want := do(), want(); !errors.Is(got, want) || (want == nil && got != nil) {
					t.Fatalf("%s: %v, want %v", what, got, want)
				}
				if got := w.news.types(); !slices.Equal(got, m.news) {
					t.Fatalf("%s announced %v, want %v", what, got, m.news)
				}
			}
		}
		to := func(s recording.State) func() error { return func() error { return m.leave(s) } }
		steps := map[string]func(){
			"start":   step("start", func() error { return w.Start(ctx, w.host(), met.ID, nil) }, m.start),
			"stop":    step("stop", func() error { return w.Stop(ctx, w.host(), met.ID) }, m.stop),
			"end":     step("end", func() error { return w.ends(met) }, m.end),
			"claim":   step("claim", func() error { _, err := w.Claim(ctx, id()); return err }, m.claim),
			"finish":  step("finish", func() error { return w.Finish(ctx, id(), ident.Minute(), result()) }, to(recording.Ready)),
			"discard": step("discard", func() error { return w.Discard(ctx, id(), "nothing") }, to(recording.Empty)),
			"fail":    step("fail", func() error { return w.Fail(ctx, id(), "broken") }, to(recording.Failed)),
			"retry":   step("retry", func() error { return w.Retry(ctx, w.org.Key, met.ID) }, m.retry),
			"resume":  step("resume", func() error { return w.Resume(ctx) }, m.resume),
			"fetch":   step("fetch", func() error { _, err := w.Fetch(ctx, w.host(), met.ID); return err }, m.fetch),
		}
		names := slices.Sorted(maps.Keys(steps))
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			steps[rapid.SampledFrom(names).Draw(t, "step")]()
			w.agrees(t, met, m)
		}
		if m.state == recording.Processing { // or the next resume would have it to do, too
			check(w.t, w.Discard(ctx, id(), "over"))
		}
	})
}

// agrees holds what is stored against the model.
func (w *world) agrees(t *rapid.T, met meeting.Meeting, m *model) {
	r := w.recording(met)
	parts := w.parts(r)
	open := 0
	for i, p := range parts {
		if p.N != i+1 || (i > 0 && p.StartedAt.Before(parts[i-1].StoppedAt)) || (!p.StoppedAt.IsZero() && p.StoppedAt.Before(p.StartedAt)) {
			t.Fatalf("parts %+v do not follow each other", parts)
		}
		if p.StoppedAt.IsZero() {
			open++
		}
	}
	if r.State != m.state || len(parts) != m.parts || (open == 1) != m.open || open > 1 || r.Attempts != m.attempts {
		t.Fatalf("it is %+v with parts %+v, want %+v", r, parts, m)
	}
	if jobs, minutes := w.countOf("compositions WHERE recording =", int64(r.ID)), w.countOf("minutes WHERE recording =", int64(r.ID)); jobs != m.jobs || minutes != m.minutes {
		t.Fatalf("%d jobs, %d minutes; want %d, %d", jobs, minutes, m.jobs, m.minutes)
	}
	done := m.state == recording.Ready || m.state == recording.Empty || m.state == recording.Failed
	if r.DoneAt.IsZero() == done || (r.Minute != "") != (m.minutes == 1) {
		t.Fatalf("it is %+v, which does not fit its state", r)
	}
}

func (w *world) countOf(rows string, id int64) (n int) {
	check(w.t, w.DB.Pool().QueryRowContext(context.Background(), "SELECT count(*) FROM "+rows+" $1", id).Scan(&n))
	return n
}
