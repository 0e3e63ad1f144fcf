package people

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	lksdk "github.com/livekit/server-sdk-go/v2"
)

// feed sends one track in real time: unit n of an endless sequence belongs to
// the instant epoch+n/rate and is sent then. There is no interval to
// accumulate errors over; what is late stays on its own timestamp.
type feed struct {
	track     *lksdk.LocalTrack
	payloader rtp.Payloader
	epoch     time.Time
	perSecond int
	clockRate uint32
	unit      func(n int) unit

	on   atomic.Bool
	sent atomic.Int64 // units sent so far
}

// unit is what one instant sends.
type unit struct {
	data  []byte
	key   bool // a decoder can begin here
	level *uint8
}

// tooLate is when units are skipped instead of sent late. A camera would do so
// after a few tenths of a second; but what a starved test machine delays still
// belongs into the recording, at its own time, and would be taken for lost.
const tooLate = 5 * time.Second

// catchUp is how much faster than real time a feed that is late sends. All at
// once would be a burst that overflows the receiver's socket, which holds less
// than a hundred packets on an untuned Linux.
const catchUp = 3

// at is the instant of unit n.
func (f *feed) at(n int) time.Time {
	return f.epoch.Add(time.Duration(n/f.perSecond)*time.Second +
		time.Duration(n%f.perSecond)*time.Second/time.Duration(f.perSecond))
}

// next is the first unit whose instant is not before t.
func (f *feed) next(t time.Time) int {
	n := max(0, int(t.Sub(f.epoch).Seconds()*float64(f.perSecond))-1)
	for f.at(n).Before(t) {
		n++
	}
	return n
}

// run sends until the context ends. A track that was off, or skipped units,
// goes on at the next key unit: what lies between could not be decoded.
func (f *feed) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	needKey, seq := true, uint16(1)
	var free time.Time // when the next unit may be sent at the earliest
	for n := f.next(time.Now()); ; n++ {
		timer.Reset(max(time.Until(f.at(n)), time.Until(free)))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if now := time.Now(); now.Sub(f.at(n)) > tooLate {
			n, needKey = f.next(now), true
		}
		u := f.unit(n)
		if !f.on.Load() || needKey && !u.key {
			needKey = true
			continue
		}
		needKey = false
		seq += f.send(u, seq, f.at(n))
		free = time.Now().Add(time.Second / time.Duration(catchUp*f.perSecond))
	}
}

// send writes the packets of a unit and returns how many they were. A write
// fails when the connection is going away, and the session learns that from
// the room; packets lost on the way there are lost as they would be on a wire.
func (f *feed) send(u unit, seq uint16, at time.Time) uint16 {
	stamp := rtpTime(uint32(f.track.SSRC()), at, f.clockRate)
	pkts := packets(f.payloader, u.data, seq, stamp)
	for _, p := range pkts {
		_ = f.track.WriteRTP(p, &lksdk.SampleWriteOptions{AudioLevel: u.level})
	}
	f.sent.Add(1)
	return uint16(len(pkts))
}

// pictureFeed makes the feed of a camera or a screen.
func pictureFeed(m *Media, epoch time.Time) (*feed, error) {
	capability := webrtc.RTPCodecCapability{
		MimeType:     webrtc.MimeTypeH264,
		ClockRate:    90000,
		SDPFmtpLine:  "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
	}
	var payloader rtp.Payloader = &codecs.H264Payloader{}
	if m.Person.Codec == "vp8" {
		capability.MimeType, capability.SDPFmtpLine = webrtc.MimeTypeVP8, ""
		payloader = &codecs.VP8Payloader{EnablePictureID: true}
	}
	track, err := lksdk.NewLocalTrack(capability)
	if err != nil {
		return nil, err
	}
	return &feed{
		track: track, payloader: payloader, epoch: epoch, perSecond: m.Person.FPS, clockRate: 90000,
		unit: func(n int) unit {
			f := m.frames[n%len(m.frames)]
			return unit{data: f.data, key: f.key}
		},
	}, nil
}

// soundFeed makes the feed of a microphone.
func soundFeed(m *Media, epoch time.Time) (*feed, error) {
	track, err := lksdk.NewLocalTrack(webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: sampleRate, Channels: 2,
		SDPFmtpLine: "minptime=10;useinbandfec=1",
	})
	if err != nil {
		return nil, err
	}
	return &feed{
		track: track, payloader: &codecs.OpusPayloader{}, epoch: epoch, perSecond: packetsASec, clockRate: sampleRate,
		unit: func(n int) unit {
			level := loudness(n % packetsASec)
			return unit{data: m.packets[n%packetsASec], key: true, level: &level}
		},
	}, nil
}
