package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// part is something that runs as long as the server does. Run returns when ctx
// ends, having put its things in order, or with the error that stopped it.
type part struct {
	name string
	run  func(ctx context.Context) error
}

// runParts starts parts in order and stops them in the reverse one, each after
// those that came later have ended. It returns nil when ctx ended, else what
// made a part stop.
func runParts(ctx context.Context, parts []part, log *slog.Logger) (err error) {
	failed := make(chan error, len(parts))
	for _, p := range parts {
		pctx, stop := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan struct{})
		go func() {
			defer close(done)
			err := p.run(pctx)
			if pctx.Err() == nil {
				failed <- errors.Join(fmt.Errorf("%s stopped by itself", p.name), err)
			} else if err != nil {
				log.Warn("a part did not stop cleanly", "part", p.name, "err", err)
			}
		}()
		defer func() { stop(); <-done }()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}
