package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"huilu/internal/tenant"
)

// Options tune a Deliverer. Zero values mean the defaults.
type Options struct {
	Workers  int           // attempts at a time, 64
	PerApp   int           // of them to one app, 8
	Limit    time.Duration // for one attempt, connecting included, 3 s (contract events.md §3)
	Lease    time.Duration // after which an attempt whose process died is made again, 15 s; must be well above Limit
	Poll     time.Duration // how often to look without being woken: for what other processes announce, 250 ms
	Schedule Schedule      // ContractSchedule
}

func (o Options) orDefaults() Options {
	def := func(p *time.Duration, d time.Duration) {
		if *p == 0 {
			*p = d
		}
	}
	def(&o.Limit, 3*time.Second)
	def(&o.Lease, 15*time.Second)
	def(&o.Poll, 250*time.Millisecond)
	if o.Workers == 0 {
		o.Workers = 64
	}
	if o.PerApp == 0 {
		o.PerApp = 8
	}
	if o.Schedule == nil {
		o.Schedule = ContractSchedule()
	}
	return o
}

// Receivers looks up the app an attempt goes to.
type Receivers interface {
	AppByID(ctx context.Context, id string) (tenant.App, error)
}

// Deliverer makes the attempts. Several may run, in one process or many, over one store.
//
//	due ──claim, with a lease──▶ app still wants it? ──no──▶ failed, with the reason
//	                                    │yes
//	                                    ▼
//	                           written for the app, posted ──HTTP 200 in time──▶ delivered
//	                                    │anything else
//	                                    ▼
//	                            pending until the schedule's next time, or failed when it is used up
//
// Delivery is at least once: when a process dies, or the database does not take the
// outcome, the lease runs out and the attempt is made again, with the same event_id. Fields below the
// line belong to Run's goroutine or are safe by themselves.
type Deliverer struct {
	store Store
	apps  Receivers
	wire  *Wire
	post  Poster
	log   *slog.Logger
	opt   Options
	now   func() time.Time

	alarm   alarm
	meter   *meter
	running sync.WaitGroup
}

// NewDeliverer returns a Deliverer; it does nothing until Run.
func NewDeliverer(store Store, apps Receivers, wire *Wire, post Poster, log *slog.Logger, o Options) *Deliverer {
	return &Deliverer{
		store: store, apps: apps, wire: wire, post: post, log: log, opt: o.orDefaults(), now: time.Now,
		alarm: newAlarm(), meter: newMeter(store),
	}
}

// Wake makes Run look for due deliveries at once. It never blocks.
func (d *Deliverer) Wake() { d.alarm.ring() }

// Run delivers until ctx ends, then waits for the attempts that are being made. It returns nil.
func (d *Deliverer) Run(ctx context.Context) error {
	done := make(chan struct{}, d.opt.Workers)
	defer d.running.Wait()
	busy, ok := 0, true
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		n, pause, err := d.round(ctx, d.opt.Workers-busy, done)
		busy += n
		ok = d.report(ctx, ok, err)
		timer.Reset(pause)
		select {
		case <-ctx.Done():
			return nil
		case <-d.alarm.rung:
		case <-timer.C:
		case <-done:
			busy--
		}
		for ; len(done) > 0; busy-- { // attempts that ended together are one reason to look
			<-done
		}
	}
}

// report logs the first of a row of failures to read the outbox, and the recovery; it returns whether the outbox can be read.
func (d *Deliverer) report(ctx context.Context, was bool, err error) bool {
	switch {
	case ctx.Err() != nil:
		return was
	case was && err != nil:
		d.log.ErrorContext(ctx, "events cannot be delivered because the outbox cannot be read; nothing is lost", "err", err)
	case !was && err == nil:
		d.log.InfoContext(ctx, "the outbox can be read again")
	}
	return err == nil
}

// round begins up to room attempts and says how long to sleep when nothing else happens.
func (d *Deliverer) round(ctx context.Context, room int, done chan<- struct{}) (begun int, pause time.Duration, err error) {
	if room == 0 {
		return 0, d.opt.Poll, nil // the end of an attempt wakes Run
	}
	now := d.now()
	due, ok, err := d.store.NextDue(ctx, now) // only reads; claiming would take the write lock every time
	if err != nil {
		return 0, d.opt.Poll, fmt.Errorf("next due delivery: %w", err)
	}
	if !ok {
		return 0, d.opt.Poll, nil
	}
	if due.After(now) {
		return 0, min(due.Sub(now), d.opt.Poll), nil
	}
	claimed, err := d.store.Claim(ctx, now, d.opt.Lease, room, d.opt.PerApp)
	if err != nil {
		return 0, d.opt.Poll, fmt.Errorf("claim deliveries: %w", err)
	}
	for _, c := range claimed {
		d.running.Go(func() {
			d.attempt(context.WithoutCancel(ctx), c) // what has begun is finished and written down
			done <- struct{}{}
		})
	}
	return len(claimed), d.opt.Poll, nil
}

