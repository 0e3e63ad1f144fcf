package compose

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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

// replace makes a window with cards in the place of the tiles that are at fault; of all of them when that does not help or
// nobody knows which. What one person sends, by mistake or to spoil the recording, costs only their own picture.
func (k *composition) replace(ctx context.Context, w window, cause error) error {
	guilty, err := k.guilty(ctx, w, cause)
	if err != nil {
		return err
	}
	if len(guilty) > 0 {
		err := k.cards(ctx, w, func(tile int) bool { return guilty[tile] != nil })
		if err == nil {
			for _, i := range slices.Sorted(maps.Keys(guilty)) {
				t := w.epoch.tiles[i]
				k.note(w, Defect{Participant: t.who.id, Track: t.clip.media.SID, Detail: guilty[i].Error()})
			}
			return nil
		}
		if ctx.Err() != nil || surroundings(err) {
			return err
		}
	}
	if err := k.cards(ctx, w, func(int) bool { return true }); err != nil {
		return fmt.Errorf("window at %v, even with names only: %w", position(w.from).Round(time.Millisecond), err)
	}
	k.note(w, Defect{Detail: cause.Error()})
	return nil
}

// guilty finds the tiles of a window that cannot be shown, and why. It is empty when each could be, by itself.
func (k *composition) guilty(ctx context.Context, w window, cause error) (map[int]error, error) {
	if e, ok := errors.AsType[*bareError](cause); ok {
		return map[int]error{e.tile: cause}, nil
	}
	var moving []int
	for i, t := range w.epoch.tiles {
		if t.clip != nil {
			moving = append(moving, i)
		}
	}
	if len(moving) == 1 {
		return map[int]error{moving[0]: cause}, nil
	}
	found := map[int]error{}
	for _, i := range moving {
		err := k.render.try(ctx, w, i)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil && surroundings(err):
			return nil, err
		case err != nil:
			found[i] = err
		}
	}
	return found, nil
}

// cards makes a window with cards for some of its tiles, and puts it in the place of w.
func (k *composition) cards(ctx context.Context, w window, card func(tile int) bool) error {
	e := *w.epoch
	e.tiles = append([]tile(nil), e.tiles...)
	for i := range e.tiles {
		if card(i) {
			e.tiles[i].clip = nil
		}
	}
	other := w
	other.epoch = &e
	if err := other.sign(k.render.artist.headline()); err != nil {
		return err
	}
	if err := k.render.render(ctx, job{windows: []window{other}}); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.windows {
		if k.windows[i].from == w.from {
			k.windows[i] = other
		}
	}
	return nil
}

// note adds a defect of a window.
func (k *composition) note(w window, d Defect) {
	d.Kind, d.At, d.Duration = DefectWindow, position(w.from), position(w.frames)
	k.log.Warn("compose: window replaced", "recording", k.meta.RecordingID, "at", d.At, "participant", d.Participant, "err", d.Detail)
	k.defect(d)
}
