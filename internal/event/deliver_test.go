package event_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"huilu/internal/event"
	"huilu/internal/tenant"
)

func ok(http.ResponseWriter, *http.Request) {}

// Only the wake-up after the commit can make this pass: nothing polls.
func TestEventLeavesRightAfterTheCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, got := w.receiver(true)
	d := w.deliverer(loopback(), patient())
	run(t, d)
	for range 20 { // a wake-up before the commit would be seen too early only sometimes
		w.announce(a, event.MeetingStarted, d.Wake)
		receive(t, "the event", got)
	}
}

// Nothing wakes this deliverer: the announcement comes from elsewhere.
func TestEventOfAnotherProcessIsFoundByThePoll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, got := w.receiver(true)
	o := patient()
	o.Poll = 10 * time.Millisecond
	run(t, w.deliverer(loopback(), o))
	w.announce(a, event.MeetingStarted, func() {})
	receive(t, "the event", got)
}

func TestEventThatWasRolledBackIsNeverSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, got := w.receiver(true)
	d := w.deliverer(loopback(), patient())
	run(t, d)
	news := event.NewService(w.db, w.db, event.EveryApp, func() { t.Error("the deliverer was woken") })
	failed := errors.New("changed my mind")
	err := w.db.Within(t.Context(), func(ctx context.Context) error {
		e := event.Event{Type: event.MeetingEnded, Tenant: w.tenant.Key, App: a.ID, At: time.Now()}
		return errors.Join(news.Announce(ctx, e), failed)
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	w.announce(a, event.MeetingStarted, d.Wake)
	if h := receive(t, "the other event", got); h.base.Header.EventType != string(event.MeetingStarted) {
		t.Errorf("received %s", h.base.Header.EventType)
	}
}

func TestEventSurvivesARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, got := w.receiver(true)
	w.announce(a, event.RecordingReady, func() {})
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	w.open()
	run(t, w.deliverer(loopback(), patient()))
	receive(t, "the event", got)
}

func TestOnlyHTTP200InTimeIsSuccess(t *testing.T) {
	t.Parallel()
	const short = 300 * time.Millisecond
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		limit   time.Duration
		status  int
		err     string // empty: delivered
	}{
		"200":                 {ok, 0, 200, ""},
		"200 with anything":   {says(200, "\x00\xff not JSON"), 0, 200, ""},
		"201":                 {says(201, ""), 0, 201, "HTTP 201"},
		"204":                 {says(204, ""), 0, 204, "HTTP 204"},
		"redirect":            {says(307, ""), 0, 307, "HTTP 307"},
		"400":                 {says(400, "no"), 0, 400, "HTTP 400"},
		"500":                 {says(500, "boom"), 0, 500, "HTTP 500"},
		"hangs":               {hang, short, 0, "in time (within 300ms)"},
		"answers late":        {late, short, 0, "in time"},
		"resets":              {reset, 0, 0, "closed the connection"},
		"answer breaks off":   {breakOff, 0, 200, ""},
		"never stops talking": {chatter, short, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.app(server(t, c.handler), true)
			o := patient()
			if c.limit > 0 {
				o.Limit = c.limit
			}
			d := w.deliverer(loopback(), o)
			run(t, d)
			w.announce(a, event.MeetingEnded, d.Wake)
			got, as := w.settled(a, 1)
			if len(as) != 1 || as[0].N != 1 || as[0].Status != c.status || !strings.Contains(as[0].Error, c.err) || (as[0].Error == "") != (c.err == "") {
				t.Errorf("attempts %+v; want status %d, error %q", as, c.status, c.err)
			}
			if c.err == "" && got.State != event.Delivered {
				t.Errorf("%s; want delivered", got.State)
			}
			// The store keeps milliseconds, so the end of the attempt is known to within one.
			if next := got.DueAt.Sub(as[0].At.Add(as[0].Latency + 15*time.Second)).Abs(); c.err != "" && (got.State != event.Pending || next > 2*time.Millisecond) {
				t.Errorf("%s, next %v off; want pending and again 15 s after the attempt", got.State, next)
			}
		})
	}
}

func late(w http.ResponseWriter, r *http.Request) {
	hang(w, r)
	w.WriteHeader(http.StatusOK)
}

func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
}

func breakOff(w http.ResponseWriter, _ *http.Request) {
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_, _ = buf.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
		_ = buf.Flush()
		_ = conn.Close()
	}
}

