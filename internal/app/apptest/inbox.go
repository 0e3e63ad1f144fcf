package apptest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	larkcore "github.com/larksuite/oapi-sdk-go/v3/core"
	"github.com/larksuite/oapi-sdk-go/v3/core/httpserverext"
	larkevent "github.com/larksuite/oapi-sdk-go/v3/event"
	"github.com/larksuite/oapi-sdk-go/v3/event/dispatcher"
	larkvc "github.com/larksuite/oapi-sdk-go/v3/service/vc/v1"
)

// The types of events that an Inbox understands.
const (
	Started          = "vc.meeting.meeting_started_v1"
	Ended            = "vc.meeting.meeting_ended_v1"
	Joined           = "vc.meeting.join_meeting_v1"
	Left             = "vc.meeting.leave_meeting_v1"
	RecordingStarted = "vc.meeting.recording_started_v1"
	RecordingEnded   = "vc.meeting.recording_ended_v1"
	RecordingReady   = "vc.meeting.recording_ready_v1"
)

// Letter is an event that arrived.
type Letter struct {
	ID, Type, App, Tenant string // of the header
	Meeting               *larkvc.MeetingEventMeeting
	Operator              *larkvc.MeetingEventUser
	LeaveReason           int
	URL, Duration         string // recording_ready
}

// Inbox is an integrator's webhook, written with the official SDK as its manual
// says: it refuses what is not genuine, decrypts, and keeps what arrived.
type Inbox struct {
	t       testing.TB
	address string

	mu       sync.Mutex // guards what follows
	official http.HandlerFunc
	server   *http.Server
	letters  []Letter
}

// NewInbox reserves an address; nothing is received until Open.
func NewInbox(t testing.TB) *Inbox {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &Inbox{t: t, address: l.Addr().String()}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// URL is where events are to be posted.
func (b *Inbox) URL() string { return "http://" + b.address + "/events" }

// Open begins to receive, with the secrets of the app.
func (b *Inbox) Open(verificationToken, encryptKey string) {
	b.t.Helper()
	l, err := net.Listen("tcp", b.address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.official = httpserverext.NewEventHandlerFunc(b.handlers(verificationToken, encryptKey), larkevent.WithLogLevel(larkcore.LogLevelError))
	b.server = &http.Server{Handler: b.official, ReadHeaderTimeout: 5 * time.Second}
	go func(s *http.Server) { _ = s.Serve(l) }(b.server)
}

// Close stops receiving; connections are refused until the next Open.
func (b *Inbox) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.server != nil {
		_ = b.server.Close()
	}
	b.server = nil
}

func (b *Inbox) keep(base *larkevent.EventV2Base, l Letter) error {
	l.ID, l.Type, l.App, l.Tenant = base.Header.EventID, base.Header.EventType, base.Header.AppID, base.Header.TenantKey
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letters = append(b.letters, l)
	return nil
}

// handlers are typed, one for each event.
func (b *Inbox) handlers(verificationToken, encryptKey string) *dispatcher.EventDispatcher {
	return dispatcher.NewEventDispatcher(verificationToken, encryptKey).
		OnP2MeetingStartedV1(func(_ context.Context, e *larkvc.P2MeetingStartedV1) error {
			return b.keep(e.EventV2Base, Letter{Meeting: e.Event.Meeting, Operator: e.Event.Operator})
		}).
		OnP2MeetingEndedV1(func(_ context.Context, e *larkvc.P2MeetingEndedV1) error {
			return b.keep(e.EventV2Base, Letter{Meeting: e.Event.Meeting, Operator: e.Event.Operator})
		}).
		OnP2MeetingJoinMeetingV1(func(_ context.Context, e *larkvc.P2MeetingJoinMeetingV1) error {
			return b.keep(e.EventV2Base, Letter{Meeting: e.Event.Meeting, Operator: e.Event.Operator})
		}).
		OnP2MeetingLeaveMeetingV1(func(_ context.Context, e *larkvc.P2MeetingLeaveMeetingV1) error {
			return b.keep(e.EventV2Base, Letter{Meeting: e.Event.Meeting, Operator: e.Event.Operator, LeaveReason: *e.Event.LeaveReason})
		}).
		OnP2MeetingRecordingStartedV1(func(_ context.Context, e *larkvc.P2MeetingRecordingStartedV1) error {
			return b.keep(e.EventV2Base, Letter{Meeting: e.Event.Meeting, Operator: e.Event.Operator})
		}).
		OnP2MeetingRecordingEndedV1(func(_ context.Context, e *larkvc.P2MeetingRecordingEndedV1) error {
			return b.keep(e.EventV2Base, Letter{Meeting: e.Event.Meeting, Operator: e.Event.Operator})
		}).
		OnP2MeetingRecordingReadyV1(func(_ context.Context, e *larkvc.P2MeetingRecordingReadyV1) error {
			return b.keep(e.EventV2Base, Letter{Meeting: e.Event.Meeting, URL: *e.Event.Url, Duration: *e.Event.Duration})
		})
}

// Of returns what arrived of a type about a meeting, each delivery by itself.
func (b *Inbox) Of(typ, meetingID string) []Letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	var of []Letter
	for _, l := range b.letters {
		if l.Type == typ && *l.Meeting.Id == meetingID {
			of = append(of, l)
		}
	}
	return of
}

// Wait waits until n different events of a type have arrived about a meeting, and returns them in order of arrival.
func (b *Inbox) Wait(t testing.TB, limit time.Duration, typ, meetingID string, n int) []Letter {
	t.Helper()
	var first []Letter
	Eventually(t, typ+" of meeting "+meetingID, limit, func() bool {
		first = nil
		for _, l := range b.Of(typ, meetingID) {
			if !slices.ContainsFunc(first, func(f Letter) bool { return f.ID == l.ID }) {
				first = append(first, l)
			}
		}
		return len(first) >= n
	})
	return first
}

// Download fetches a link that needs no login.
func Download(ctx context.Context, address string, to io.Writer) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("download: %s", resp.Status)
	}
	_, err = io.Copy(to, resp.Body)
	return resp.Header, err
}
