package compose

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// try makes a job's windows. A window that fails twice is made with cards instead of what could not be shown, told as a
// defect, and the rest goes on: one bad window must not cost the recording. When the machine is to blame (no room, killed)
// nothing is replaced, because a later attempt will do better.
func (k *composition) try(ctx context.Context, j job) error {
	for failures := 0; len(j.windows) > 0; {
		err := k.render.render(ctx, j)
		before := len(j.windows)
		for len(j.windows) > 0 && k.render.have(j.windows[0]) {
			j.windows = j.windows[1:]
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if surroundings(err) {
			return err
		}
		if len(j.windows) < before {
			failures = 0 // it came further; what failed is another window
		}
		if failures++; failures < 2 {
			k.log.Warn("compose: window failed, trying again", "recording", k.meta.RecordingID, "err", err)
			continue
		}
		if err := k.replace(ctx, j.windows[0], err); err != nil {
			return err
		}
		failures, j.windows = 0, j.windows[1:]
	}
	return nil
}

// replace makes a window with cards. When one tile is known to be at fault only that one becomes a card.
func (k *composition) replace(ctx context.Context, w window, cause error) error {
	guilty := -1
	if e, ok := errors.AsType[*bareError](cause); ok {
		guilty = e.tile
	}
	e := *w.epoch
	e.tiles = append([]tile(nil), e.tiles...)
	d := Defect{Kind: DefectWindow, At: position(w.from), Duration: position(w.frames), Detail: cause.Error()}
	for i := range e.tiles {
		if t := &e.tiles[i]; guilty < 0 || i == guilty {
			if guilty == i && t.clip != nil {
				d.Participant, d.Track = t.who.id, t.clip.media.SID
			}
			t.clip = nil
		}
	}
	card := w
	card.epoch = &e
	if err := card.sign(k.render.artist.headline()); err != nil {
		return err
	}
	if err := k.render.render(ctx, job{windows: []window{card}}); err != nil {
		return fmt.Errorf("window at %v, even with names only: %w", position(w.from).Round(time.Millisecond), err)
	}
	k.log.Warn("compose: window replaced", "recording", k.meta.RecordingID, "at", d.At, "err", cause)
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.windows {
		if k.windows[i].from == w.from {
			k.windows[i] = card
		}
	}
	k.defects = append(k.defects, d)
	return nil
}
