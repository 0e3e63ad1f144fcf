// Package producer takes one recording from processing to ready.
//
//	Claim ─▶ seal the capture folder ─▶ compose ─▶ store file and poster ─▶ Finish (state, minute, event in one transaction)
//
// Nothing is tried while the machine lacks what composing takes: the recording waits, and its attempts are not used up by
// an ffmpeg that is not installed yet or a disk that is full.
//
// Whatever dies in between, the next attempt begins again: windows that were composed are used again, files stored for
// the recording are replaced, and Finish happens once. What cannot get better by trying becomes a state with a
// cause; everything else is an error, and the job queue tries again later.
package producer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"huilu/internal/capture"
	"huilu/internal/compose"
	"huilu/internal/ident"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// MaxAttempts is how often a recording is tried before it fails. The owner can have it tried again.
const MaxAttempts = 5

// maxBegun is how often an attempt may begin without coming to an end: a recording that brings the whole process down would else do so for ever.
const maxBegun = 4 * MaxAttempts

// Recordings is what this package needs of package recording.
type Recordings interface {
	Claim(ctx context.Context, id recording.ID) (recording.Recording, error)
	Progress(ctx context.Context, id recording.ID, p float64) error
	Finish(ctx context.Context, id recording.ID, token string, r recording.Result) error
	Discard(ctx context.Context, id recording.ID, why string) error
	Fail(ctx context.Context, id recording.ID, cause string) error
}

// Parts lists when a recording was started and stopped.
type Parts interface {
	Parts(ctx context.Context, id recording.ID) ([]recording.Part, error)
}

// Sealer makes sure that nothing is being appended to a capture folder.
type Sealer interface {
	Seal(ctx context.Context, id recording.ID) error
}

// Composer makes the file.
type Composer interface {
	Compose(ctx context.Context, in compose.Input, progress func(compose.Progress)) (compose.Result, error)
}

// Files keeps finished files.
type Files interface {
	Put(ctx context.Context, key, path string) error
}

// Topics finds the title of a meeting.
type Topics interface {
	Topic(ctx context.Context, t tenant.Key, meeting int64) (string, error)
}

// Able returns what this machine lacks for composing, nil when it can.
type Able func(ctx context.Context) error

// Busy tells whether people are meeting on this machine right now: then composing steps back.
type Busy func() bool

// Producer works on recordings; several may be worked on at once.
type Producer struct {
	Recordings Recordings
	Parts      Parts
	Sealer     Sealer
	Composer   Composer
	Files      Files
	Topics     Topics
	Able       Able
	Busy       Busy
	Capture    string // folder of the capture folders
	Work       string // folder of the work folders
	Log        *slog.Logger
}

// Produce takes the recording as far as it goes. A nil error means that it needs no further attempt.
func (p *Producer) Produce(ctx context.Context, id recording.ID) error {
	if err := p.Able(ctx); err != nil {
		return fmt.Errorf("recording %s waits: %w", id, err)
	}
	r, err := p.Recordings.Claim(ctx, id)
	if errors.Is(err, recording.ErrMoved) || errors.Is(err, recording.ErrNotFound) {
		return nil // an earlier attempt finished it
	} else if err != nil {
		return err
	}
	if r.Attempts > maxBegun {
		p.Log.ErrorContext(ctx, "composing the recording was begun too often without an end; what was captured is kept", "recording", id, "meeting", r.Meeting, "attempts", r.Attempts)
		return p.Recordings.Fail(ctx, id, "the server stopped each time it composed this recording")
	}
	if err := p.Sealer.Seal(ctx, id); err != nil {
		return fmt.Errorf("seal recording %s: %w", id, err)
	}
	begun := time.Now()
	res, err := p.compose(ctx, r)
	var bad *compose.InputError
	switch {
	case errors.Is(err, compose.ErrEmpty):
		return p.empty(ctx, r)
	case errors.As(err, &bad):
		p.Log.ErrorContext(ctx, "the recording cannot be produced; what was captured is kept", "recording", id, "meeting", r.Meeting, "err", err)
		return p.Recordings.Fail(ctx, id, bad.Cause)
	case err != nil && ctx.Err() == nil && r.Attempts >= MaxAttempts && p.Able(ctx) == nil:
		p.Log.ErrorContext(ctx, "the recording could not be produced in several attempts; what was captured is kept", "recording", id, "meeting", r.Meeting, "attempts", r.Attempts, "err", err)
		return p.Recordings.Fail(ctx, id, fmt.Sprintf("composition failed %d times: %v", r.Attempts, err))
	case err != nil:
		return fmt.Errorf("compose recording %s, attempt %d: %w", id, r.Attempts, err)
	}
	if err := p.keep(ctx, r, res); err != nil {
		return err
	}
	p.Log.InfoContext(ctx, "the recording is ready", "recording", id, "meeting", r.Meeting, "duration", res.Duration.Round(time.Millisecond), "took", time.Since(begun).Round(time.Millisecond), "windows", res.Windows.Total, "reused", res.Windows.Reused, "defects", len(res.Defects))
	return nil
}