func chatter(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestWhatAReceiverAnswersIsKeptUpToAKibibyte(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(server(t, says(500, "\x00会"+strings.Repeat("x", 5000))), true)
	d := w.deliverer(loopback(), patient())
	run(t, d)
	w.announce(a, event.MeetingEnded, d.Wake)
	_, as := w.settled(a, 1)
	if want := "会" + strings.Repeat("x", 1024-4); as[0].Body != want {
		t.Errorf("kept %d bytes %.20q, want %d", len(as[0].Body), as[0].Body, len(want))
	}
}

// recorder is a receiver that answers with the status it is told and notes the event ids.
type recorder struct {
	status atomic.Int64
	ids    chan string
}

func (r *recorder) post(_ context.Context, _ string, header map[string]string, body []byte) (int, []byte, error) {
	_, rest, _ := strings.Cut(string(body), `"event_id":"`)
	r.ids <- rest[:32] + " " + header["X-Lark-Request-Nonce"]
	return int(r.status.Load()), nil, nil
}

type posterFunc func(ctx context.Context, url string, header map[string]string, body []byte) (int, []byte, error)

func (f posterFunc) Post(ctx context.Context, url string, header map[string]string, body []byte) (int, []byte, error) {
	return f(ctx, url, header, body)
}

// The contract's schedule itself is proven in fake time; here its steps are made short and really waited for.
func TestEventIDStaysTheSameOverAllAttemptsAndThenItIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := &recorder{ids: make(chan string, 10)}
	r.status.Store(503)
	a := w.app("http://127.0.0.1:1/", false)
	o := patient()
	o.Schedule = event.Schedule{time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond, 4 * time.Millisecond}
	d := w.deliverer(posterFunc(r.post), o)
	run(t, d)
	w.announce(a, event.RecordingReady, d.Wake)
	got, as := w.settled(a, 5)
	if got.State != event.Failed || len(as) != 5 || len(r.ids) != 5 {
		t.Fatalf("%s after %d attempts, %d posts; want failed after 5", got.State, len(as), len(r.ids))
	}
	nonces := make(map[string]bool)
	for n := range 5 {
		id, nonce, _ := strings.Cut(<-r.ids, " ")
		if as[n].N != n+1 || as[n].Status != 503 || id != got.ID {
			t.Errorf("attempt %d of %s: %+v", n+1, id, as[n])
		}
		nonces[nonce] = true
	}
	if len(nonces) != 5 {
		t.Error("a nonce was used twice")
	}
}

func TestReceiverThatComesBackGetsTheEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var calls atomic.Int64
	a := w.app(server(t, func(rw http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) < 3 {
			rw.WriteHeader(http.StatusBadGateway)
		}
	}), true)
	o := patient()
	o.Schedule = event.Schedule{time.Millisecond, time.Millisecond, time.Millisecond}
	d := w.deliverer(loopback(), o)
	run(t, d)
	w.announce(a, event.RecordingReady, d.Wake)
	got, as := w.settled(a, 3)
	if got.State != event.Delivered || len(as) != 3 || as[2].Status != 200 || as[1].Status != 502 {
		t.Errorf("%s, %+v", got.State, as)
	}
}

func TestAppThatNoLongerWantsTheEventDoesNotGetIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*tenant.App)
		reason string
	}{
		"disabled":     {func(a *tenant.App) { a.Disabled = true }, "disabled"},
		"unsubscribed": {func(a *tenant.App) { a.Events.Types = []string{string(event.MeetingEnded)} }, "not subscribed"},
		"URL gone":     {func(a *tenant.App) { a.Events.URL = "" }, "no request URL"},
		"scope gone":   {func(a *tenant.App) { a.Scopes = nil }, "scopes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.app(server(t, func(http.ResponseWriter, *http.Request) { t.Error("the event was sent") }), true)
			w.announce(a, event.MeetingStarted, func() {})
			c.change(&a)
			w.save(a)
			run(t, w.deliverer(loopback(), patient()))
			got, as := w.settled(a, 1)
			if got.State != event.Failed || len(as) != 1 || !strings.Contains(as[0].Error, c.reason) {
				t.Errorf("%s, %+v; want failed because %s", got.State, as, c.reason)
			}
		})
	}
}

