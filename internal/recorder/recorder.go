// Package recorder is the hidden participant that appends a meeting to disk.
//
// For each recorded part of a meeting a Run joins the room as a participant nobody sees, subscribes to everything people
// publish and appends the packets, as they are, to logs of package capture; beside them it writes the timeline. It never
// decodes, muxes or encodes: a bad packet cannot hurt the meeting, which lives in the same process.
//
//	SFU ── media ──▶ link (hidden connection) ──▶ sink (one per track) ──▶ capture.TrackLog
//	 │                    │ something changed
//	 └── who is there ──▶ ledger ──▶ timeline
//
// What is true is what the SFU says; what the client library tells only makes the Run look. That matters because the
// library loses people and connections in ways that have been measured: somebody who comes back under the same identity
// may stay invisible on an old connection, and a connection the server ended is not opened again. So a Run may hold
// several links: each published track belongs to one of them, a new link takes what no other has, and a watchdog compares
// every two seconds what is published with what is being written.
package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"huilu/internal/capture"
	"huilu/internal/sfu"

	lksdk "github.com/livekit/server-sdk-go/v2"
)

// Connector is what a recorder needs of the media server.
type Connector interface {
	// Connect returns the address of the room's signalling (ws:// or wss://) and a token that lets a hidden recorder of
	// that identity in.
	Connect(ctx context.Context, room, identity string) (url, token string, err error)
	// Participants lists who is in the room with what they publish, hidden ones left out; sfu.ErrNotFound without a room.
	Participants(ctx context.Context, room string) ([]sfu.Participant, error)
	// Watch calls joined for each participant that joins, until stop is called. It may miss some; the watchdog will not.
	Watch(room string, joined func(sfu.Participant)) (stop func())
}

// Recorder starts runs. It has no state of its own and may be used from any goroutine.
type Recorder struct {
	c   Connector
	log *slog.Logger
}

// setClientLog gives the client library's package-wide logger, which its media transports use, our log. Once, and before
// anybody connects: the library reads it without a lock.
var setClientLog sync.Once

// New returns a recorder for the rooms c leads to. The first one of a process also takes the client library's log, so it
// is made before the library connects anywhere.
func New(c Connector, log *slog.Logger) *Recorder {
	setClientLog.Do(func() { lksdk.SetLogger(sfu.ClientLog(log)) })
	return &Recorder{c: c, log: log}
}

// startTries is how often Start tries to join before it gives up.
const startTries = 3

// Start joins the room, begins the part and records until Stop. It returns once the recorder is in the room. ctx bounds
// only the joining: the run does not end with it. The session stays the caller's to close, after Stop.
func (r *Recorder) Start(ctx context.Context, room string, s *capture.Session, part int) (*Run, error) {
	run := newRun(r, room, s, part)
	var first *link
	var err error
	for try := range startTries {
		first = run.newLink()
		if err = run.dial(ctx, first); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("record room %s: %w", room, errors.Join(ctx.Err(), err))
		case <-time.After(retryAfter(try)):
		}
	}
	if err != nil {
		return nil, fmt.Errorf("record room %s: %w", room, err)
	}
	at := run.now()
	p, err := s.Part(part, at)
	if err != nil {
		first.room.Disconnect()
		return nil, fmt.Errorf("record room %s: %w", room, err)
	}
	run.begin(p, at, first)
	return run, nil
}

// retryAfter is the pause before the next try to connect: 0.1 s, doubling up to 5 s.
func retryAfter(failures int) time.Duration {
	return min(100*time.Millisecond<<min(failures, 10), 5*time.Second)
}

// embedded connects to a media server in this process.
type embedded struct {
	*sfu.Server
	url func() string
}

// Embedded returns the connector for a media server in this process. url returns the address its Handler is served at,
// without path, for example ws://127.0.0.1:8080; it is asked for each connection.
func Embedded(s *sfu.Server, url func() string) Connector {
	return embedded{s, url}
}

// Connect implements Connector.
func (e embedded) Connect(_ context.Context, room, identity string) (url, token string, err error) {
	token, err = e.Token(sfu.Join{Room: room, Identity: identity, Hidden: true, Recorder: true})
	return e.url(), token, err
}
