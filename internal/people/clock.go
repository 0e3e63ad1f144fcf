package people

import (
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// rtpTime is the RTP timestamp of an instant on the stream with that SSRC. It
// is a function of nothing else, so frames, packets and sender reports cannot
// disagree. The SSRC doubles as the random offset that RFC 3550 asks for.
func rtpTime(ssrc uint32, at time.Time, rate uint32) uint32 {
	ticks := at.Unix()*int64(rate) + int64(at.Nanosecond())*int64(rate)/int64(time.Second)
	return ssrc + uint32(ticks)
}

// ntpEpoch is 1900-01-01, from which NTP counts, in seconds before 1970.
const ntpEpoch = 2208988800

// fromNTP turns a 32.32 fixed-point NTP time into an instant of the era that
// ends in 2036.
func fromNTP(ntp uint64) time.Time {
	fraction := (ntp & 0xffffffff) * uint64(time.Second) >> 32
	return time.Unix(int64(ntp>>32)-ntpEpoch, int64(fraction))
}

// reporter is an interceptor that makes sender reports exact.
//
// The ones that pion writes relate the last frame's timestamp to the moment it
// was handed over, so a frame sent 20 ms late on a busy machine shifts the
// whole track by 20 ms for whoever trusts the report. A browser relates it to
// the moment of capture. So do we: it is known here, see rtpTime.
type reporter struct {
	interceptor.NoOp
	rates sync.Map // SSRC uint32 → clock rate uint32
}

// NewInterceptor makes one reporter for one peer connection.
func (reporterFactory) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &reporter{}, nil
}

type reporterFactory struct{}

// BindLocalStream learns the clock rate of a stream; packets pass untouched.
func (r *reporter) BindLocalStream(info *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	r.rates.Store(info.SSRC, info.ClockRate)
	return w
}

// BindRTCPWriter corrects the RTP time in each sender report that passes.
func (r *reporter) BindRTCPWriter(w interceptor.RTCPWriter) interceptor.RTCPWriter {
	return interceptor.RTCPWriterFunc(func(pkts []rtcp.Packet, a interceptor.Attributes) (int, error) {
		for _, p := range pkts {
			sr, ok := p.(*rtcp.SenderReport)
			if !ok {
				continue
			}
			if rate, ok := r.rates.Load(sr.SSRC); ok {
				sr.RTPTime = rtpTime(sr.SSRC, fromNTP(sr.NTPTime), rate.(uint32))
			}
		}
		return w.Write(pkts, a)
	})
}

// packets cuts an encoded frame into the RTP packets of one instant, of which
// the last has the marker. seq is the number of the first one.
func packets(payloader rtp.Payloader, data []byte, seq uint16, stamp uint32) []*rtp.Packet {
	// 1200 bytes fit through every tunnel that a browser's packets fit through.
	const mtu = 1200 - 12
	payloads := payloader.Payload(mtu, data)
	out := make([]*rtp.Packet, len(payloads))
	for i, payload := range payloads {
		out[i] = &rtp.Packet{
			Header: rtp.Header{
				Version:        2,
				Marker:         i == len(payloads)-1,
				SequenceNumber: seq + uint16(i),
				Timestamp:      stamp,
			},
			Payload: payload,
		}
	}
	return out
}
