package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// tools runs ffmpeg and ffprobe: child processes in groups of their own, which are killed as a whole when the context
// ends or when they take far too long.
type tools struct {
	ffmpeg, ffprobe string
	nice            string // path of nice; empty runs at normal priority
}

// findTools looks for the programs once, so that a missing one is told before any work.
func findTools(ffmpeg, ffprobe string, gentle bool) (t tools, err error) {
	for _, p := range []struct {
		to          *string
		given, name string
	}{{&t.ffmpeg, ffmpeg, "ffmpeg"}, {&t.ffprobe, ffprobe, "ffprobe"}} {
		given := p.given
		if given == "" {
			given = p.name
		}
		if *p.to, err = exec.LookPath(given); err != nil {
			return t, fmt.Errorf("compose: %s is missing, install ffmpeg: %w", p.name, err)
		}
	}
	if gentle {
		if t.nice, err = exec.LookPath("nice"); err != nil {
			return t, fmt.Errorf("compose: nice is missing, install coreutils: %w", err)
		}
	}
	return t, nil
}

// command is one run of a tool.
type command struct {
	program string
	args    []string
	limit   time.Duration         // killed after this time
	stdout  func(io.Reader) error // reads what it writes to its output
	extra   func(io.Reader) error // reads what it writes to descriptor 3; may be nil
}

// maxComplaint bounds what is kept of a program's error output: its first bytes, where the cause usually is.
const maxComplaint = 8 << 10

// run runs a command to its end and returns what it wrote to its error output.
func (t tools) run(outer context.Context, c command) (complaint string, err error) {
	ctx, cancel := context.WithTimeout(outer, c.limit)
	defer cancel()
	// A killed server takes its children along: the kernel ends them with the thread that started them, which is ours
	// until they have ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	name, args := c.program, c.args
	if t.nice != "" {
		name, args = t.nice, append([]string{"-n", "19", c.program}, args...)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	// Decoders read what strangers sent: they need not know the keys that settings may hold.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "HUILU_") })
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	stderr := &limitedBuffer{most: maxComplaint}
	cmd.Stderr = stderr
	readers, err := t.start(cmd, c)
	if err != nil {
		return "", fmt.Errorf("%s: %w", c.program, err)
	}
	for range cap(readers) {
		if readErr := <-readers; readErr != nil && err == nil {
			err = readErr
			cancel() // nobody reads on: end it instead of waiting for a full pipe
		}
	}
	if waitErr := cmd.Wait(); err == nil && waitErr != nil {
		err = &toolError{program: c.program, complaint: stderr.String(), err: waitErr}
	}
	switch {
	case err == nil:
	case outer.Err() != nil:
		err = errors.Join(context.Cause(outer), err)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = errors.Join(fmt.Errorf("not finished after %v: %w", c.limit, ctx.Err()), err)
	}
	return stderr.String(), err
}

// start starts the program and the goroutines that read its pipes. Each sends one result when its pipe is at the end.
func (t tools) start(cmd *exec.Cmd, c command) (readers chan error, err error) {
	reads := []func(io.Reader) error{c.stdout, c.extra}
	if c.stdout == nil {
		reads[0] = func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }
	}
	if c.extra == nil {
		reads = reads[:1]
	}
	var ours, theirs []*os.File
	closeAll := func(fs []*os.File) {
		for _, f := range fs {
			f.Close() // pipes: nothing to lose
		}
	}
	defer func() { closeAll(theirs) }()
	for range reads {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(ours)
			return nil, err
		}
		ours, theirs = append(ours, r), append(theirs, w)
	}
	cmd.Stdout, cmd.ExtraFiles = theirs[0], theirs[1:]
	if err := cmd.Start(); err != nil {
		closeAll(ours)
		return nil, err
	}
	readers = make(chan error, len(reads))
	for i, read := range reads {
		go func() {
			defer ours[i].Close()
			readers <- read(ours[i])
		}()
	}
	return readers, nil
}

// toolError is a program that failed.
type toolError struct {
	program   string
	complaint string
	err       error
}

func (e *toolError) Error() string {
	line, _, _ := strings.Cut(strings.TrimSpace(e.complaint), "\n")
	return fmt.Sprintf("%s: %v: %s", e.program, e.err, line)
}

func (e *toolError) Unwrap() error { return e.err }

// surroundings says whether a failure comes from the machine and not from what was to be composed: no room, no program,
// killed from outside. Trying again later may work, and leaving something out would not help.
func surroundings(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return true
	}
	if e, ok := errors.AsType[*toolError](err); ok && strings.Contains(e.complaint, "No space left on device") {
		return true
	}
	e, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	status, ok := e.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && (status.Signal() == syscall.SIGKILL || status.Signal() == syscall.SIGTERM) &&
		!errors.Is(err, context.DeadlineExceeded)
}

// limitedBuffer keeps the first bytes written to it.
type limitedBuffer struct {
	bytes.Buffer
	most int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), max(b.most-b.Len(), 0))])
	return len(p), nil
}