func TestRotatedKeysAndMovedURLsDoNotLoseWaitingEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h, got := &lateHandler{}, make(chan heard, 1)
	a := w.app(server(t, func(http.ResponseWriter, *http.Request) { t.Error("the old URL was called") }), true)
	w.announce(a, event.MeetingStarted, func() {})
	a.Events.URL = server(t, func(rw http.ResponseWriter, r *http.Request) { h.HandlerFunc(rw, r) })
	a.Events.EncryptKey, a.Events.VerificationToken = "a new key", "a new token"
	w.save(a)
	h.HandlerFunc = official(a.Events, got)
	run(t, w.deliverer(loopback(), patient()))
	if e := receive(t, "the event", got); e.base.Header.Token != "a new token" {
		t.Errorf("token %q", e.base.Header.Token)
	}
}

// The slow receiver holds every attempt it may have, and more wait, until the other app has its event.
func TestSlowReceiverDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release := make(chan struct{})
	var at, most atomic.Int64
	slow := w.app(server(t, func(http.ResponseWriter, *http.Request) {
		most.Store(max(most.Load(), at.Add(1)))
		<-release
		at.Add(-1)
	}), true)
	quick, got := w.receiver(true)
	o := patient()
	o.Workers, o.PerApp = 4, 2
	d := w.deliverer(loopback(), o)
	run(t, d)
	for range 20 {
		w.announce(slow, event.MeetingJoined, d.Wake)
	}
	until(t, "the slow receiver to be busy", func() bool { return at.Load() == 2 })
	for range 5 {
		w.announce(quick, event.MeetingJoined, d.Wake)
		receive(t, "the quick app's event", got)
	}
	close(release)
	until(t, "all to be delivered", func() bool { n, err := w.db.CountPending(t.Context()); return n == 0 && err == nil })
	if most.Load() > 2 {
		t.Errorf("%d attempts at a time to one app, want at most 2", most.Load())
	}
}

func TestShutdownWaitsForRunningAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun, release := make(chan struct{}, 1), make(chan struct{})
	a := w.app(server(t, func(http.ResponseWriter, *http.Request) { begun <- struct{}{}; <-release }), true)
	d := w.deliverer(loopback(), patient())
	stop := run(t, d)
	w.announce(a, event.MeetingStarted, d.Wake)
	receive(t, "the attempt", begun)
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Error("Run returned while an attempt was being made")
	case <-time.After(50 * time.Millisecond): // long enough to catch a Run that does not wait; it cannot fail by being slow
	}
	close(release)
	receive(t, "the end", stopped)
	if got, as := w.attempts(a); got.State != event.Delivered || len(as) != 1 {
		t.Errorf("%s with %d attempts; want delivered and written down", got.State, len(as))
	}
}

// flaky cannot look up apps the first time.
type flaky struct {
	event.Receivers
	asked atomic.Int64
}

func (f *flaky) AppByID(ctx context.Context, id string) (tenant.App, error) {
	if f.asked.Add(1) == 1 {
		return tenant.App{}, errors.New("database is down")
	}
	return f.Receivers.AppByID(ctx, id)
}

func TestTroubleOfOurOwnCostsTheReceiverNoAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, got := w.receiver(true)
	o := patient()
	o.Lease = 20 * time.Millisecond
	apps := &flaky{Receivers: w.db}
	d := event.NewDeliverer(w.db, apps, event.NewWire(tenant.NewIDs(w.key), w.db, ""), loopback(), w.log, o)
	run(t, d)
	w.announce(a, event.MeetingStarted, d.Wake)
	receive(t, "the event", got)
	if _, as := w.settled(a, 1); len(as) != 1 || as[0].N != 1 {
		t.Errorf("%+v; want one attempt", as)
	}
}

func TestMetricsCountOutcomesAndTheBacklog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.app(server(t, ok), true)
	bad := w.app(server(t, says(500, "")), true)
	d := w.deliverer(loopback(), patient())
	r := prometheus.NewRegistry()
	r.MustRegister(d)
	run(t, d)
	w.announce(good, event.MeetingStarted, d.Wake)
	w.announce(bad, event.MeetingStarted, d.Wake)
	w.settled(good, 1)
	w.settled(bad, 1)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for name, want := range map[string]float64{
		"huilu_event_attempts_total delivered": 1, "huilu_event_attempts_total pending": 1,
		"huilu_event_deliveries_pending": 1, "huilu_event_attempt_seconds": 2,
	} {
		if got[name] != want {
			t.Errorf("%s = %v, want %v (of %v)", name, got[name], want, got)
		}
	}
}
