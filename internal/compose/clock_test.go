package compose

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// A sender's clock that is 80 ppm too fast gains 288 ms in an hour; reports that are up to 17 ms off each must not hide that.
func TestClockOfALongMeetingDoesNotDriftAway(t *testing.T) {
	dice := rand.New(rand.NewPCG(5, 5))
	const begin, drift = int64(1.7e18), 80e-6
	ticks := func(d time.Duration) int64 { return 777000 + int64(d.Seconds()*(1+drift)*48000) }
	c := &clock{rate: 48000}
	for at := time.Duration(0); at < time.Hour; at += 3 * time.Second {
		c.packet(ticks(at), begin+int64(at)+int64(20*milli)+dice.Int64N(40e6))
		noise := dice.Int64N(34e6) - 17e6
		if at == 30*time.Minute {
			noise = 900e6 // one that is plainly wrong
		}
		c.report(ticks(at), begin+int64(at)+noise)
	}
	l := c.fit()
	for _, at := range []time.Duration{0, 20 * time.Minute, time.Hour} {
		if off := l.time(ticks(at)) - begin - int64(at); absolute(off) > int64(4*milli) {
			t.Errorf("after %v the time is off by %v", at, time.Duration(off))
		}
	}
}

func TestTimeComesFromTheBestThereIs(t *testing.T) {
	const begin = int64(1.7e18)
	fill := func(c *clock, reports int, off int64) *clock {
		for i := range 200 {
			delay := int64(60e6)
			if i == 77 {
				delay = 9e6 // the packet that was delayed least
			}
			c.packet(int64(i)*3000, begin+int64(i)*1e9/30+delay)
		}
		for i := range reports {
			c.report(int64(i)*90000*3, begin+int64(i)*3e9+off)
		}
		return c
	}
	for _, c := range []struct {
		name    string
		reports int
		off     int64
		want    int64
	}{
		{"sender reports", 2, 0, 0},
		{"no reports: the packet delayed least", 0, 0, 9e6},
		{"reports of another clock: the packet delayed least", 2, 3600e9, 9e6},
	} {
		l := fill(&clock{rate: 90000}, c.reports, c.off).fit()
		if off := l.time(0) - begin; absolute(off-c.want) > 1e5 {
			t.Errorf("%s: off by %v, want %v", c.name, time.Duration(off), time.Duration(c.want))
		}
	}
}

func TestReportsAreReadAndOthersRefused(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 250e6, time.UTC)
	ntp := uint64(at.Unix()+ntpEpoch)<<32 | uint64(at.Nanosecond())<<32/1e9
	b, err := (&rtcp.SenderReport{SSRC: 7, NTPTime: ntp, RTPTime: 99}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	ssrc, ts, got, err := parseReport(b)
	if ssrc != 7 || ts != 99 || err != nil || absolute(got-at.UnixNano()) > 1 {
		t.Errorf("%d %d %v %v", ssrc, ts, time.Unix(0, got).UTC(), err)
	}
	if _, _, _, err := parseReport(b[:20]); err == nil {
		t.Error("half a report was taken")
	}
	if b[1]++; parseOf(b) == nil {
		t.Error("a receiver report was taken")
	}
}

func parseOf(b []byte) error {
	_, _, _, err := parseReport(b)
	return err
}
