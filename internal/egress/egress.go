// Package egress posts to addresses that other people typed in.
//
// A webhook's URL comes from whoever administers an app, and the server that calls it stands inside the network. So
// every connection is checked when it is made, on the address it is really made to, after the name was looked up:
//
//	URL ─▶ scheme http(s)? ─▶ DNS ─▶ each address: allowed range? public? ─▶ TCP ─▶ TLS, verified ─▶ POST
//	                                  └─ neither: refused, nothing is sent
//
// A name that changes its answer between check and use gains nothing, nor does a redirect: none is followed. No proxy from the
// environment is used, because then the proxy would do the connecting. Connections are not kept: each one is checked.
// Answers are read up to a limit. Errors are sentences for the person who typed the address; the cause is wrapped in them.
package egress

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Config says how a Client behaves. Zero values mean the defaults.
type Config struct {
	Allow          []netip.Prefix // ranges that may be reached although they are not public; none by default
	ConnectTimeout time.Duration  // for name lookup and TCP together; 2 s by default (contract events.md §3)
	MaxAnswer      int64          // bytes of an answer that are read; 64 KiB by default
	UserAgent      string         // "huilu" by default
	TLS            *tls.Config    // nil: the system's certificate authorities. Never switches verification off by itself
}

// Client posts. It is safe for concurrent use.
type Client struct {
	http      *http.Client
	maxAnswer int64
	userAgent string
}

// maxHeader bounds the head of an answer; receivers need a few hundred bytes.
const maxHeader = 32 << 10

// New returns a Client.
func New(c Config) *Client {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 2 * time.Second
	}
	if c.MaxAnswer == 0 {
		c.MaxAnswer = 64 << 10
	}
	if c.UserAgent == "" {
		c.UserAgent = "huilu"
	}
	d := dialer{guard: guard{allow: c.Allow}, timeout: c.ConnectTimeout}
	return &Client{
		http: &http.Client{
			Transport: &http.Transport{
				DialContext:            d.dial,
				TLSClientConfig:        c.TLS,
				TLSHandshakeTimeout:    c.ConnectTimeout,
				DisableKeepAlives:      true, // a kept connection would escape the check, and may be dead
				DisableCompression:     true, // a small answer could unpack to a huge one
				MaxResponseHeaderBytes: maxHeader,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		maxAnswer: c.MaxAnswer,
		userAgent: c.UserAgent,
	}
}

// Post sends body to address and returns the status and up to MaxAnswer bytes of
// the answer. ctx bounds the whole exchange. When the head of an answer came but
// the rest did not, status is set, answer holds what came, and err says why it
// stopped. All errors are *Error.
func (c *Client) Post(ctx context.Context, address string, header map[string]string, body []byte) (status int, answer []byte, err error) {
	if err := check(address); err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, explain(err)
	}
	req.Header.Set("User-Agent", c.userAgent)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, explain(err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	answer, err = io.ReadAll(io.LimitReader(resp.Body, c.maxAnswer))
	if err != nil {
		return resp.StatusCode, answer, explain(err)
	}
	return resp.StatusCode, answer, nil
}

// check refuses what is no web address before anything is looked up.
func check(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return &Error{Text: "the address must begin with https:// or http:// and name a host"}
	}
	return nil
}

type dialer struct {
	guard   guard
	timeout time.Duration
}

// dial connects to the first address of a name that the guard lets through.
func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	nd := net.Dialer{Timeout: d.timeout, ControlContext: d.guard.control, Resolver: &net.Resolver{}}
	conn, err := nd.DialContext(ctx, network, address)
	if err != nil {
		return nil, &connectError{address: address, err: err}
	}
	return conn, nil
}

// connectError tells a connection that never came from one that gave no answer.
type connectError struct {
	address string
	err     error
}

func (e *connectError) Error() string { return fmt.Sprintf("connect to %s: %v", e.address, e.err) }
func (e *connectError) Unwrap() error { return e.err }
