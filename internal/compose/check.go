package compose

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The limits of the checks.
const (
	limitSync   = 100 * time.Millisecond // between the lengths of picture and sound
	limitLength = 200 * time.Millisecond // between the file and the clock on the wall
	// limitDifference is how far, in the mean over a picture, brightness may be from what went into the encoder. Noise at
	// crf 25 makes 3 to 5; a tile that is missing makes 20 and more.
	limitDifference = 14
	// darkTile is the brightness up to which a tile counts as black; black is 16.
	darkTile = 20
)

// check looks at the finished file from several sides. An error means that it could not look.
func (k *composition) check(ctx context.Context, file string) ([]Check, error) {
	frames := k.story.frames()
	video, err := k.packets(ctx, file, "v:0")
	if err != nil {
		return nil, err
	}
	audio, err := k.packets(ctx, file, "a:0")
	if err != nil {
		return nil, err
	}
	view, err := k.watch(ctx, file)
	if err != nil {
		return nil, err
	}
	k.hear(view.loudness)
	index, err := indexInFront(file)
	if err != nil {
		return nil, err
	}
	var wall time.Duration
	for _, p := range k.story.parts {
		wall += time.Duration(p.to - p.from)
	}
	length := max(video.length(), audio.length())
	return []Check{
		equal("video packets", video.count, frames),
		equal("video packets out of order", video.unordered, 0),
		equal("video steps other than 1/30 s", video.uneven(), 0),
		equal("audio packets out of order", audio.unordered, 0),
		below("audio and video length", video.length()-audio.length(), limitSync),
		below("length against the clock", length-wall, limitLength),
		equal("decoded frames", view.frames, frames),
		{Name: "decoder complaints", OK: view.complaint == "", Measured: strconv.Quote(view.complaint), Limit: `""`},
		{Name: "difference from what was composed", OK: view.worst <= limitDifference,
			Measured: fmt.Sprintf("%.1f at %v", view.worst, position(view.worstAt).Round(time.Millisecond)),
			Limit:    fmt.Sprint(limitDifference)},
		equal("black tiles that had a picture", view.black, 0),
		{Name: "index in front", OK: index, Measured: strconv.FormatBool(index), Limit: "true"},
	}, nil
}

func equal(name string, got, want int) Check {
	return Check{Name: name, OK: got == want, Measured: strconv.Itoa(got), Limit: strconv.Itoa(want)}
}

func below(name string, d, limit time.Duration) Check {
	d = d.Abs()
	return Check{Name: name, OK: d < limit, Measured: d.Round(10 * time.Microsecond).String(), Limit: limit.String()}
}

// packets is what the container says of one stream.
type packets struct {
	base      float64 // seconds per unit
	count     int
	unordered int // dts not above the one before
	first     int64
	last      int64 // highest pts, with its duration
	steps     map[int64]int
	dts       int64
}

func (p packets) length() time.Duration {
	return time.Duration(math.Round(float64(p.last-p.first) * p.base * 1e9))
}

// uneven counts the dts steps that are not a frame. With constant steps and as many packets as frames, every frame is
// where it belongs.
func (p packets) uneven() (n int) {
	for step, times := range p.steps {
		if math.Abs(float64(step)*p.base*FrameRate-1) > 1e-6 {
			n += times
		}
	}
	return n
}

// packets reads one stream's packets, line by line.
func (k *composition) packets(ctx context.Context, file, stream string) (packets, error) {
	p := packets{steps: map[int64]int{}}
	_, err := k.tools.run(ctx, command{program: k.tools.ffprobe, limit: 10*time.Minute + position(k.story.frames()), args: []string{
		"-v", "error", "-select_streams", stream, "-show_entries", "stream=time_base:packet=pts,dts,duration", "-of", "csv", file,
	}, stdout: func(in io.Reader) error {
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			if err := p.line(lines.Text()); err != nil {
				return err
			}
		}
		return lines.Err()
	}})
	if err == nil && p.base == 0 {
		err = fmt.Errorf("stream %s is missing", stream)
	}
	return p, err
}

