package event

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// meter counts attempts, and asks the store for the backlog when it is read.
type meter struct {
	attempts *prometheus.CounterVec
	seconds  prometheus.Histogram
	pending  *prometheus.Desc
	backlog  interface {
		CountPending(ctx context.Context) (int, error)
	}
}

func newMeter(s Store) *meter {
	return &meter{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "huilu_event_attempts_total",
			Help: "Attempts to deliver events, by outcome: delivered, pending (will be sent again) or failed (given up).",
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "huilu_event_attempt_seconds",
			Help:    "How long receivers took to answer.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 3},
		}),
		pending: prometheus.NewDesc("huilu_event_deliveries_pending", "Deliveries that are neither delivered nor given up.", nil, nil),
		backlog: s,
	}
}

func (m *meter) count(a Attempt, s State) {
	m.attempts.WithLabelValues(string(s)).Inc()
	if a.Latency > 0 {
		m.seconds.Observe(a.Latency.Seconds())
	}
}

// countLimit bounds the counting of the backlog while metrics are read.
const countLimit = 2 * time.Second

// Describe makes a Deliverer a prometheus.Collector: register it and its metrics are there.
func (d *Deliverer) Describe(ch chan<- *prometheus.Desc) {
	d.meter.attempts.Describe(ch)
	d.meter.seconds.Describe(ch)
	ch <- d.meter.pending
}

// Collect leaves the backlog out when the database does not answer, so that the other metrics stay readable.
func (d *Deliverer) Collect(ch chan<- prometheus.Metric) {
	d.meter.attempts.Collect(ch)
	d.meter.seconds.Collect(ch)
	ctx, cancel := context.WithTimeout(context.Background(), countLimit)
	defer cancel()
	if n, err := d.meter.backlog.CountPending(ctx); err == nil {
		ch <- prometheus.MustNewConstMetric(d.meter.pending, prometheus.GaugeValue, float64(n))
	}
}
