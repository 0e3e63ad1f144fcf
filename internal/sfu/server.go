package sfu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/livekit/livekit-server/pkg/service"
	"github.com/livekit/protocol/auth"
)

const (
	// closeTimeout bounds how long Run takes to end meetings when it is told to stop.
	closeTimeout = 5 * time.Second
	// goodbye is how long people have to hear that they are thrown out before their connections are cut.
	goodbye = 2 * time.Second
)

// Server is one media server. Its methods may be called from any goroutine, once New has returned and until Run has.
type Server struct {
	config   Config
	log      *slog.Logger
	parts    *parts
	notifier *notifier
	handler  http.Handler

	mu       sync.Mutex   // guards the fields below
	closing  bool         // nobody gets in any more
	local    *http.Server // see LocalURL; nil until it is wanted
	localURL string
	inFlight sync.WaitGroup // signalling requests, each as long as its WebSocket
}

// New opens the media ports and prepares everything; Run starts it. Each Server that was made must be run, also when it
// is to stop at once: Run closes the ports.
//
// LiveKit keeps its logger and its metrics per process: with several servers in one process the newest one's log gets
// everything.
func New(c Config, l Listener, log *slog.Logger) (*Server, error) {
	conf, err := c.liveKit()
	if err != nil {
		return nil, err
	}
	useLogger(log)
	n := newNotifier(l)
	p, err := assemble(conf, n)
	if err != nil {
		return nil, fmt.Errorf("sfu: %w", err)
	}
	s := &Server{config: c, log: log, parts: p, notifier: n}
	n.flooded = s.throwOut
	s.handler = s.routes()
	return s, nil
}

// Run serves rooms until ctx ends. Then it throws everybody out, closes the ports and returns within a bounded time, also
// in the middle of meetings. Errors are those of the start.
func (s *Server) Run(ctx context.Context) error {
	defer s.stopNotifier()
	defer s.close()
	go s.notifier.run()
	if err := s.parts.router.RegisterNode(); err != nil {
		return fmt.Errorf("sfu: register node: %w", err)
	}
	if err := s.parts.router.Start(); err != nil {
		return fmt.Errorf("sfu: router: %w", err)
	}
	if err := s.parts.router.RemoveDeadNodes(); err != nil {
		return fmt.Errorf("sfu: remove dead nodes: %w", err)
	}
	if err := s.parts.signal.Start(); err != nil {
		return fmt.Errorf("sfu: signalling: %w", err)
	}
	s.log.Info("media server started", "node_ip", s.config.NodeIP, "udp_port", s.config.UDPPort, "tcp_port", s.config.TCPPort)
	idle := time.NewTicker(time.Second)
	defer idle.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-idle.C:
			s.parts.rooms.CloseIdleRooms()
		}
	}
}

// close ends everything, waiting no longer than closeTimeout.
func (s *Server) close() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.parts.router.Drain()
		if err := s.parts.router.UnregisterNode(); err != nil {
			s.log.Warn("media server: could not unregister its node", "error", err)
		}
		s.mu.Lock()
		s.closing = true
		s.mu.Unlock()
		s.parts.rooms.Stop()
		s.sayGoodbye()
		if s.local != nil { // not changed any more, now that closing is set
			_ = s.local.Close()
		}
		s.parts.signal.Stop()
		s.parts.router.Stop()
		if s.parts.redis != nil {
			_ = s.parts.redis.Close()
		}
	}()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
		s.log.Warn("media server did not close all rooms in time", "timeout", closeTimeout)
	}
}

// sayGoodbye waits until the connections have ended by themselves, which they do when the leave message is through, and
// then cuts what is left.
func (s *Server) sayGoodbye() {
	ended := make(chan struct{})
	go func() { s.inFlight.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(goodbye):
		s.parts.rtc.DrainConnections(time.Millisecond)
	}
}

// enter counts a signalling request, unless the server is closing.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.inFlight.Add(1)
	return true
}

