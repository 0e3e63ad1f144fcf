package compose

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"time"
)

// window is a piece of picture that is made, kept and made again by itself.
type window struct {
	epoch  *epoch
	from   int // frame in the file
	frames int
	key    string // hash of everything that is in it; its files are windows/<key>.mp4 and .luma
}

const (
	// gop is the distance of key frames. It is also the grid on which windows of one epoch are cut, so that one run of the
	// encoder can fill several of them.
	gop = 2 * FrameRate

	longestWindow  = 30 * FrameRate
	shortestWindow = 5 * FrameRate // but for what is left of an epoch
)

// cutWindows cuts epochs into windows of at most 30 s; less when the whole is short, so that there is work for every core.
func cutWindows(all []epoch) (windows []window) {
	total := 0
	for _, e := range all {
		total += e.frames
	}
	limit := roundUp(min(max(total/4, shortestWindow), longestWindow), gop)
	for i := range all {
		e := &all[i]
		n := (e.frames + limit - 1) / limit
		length := roundUp((e.frames+n-1)/n, gop)
		for from := e.from; from < e.end(); {
			frames := length
			// Pictures out of order need some frames to start: one or two alone have other decoding times than the rest.
			if e.end()-from-frames < shortEpoch {
				frames = e.end() - from
			}
			windows = append(windows, window{epoch: e, from: from, frames: frames})
			from += frames
		}
	}
	return windows
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// span returns the time of day at which the window begins and ends.
func (w window) span() span {
	p := w.epoch.part
	return span{p.at(w.from), p.at(w.from + w.frames)}
}

// reach returns the entries of a tile's track that are needed for a window: from the key frame decoding has to begin with
// up to the end, and the number of ns that are decoded only to get there.
func (t tile) reach(s span) (from, end int, ahead int64, err error) {
	c := t.clip
	key := c.media.keyBefore(max(s.from, c.from))
	end, err = c.media.find(min(s.to, c.to))
	return key.n, max(end, key.n+1), max(s.from-key.at, 0), err
}

// sign computes the window's key. Everything that changes the picture goes into it, and nothing that does not. headline is
// what is shown when nobody is there.
func (w *window) sign(headline string) error {
	h := sha256.New()
	fmt.Fprintf(h, "%s|%v|%d|", version, encoderArgs, w.frames)
	s := w.span()
	if len(w.epoch.tiles) == 0 {
		fmt.Fprintf(h, "%q", headline)
	}
	for _, t := range w.epoch.tiles {
		fmt.Fprintf(h, "%v|%v|%q|%t|", t.at, t.screen, t.who.name, t.clip != nil)
		if t.clip != nil {
			fmt.Fprintf(h, "%s|%v|", t.clip.media.codec, t.clip.shape)
			if err := t.sign(h, s); err != nil {
				return err
			}
		}
	}
	w.key = hex.EncodeToString(h.Sum(nil)[:16])
	return nil
}

// sign takes the frames that are seen, with their times, and of those decoded before them only what they are.
func (t tile) sign(h hash.Hash, s span) error {
	key, end, _, err := t.reach(s)
	if err != nil {
		return err
	}
	first, err := t.clip.media.find(s.from)
	if err != nil {
		return err
	}
	var b [20]byte
	for e, err := range t.clip.media.entries(min(max(first-1, key), end-1), end) {
		if err != nil {
			return err
		}
		binary.BigEndian.PutUint64(b[:], uint64(e.at-s.from))
		binary.BigEndian.PutUint32(b[8:], e.size)
		binary.BigEndian.PutUint32(b[12:], e.sum)
		binary.BigEndian.PutUint32(b[16:], e.chain)
		h.Write(b[:])
	}
	return nil
}

// job is a run of ffmpeg: consecutive windows of one epoch.
type job struct{ windows []window }

// maxAhead is how much may be decoded only to get to a window's start. With more, the window is made in one run with
// the one before it: some senders make a key frame only when asked, and decoding from the start of the meeting for each
// window would cost the square of its length.
const maxAhead = int64(10 * time.Second)

// plan groups the windows that are still to be made. A window can only follow another in the same run when that is made
// in this run too.
func plan(windows []window, have func(window) bool) (jobs []job, err error) {
	open := false // the last job may be continued
	for _, w := range windows {
		if have(w) {
			open = false
			continue
		}
		last := len(jobs) - 1
		if open && jobs[last].windows[0].epoch == w.epoch {
			ahead, err := w.ahead()
			if err != nil {
				return nil, err
			}
			if ahead > maxAhead {
				jobs[last].windows = append(jobs[last].windows, w)
				continue
			}
		}
		jobs = append(jobs, job{windows: []window{w}})
		open = true
	}
	return jobs, nil
}

// ahead returns the longest time that has to be decoded before the window's start.
func (w window) ahead() (ns int64, err error) {
	for _, t := range w.epoch.tiles {
		if t.clip == nil {
			continue
		}
		_, _, a, err := t.reach(w.span())
		if err != nil {
			return 0, err
		}
		ns = max(ns, a)
	}
	return ns, nil
}
