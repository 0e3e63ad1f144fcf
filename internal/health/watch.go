package health

import (
	"context"
	"log/slog"
	"time"
)

// watchEvery is how soon the log tells of a problem that nobody has asked for.
const watchEvery = 30 * time.Second

// Watch writes each problem to the log when it appears and when it is gone, until ctx ends. It returns nil.
func (c *Checks) Watch(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var known []Problem
	for {
		found := c.Problems(ctx)
		tell(ctx, log, known, found)
		known = found
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// tell logs what has changed between two looks. A problem that stays is not told again, even if its numbers change.
func tell(ctx context.Context, log *slog.Logger, before, now []Problem) {
	for _, p := range now {
		if has(before, p.Code) {
			continue
		}
		level := slog.LevelWarn
		if p.Fatal {
			level = slog.LevelError
		}
		log.Log(ctx, level, p.EN, "problem", p.Code)
	}
	for _, p := range before {
		if !has(now, p.Code) {
			log.InfoContext(ctx, "a problem is gone", "problem", p.Code)
		}
	}
}

func has(ps []Problem, code string) bool {
	for _, p := range ps {
		if p.Code == code {
			return true
		}
	}
	return false
}
