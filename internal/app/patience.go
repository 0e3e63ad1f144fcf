package app

import (
	"net/http"
	"time"
)

const (
	// sending is how long a client may take to send a body; it leaves room for what handlers allow themselves.
	sending = 20 * time.Second
	// leftover is how long the rest of a body is waited for after the answer is decided. net/http reads it on, because
	// clients often send everything before they listen; without a limit it would do so for ever.
	leftover = time.Second
)

// impatient keeps clients that send a body, or pretend to, from holding a connection open: what they send after the limits
// is not waited for. A limit for all requests (http.Server.ReadTimeout) would end long downloads.
func impatient(next http.Handler, sending, leftover time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		conn := http.NewResponseController(w)
		_ = conn.SetReadDeadline(time.Now().Add(sending)) // handlers may set a nearer one, and take it off
		defer func() { _ = conn.SetReadDeadline(time.Now().Add(leftover)) }()
		next.ServeHTTP(w, r)
	})
}
