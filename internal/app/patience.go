package app

import (
	"net/http"
	"time"
)

// patience is how long clients are waited for, so that none holds a connection open by sending or taking nothing. Limits of
// the whole server (http.Server.ReadTimeout, WriteTimeout) would end long downloads.
type patience struct {
	sending time.Duration // for a body to arrive; handlers may want it sooner
	// leftover is how long the rest of a body is waited for after the answer is decided. net/http reads it on, because
	// clients often send everything before they listen; without a limit it would do so for ever.
	leftover  time.Duration
	receiving time.Duration // for an answer to be taken; handlers of large files set their own
}

// usual leaves room for what handlers allow themselves, and for a page on a slow telephone.
var usual = patience{sending: 20 * time.Second, leftover: time.Second, receiving: 5 * time.Minute}

// limit lets next answer under these limits. They end when a handler takes over the connection.
func (p patience) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := http.NewResponseController(w)
		_ = conn.SetWriteDeadline(time.Now().Add(p.receiving))
		if r.Body != nil && r.Body != http.NoBody {
			_ = conn.SetReadDeadline(time.Now().Add(p.sending))
			defer func() { _ = conn.SetReadDeadline(time.Now().Add(p.leftover)) }()
		}
		next.ServeHTTP(w, r)
	})
}
