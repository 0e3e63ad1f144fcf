package people

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"

	"github.com/livekit/protocol/livekit"
	"github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
)

// Options are how a person joins. The zero value is a person with camera and
// microphone on who does not look at the others.
type Options struct {
	// Epoch is the instant at which everybody's loop begins. People who are to
	// flash and beep together have the same one, or ones that differ by whole
	// seconds. Zero means the Unix epoch: the same for everyone, everywhere.
	Epoch time.Time
	// Subscribe receives what the others send, as a browser would, and drops it.
	Subscribe bool
	// CameraOff and MicOff leave the track unpublished until it is turned on.
	CameraOff, MicOff bool
}

// Session is a person in a room. Its methods may be called from any goroutine.
type Session struct {
	room   *lksdk.Room
	media  *Media
	epoch  time.Time
	ctx    context.Context // of the feeds; ends with Leave
	stop   context.CancelFunc
	feeds  sync.WaitGroup
	ended  chan struct{}
	once   sync.Once
	reason atomic.Value // string
	read   atomic.Int64

	mu                  sync.Mutex // over what follows
	camera, mic, screen *published // nil while never turned on, or not shared
}

// published is a feed and its publication in the room.
type published struct {
	feed *feed
	pub  *lksdk.LocalTrackPublication
	stop context.CancelFunc
}

// Join connects to the room that the token names and publishes camera and
// microphone. wsURL is the server's address (ws://host:port). ctx bounds the
// joining, not the session; that lasts until Leave, or until the server ends
// it, which Ended tells.
func Join(ctx context.Context, wsURL, token string, m *Media, o Options) (*Session, error) {
	if o.Epoch.IsZero() {
		o.Epoch = time.Unix(0, 0)
	}
	s := &Session{media: m, epoch: o.Epoch, ended: make(chan struct{})}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.room = lksdk.NewRoom(s.callbacks())
	err := s.room.JoinWithContextAndToken(ctx, wsURL, token,
		lksdk.WithLogger(logger.GetDiscardLogger()),
		lksdk.WithAutoSubscribe(o.Subscribe),
		lksdk.WithInterceptors([]interceptor.Factory{reporterFactory{}}),
		lksdk.WithIncludeDefaultInterceptors(true))
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("%s joins: %w", m.Person.Name, err)
	}
	if err := s.publish(o); err != nil {
		s.Leave()
		return nil, fmt.Errorf("%s joins: %w", m.Person.Name, err)
	}
	return s, nil
}

func (s *Session) callbacks() *lksdk.RoomCallback {
	return &lksdk.RoomCallback{
		OnDisconnectedWithReason: func(reason lksdk.DisconnectionReason) {
			s.reason.CompareAndSwap(nil, string(reason))
			s.once.Do(func() { close(s.ended) })
		},
		ParticipantCallback: lksdk.ParticipantCallback{
			OnTrackSubscribed: func(track *webrtc.TrackRemote, _ *lksdk.RemoteTrackPublication, _ *lksdk.RemoteParticipant) {
				go s.drain(track)
			},
		},
	}
}

// drain reads a remote track to its end, as a player would.
func (s *Session) drain(track *webrtc.TrackRemote) {
	for {
		if _, _, err := track.ReadRTP(); err != nil {
			return
		}
		s.read.Add(1)
	}
}

// publish turns on what the person came with.
func (s *Session) publish(o Options) error {
	if !o.MicOff {
		if err := s.SetMicrophone(true); err != nil {
			return err
		}
	}
	if o.CameraOff {
		return nil
	}
	return s.SetCamera(true)
}

// negotiation bounds how long it may take until a track that was added or
// removed is agreed on with the server.
const negotiation = 15 * time.Second

// start publishes a feed and sets it going. It returns when the track is agreed
// on with the server: from here on a packet that is sent arrives, so whoever
// measures may count from now.
func (s *Session) start(f *feed, o lksdk.TrackPublicationOptions) (*published, error) {
	bound := make(chan struct{})
	f.track.OnBind(sync.OnceFunc(func() { close(bound) }))
	pub, err := s.room.LocalParticipant.PublishTrack(f.track, &o)
	if err != nil {
		return nil, fmt.Errorf("publish %s: %w", o.Name, err)
	}
	select {
	case <-bound:
	case <-s.ended:
		return nil, fmt.Errorf("publish %s: session ended: %s", o.Name, s.Why())
	case <-time.After(negotiation):
		return nil, fmt.Errorf("publish %s: not negotiated within %v", o.Name, negotiation)
	}
	ctx, stop := context.WithCancel(s.ctx)
	f.on.Store(true)
	s.feeds.Go(func() { f.run(ctx) })
	return &published{feed: f, pub: pub, stop: stop}, nil
}

