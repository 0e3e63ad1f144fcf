package compose

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// encoderArgs make every window's picture. Windows are joined by copying, so they must not differ in any of these. Key
// frames lie exactly every two seconds, which makes seeking quick and lets one run fill several windows.
var encoderArgs = []string{
	"-c:v", "libx264", "-preset", "veryfast", "-crf", "25", "-profile:v", "high", "-pix_fmt", "yuv420p",
	"-g", strconv.Itoa(gop), "-keyint_min", strconv.Itoa(gop), "-sc_threshold", "0", "-flags", "+cgop",
	"-color_range", "tv", "-colorspace", "smpte170m", "-color_primaries", "smpte170m", "-color_trc", "smpte170m",
}

// graph is everything ffmpeg needs to know for one job.
type graph struct {
	dir     string
	frames  int
	cuts    []int // frames at which a window ends and the next begins
	bias    time.Duration
	threads int
	tiles   []graphTile
}

// graphTile is a picture that moves.
type graphTile struct {
	video string // file in dir
	label string // file in dir
	at    rect   // of the picture
	mark  point  // of the label
}

type point struct{ x, y int }

const (
	backgroundFile = "background.png"
	segmentPattern = "window-%05d.mp4"

	// lumaWidth and lumaHeight are the size of the small grey pictures by which the result is looked at: one pixel out of
	// 20x20, of every frame.
	lumaWidth  = Width / 20
	lumaHeight = Height / 20
	lumaSize   = lumaWidth * lumaHeight
)

// args returns ffmpeg's arguments. It writes the windows as files, a line to descriptor 3 when one is finished, and the
// small grey pictures of what goes into the encoder to its output.
func (g graph) args() []string {
	in := func(name string) string { return filepath.Join(g.dir, name) }
	threads := strconv.Itoa(g.threads)
	a := []string{"-nostdin", "-hide_banner", "-v", "error", "-y", "-copyts", "-filter_complex_threads", threads,
		"-framerate", strconv.Itoa(FrameRate), "-i", in(backgroundFile)}
	for _, t := range g.tiles {
		a = append(a, g.input(t)...)
	}
	for _, t := range g.tiles {
		a = append(a, "-i", in(t.label))
	}
	a = append(a, "-filter_complex", g.filters(), "-map", "[picture]", "-frames:v", strconv.Itoa(g.frames))
	a = append(a, encoderArgs...)
	a = append(a, "-threads", threads, "-f", "segment", "-segment_format", "mp4",
		"-segment_format_options", "video_track_timescale=90000", "-reset_timestamps", "1",
		"-segment_list", "pipe:3", "-segment_list_type", "csv", "-segment_frames", g.segmentFrames(), in(segmentPattern))
	return append(a, "-map", "[luma]", "-frames:v", strconv.Itoa(g.frames), "-flush_packets", "1", "-f", "rawvideo", "pipe:1")
}

// segmentFrames lists the cuts. The muxer wants at least one: behind the end it cuts nothing.
func (g graph) segmentFrames() string {
	if len(g.cuts) == 0 {
		return strconv.Itoa(g.frames + gop)
	}
	cuts := make([]string, len(g.cuts))
	for i, c := range g.cuts {
		cuts[i] = strconv.Itoa(c)
	}
	return strings.Join(cuts, ",")
}

// filters lays the moving pictures, and then their labels, on the background. Nothing in the text comes from a person.
func (g graph) filters() string {
	var b strings.Builder
	fmt.Fprint(&b, "[0:v]format=yuv420p,loop=loop=-1:size=1:start=0,setpts=N[c0]")
	for i, t := range g.tiles {
		fmt.Fprintf(&b, ";[%d:v]%s[t%d]", i+1, g.moving(t), i)
		fmt.Fprintf(&b, ";[c%d][t%d]overlay=%d:%d[c%d]", i, i, t.at.x, t.at.y, i+1)
	}
	n := len(g.tiles)
	for i, t := range g.tiles {
		fmt.Fprintf(&b, ";[%d:v]format=yuva420p[l%d]", 1+n+i, i)
		fmt.Fprintf(&b, ";[c%d][l%d]overlay=%d:%d[c%d]", n+i, i, t.mark.x, t.mark.y, n+i+1)
	}
	fmt.Fprintf(&b, ";[c%d]split[picture][small];[small]extractplanes=y,scale=%d:%d:flags=neighbor,format=gray[luma]",
		2*n, lumaWidth, lumaHeight)
	return b.String()
}

// input returns the arguments that read a tile's picture. Without -reinit_filter 0 each change of resolution builds the
// filters anew, and the picture falls behind for good.
func (g graph) input(t graphTile) []string {
	return []string{"-reinit_filter", "0", "-threads", strconv.Itoa(g.threads), "-i", filepath.Join(g.dir, t.video)}
}

// moving brings a tile's picture to time, rate and size. start_time=0 holds the picture that is on when the window begins;
// without it every joint has a frame without.
func (g graph) moving(t graphTile) string {
	return fmt.Sprintf("setpts=PTS-%f/TB,fps=%d:start_time=0,scale=%d:%d,setsar=1,format=yuv420p", g.bias.Seconds(), FrameRate, t.at.w, t.at.h)
}

// trialArgs do the same with one tile alone, and throw the picture away.
func (g graph) trialArgs(t graphTile) []string {
	a := append([]string{"-nostdin", "-hide_banner", "-v", "error", "-copyts"}, g.input(t)...)
	return append(a, "-filter_complex", "[0:v]"+g.moving(t)+"[picture]", "-map", "[picture]", "-frames:v", strconv.Itoa(g.frames), "-f", "null", "-")
}
