// Package ident makes the identifiers that travel on the wire.
//
// Their forms are the contract's (gateway "Identifiers"): 19-digit decimal numbers for meetings and
// reserves, cli_ and sixteen hex digits for apps, sixteen hex digits for tenants, nine digits for
// meeting numbers, 24 lower-case letters and digits for minutes. Ids that a person could guess give
// nothing away: whoever asks for something is checked against its tenant and owner, never against
// having known the id. Everything random here comes from crypto/rand.
//
// The three ids of a person (open_id, union_id, user_id) are made in package tenant.
package ident

import (
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"sync"
	"time"
)

// epoch is where numeric ids start counting milliseconds. It is early enough for
// every id to have 19 digits and late enough for them to fit an int64 until 2069.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// dawn is before this program was written: a machine without a battery starts in
// 1970, and its ids have 19 digits all the same.
var dawn = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// lowBits is the room below the millisecond: 22 bits, started at random and counted
// up inside one millisecond, so that two processes hardly ever meet.
const lowBits = 22

// Numbers hands out 19-digit numeric ids, each larger than the one before.
// The zero value is ready; it may be used from many goroutines.
type Numbers struct {
	mu   sync.Mutex // guards last
	last int64
}

// Next returns a new id for the instant now.
func (n *Numbers) Next(now time.Time) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	next := (max(now.UnixMilli(), dawn)-epoch)<<lowBits | below(1<<(lowBits-1))
	if next <= n.last {
		next = n.last + 1
	}
	n.last = next
	return next
}

// Hex returns n random bytes as 2n lower-case hex digits behind prefix.
func Hex(prefix string, n int) string {
	b := make([]byte, n)
	fill(b)
	return prefix + hex.EncodeToString(b)
}

// AppID returns a new cli_… id.
func AppID() string { return Hex("cli_", 8) }

// TenantKey returns a new tenant key: 16 hex digits.
func TenantKey() string { return Hex("", 8) }

// EventID returns a new event id: 32 hex digits.
func EventID() string { return Hex("", 16) }

// Minute returns a new minute token: "obcn" and 20 letters and digits (about 103 random bits).
func Minute() string { return "obcn" + Text(20, lower) }

// UserID returns a new user_id, eight letters and digits as people know them from the original.
func UserID() string { return Text(8, lower) }

// Secret returns n characters of letters and digits (5.95 bits each).
func Secret(n int) string { return Text(n, lower+upper) }

// MeetingNo returns nine digits of which the first is not zero.
func MeetingNo() string { return Text(1, "123456789") + Text(8, "0123456789") }

// IsMeetingNo reports whether s has the form of a meeting number.
func IsMeetingNo(s string) bool {
	if len(s) != 9 || s[0] == '0' {
		return false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

const (
	lower = "abcdefghijklmnopqrstuvwxyz0123456789"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// Text returns n characters chosen evenly from alphabet.
func Text(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[below(int64(len(alphabet)))]
	}
	return string(b)
}

func below(n int64) int64 {
	v, err := rand.Int(rand.Reader, big.NewInt(n))
	if err != nil {
		panic("ident: the system's random source failed: " + err.Error()) // crypto/rand does not fail on supported systems
	}
	return v.Int64()
}

func fill(b []byte) { _, _ = rand.Read(b) } // never returns an error since Go 1.24
