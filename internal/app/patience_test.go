package app

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"
)

func TestABodyThatNeverEndsHoldsNoConnectionOpen(t *testing.T) {
	t.Parallel()
	const short, long = 50 * time.Millisecond, 20 * time.Second
	for name, handler := range map[string]http.HandlerFunc{
		"read by nobody": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"read, and waited for": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusTeapot)
		},
		"given up by a handler that takes its own limit off": func(w http.ResponseWriter, r *http.Request) {
			_, _ = r.Body.Read(make([]byte, 1))
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
			w.WriteHeader(http.StatusTeapot)
		},
		"with a long answer": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write(make([]byte, 1<<20))
		},
	} {
		for coding, head := range map[string]string{"of a length": "Content-Length: 50000\r\n\r\n{", "in chunks": "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"} {
			server := httptest.NewServer(patience{short, short, long}.limit(handler))
			t.Cleanup(server.Close)
			conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(long)); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\n%s", head)
			answer, err := io.ReadAll(conn) // until the server closes
			if ne, ok := err.(net.Error); ok && ne.Timeout() || !strings.Contains(string(answer), " 418 ") {
				t.Errorf("a body %s, %s: %v, answer %.40q; want it, and the connection closed", coding, name, err, answer)
			}
		}
	}
}

func TestAConnectionIsKeptForTheNextRequest(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(patience{time.Minute, time.Nanosecond, time.Minute}.limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})))
	t.Cleanup(server.Close)
	for n := range 3 {
		reused := false
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || string(body) != "hello" || reused != (n > 0) {
			t.Errorf("request %d: %q, %v, on a kept connection: %v", n, body, err, reused)
		}
	}
}

func TestAnAnswerThatNobodyTakesIsGivenUp(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	server := httptest.NewServer(patience{time.Minute, time.Minute, 50 * time.Millisecond}.limit(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				ended <- err
				return
			}
		}
	})))
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") // and never reads
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the handler still waits for its client")
	}
}
