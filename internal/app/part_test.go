package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// diary notes what parts do, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

// part runs until it is told to stop.
func (d *diary) part(name string) part {
	return part{name, func(ctx context.Context) error {
		d.note(name + " runs")
		<-ctx.Done()
		d.note(name + " stops")
		return nil
	}}
}

func TestPartsStopInReverseEachAfterTheOneBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- runParts(ctx, []part{d.part("media"), d.part("recorders"), d.part("http")}, slog.New(slog.DiscardHandler))
		}()
		synctest.Wait()
		if len(d.lines) != 3 {
			t.Fatalf("%v", d.lines)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if want := []string{"http stops", "recorders stops", "media stops"}; !slices.Equal(d.lines[3:], want) {
			t.Errorf("%v, want %v", d.lines[3:], want)
		}
	})
}

func TestAPartThatEndsByItselfEndsTheServer(t *testing.T) {
	t.Parallel()
	trouble := errors.New("the port is gone")
	for name, err := range map[string]error{"with an error": trouble, "without one": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var d diary
			got := runParts(t.Context(), []part{d.part("media"), {"http", func(context.Context) error { return err }}}, slog.New(slog.DiscardHandler))
			if got == nil || !errors.Is(got, err) && err != nil || !strings.Contains(got.Error(), "http stopped by itself") || strings.Contains(got.Error(), "nil") {
				t.Errorf("%v", got)
			}
			if !slices.Contains(d.lines, "media stops") {
				t.Errorf("the other part was left alone: %v", d.lines)
			}
		})
	}
}
