package compose

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"
)

const (
	// driftAfter is how long a track must be before its clock's speed is measured too. Below, the noise of single sender
	// reports (up to 17 ms for sound) is more than what a crystal drifts (1 ms in 10 s at 100 ppm).
	driftAfter = int64(3 * time.Minute)
	// driftLimit is the largest difference in speed that is believed: 1000 ppm, ten times what crystals have.
	driftLimit = 1e-3
	// foreignClock is how far sender reports may be from the arrival times. More means that they tell another clock's time.
	foreignClock = int64(2 * time.Second)
	// newClock is the difference between a step in RTP time and in arrival from which on the sender must have begun a new
	// count. A stalled network makes seconds, not more.
	newClock = int64(10 * time.Second)
)

// instant pairs an RTP timestamp with a time of day, unix ns.
type instant struct{ ts, at int64 }

// line maps RTP timestamps to the time of day.
type line struct {
	ts   int64   // where it is anchored
	at   int64   // unix ns there
	tick float64 // ns per unit of RTP time
}

func (l line) time(ts int64) int64 { return l.at + int64(math.Round(float64(ts-l.ts)*l.tick)) }

// clock gathers what is known about one run of a track's RTP timestamps.
type clock struct {
	rate    int64 // units per second
	reports []instant
	first   int64 // lowest timestamp
	begun   bool
	early   int64 // min(arrival - ts) in ns relative to first: the packet that was delayed least
}

// packet notes a packet's arrival.
func (c *clock) packet(ts, arrival int64) {
	if !c.begun {
		c.begun, c.first, c.early = true, ts, arrival
		return
	}
	c.early = min(c.early, arrival-c.nominal(ts))
}

// nominal is how many ns after the first packet ts is when the clock runs as it says.
func (c *clock) nominal(ts int64) int64 {
	d := ts - c.first
	return d/c.rate*1e9 + d%c.rate*1e9/c.rate
}

// report notes a sender report: at this time of day the RTP clock showed ts.
func (c *clock) report(ts, at int64) { c.reports = append(c.reports, instant{ts, at}) }

// fit returns the best mapping. Sender reports win over arrival times, which the network delays; without any, the packet
// that was delayed least is the best guess.
func (c *clock) fit() line {
	arrived := line{ts: c.first, at: c.early, tick: 1e9 / float64(c.rate)}
	if len(c.reports) == 0 {
		return arrived
	}
	offsets := make([]int64, len(c.reports))
	for i, r := range c.reports {
		offsets[i] = r.at - c.nominal(r.ts)
	}
	l := line{ts: c.first, at: median(offsets), tick: arrived.tick}
	if d := l.at - arrived.at; d > foreignClock || d < -foreignClock {
		return arrived
	}
	if last := c.reports[len(c.reports)-1]; last.ts-c.reports[0].ts > driftAfter/1e9*c.rate {
		return c.drifting(l, offsets)
	}
	return l
}

// drifting fits a line through the reports, without those that lie far off it.
func (c *clock) drifting(l line, offsets []int64) line {
	keep := make([]int, len(offsets))
	for i := range keep {
		keep[i] = i
	}
	at, slope := c.leastSquares(offsets, keep)
	rest := make([]int64, len(offsets))
	for i, o := range offsets {
		rest[i] = absolute(o - at - int64(slope*float64(c.nominal(c.reports[i].ts))))
	}
	limit := max(3*median(rest), int64(5*time.Millisecond))
	keep = slices.DeleteFunc(keep, func(i int) bool { return rest[i] > limit })
	if at, slope = c.leastSquares(offsets, keep); math.Abs(slope) > driftLimit {
		return l
	}
	return line{ts: c.first, at: at, tick: l.tick * (1 + slope)}
}

// leastSquares returns offset and slope of the offsets over the time since the first packet.
func (c *clock) leastSquares(offsets []int64, keep []int) (at int64, slope float64) {
	base := offsets[keep[0]]
	var n, sx, sy, sxx, sxy float64
	for _, i := range keep {
		x, y := float64(c.nominal(c.reports[i].ts)), float64(offsets[i]-base)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	d := n*sxx - sx*sx
	if d == 0 {
		return base + int64(sy/n), 0
	}
	slope = (n*sxy - sx*sy) / d
	return base + int64((sy-slope*sx)/n), slope
}

func absolute(n int64) int64 { return max(n, -n) }

// median returns the middle value. It does not change v, which must not be empty.
func median(v []int64) int64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

var errReport = errors.New("not a sender report")

// ntpEpoch is 1900-01-01, where NTP time begins, in unix seconds.
const ntpEpoch = 2208988800

// parseReport reads the first block of an RTCP sender report (RFC 3550, 6.4.1).
func parseReport(b []byte) (ssrc, rtp uint32, at int64, err error) {
	if len(b) < 28 || b[0]>>6 != 2 || b[1] != 200 {
		return 0, 0, 0, errReport
	}
	sec, frac := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	if sec < ntpEpoch {
		return 0, 0, 0, errReport
	}
	at = int64(sec-ntpEpoch)*1e9 + int64(uint64(frac)*1e9>>32)
	return binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[16:]), at, nil
}
