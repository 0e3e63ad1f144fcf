package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
)

// Error says in a sentence why a post got no answer. The sentence names neither
// path nor query of the URL, where receivers like to keep secrets.
type Error struct {
	Text  string // for people, without a full stop
	Cause error  // may be nil
}

func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// explain turns what net/http says into an Error.
func explain(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // its text repeats the URL
	}
	return &Error{Text: sentence(err), Cause: err}
}

func sentence(err error) string {
	if r, ok := errors.AsType[*RefusedError](err); ok {
		return r.Error()
	}
	if c, ok := errors.AsType[*connectError](err); ok {
		return connecting(c)
	}
	if v, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Sprintf("the certificate of the receiver is not trusted: %v", v.Err)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "stopped before an answer came"
	case timedOut(err):
		return "no complete answer in time"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the receiver closed the connection before its answer was complete"
	}
	return "no answer: " + err.Error()
}

func connecting(c *connectError) string {
	if dns, ok := errors.AsType[*net.DNSError](c.err); ok {
		if dns.IsNotFound {
			return fmt.Sprintf("there is no host named %q", dns.Name)
		}
		return fmt.Sprintf("the name %q could not be looked up: %s", dns.Name, dns.Err)
	}
	switch {
	case errors.Is(c.err, syscall.ECONNREFUSED):
		return fmt.Sprintf("nothing listens at %s: connection refused", c.address)
	case errors.Is(c.err, syscall.EHOSTUNREACH), errors.Is(c.err, syscall.ENETUNREACH):
		return fmt.Sprintf("there is no route to %s", c.address)
	case errors.Is(c.err, context.Canceled):
		return fmt.Sprintf("stopped before %s could be reached", c.address)
	case timedOut(c.err):
		return fmt.Sprintf("no connection to %s in time", c.address)
	}
	return fmt.Sprintf("no connection to %s: %v", c.address, c.err)
}

func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}
