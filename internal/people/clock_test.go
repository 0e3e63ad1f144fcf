package people

import (
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp/codecs"
)

func TestRTPTimeAdvancesWithTheClockAndWraps(t *testing.T) {
	t.Parallel()
	for _, start := range []time.Time{time.Unix(0, 0), time.Unix(1_790_000_000, 0), time.Unix(47721, 858_844_444)} {
		for _, rate := range []uint32{90000, 48000} {
			for _, d := range []time.Duration{0, time.Second / 50, time.Second, time.Hour, 30 * time.Hour} {
				got := rtpTime(7, start.Add(d), rate) - rtpTime(7, start, rate)
				want := uint32(int64(d/time.Microsecond) * int64(rate) / 1e6)
				if diff := int32(got - want); diff < -1 || diff > 1 {
					t.Errorf("%v after %v at %d: %d units, want %d", d, start, rate, got, want)
				}
			}
		}
	}
	if rtpTime(1, time.Unix(5, 0), 90000) == rtpTime(2, time.Unix(5, 0), 90000) {
		t.Error("two streams have the same offset")
	}
}

// catcher is the end of a chain of interceptors.
type catcher struct{ sent []rtcp.Packet }

func (c *catcher) Write(pkts []rtcp.Packet, _ interceptor.Attributes) (int, error) {
	c.sent = append(c.sent, pkts...)
	return len(pkts), nil
}

func TestASenderReportTellsTheTrueTimeAlsoWhenTheLastFrameWasLate(t *testing.T) {
	t.Parallel()
	r, err := reporterFactory{}.NewInterceptor("")
	if err != nil {
		t.Fatal(err)
	}
	r.BindLocalStream(&interceptor.StreamInfo{SSRC: 99, ClockRate: 90000}, nil)
	end := &catcher{}
	at := time.Unix(1_790_000_000, 250_000_000)
	ntp := uint64(at.Unix()+ntpEpoch)<<32 | 1<<30 // a quarter of a second
	late, foreign := &rtcp.SenderReport{SSRC: 99, NTPTime: ntp, RTPTime: 1}, &rtcp.SenderReport{SSRC: 98, NTPTime: ntp, RTPTime: 1}
	if _, err := r.BindRTCPWriter(end).Write([]rtcp.Packet{late, foreign, &rtcp.PictureLossIndication{}}, nil); err != nil {
		t.Fatal(err)
	}
	if len(end.sent) != 3 || late.RTPTime != rtpTime(99, at, 90000) || late.NTPTime != ntp {
		t.Errorf("sent %v; want RTP time %d", end.sent, rtpTime(99, at, 90000))
	}
	if foreign.RTPTime != 1 {
		t.Error("the report of an unknown stream was changed")
	}
}

func TestUnitsBelongToExactInstants(t *testing.T) {
	t.Parallel()
	epoch := time.Unix(1_790_000_000, 0)
	for _, perSecond := range []int{20, 24, 25, 30, 50} {
		f := &feed{epoch: epoch, perSecond: perSecond}
		for _, second := range []int{0, 1, 59, 86400 * 365} {
			if got := f.at(second * perSecond); !got.Equal(epoch.Add(time.Duration(second) * time.Second)) {
				t.Errorf("%d a second: unit %d is at %v", perSecond, second*perSecond, got)
			}
		}
		for _, d := range []time.Duration{-time.Hour, 0, 1, time.Second/30 + 1, 12345 * time.Millisecond, 10000 * time.Hour} {
			n := f.next(epoch.Add(d))
			if f.at(n).Before(epoch.Add(d)) || n > 0 && !f.at(n-1).Before(epoch.Add(d)) {
				t.Errorf("%d a second: the first unit after %v is not %d", perSecond, d, n)
			}
		}
	}
}

func TestOnlyTheLastPacketOfAFrameHasTheMarker(t *testing.T) {
	t.Parallel()
	data := append([]byte{0, 0, 0, 1, 0x65}, make([]byte, 5000)...)
	for i := range data[5:] {
		data[5+i] = byte(i%250 + 1)
	}
	pkts := packets(&codecs.H264Payloader{}, data, 65534, 42)
	if len(pkts) < 4 {
		t.Fatalf("%d packets for 5000 bytes", len(pkts))
	}
	for i, p := range pkts {
		if p.Marker != (i == len(pkts)-1) || p.SequenceNumber != uint16(65534+i) || p.Timestamp != 42 || p.MarshalSize() > 1200 {
			t.Errorf("packet %d of %d: %+v, %d bytes", i, len(pkts), p.Header, p.MarshalSize())
		}
	}
}
