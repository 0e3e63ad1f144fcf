package event_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	larkcore "github.com/larksuite/oapi-sdk-go/v3/core"
	"github.com/larksuite/oapi-sdk-go/v3/core/httpserverext"
	larkevent "github.com/larksuite/oapi-sdk-go/v3/event"
	"github.com/larksuite/oapi-sdk-go/v3/event/dispatcher"
	larkvc "github.com/larksuite/oapi-sdk-go/v3/service/vc/v1"

	"huilu/internal/event"
	"huilu/internal/tenant"
)

// heard is what an official client made of an event.
type heard struct {
	base        *larkevent.EventV2Base
	meeting     *larkvc.MeetingEventMeeting
	operator    *larkvc.MeetingEventUser
	leaveReason int
	leaveUser   *larkvc.MeetingEventUser
	url         string
	duration    string
}

// official is an unmodified receiver written with the SDK, with a typed handler for each event.
func official(sub tenant.Subscription, got chan<- heard) http.HandlerFunc {
	d := dispatcher.NewEventDispatcher(string(sub.VerificationToken), string(sub.EncryptKey)).
		OnP2MeetingStartedV1(func(_ context.Context, e *larkvc.P2MeetingStartedV1) error {
			got <- heard{base: e.EventV2Base, meeting: e.Event.Meeting, operator: e.Event.Operator}
			return nil
		}).
		OnP2MeetingEndedV1(func(_ context.Context, e *larkvc.P2MeetingEndedV1) error {
			got <- heard{base: e.EventV2Base, meeting: e.Event.Meeting, operator: e.Event.Operator}
			return nil
		}).
		OnP2MeetingJoinMeetingV1(func(_ context.Context, e *larkvc.P2MeetingJoinMeetingV1) error {
			got <- heard{base: e.EventV2Base, meeting: e.Event.Meeting, operator: e.Event.Operator}
			return nil
		}).
		OnP2MeetingLeaveMeetingV1(func(_ context.Context, e *larkvc.P2MeetingLeaveMeetingV1) error {
			got <- heard{base: e.EventV2Base, meeting: e.Event.Meeting, operator: e.Event.Operator, leaveReason: *e.Event.LeaveReason, leaveUser: e.Event.LeaveUser}
			return nil
		}).
		OnP2MeetingRecordingStartedV1(func(_ context.Context, e *larkvc.P2MeetingRecordingStartedV1) error {
			got <- heard{base: e.EventV2Base, meeting: e.Event.Meeting, operator: e.Event.Operator}
			return nil
		}).
		OnP2MeetingRecordingEndedV1(func(_ context.Context, e *larkvc.P2MeetingRecordingEndedV1) error {
			got <- heard{base: e.EventV2Base, meeting: e.Event.Meeting, operator: e.Event.Operator}
			return nil
		}).
		OnP2MeetingRecordingReadyV1(func(_ context.Context, e *larkvc.P2MeetingRecordingReadyV1) error {
			got <- heard{base: e.EventV2Base, meeting: e.Event.Meeting, url: *e.Event.Url, duration: *e.Event.Duration}
			return nil
		}).
		OnP2MeetingShareStartedV1(func(_ context.Context, e *larkvc.P2MeetingShareStartedV1) error {
			got <- heard{base: e.EventV2Base, meeting: e.Event.Meeting, operator: e.Event.Operator}
			return nil
		}).
		OnP2MeetingShareEndedV1(func(_ context.Context, e *larkvc.P2MeetingShareEndedV1) error {
			got <- heard{base: e.EventV2Base, meeting: e.Event.Meeting, operator: e.Event.Operator}
			return nil
		})
	return httpserverext.NewEventHandlerFunc(d, larkevent.WithLogLevel(larkcore.LogLevelError+1))
}

// lateHandler lets a server have its URL before the app, whose secrets the handler needs, is made.
type lateHandler struct{ http.HandlerFunc }

// receiver makes an app and the official receiver for it.
func (w *world) receiver(encrypted bool) (tenant.App, <-chan heard) {
	w.t.Helper()
	h, got := &lateHandler{}, make(chan heard, 100)
	a := w.app(server(w.t, func(rw http.ResponseWriter, r *http.Request) { h.HandlerFunc(rw, r) }), encrypted)
	h.HandlerFunc = official(a.Events, got)
	return a, got
}

func forms(t *testing.T, f func(t *testing.T, encrypted bool)) {
	for name, encrypted := range map[string]bool{"in the clear": false, "encrypted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, encrypted)
		})
	}
}

