package examine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// child runs ffmpeg or ffprobe and hands its output to use while it comes. It
// returns what the program complained about (at most a few kilobytes) apart
// from whether it failed: a decoder that conceals damage complains and succeeds.
func child(ctx context.Context, use func(io.Reader) error, name string, args ...string) (complaint string, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd := exec.CommandContext(ctx, name, args...)
	said := &capped{left: 8 << 10}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("pipe from %s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start %s: %w", name, err)
	}
	used := use(out)
	if used != nil {
		stop() // nobody reads on: the program would wait for ever
	}
	err = cmd.Wait()
	complaint = strings.TrimSpace(said.String())
	switch {
	case used != nil:
		return complaint, fmt.Errorf("output of %s: %w", name, used)
	case err != nil:
		return complaint, fmt.Errorf("%s: %w: %s", name, err, complaint)
	}
	return complaint, nil
}

// capped keeps the first bytes written to it and takes the rest without a word.
type capped struct {
	bytes.Buffer
	left int
}

func (c *capped) Write(p []byte) (int, error) {
	keep := p[:min(len(p), c.left)]
	c.left -= len(keep)
	c.Buffer.Write(keep)
	return len(p), nil
}

// DecodeClean decodes every stream of a file and returns what the decoders
// complained about; nothing means that the file is sound.
func DecodeClean(ctx context.Context, file string) (complaint string, err error) {
	drop := func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }
	return child(ctx, drop, "ffmpeg", "-v", "error", "-nostdin", "-i", "file:"+file, "-map", "0", "-f", "null", "-")
}