// set turns a published track on or off, first here and then for the room.
func (p *published) set(on bool) {
	p.feed.on.Store(on)
	p.pub.SetMuted(!on)
}

func (p *published) sent() int64 {
	if p == nil {
		return 0
	}
	return p.feed.sent.Load()
}

// SetCamera turns the camera on or off. The first time on publishes it; later
// ones unmute it, and pictures begin with the next key frame, up to half a
// second later.
func (s *Session) SetCamera(on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.camera != nil || !on {
		if s.camera != nil {
			s.camera.set(on)
		}
		return nil
	}
	p, err := s.startPicture(s.media, "camera", livekit.TrackSource_CAMERA)
	s.camera = p
	return err
}

// SetMicrophone turns the microphone on or off. The first time on publishes it.
func (s *Session) SetMicrophone(on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mic != nil || !on {
		if s.mic != nil {
			s.mic.set(on)
		}
		return nil
	}
	f, err := soundFeed(s.media, s.epoch)
	if err != nil {
		return fmt.Errorf("microphone: %w", err)
	}
	s.mic, err = s.start(f, lksdk.TrackPublicationOptions{Name: "microphone", Source: livekit.TrackSource_MICROPHONE})
	return err
}

// startPicture publishes the picture of m under a name.
func (s *Session) startPicture(m *Media, name string, source livekit.TrackSource) (*published, error) {
	f, err := pictureFeed(m, s.epoch)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s.start(f, lksdk.TrackPublicationOptions{
		Name: name, Source: source, VideoWidth: m.Person.Width, VideoHeight: m.Person.Height,
	})
}

// ErrSharing says that the person already shares a screen.
var ErrSharing = errors.New("already sharing a screen")

// ShareScreen publishes the picture of m as a screen, beside the camera. Give
// it an index of its own so that the two can be told apart.
func (s *Session) ShareScreen(m *Media) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.screen != nil {
		return ErrSharing
	}
	p, err := s.startPicture(m, "screen", livekit.TrackSource_SCREEN_SHARE)
	s.screen = p
	return err
}

// StopScreen ends the sharing and returns when the server has agreed to that.
// Without a shared screen it does nothing.
func (s *Session) StopScreen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.screen == nil {
		return nil
	}
	p := s.screen
	s.screen = nil
	p.stop()
	before := s.agreed()
	if err := s.room.LocalParticipant.UnpublishTrack(p.pub.SID()); err != nil {
		return fmt.Errorf("stop the screen: %w", err)
	}
	deadline := time.Now().Add(negotiation)
	for s.agreed() == before {
		if time.Now().After(deadline) {
			return fmt.Errorf("stop the screen: not negotiated within %v", negotiation)
		}
		time.Sleep(10 * time.Millisecond) // pion tells only one listener, and that is taken
	}
	return nil
}

// agreed is the description of our tracks that the server last agreed to; empty
// when there is no connection.
func (s *Session) agreed() string {
	pc := s.room.LocalParticipant.GetPublisherPeerConnection()
	if pc == nil || pc.ConnectionState() == webrtc.PeerConnectionStateClosed {
		return ""
	}
	d := pc.CurrentLocalDescription()
	if d == nil {
		return ""
	}
	return d.SDP
}

// Sent is how many pictures of the camera and packets of the microphone went out.
func (s *Session) Sent() (pictures, sounds int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.camera.sent(), s.mic.sent()
}

// Received is how many RTP packets of others arrived; 0 without Options.Subscribe.
func (s *Session) Received() int64 { return s.read.Load() }

// Identity is the participant identity the token gave.
func (s *Session) Identity() string { return s.room.LocalParticipant.Identity() }

// Ended is closed when the server ended the session or the connection is lost
// for good. Why then says so in a word.
func (s *Session) Ended() <-chan struct{} { return s.ended }

// Why is the reason for the end, empty while the session lasts.
func (s *Session) Why() string {
	why, _ := s.reason.Load().(string)
	return why
}

// Leave says goodbye and returns when nothing is sent any more. Calling it
// again does no harm.
func (s *Session) Leave() {
	s.stop()
	s.feeds.Wait()
	s.room.Disconnect()
}
