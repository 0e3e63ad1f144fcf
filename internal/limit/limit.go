// Package limit counts calls so that one app cannot take a server away from the others.
//
// What is counted is one API, called by one app, in one tenant (contract gateway.md §7). A tier has up to two
// windows, a second and a minute, both fixed and aligned to the clock; both count, and a call passes
// only if both have room. A refused call uses up nothing.
//
//	Take(key, tier) ── room in every window ──▶ counted, OK
//	                └─ a window is full ──────▶ refused, with the window's limit and the time until it opens
//
// Memory counts inside one process and forgets a key within two minutes of its last call. Limiter is the seam where
// a counter that several nodes share will fit; what to do when that counter does not answer is the caller's choice.
package limit

import (
	"context"
	"time"
)

// Key is what calls are counted by.
type Key struct {
	API    string // method and pattern of the route
	App    string // cli_…
	Tenant string // tenant key
}

// Verdict is the answer to one call. When OK is false, Limit is the number of
// calls the full window allows and Wait the time until it opens, more than zero.
// If both windows are full they are those of the one that opens last.
type Verdict struct {
	OK    bool
	Limit int
	Wait  time.Duration
}

// Seconds is Wait in whole seconds, rounded up, as x-ogw-ratelimit-reset carries it.
func (v Verdict) Seconds() int { return int((v.Wait + time.Second - 1) / time.Second) }

// Limiter decides about calls. Implementations are safe for concurrent use. An
// error means that nobody could count, not that the call is refused.
type Limiter interface {
	Take(ctx context.Context, k Key, t Tier) (Verdict, error)
}

// None lets every call pass, for measurements.
type None struct{}

// Take always says OK.
func (None) Take(context.Context, Key, Tier) (Verdict, error) { return Verdict{OK: true}, nil }