// line takes "packet,<pts>,<dts>,<duration>" or "stream,<time base>".
func (p *packets) line(s string) error {
	f := strings.Split(s, ",")
	if f[0] == "stream" && len(f) > 1 {
		num, den, _ := strings.Cut(f[1], "/")
		n, err1 := strconv.ParseFloat(num, 64)
		d, err2 := strconv.ParseFloat(den, 64)
		p.base = n / d
		return errors.Join(err1, err2)
	}
	if f[0] != "packet" || len(f) < 4 {
		return nil
	}
	var v [3]int64
	for i := range v {
		n, err := strconv.ParseInt(f[i+1], 10, 64)
		if err != nil {
			return fmt.Errorf("packet %d has no time: %q", p.count, s)
		}
		v[i] = n
	}
	if p.count == 0 {
		p.first, p.last = v[0], v[0]
	} else {
		p.steps[v[1]-p.dts]++
		if v[1] <= p.dts {
			p.unordered++
		}
	}
	p.dts = v[1]
	p.first, p.last = min(p.first, v[0]), max(p.last, v[0]+v[2])
	p.count++
	return nil
}

// view is what was seen and heard while the file was decoded.
type view struct {
	frames    int
	complaint string
	worst     float64 // difference from what was composed
	worstAt   int     // frame
	black     int     // frames
	loudness  []int   // the highest sample of each second, of 32767
}

// watch decodes the whole file and compares every frame with what went into the encoder.
func (k *composition) watch(ctx context.Context, file string) (view, error) {
	var v view
	threads := strconv.Itoa(k.cores())
	filters := fmt.Sprintf("[0:v:0]extractplanes=y,scale=%d:%d:flags=neighbor,format=gray[luma]", lumaWidth, lumaHeight)
	complaint, err := k.tools.run(ctx, command{
		program: k.tools.ffmpeg, limit: 10*time.Minute + 5*position(k.story.frames()), args: []string{
			"-nostdin", "-hide_banner", "-v", "error", "-threads", threads, "-i", file, "-filter_complex", filters,
			"-map", "[luma]", "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1",
			"-map", "0:a:0", "-ac", "1", "-ar", strconv.Itoa(listenRate), "-f", "s16le", "pipe:3",
		},
		stdout: func(in io.Reader) error { return k.compare(in, &v) },
		extra:  func(in io.Reader) (err error) { v.loudness, err = listen(in); return err },
	})
	v.complaint = strings.TrimSpace(complaint)
	if _, failed := errors.AsType[*toolError](err); failed && !surroundings(err) {
		v.complaint, err = "decoder failed: "+v.complaint, nil
	}
	return v, err
}

func (k *composition) compare(in io.Reader, v *view) error {
	buffered := bufio.NewReaderSize(in, 1<<16)
	got := make(luma, lumaSize)
	for _, w := range k.windows {
		want, err := k.render.seenIn(w)
		if err != nil {
			return err
		}
		for n := range w.frames {
			if _, err := io.ReadFull(buffered, got); err != nil {
				return nil // too short: the number of frames tells
			}
			v.see(w, got, want[n*lumaSize:(n+1)*lumaSize])
			if v.frames%FrameRate == 0 {
				k.checked(v.frames)
			}
		}
	}
	rest, err := io.Copy(io.Discard, buffered)
	v.frames += int(rest / lumaSize)
	return err
}

func (k *composition) checked(frames int) {
	const before = shareConvert + shareCompose + shareJoin
	k.progress(Progress{Step: "check", Done: before + (1-before)*float64(frames)/float64(k.story.frames()),
		At: position(frames), Of: position(k.story.frames())})
}

// see compares one frame.
func (v *view) see(w window, got, want luma) {
	if d := got.difference(want); d > v.worst {
		v.worst, v.worstAt = d, v.frames
	}
	for _, t := range w.epoch.tiles {
		if t.clip != nil && got.mean(t.picture()) <= darkTile && want.mean(t.picture()) > darkTile+4 {
			v.black++
			break
		}
	}
	v.frames++
}

// indexInFront says whether the MP4's index (moov) lies before its media (mdat), so that playing starts at once.
func indexInFront(name string) (bool, error) {
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return false, err
	}
	defer f.Close()
	for {
		var head [16]byte
		if _, err := io.ReadFull(f, head[:]); err != nil {
			return false, fmt.Errorf("%s: no index: %w", ResultFile, err)
		}
		size := int64(binary.BigEndian.Uint32(head[:]))
		if size == 1 {
			size = int64(binary.BigEndian.Uint64(head[8:]))
		}
		switch string(head[4:8]) {
		case "moov":
			return true, nil
		case "mdat":
			return false, nil
		}
		if size < 8 {
			return false, fmt.Errorf("%s: box of %d bytes", ResultFile, size)
		}
		if _, err := f.Seek(size-16, io.SeekCurrent); err != nil {
			return false, err
		}
	}
}
