package compose

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"huilu/internal/capture"
)

// composeEnv makes the test binary compose a folder and nothing else, so that it can be killed.
const composeEnv = "COMPOSE_IN_CHILD"

func TestMain(m *testing.M) {
	if spec := os.Getenv(composeEnv); spec != "" {
		dirs := strings.Split(spec, "|")
		_, err := (&Composer{}).Compose(context.Background(), Input{Capture: dirs[0], Work: dirs[1], Out: dirs[2]}, nil)
		if err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// The film has one key frame only, at its start, as some senders do: the windows follow each other in one run of ffmpeg, and
// what comes after the crash has to be decoded from the beginning.
func TestKilledCompositionGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	c := newScene(t)
	c.join(0, "zoe", "Zoë")
	film := develop(t, rollKey{who: 1, codec: "h264", w: 320, h: 180, fps: 30, gop: 9999, frames: 14 * 30})
	c.publish(0, "zoe", capture.Camera, film.mime).send(0, film)
	c.stop(14 * sec)
	in := input(t, c.close())

	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), composeEnv+"="+strings.Join([]string{in.Capture, in.Work, in.Out}, "|"))
	var stderr strings.Builder
	child.Stderr = &stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	finished := make(chan error, 1)
	go func() { finished <- child.Wait() }()
	await(t, "the first window", func() bool {
		select {
		case err := <-finished:
			t.Fatalf("child ended before it was killed: %v %s", err, stderr.String())
		default:
		}
		return len(windowsIn(t, in.Work)) > 0
	})
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-finished
	if _, err := os.Stat(filepath.Join(in.Out, ResultFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("there is a result of half a composition")
	}
	kept := len(windowsIn(t, in.Work))

	again, err := (&Composer{}).Compose(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if again.Windows.Reused < 1 || again.Windows.Reused < kept || again.Windows.Reused >= again.Windows.Total {
		t.Errorf("%d windows were there, %d of %d used again", kept, again.Windows.Reused, again.Windows.Total)
	}
	watchPlaces(t, again.File, grid(1)...)[0].shows(t, 1, 0, 14*sec, 1)

	third, err := (&Composer{}).Compose(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if third.SHA256 != again.SHA256 || third.Windows.Reused != third.Windows.Total {
		t.Errorf("composed again from the same windows: %+v, want the same file as %+v", third, again)
	}
}

func windowsIn(t *testing.T, work string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(work, "windows", "*.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// await waits for a condition, for a minute at most.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("%s did not come", what)
		case <-tick.C:
		}
	}
}

// Bytes of a finished window went bad on the disk. The attempt that finds it throws the windows away, the next is good.
func TestRottenWindowIsMadeAgain(t *testing.T) {
	t.Parallel()
	in := input(t, short(t).close())
	good, err := (&Composer{}).Compose(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range windowsIn(t, in.Work) {
		if err := os.Truncate(name, 3000); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := (&Composer{}).Compose(t.Context(), in, nil); err == nil {
		t.Fatalf("a rotten window made a recording: %+v", r)
	}
	again, err := (&Composer{}).Compose(t.Context(), in, nil)
	if err != nil || again.SHA256 != good.SHA256 {
		t.Errorf("%v, the same file: %v", err, again.SHA256 == good.SHA256)
	}
}