// empty ends a recording that has nothing in it: because there was nothing, or, which is a failure and must not look like
// the former, because no recorder ever ran although one should have.
func (p *Producer) empty(ctx context.Context, r recording.Recording) error {
	parts, err := p.Parts.Parts(ctx, r.ID)
	if err != nil {
		return err
	}
	var asked time.Duration
	for _, part := range parts {
		asked += part.StoppedAt.Sub(part.StartedAt)
	}
	ran, err := p.ran(r.ID)
	if err != nil {
		return err
	}
	if asked >= recording.MinLength && !ran {
		p.Log.ErrorContext(ctx, "nothing was captured, because no recorder ran; earlier messages of this recording say why", "recording", r.ID, "meeting", r.Meeting, "asked", asked.Round(time.Millisecond))
		return p.Recordings.Fail(ctx, r.ID, "nothing was captured: the recorder could not start")
	}
	p.Log.InfoContext(ctx, "the recording is empty: shorter than 5 s, or nothing was published", "recording", r.ID, "meeting", r.Meeting)
	return p.Recordings.Discard(ctx, r.ID, "nothing was published, or it was shorter than 5 seconds")
}

// ran reports whether any recorder began to write a recording down.
func (p *Producer) ran(id recording.ID) (bool, error) {
	c, err := capture.Open(filepath.Join(p.Capture, id.String()))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer c.Close()
	events, err := c.Timeline()
	return slices.ContainsFunc(events, func(e capture.Event) bool { return e.Type == capture.RecStart }), err
}

func (p *Producer) compose(ctx context.Context, r recording.Recording) (compose.Result, error) {
	topic, err := p.Topics.Topic(ctx, r.Tenant, r.Meeting)
	if err != nil {
		return compose.Result{}, err
	}
	work := filepath.Join(p.Work, r.ID.String())
	in := compose.Input{
		Capture: filepath.Join(p.Capture, r.ID.String()), Work: work, Out: filepath.Join(work, "out"),
		Topic: topic, Timezone: zone(r), Gentle: p.Busy(),
	}
	if _, err := os.Stat(in.Capture); errors.Is(err, os.ErrNotExist) {
		return compose.Result{}, compose.ErrEmpty
	}
	var last time.Time
	return p.Composer.Compose(ctx, in, func(pr compose.Progress) {
		if now := time.Now(); now.Sub(last) > time.Second {
			last = now
			if err := p.Recordings.Progress(ctx, r.ID, pr.Done); err != nil {
				p.Log.DebugContext(ctx, "progress was not noted", "recording", r.ID, "err", err)
			}
		}
	})
}

// keep stores the files, finishes the recording and clears the work folder. Files are named by the recording, so an
// attempt that died before Finish leaves nothing behind that the next one does not replace.
func (p *Producer) keep(ctx context.Context, r recording.Recording, res compose.Result) error {
	token := ident.Minute()
	folder := string(r.Tenant) + "/" + r.ID.String() + "/"
	file := recording.MinuteFile{File: folder + "recording.mp4", Size: res.Size, SHA256: res.SHA256}
	if err := p.Files.Put(ctx, file.File, res.File); err != nil {
		return fmt.Errorf("store recording %s: %w", r.ID, err)
	}
	if res.Poster != "" {
		file.Poster = folder + "poster.jpg"
		if err := p.Files.Put(ctx, file.Poster, res.Poster); err != nil {
			return fmt.Errorf("store poster of recording %s: %w", r.ID, err)
		}
	}
	for _, d := range res.Defects {
		file.Defects = append(file.Defects, describe(d))
	}
	if err := p.Recordings.Finish(ctx, r.ID, token, recording.Result{Minute: file, Duration: res.Duration}); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(p.Work, r.ID.String())); err != nil {
		p.Log.WarnContext(ctx, "the work folder of a finished recording was not removed", "recording", r.ID, "err", err)
	}
	return nil
}

func describe(d compose.Defect) string {
	parts := []string{string(d.Kind), "at " + d.At.Round(time.Millisecond).String()}
	if d.Duration > 0 {
		parts = append(parts, "for "+d.Duration.Round(time.Millisecond).String())
	}
	if d.Participant != "" {
		parts = append(parts, "of "+d.Participant)
	}
	return strings.Join(parts, " ") + ": " + d.Detail
}

func zone(r recording.Recording) *time.Location {
	if !r.HasZone {
		return nil
	}
	return time.FixedZone("", r.Timezone*3600)
}