func TestOfficialSDKUnderstandsEveryEvent(t *testing.T) {
	t.Parallel()
	forms(t, func(t *testing.T, encrypted bool) {
		w := newWorld(t)
		a, got := w.receiver(encrypted)
		d := w.deliverer(loopback(), patient())
		run(t, d)
		open, union := w.tenants.IDs().Open(a, w.owner.Num), w.tenants.IDs().Union(a, w.owner.Num)
		for _, k := range event.Kinds() {
			w.announce(a, k.Type, d.Wake)
			h := receive(t, string(k.Type), got)
			if h.base.Schema != "2.0" || h.base.Header.EventType != string(k.Type) || h.base.Header.AppID != a.ID ||
				h.base.Header.TenantKey != string(w.tenant.Key) || h.base.Header.Token != string(a.Events.VerificationToken) || len(h.base.Header.EventID) != 32 {
				t.Errorf("%s: header %+v", k.Type, *h.base.Header)
			}
			if *h.meeting.Id != "6911188411934433028" || *h.meeting.MeetingNo != "235812466" || *h.meeting.Topic != "周会 <1>\u2028 & more" {
				t.Errorf("%s: meeting %s", k.Type, larkcore.Prettify(h.meeting))
			}
			who := h.meeting.Owner.Id
			if k.Type != event.RecordingReady {
				who = h.operator.Id
				if *h.meeting.MeetingSource != 4 || *h.operator.UserRole != 2 || *h.operator.UserType != 1 {
					t.Errorf("%s: %s by %s", k.Type, larkcore.Prettify(h.meeting), larkcore.Prettify(h.operator))
				}
			} else if h.url != "https://meet.example.org/minutes/obcn37dxcftoc3656rgyejm7" || h.duration != "30000" {
				t.Errorf("%s: url %q, duration %q", k.Type, h.url, h.duration)
			}
			if *who.OpenId != open || *who.UnionId != union || *who.UserId != w.owner.UserID {
				t.Errorf("%s: person %s", k.Type, larkcore.Prettify(who))
			}
			if k.Type == event.MeetingLeft && (h.leaveReason != 1 || *h.leaveUser.Id.OpenId != open) {
				t.Errorf("left for reason %d: %s", h.leaveReason, larkcore.Prettify(h.leaveUser))
			}
		}
		until(t, "all to be delivered", func() bool { n, err := w.db.CountPending(t.Context()); return n == 0 && err == nil })
	})
}

// tamper changes one thing about what passes through it.
type tamper struct {
	event.Poster
	change func(header map[string]string, body []byte) []byte
}

func (p tamper) Post(ctx context.Context, url string, header map[string]string, body []byte) (int, []byte, error) {
	return p.Poster.Post(ctx, url, header, p.change(header, body))
}

func TestOfficialSDKRefusesWhatWasTamperedWith(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]string, []byte) []byte{
		"body":      func(_ map[string]string, b []byte) []byte { return append(b, ' ') },
		"timestamp": func(h map[string]string, b []byte) []byte { h["X-Lark-Request-Timestamp"] += "0"; return b },
		"nonce":     func(h map[string]string, b []byte) []byte { h["X-Lark-Request-Nonce"] += "0"; return b },
		"signature": func(h map[string]string, b []byte) []byte { delete(h, "X-Lark-Signature"); return b },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a, got := w.receiver(true)
			d := w.deliverer(tamper{loopback(), change}, patient())
			run(t, d)
			w.announce(a, event.MeetingStarted, d.Wake)
			_, as := w.settled(a, 1)
			if as[0].Status != http.StatusInternalServerError || !strings.Contains(as[0].Body, "signature verification failed") {
				t.Errorf("%+v; want the signature refused", as[0])
			}
			if len(got) > 0 {
				t.Error("the event was handled")
			}
		})
	}
}

func TestReceiversThatCompareTheTokenGetIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bodies := make(chan []byte, 1)
	a := w.app(server(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- body
	}), false)
	d := w.deliverer(loopback(), patient())
	run(t, d)
	w.announce(a, event.RecordingReady, d.Wake)
	body := receive(t, "the event", bodies)
	var got struct{ Header struct{ Token string } }
	if err := json.Unmarshal(body, &got); err != nil || got.Header.Token != string(a.Events.VerificationToken) {
		t.Errorf("%s, %v", body, err)
	}
	if bytes.ContainsAny(body, "\r\n") {
		t.Errorf("%q is not compact", body)
	}
}
