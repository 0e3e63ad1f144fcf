package pages

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// budget is how many wrong guesses are free, and how often one more is allowed after that.
type budget struct {
	burst int
	every time.Duration
}

// What may be guessed, and how fast. A place is an address, behind which a whole office may sit.
var (
	loginsFrom = budget{30, 20 * time.Second} // wrong logins from one place
	loginsAs   = budget{10, time.Minute}      // wrong passwords for one email address from one place
	doorsFrom  = budget{60, 5 * time.Second}  // unknown meeting numbers and wrong meeting passwords from one place
	// Wrong passwords for one email address from everywhere. It fills faster than one place may use it up: else whoever knows an
	// address could keep its owner out.
	loginsOf = budget{100, 20 * time.Second}
	keysFrom = budget{20, 2 * time.Minute} // wrong passwords for one meeting number from one place; slower than the next for the same reason
	// Wrong passwords for one meeting number from everywhere: with the shortest one, four digits, half of all are tried after 3.5 days.
	keysTo = budget{50, time.Minute}
	// Tickets for guests of one place, right or wrong: each is a row in the database, and a connection if it is used. A whole
	// office gets in at once; one person does not fill a meeting faster than its host can remove them.
	ticketsFrom = budget{120, time.Second}
)

// maxBuckets bounds the memory: about 100 bytes each. The one longest unused goes first.
const maxBuckets = 1 << 16

// throttle makes guessing slow. A try is paid for before it is made and paid back when it was no wrong guess,
// so that many at once get no more than one after the other. It is safe for concurrent use.
type throttle struct {
	now func() time.Time

	mu      sync.Mutex // guards buckets
	buckets *simplelru.LRU[string, bucket]
}

// bucket is what is left of a budget. It is full when it was never used.
type bucket struct {
	tries float64
	at    time.Time // when tries was right
}

func newThrottle(now func() time.Time) *throttle {
	lru, _ := simplelru.NewLRU[string, bucket](maxBuckets, nil) // fails for a size of zero only
	return &throttle{now: now, buckets: lru}
}

// tooMany is the refusal to try again before Wait is over.
type tooMany struct{ Wait time.Duration }

func (e *tooMany) Error() string { return fmt.Sprintf("too many tries; wait %s", e.Wait) }

// seconds to wait, rounded up.
func (e *tooMany) seconds() int { return int((e.Wait + time.Second - 1) / time.Second) }

// take pays for one try; the error is *tooMany.
func (t *throttle) take(b budget, key string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	left := t.left(b, key)
	if left < 1 {
		return &tooMany{Wait: time.Duration((1 - left) * float64(b.every))}
	}
	t.buckets.Add(key, bucket{tries: left - 1, at: t.now()})
	return nil
}

// refund pays a try back.
func (t *throttle) refund(b budget, key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buckets.Add(key, bucket{tries: min(t.left(b, key)+1, float64(b.burst)), at: t.now()})
}

func (t *throttle) left(b budget, key string) float64 {
	k, ok := t.buckets.Get(key)
	if !ok {
		return float64(b.burst)
	}
	return min(k.tries+float64(t.now().Sub(k.at))/float64(b.every), float64(b.burst))
}

// payment is one budget that a try is paid from.
type payment struct {
	budget budget
	key    string
}

// try runs f when every payment can be made, and pays back unless wrong says that f was a wrong guess.
func (t *throttle) try(from []payment, f func() error, wrong func(error) bool) error {
	for i, p := range from {
		if err := t.take(p.budget, p.key); err != nil {
			t.refundAll(from[:i])
			return err
		}
	}
	err := f()
	if !wrong(err) {
		t.refundAll(from)
	}
	return err
}

func (t *throttle) refundAll(ps []payment) {
	for _, p := range ps {
		t.refund(p.budget, p.key)
	}
}

// peer is the other end of the connection.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// place is the address of a request as guesses are counted: whoever has an IPv6 address has 2^64 of them.
func (p *Pages) place(r *http.Request) string {
	text := p.Address(r)
	a, err := netip.ParseAddr(text)
	if err != nil {
		return text
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		net64, _ := a.Prefix(64) // fails for other lengths only
		return net64.String()
	}
	return a.String()
}
