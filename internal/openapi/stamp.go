package openapi

import (
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"time"
)

// The keys are written as net/http keeps them, so that setting them costs no conversion.
const (
	headerLogID     = "X-Tt-Logid"
	headerRequestID = "X-Request-Id"
)

// stamp gives a response its two trace ids and returns the log id: 14 digits of
// local time and 20 hex digits (contract gateway.md §3). They name a call in the
// log and are no secret, so they need no cryptographic source.
func stamp(h http.Header, now time.Time) string {
	var b [14 + 20 + 32]byte
	text := now.AppendFormat(b[:0], "20060102150405")
	var random [26]byte
	for i := 0; i < len(random); i += 8 {
		n := rand.Uint64()
		for j := i; j < min(i+8, len(random)); j++ {
			random[j] = byte(n)
			n >>= 8
		}
	}
	all := string(hex.AppendEncode(text, random[:]))
	logID, requestID := all[:34], all[34:]
	values := []string{logID, requestID}
	h[headerLogID], h[headerRequestID] = values[:1:1], values[1:2:2]
	return logID
}
