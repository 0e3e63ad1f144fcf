package people

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// run starts ffmpeg in a folder, feeds its standard input, waits for it, and
// returns what it wrote. Its complaints become the error.
func run(ctx context.Context, dir string, feed func(io.Writer) error, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "ffmpeg", append([]string{"-v", "error", "-nostdin", "-y"}, args...)...)
	cmd.Dir = dir
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe to ffmpeg: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start ffmpeg: %w", err)
	}
	fed := feed(in)
	in.Close()
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("ffmpeg: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	if fed != nil {
		return nil, fmt.Errorf("feed ffmpeg: %w", fed)
	}
	return out.Bytes(), nil
}

func nothing(io.Writer) error { return nil }

// Fonts are looked for where Debian and Fedora put them. The second list has
// the scripts of East Asia, which the first one draws as empty boxes.
var (
	plainFonts = []string{
		"/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
		"/usr/share/fonts/dejavu-sans-fonts/DejaVuSans-Bold.ttf",
	}
	asianFonts = []string{
		"/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
		"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
		"/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
	}
)

// font chooses a font file that can draw text. Without one of the known files
// it leaves the choice to fontconfig.
func font(text string) string {
	list := plainFonts
	if strings.ContainsFunc(text, func(r rune) bool { return r >= 0x2e80 }) {
		list = append(asianFonts, plainFonts...)
	}
	for _, file := range list {
		if _, err := os.Stat(file); err == nil {
			return "fontfile=" + file
		}
	}
	return "font=sans"
}

// paintText draws text as a mask of at most width x height pixels. The text
// goes to ffmpeg as a file: a name may hold what a filter graph gives a meaning.
func paintText(ctx context.Context, text string, width, height int) (*image.Gray, error) {
	dir, err := os.MkdirTemp("", "huilu-name-")
	if err != nil {
		return nil, fmt.Errorf("folder for a name: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "name.txt"), []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("file for a name: %w", err)
	}
	graph := fmt.Sprintf("drawtext=%s:textfile=name.txt:expansion=none:fontcolor=white:fontsize=%d:x=0:y=(h-text_h)/2",
		font(text), height*3/4)
	raw, err := run(ctx, dir, nothing, "-f", "lavfi", "-i", fmt.Sprintf("color=black:s=%dx%d,format=gray", width, height),
		"-vf", graph, "-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1")
	if err != nil {
		return nil, fmt.Errorf("paint the name %q: %w", text, err)
	}
	if len(raw) != width*height {
		return nil, fmt.Errorf("paint the name %q: %d bytes instead of %d", text, len(raw), width*height)
	}
	return &image.Gray{Pix: raw, Stride: width, Rect: image.Rect(0, 0, width, height)}, nil
}
