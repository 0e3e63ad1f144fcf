package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// meter counts calls of /open-apis.
type meter struct{ calls *prometheus.HistogramVec }

func newMeter() *meter {
	return &meter{calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "huilu_api_seconds", Help: "Calls of /open-apis, by method and path pattern and HTTP status.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
	}, []string{"api", "status"})}
}

func (m *meter) observe(api string, status int, took time.Duration) {
	m.calls.WithLabelValues(api, strconv.Itoa(status)).Observe(took.Seconds())
}

// metrics shows what this server and its libraries count.
func (a *App) metrics() http.Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(a.deliverer, a.meter.calls)
	return promhttp.HandlerFor(prometheus.Gatherers{prometheus.DefaultGatherer, own}, promhttp.HandlerOpts{Timeout: 5 * time.Second})
}
