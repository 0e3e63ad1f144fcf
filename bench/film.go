package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"huilu/internal/compose"
	"huilu/internal/meeting"
	"huilu/internal/recording"
)

const (
	composeSpeed = "compose_speed"
	composeCPU   = "compose_cpu"
	ready10s     = "ready_after_end_ms_10s"
	ready60s     = "ready_after_end_ms_60s"
)

// film is a meeting of two people that was held, recorded and composed by the product.
type film struct {
	capture string        // folder of what was captured
	length  time.Duration // of the recording
	ready   time.Duration // from the end of the meeting until GET recording has it
	bare    *bare         // ffmpeg alone, making the same picture and sound
	alone   cost          // of that, soon after the film was ready
}

// film returns the n-th film of the given length; those that are not there yet are made, in real time.
func (e *env) film(ctx context.Context, length time.Duration, n int) (*film, error) {
	for len(e.films[length]) <= n {
		f, err := e.shoot(ctx, length, len(e.films[length]))
		if err != nil {
			return nil, fmt.Errorf("meeting of %v: %w", length, err)
		}
		e.films[length] = append(e.films[length], f)
		e.say("a meeting of %v was ready %.1f s after its end", length, f.ready.Seconds())
	}
	return e.films[length][n], nil
}

// shoot holds a meeting with a whole server.
func (e *env) shoot(ctx context.Context, length time.Duration, n int) (f *film, err error) {
	name := fmt.Sprintf("film-%v-%d", length, n)
	w, err := e.open(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	meetings, leave, err := w.gather(ctx, 1, 2)
	if err != nil {
		return nil, err
	}
	g := meetings[0]
	err = errors.Join(pause(ctx, 3*time.Second), g.record(ctx), g.flows(ctx, 4), pause(ctx, length))
	f = &film{}
	if err == nil {
		f.ready, err = g.produce(ctx, leave)
	} else {
		leave()
	}
	if err != nil {
		return nil, err
	}
	if f.capture, err = g.folder(ctx); err != nil {
		return nil, err
	}
	r, err := g.recording(ctx)
	f.length = r.Duration
	if err != nil || f.length < length {
		return nil, errors.Join(err, fmt.Errorf("the recording has %v", f.length))
	}
	if f.bare, err = e.newBare(ctx, f, filepath.Join(e.folder, name+"-bare")); err != nil {
		return nil, err
	}
	f.alone, err = f.bare.run(ctx)
	return f, err
}

// produce ends the meeting and waits until its recording may be handed out. The people have gone by then.
func (g *gathering) produce(ctx context.Context, leave func()) (time.Duration, error) {
	err := g.w.Meetings.End(ctx, g.host, g.id)
	ended := time.Now()
	leave()
	if err != nil {
		return 0, err
	}
	err = eventually(ctx, 5*time.Minute, "the recording is ready", func() (bool, error) {
		_, err := g.w.Recordings.Fetch(ctx, g.host, g.id)
		if errors.Is(err, recording.ErrProcessing) || errors.Is(err, meeting.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	})
	return time.Since(ended), err
}

// readiness measures how long people wait for their recording: the whole way of a real meeting, from the call that ends it.
func readiness(ctx context.Context, e *env) (results []Result, err error) {
	for _, m := range []struct {
		name   string
		length time.Duration
		times  int
	}{{ready10s, 10 * time.Second, 3}, {ready60s, time.Minute, 1}} {
		var ready, bare []float64
		for n := range m.times {
			if e.quick {
				m.length, n = 6*time.Second, 0
			}
			f, err := e.film(ctx, m.length, n)
			if err != nil {
				return nil, err
			}
			ready, bare = append(ready, float64(f.ready.Milliseconds())), append(bare, float64(f.alone.took.Milliseconds()))
		}
		results = append(results, compare(m.name, "ms", ready, bare))
	}
	return results, nil
}

// composing compares compose.Compose with ffmpeg alone, in turn, on the same meeting.
func composing(ctx context.Context, e *env) ([]Result, error) {
	length, pairs := time.Minute, 3
	if e.quick {
		length, pairs = 6*time.Second, 1
	}
	f, err := e.film(ctx, length, 0)
	if err != nil {
		return nil, err
	}
	var speed, bareSpeed, cpu, bareCPU []float64
	for n := range pairs {
		first, second := f.compose, f.bare.run
		if n%2 == 1 { // who comes second finds the files in memory
			first, second = second, first
		}
		a, err := first(ctx)
		if err != nil {
			return nil, err
		}
		b, err := second(ctx)
		if err != nil {
			return nil, err
		}
		if n%2 == 1 {
			a, b = b, a
		}
		speed, bareSpeed = append(speed, f.length.Seconds()/a.took.Seconds()), append(bareSpeed, f.length.Seconds()/b.took.Seconds())
		cpu, bareCPU = append(cpu, a.cpu.Seconds()/f.length.Minutes()), append(bareCPU, b.cpu.Seconds()/f.length.Minutes())
	}
	return []Result{
		compare(composeSpeed, "x realtime", speed, bareSpeed).atLeast(0.9),
		compare(composeCPU, "CPU-s per minute", cpu, bareCPU),
	}, nil
}

// cost is what a piece of work took.
type cost struct {
	took time.Duration // by the clock on the wall
	cpu  time.Duration // of processors, children included
}

// costOf measures f.
func costOf(f func() error) (cost, error) {
	begun, used := time.Now(), processorTime()+childrenTime()
	err := f()
	return cost{time.Since(begun), processorTime() + childrenTime() - used}, err
}

// compose composes the film anew, as the server does when nobody is meeting.
func (f *film) compose(ctx context.Context) (cost, error) {
	folder, err := os.MkdirTemp(filepath.Dir(f.bare.folder), "compose-")
	if err != nil {
		return cost{}, err
	}
	defer os.RemoveAll(folder)
	return costOf(func() error { return composeInto(ctx, f.capture, folder, "") })
}

// composeInto composes a capture folder with everything in folder. ffmpeg is a path, empty for the usual one.
func composeInto(ctx context.Context, capture, folder, ffmpeg string) error {
	c := compose.Composer{FFmpeg: ffmpeg}
	r, err := c.Compose(ctx, compose.Input{Capture: capture, Work: filepath.Join(folder, "work"), Out: filepath.Join(folder, "out"), Topic: "Bench"}, nil)
	if err == nil && r.Windows.Reused > 0 {
		err = fmt.Errorf("%d windows were not composed", r.Windows.Reused)
	}
	return err
}
