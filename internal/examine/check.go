package examine

import (
	"fmt"
	"strings"
)

// Check is one thing that was measured and has a limit. It is good when
// Measured is not above Limit; whatever should be large is measured by what is
// missing of it.
type Check struct {
	Name     string  `json:"name"`
	OK       bool    `json:"ok"`
	Measured float64 `json:"measured"`
	Limit    float64 `json:"limit"`
	Unit     string  `json:"unit"`             // ms, s, frames, packets, …
	Reason   string  `json:"reason"`           // why the limit is where it is
	Detail   string  `json:"detail,omitempty"` // where and what, for whoever has to look
}

// String is one line for a person.
func (c Check) String() string {
	word := "ok"
	if !c.OK {
		word = "BAD"
	}
	line := fmt.Sprintf("%-3s  %s: %s %s (at most %s)", word, c.Name, figure(c.Measured), c.Unit, figure(c.Limit))
	if c.Detail != "" {
		line += ": " + c.Detail
	}
	return line
}

// figure prints whole numbers without and others with one or more decimals.
func figure(v float64) string {
	s := fmt.Sprintf("%.3f", v)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// limit is a tolerance: how much, and the physical reason.
type limit struct {
	most   float64
	unit   string
	reason string
}

// Limits of what the tests promise. Each has a reason in the physics of the
// path, so that nobody has to guess whether it may be moved.
var (
	limitSync = limit{40, "ms",
		"a picture is shown up to half a frame (17 ms at 30/s) from its instant, codecs smear a beep by some milliseconds; viewers notice from 45 ms on (ITU-R BT.1359)"}
	limitSyncMedian = limit{30, "ms",
		"half a frame is the phase between the camera's frames and the file's, which is constant for a whole recording; the rest is codec delay"}
	limitMissing = limit{500, "ms",
		"a picture begins at a key frame, of which people send two a second; everything else of the interval has to be there"}
	limitStray = limit{300, "ms",
		"a picture ends when the server notices that its sender left or muted, and at a whole frame"}
	limitSilence = limit{1200, "ms",
		"a beep comes each second and lasts a tenth; a longer pause means that sound was lost"}
	limitStill = limit{200, "ms",
		"people send a new picture at least 20 times a second; four missing in a row is a visible stop"}
	limitDrift = limit{20, "ms",
		"camera, sender reports and file are derived from one clock; a straight line through all frames averages the frame grid out"}
	limitApart = limit{50, "ms",
		"two tiles each show the picture nearest to the file's frame, half a frame off in either direction; the rest is the network clock's estimate"}
	limitVoices = limit{20, "ms",
		"sound has no frame grid; what is left is the codec and the server's estimate of how long each track's reports travel"}
	limitDuration = limit{200, "ms",
		"start and stop fall between frames and pass through signalling; more would be lost or invented time"}
	limitEnds = limit{100, "ms",
		"an AAC frame is 21 ms and a video frame 33 ms, so the tracks cannot end at the same instant"}
	limitGap = limit{1, "ms",
		"every picture comes one step after the one before, exactly; a frame that is left out shows as a stutter"}
	limitNone = limit{0, "", ""}
)

// check judges a measured value.
func (l limit) check(name string, measured float64, detail string) Check {
	return Check{Name: name, OK: measured <= l.most, Measured: measured, Limit: l.most, Unit: l.unit, Reason: l.reason, Detail: detail}
}

// none is a check that something does not occur.
func none(name string, count int, unit, reason, detail string) Check {
	l := limitNone
	l.unit, l.reason = unit, reason
	return l.check(name, float64(count), detail)
}

// ms is a time in the unit that limits have.
func ms(s Seconds) float64 { return float64(s) * 1000 }
