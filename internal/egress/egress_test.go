package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func ranges(t *testing.T, texts ...string) []netip.Prefix {
	t.Helper()
	var ps []netip.Prefix
	for _, s := range texts {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

func local(t *testing.T) *Client {
	t.Helper()
	return New(Config{Allow: ranges(t, "127.0.0.0/8", "::1/128")})
}

func TestOnlyPublicAddressesAreReachedByDefault(t *testing.T) {
	t.Parallel()
	for addr, what := range map[string]string{
		"127.0.0.1": "loopback", "127.255.255.254": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback",
		"10.1.2.3": "private", "172.16.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private", "fd00:ec2::254": "private",
		"169.254.169.254": "metadata", "fe80::1%eth0": "link-local", "::ffff:169.254.169.254": "metadata", "100.100.100.200": "shared",
		"0.0.0.0": "unspecified", "::": "unspecified", "224.0.0.1": "multicast", "ff02::1": "multicast", "255.255.255.255": "broadcast",
		"64:ff9b::a00:1": "translated", "2002:7f00:1::": "tunnelled", "::127.0.0.1": "reserved",
	} {
		err := guard{}.check(netip.MustParseAddr(addr))
		if r, ok := errors.AsType[*RefusedError](err); !ok || !strings.Contains(r.What, what) {
			t.Errorf("%s: %v, want refused as %s", addr, err, what)
		}
	}
	for _, addr := range []string{"8.8.8.8", "172.32.0.1", "192.167.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "11.0.0.1"} {
		if err := (guard{}).check(netip.MustParseAddr(addr)); err != nil {
			t.Errorf("%s: %v, want let through", addr, err)
		}
	}
}

func TestAllowedRangesAreReachedAndNoMore(t *testing.T) {
	t.Parallel()
	g := guard{allow: ranges(t, "10.1.0.0/16", "fd12::/16")}
	for addr, want := range map[string]bool{"10.1.255.1": true, "::ffff:10.1.0.1": true, "10.2.0.1": false, "fd12::1": true, "fd13::1": false, "127.0.0.1": false} {
		if err := g.check(netip.MustParseAddr(addr)); (err == nil) != want {
			t.Errorf("%s: %v, want let through = %v", addr, err, want)
		}
	}
}

// The name is harmless to look at; where it leads decides.
func TestNameThatLeadsInsideIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	touched := make(chan struct{}, 1)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { touched <- struct{}{} }))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	for _, host := range []string{"localhost", "127.0.0.1", "127.1.2.3", "[::ffff:127.0.0.1]"} {
		_, _, err := New(Config{}).Post(t.Context(), "http://"+host+":"+port+"/hook", nil, nil)
		if r, ok := errors.AsType[*RefusedError](err); !ok {
			t.Errorf("%s: %v, want refused", host, err)
		} else if !strings.Contains(err.Error(), "loopback") || !strings.Contains(err.Error(), "events.allow_networks") {
			t.Errorf("%s: %q (%v) does not tell what to do", host, err, r)
		}
	}
	select {
	case <-touched:
		t.Error("the receiver was reached")
	default:
	}
}

func TestPostCarriesHeadersAndBody(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.Header.Get("X-Lark-Request-Nonce") != "n" || r.UserAgent() != "huilu" || r.ContentLength != 7 {
			t.Errorf("%s, %v, %d bytes", r.Method, r.Header, r.ContentLength)
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(append([]byte("got "), body...))
	}))
	defer s.Close()
	status, answer, err := local(t).Post(t.Context(), s.URL, map[string]string{"X-Lark-Request-Nonce": "n"}, []byte(`{"a":1}`))
	if status != http.StatusAccepted || string(answer) != `got {"a":1}` || err != nil {
		t.Errorf("%d %q %v", status, answer, err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer inner.Close()
	s := httptest.NewServer(http.RedirectHandler(inner.URL, http.StatusTemporaryRedirect))
	defer s.Close()
	if status, _, err := local(t).Post(t.Context(), s.URL, nil, nil); status != http.StatusTemporaryRedirect || err != nil {
		t.Errorf("%d, %v; want the redirect itself", status, err)
	}
}

// Not parallel: it sets the environment.
func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was used") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	_, _, err := New(Config{ConnectTimeout: time.Second}).Post(t.Context(), "http://receiver.invalid/", nil, nil)
	if err == nil {
		t.Error("a host that does not exist answered")
	}
}

func TestLongAnswersAreCutOff(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			_, _ = w.Write(make([]byte, 10_000))
		}
	}))
	defer s.Close()
	c := New(Config{Allow: ranges(t, "127.0.0.0/8"), MaxAnswer: 1000})
	if status, answer, err := c.Post(t.Context(), s.URL, nil, nil); status != 200 || len(answer) != 1000 || err != nil {
		t.Errorf("%d, %d bytes, %v", status, len(answer), err)
	}
}

func TestUntrustedCertificateIsRefused(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it would report the refused handshake
	s.StartTLS()
	defer s.Close()
	_, _, err := local(t).Post(t.Context(), s.URL, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v, want the certificate refused", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c := New(Config{Allow: ranges(t, "127.0.0.0/8"), TLS: &tls.Config{RootCAs: roots}})
	if status, _, err := c.Post(t.Context(), s.URL, nil, nil); status != 200 || err != nil {
		t.Errorf("with its authority trusted: %d, %v", status, err)
	}
}

// listen accepts one connection after the other and hands it to f.
func listen(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f(c)
		}
	}()
	return "http://" + l.Addr().String() + "/secret-path?key=hush"
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it is only there to find a free port
	return "http://" + l.Addr().String() + "/secret-path?key=hush"
}

func reset(c net.Conn) {
	buf := make([]byte, 1)
	_, _ = c.Read(buf)
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

func speakMail(c net.Conn) {
	_, _ = c.Read(make([]byte, 4096))
	_, _ = c.Write([]byte("220 mail ready\r\n\r\n"))
}

func TestErrorsTellAPersonWhatHappenedAndKeepTheURLToThemselves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ url, want string }{
		"nothing there":  {closedPort(t), "connection refused"},
		"hangs":          {listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), "no complete answer in time"},
		"resets":         {listen(t, reset), "closed the connection"},
		"closes":         {listen(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)); _ = c.Close() }), "closed the connection"},
		"speaks no HTTP": {listen(t, speakMail), "malformed HTTP"},
		"no such name":   {"http://receiver.invalid/secret-path?key=hush", "receiver.invalid"},
		"no host":        {"http:///secret-path?key=hush", "name a host"},
		"other scheme":   {"file:///secret-path?key=hush", "https://"},
		"no URL":         {"http://[::1/secret-path?key=hush", "https://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limit := 20 * time.Second
			if name == "hangs" {
				limit = 200 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			status, _, err := local(t).Post(ctx, c.url, nil, []byte("{}"))
			if _, ok := errors.AsType[*Error](err); !ok || status != 0 || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d, %v; want %q", status, err, c.want)
			}
			for _, secret := range []string{"secret-path", "hush"} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("%q tells the URL", err)
				}
			}
		})
	}
}

func TestAnswerThatBreaksOffKeepsItsStatus(t *testing.T) {
	t.Parallel()
	url := listen(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"))
		_ = c.Close()
	})
	status, answer, err := local(t).Post(t.Context(), url, nil, nil)
	if status != 200 || string(answer) != "half" || err == nil {
		t.Errorf("%d %q %v", status, answer, err)
	}
}