// stopNotifier lets the Listener hear what was still to be told.
func (s *Server) stopNotifier() {
	s.notifier.Stop(false)
	select {
	case <-s.notifier.done:
	case <-time.After(closeTimeout):
		s.log.Warn("media server: the listener does not return", "timeout", closeTimeout)
	}
}

// Watch calls f, from the Listener's goroutine and before the Listener, for each participant that joins room. The
// returned function ends that. f must not block.
func (s *Server) Watch(room string, f func(Participant)) (stop func()) {
	return s.notifier.watch(room, f)
}

// Handler serves the signalling at /rtc and below. Mount it for both on the caller's mux. Join tokens arrive as
// access_token in the query, because browsers send no headers with a WebSocket: keep queries of /rtc out of access logs.
func (s *Server) Handler() http.Handler { return s.handler }

// LocalURL returns an address of the signalling on this machine's loopback interface, without TLS: for a recorder in this
// process when the address people use has a certificate that names another host. The listener opens with the first call, on
// a free port, and closes with Run. Join tokens guard it as they guard Handler.
func (s *Server) LocalURL() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.localURL != "":
		return s.localURL, nil
	case s.closing:
		return "", errors.New("sfu: local signalling: the media server is stopping")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("sfu: local signalling: %w", err)
	}
	s.local = &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.local.Serve(l) }() // ends with close
	s.localURL = "ws://" + l.Addr().String()
	return s.localURL, nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	s.parts.rtc.SetupRoutes(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		grants, err := s.verify(r)
		if err == nil {
			err = s.admit(r, grants)
		}
		if err != nil {
			// LiveKit's own check would write the token into the log.
			w.Header().Set("Access-Control-Allow-Origin", "*")
			http.Error(w, "join token missing, invalid or expired", http.StatusUnauthorized)
			return
		}
		if !s.enter() {
			http.Error(w, "the media server is stopping", http.StatusServiceUnavailable)
			return
		}
		defer s.inFlight.Done()
		// The request's own context ends with the client's connection and would tear the leave message, which is
		// still on its way to the room, out of LiveKit's hands: the person stayed until the network timed out.
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		r = r.WithContext(service.WithGrants(ctx, grants, s.config.Key))
		r.Body = http.NoBody // LiveKit would read a form from it, without a limit, into memory and temporary files
		mux.ServeHTTP(w, r)
	})
}

// errNotAdmitted is why somebody with a good token is turned away.
var errNotAdmitted = errors.New("not admitted")

// admit asks whether whoever holds a token may connect now, and as whom: LiveKit lets one token in under any number of
// further identities, for devices that only publish, of which nobody else would know.
func (s *Server) admit(r *http.Request, grants *auth.ClaimGrants) error {
	switch {
	case r.Method != http.MethodGet, r.URL.Query().Has("publish"), grants.Video == nil:
		return errNotAdmitted
	case grants.Video.Recorder, s.config.Admit == nil:
		return nil
	}
	return s.config.Admit(r.Context(), grants.Video.Room, grants.Identity)
}

// throwOut removes somebody who publishes more than anybody needs.
func (s *Server) throwOut(room, identity string, tracks int) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		err := s.Kick(ctx, room, identity)
		s.log.WarnContext(ctx, "a participant who published too many tracks was removed", "meeting", room, "participant", identity, "tracks", tracks, "err", err)
	}()
}

// verify checks the join token of a request.
func (s *Server) verify(r *http.Request) (*auth.ClaimGrants, error) {
	token := r.URL.Query().Get("access_token")
	if h := r.Header.Get("Authorization"); h != "" {
		token = strings.TrimPrefix(h, "Bearer ")
	}
	v, err := auth.ParseAPIToken(token)
	if err != nil {
		return nil, err
	}
	secret := s.parts.keys.GetSecret(v.APIKey())
	if secret == "" {
		return nil, fmt.Errorf("unknown key %q", v.APIKey())
	}
	_, grants, err := v.Verify(secret)
	return grants, err
}
