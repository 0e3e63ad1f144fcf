package openapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"huilu/internal/limit"
	"huilu/internal/recording"
)

// BenchmarkGetRecording compares the whole call (token, scope, limiter, owner
// rule, one query) with a bare handler that writes the same bytes, over real
// connections. The aim is 0.6 of the bare handler's calls per second.
func BenchmarkGetRecording(b *testing.B) {
	rates := limit.Published()
	rates[limit.Tier4] = limit.Rate{PerSecond: 1 << 40, PerMinute: 1 << 40} // counted, never refused
	w := newWorld(b, func(o *options) { o.now, o.limiter = time.Now, limit.NewMemory(rates, time.Now) })
	path := "/open-apis/vc/v1/meetings/" + w.recorded("app", "lin", recording.Ready).Room() + "/recording"
	tat, uat := w.tenantToken("app"), w.userToken("app", "lin", nil)
	_, body := w.do(request("GET", path, tat, ""))
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(body)
	})
	for _, c := range []struct {
		name, token string
		handler     http.Handler
	}{{"bare", tat, bare}, {"tenant", tat, w.handler}, {"user", uat, w.handler}} {
		b.Run(c.name, func(b *testing.B) { hammer(b, c.handler, path, c.token) })
		b.Run(c.name+"/no_socket", func(b *testing.B) {
			b.ReportAllocs()
			r := request("GET", path, c.token, "")
			for b.Loop() {
				rec := httptest.NewRecorder()
				c.handler.ServeHTTP(rec, r)
				if rec.Code != http.StatusOK {
					b.Fatal(rec.Body)
				}
			}
		})
	}
}

func hammer(b *testing.B, h http.Handler, path, token string) {
	srv := httptest.NewServer(h)
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.SetParallelism(16)
	before := cpu(b)
	defer func() { b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op") }()
	b.RunParallel(func(pb *testing.PB) {
		req, err := http.NewRequest("GET", srv.URL+path, nil)
		if err != nil {
			b.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+token)
		for pb.Next() {
			res, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				b.Error(res.Status)
				return
			}
		}
	})
}

// cpu is the processor time this process has used, client and server: it stays
// comparable on a machine that has other things to do.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
