package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"huilu/internal/capture"
)

const (
	capturePerTrack = "capture_cores_per_track"
	captureRooms    = 4
	capturePeople   = 2 // in each room
)

// captureCost compares meetings that are recorded with the same meetings unrecorded: what the server's process uses, media
// server and recorder together. What starting and stopping costs is left out; everybody sees everybody all the time.
func captureCost(ctx context.Context, e *env) (results []Result, err error) {
	pairs, each := 6, 10*time.Second
	if e.quick {
		pairs, each = 1, 3*time.Second
	}
	w, err := e.open(ctx, "capture", map[string]string{"roles": "api,sfu,recorder"}) // nobody composes in between
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := w.close(); err == nil {
			err = closed
		}
	}()
	meetings, leave, err := w.gather(ctx, captureRooms, capturePeople)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := pause(ctx, each); err != nil { // let the congestion control's probing end
		return nil, err
	}
	e.say("%d people in %d meetings", captureRooms*capturePeople, captureRooms)
	var extra, base []float64
	for range pairs {
		unrecorded, err := coresDuring(ctx, each)
		if err != nil {
			return nil, err
		}
		recorded, err := recordedCores(ctx, meetings, each)
		if err != nil {
			return nil, err
		}
		tracks := float64(captureRooms * capturePeople)
		extra, base = append(extra, (recorded-unrecorded)/tracks), append(base, unrecorded/tracks)
	}
	return []Result{compare(capturePerTrack, "cores per 720p track", extra, base).valueAtMost(0.005)}, nil
}

// coresDuring is how many processors this process keeps busy for a while.
func coresDuring(ctx context.Context, d time.Duration) (float64, error) {
	begun, used := time.Now(), processorTime()
	err := pause(ctx, d)
	return (processorTime() - used).Seconds() / time.Since(begun).Seconds(), err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// recordedCores starts recording everywhere, measures once every track is being written, and stops.
func recordedCores(ctx context.Context, meetings []*gathering, d time.Duration) (cores float64, err error) {
	for _, g := range meetings {
		if err := g.record(ctx); err != nil {
			return 0, err
		}
	}
	for _, g := range meetings {
		if err := g.flows(ctx, 2*capturePeople); err != nil {
			return 0, err
		}
	}
	if err := pause(ctx, time.Second); err != nil { // the subscriptions' first second
		return 0, err
	}
	if cores, err = coresDuring(ctx, d); err != nil {
		return 0, err
	}
	for _, g := range meetings {
		if err := g.grew(ctx, d); err != nil {
			return 0, err
		}
		if err := g.pause(ctx); err != nil {
			return 0, err
		}
	}
	return cores, pause(ctx, 2*time.Second) // connections close
}

// written returns how many bytes there are of each track of the current part.
func (g *gathering) written(ctx context.Context) (sizes map[capture.Kind][]int64, err error) {
	dir, err := g.folder(ctx)
	if err != nil {
		return nil, err
	}
	r, err := capture.Open(dir)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	sizes = map[capture.Kind][]int64{}
	for _, t := range r.Tracks() {
		if t.Part != g.part {
			continue
		}
		st, err := os.Stat(filepath.Join(dir, t.File))
		if err != nil {
			return nil, err
		}
		sizes[t.Kind] = append(sizes[t.Kind], st.Size())
	}
	return sizes, nil
}

// flows waits until n tracks are being written.
func (g *gathering) flows(ctx context.Context, n int) error {
	return eventually(ctx, 20*time.Second, fmt.Sprintf("%d tracks are recorded", n), func() (bool, error) {
		sizes, err := g.written(ctx)
		if err != nil {
			return false, nil // there is no folder yet
		}
		begun := 0
		for _, of := range sizes {
			for _, size := range of {
				if size > 4096 {
					begun++
				}
			}
		}
		return begun == n, nil
	})
}

// grew makes sure that what was measured was recording: video of at least 250 kbit/s for the whole time.
func (g *gathering) grew(ctx context.Context, d time.Duration) error {
	sizes, err := g.written(ctx)
	if err != nil {
		return err
	}
	for _, size := range sizes[capture.Video] {
		if float64(size) < 250_000/8*d.Seconds() {
			return fmt.Errorf("only %d bytes of a camera were recorded in %v", size, d)
		}
	}
	return nil
}
