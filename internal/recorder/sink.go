package recorder

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"huilu/internal/capture"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// sink copies the packets of one subscription into one log.
type sink struct {
	run   *Run
	link  *link
	track *webrtc.TrackRemote
	log   *capture.TrackLog
	sid   string
}

// meta describes the log of a subscription.
func (r *Run) meta(m trackFlows) capture.TrackMeta {
	codec := m.track.Codec()
	kind := capture.Audio
	if m.track.Kind() == webrtc.RTPCodecTypeVideo {
		kind = capture.Video
	}
	return capture.TrackMeta{
		Part: r.ledger.part, ParticipantID: m.from.Identity(), Name: m.from.Name(), SID: m.pub.SID(), Kind: kind,
		Source: source(m.pub.Source(), kind), Mime: codec.MimeType, ClockRate: codec.ClockRate, Channels: codec.Channels,
		SSRC: uint32(m.track.SSRC()), PayloadType: uint8(m.track.PayloadType()), Fmtp: codec.SDPFmtpLine, StartedAt: m.at.UTC(),
	}
}

// source translates a track's source. A client that says nothing means its camera or microphone.
func source(s livekit.TrackSource, k capture.Kind) capture.Source {
	switch {
	case s == livekit.TrackSource_SCREEN_SHARE:
		return capture.Screen
	case s == livekit.TrackSource_SCREEN_SHARE_AUDIO:
		return capture.ScreenAudio
	case k == capture.Video:
		return capture.Camera
	default:
		return capture.Microphone
	}
}

// open begins the log of a subscription and starts copying.
func (r *Run) open(m trackFlows) (*sink, error) {
	log, err := r.session.Track(r.meta(m))
	if err != nil {
		return nil, err
	}
	s := &sink{run: r, link: m.link, track: m.track, log: log, sid: m.pub.SID()}
	m.pub.OnRTCP(s.report)
	if m.track.Kind() == webrtc.RTPCodecTypeVideo {
		m.from.WritePLI(m.track.SSRC()) // without a key frame nothing before the next one can be decoded
	}
	r.sinks.Go(s.copy)
	return s, nil
}

// copy is the hot path: read, append, again, until the track ends or the run stops.
func (s *sink) copy() {
	err := s.guard(func() error {
		packet := make([]byte, 2048) // larger than any UDP packet on its way here
		for {
			n, _, err := s.track.Read(packet)
			if err != nil {
				return err
			}
			if err := s.log.RTP(s.run.now(), packet[:n]); errors.Is(err, capture.ErrClosed) {
				return err
			}
		}
	})
	s.run.inbox.put(sinkEnded{sink: s, err: err})
}

// report takes the track's sender reports. RTCP comes compound and holds other tracks' reports as well.
func (s *sink) report(p rtcp.Packet) {
	sr, ok := p.(*rtcp.SenderReport)
	if !ok || sr.SSRC != uint32(s.track.SSRC()) {
		return
	}
	_ = s.guard(func() error {
		b, err := sr.Marshal()
		if err != nil {
			return err
		}
		return s.log.SenderReport(s.run.now(), b)
	})
}

// guard turns a panic into an error: a recorder must not end the meetings that live in the same process.
func (s *sink) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			s.run.log.Error("recorder panicked", "track", s.sid, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	return f()
}

// stop ends copy, also when no packet comes.
func (s *sink) stop() {
	_ = s.track.SetReadDeadline(time.Now())
}

// alive says whether the link still shows this subscription as the publication's track.
func alive(pub *lksdk.RemoteTrackPublication) bool { return pub != nil && pub.TrackRemote() != nil }