// attempt makes one attempt and settles it. When our own database fails, nothing
// is settled and the lease brings the delivery back: that is not the receiver's fault.
func (d *Deliverer) attempt(ctx context.Context, c Delivery) {
	log := d.log.With("event", c.ID, "type", c.Event.Type, "app", c.App, "tenant", c.Tenant, "meeting", c.Event.Meeting.ID)
	a, reason, err := d.try(ctx, c)
	if err != nil {
		log.ErrorContext(ctx, "a delivery could not be attempted; it will be again", "err", err)
		return
	}
	state, next := Delivered, time.Time{}
	switch {
	case reason != "":
		state, a.Error = Failed, reason
	case a.Error != "":
		state, next = d.opt.Schedule.After(a.N, a.At.Add(a.Latency))
	}
	d.meter.count(a, state)
	if err := d.settle(ctx, a, state, next); err != nil {
		log.ErrorContext(ctx, "the outcome of a delivery could not be stored; the app may get the event again", "attempt", a.N, "state", state, "err", err)
		return
	}
	tell(ctx, log, a, state, next)
}

// try posts one delivery. A reason means that the app is not to have it any more.
func (d *Deliverer) try(ctx context.Context, c Delivery) (a Attempt, reason string, err error) {
	a = Attempt{Delivery: c.ID, N: c.Attempts + 1, At: d.now()}
	lookup, cancel := context.WithTimeout(ctx, d.opt.Limit)
	defer cancel()
	app, err := d.apps.AppByID(lookup, c.App)
	if errors.Is(err, tenant.ErrNotFound) {
		return a, "the app has been deleted", nil
	} else if err != nil {
		return a, "", fmt.Errorf("app %s: %w", c.App, err)
	}
	if reason := refusal(app, c.Event.Type); reason != "" {
		return a, reason, nil
	}
	a.At = d.now()
	body, err := d.wire.Body(lookup, app, c, a.At)
	if err != nil {
		return a, "", err
	}
	d.send(ctx, app.Events, body, &a)
	return a, "", nil
}

// send posts the body and notes what came of it. Only HTTP 200 is success; what
// the answer says does not matter, nor whether it could be read to its end.
func (d *Deliverer) send(ctx context.Context, sub tenant.Subscription, body []byte, a *Attempt) {
	ctx, cancel := context.WithTimeout(ctx, d.opt.Limit)
	defer cancel()
	req := seal(sub, body, a.At)
	status, answer, err := d.post.Post(ctx, sub.URL, req.header, req.body)
	a.Latency, a.Status, a.Body = d.now().Sub(a.At), status, excerpt(answer, keepAnswer)
	switch {
	case status == 200:
	case status != 0:
		a.Error = fmt.Sprintf("answered HTTP %d instead of 200", status)
	case err != nil && ctx.Err() != nil:
		a.Error = fmt.Sprintf("%s (within %s)", printable(err.Error()), d.opt.Limit)
	case err != nil:
		a.Error = printable(err.Error())
	default:
		a.Error = "no answer"
	}
}

// settleLimit bounds writing an outcome down: a database that is busy for longer is treated as down.
const settleLimit = 5 * time.Second

func (d *Deliverer) settle(ctx context.Context, a Attempt, s State, next time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	return d.store.Settle(ctx, a, s, next)
}

func tell(ctx context.Context, log *slog.Logger, a Attempt, s State, next time.Time) {
	log = log.With("attempt", a.N, "status", a.Status, "latency_ms", a.Latency.Milliseconds())
	switch s {
	case Delivered:
		log.InfoContext(ctx, "event delivered")
	case Pending:
		log.WarnContext(ctx, "event not delivered, will be sent again", "reason", a.Error, "next", next)
	case Failed:
		log.ErrorContext(ctx, "event not delivered and given up", "reason", a.Error)
	}
}

// keepAnswer is how much of an answer is kept with its attempt, in bytes.
const keepAnswer = 1 << 10

// excerpt is the beginning of an answer as text that every database stores.
func excerpt(answer []byte, limit int) string {
	if len(answer) > limit {
		answer = answer[:limit]
	}
	return printable(string(answer))
}

// printable drops what PostgreSQL cannot keep in a text: NUL and what is no UTF-8.
func printable(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "") }
