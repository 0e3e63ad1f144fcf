package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	larkevent "github.com/larksuite/oapi-sdk-go/v3/event"

	"huilu/internal/tenant"
)

// receiver is the integrator's webhook: it checks the signature and decrypts
// with the official SDK, and keeps what arrived.
type receiver struct {
	server   *http.Server
	listener net.Listener
	arrived  chan notice

	mu  sync.Mutex // guards sub
	sub tenant.Subscription
}

// notice is an event as it arrived.
type notice struct {
	Header struct {
		EventID string `json:"event_id"`
		Type    string `json:"event_type"`
		Token   string `json:"token"`
	} `json:"header"`
	Event struct {
		Meeting struct {
			ID string `json:"id"`
		} `json:"meeting"`
		URL      string `json:"url"`
		Duration string `json:"duration"`
	} `json:"event"`
	at time.Time
}

func listen() (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{listener: l, arrived: make(chan notice, 1024)}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = r.server.Serve(l) }()
	return r, nil
}

// URL is where events are to be posted.
func (r *receiver) URL() string { return "http://" + r.listener.Addr().String() + "/events" }

// Expect tells with which secrets events will come.
func (r *receiver) Expect(s tenant.Subscription) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sub = s
}

// Close stops receiving.
func (r *receiver) Close() { _ = r.server.Close() }

// ServeHTTP takes one event; what is not genuine is refused.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	sub := r.sub
	r.mu.Unlock()
	n, err := open(req, sub)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case r.arrived <- n:
		_, _ = io.WriteString(w, "{}")
	default:
		http.Error(w, "too many events", http.StatusServiceUnavailable)
	}
}

func open(req *http.Request, sub tenant.Subscription) (n notice, err error) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err != nil {
		return n, err
	}
	h := req.Header
	want := larkevent.Signature(h.Get("X-Lark-Request-Timestamp"), h.Get("X-Lark-Request-Nonce"), string(sub.EncryptKey), string(body))
	if h.Get("X-Lark-Signature") != want {
		return n, fmt.Errorf("signature does not match")
	}
	var sealed struct {
		Encrypt string `json:"encrypt"`
	}
	if err := json.Unmarshal(body, &sealed); err != nil {
		return n, err
	}
	plain, err := larkevent.EventDecrypt(sealed.Encrypt, string(sub.EncryptKey))
	if err != nil {
		return n, err
	}
	if err := json.Unmarshal(plain, &n); err != nil {
		return n, err
	}
	if n.Header.Token != string(sub.VerificationToken) {
		return n, fmt.Errorf("verification token does not match")
	}
	n.at = time.Now()
	return n, nil
}

// wait returns the first event of a type about a meeting.
func (r *receiver) wait(ctx context.Context, typ, meeting string) (notice, error) {
	for {
		select {
		case n := <-r.arrived:
			if n.Header.Type == typ && n.Event.Meeting.ID == meeting {
				return n, nil
			}
		case <-ctx.Done():
			return notice{}, fmt.Errorf("%s of meeting %s did not arrive: %w", typ, meeting, ctx.Err())
		}
	}
}
