package pages

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"huilu/internal/ident"
	"huilu/internal/tenant"
)

// Bounds of a call. A page waits 20 s for its answer; the server gives up before.
const (
	maxBody  = 64 << 10 // bytes; the largest real one is an app with many redirect URLs
	maxQuery = 8 << 10  // bytes
	callTime = 15 * time.Second
	bodyTime = 10 * time.Second // for the body to arrive
)

// request is one call. who is nil for somebody who is not signed in, which happens only on routes for anyone.
type request struct {
	*http.Request
	who  *who
	conn *http.ResponseController
}

// content is an answer that is no JSON.
type content interface {
	write(w http.ResponseWriter, r *http.Request) error
}

// gate is what every call passes, in this order, before its handler decides anything.
func (p *Pages) gate(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), callTime)
		defer cancel()
		answer, err := p.answer(rt, w, r.WithContext(ctx))
		if err != nil {
			p.refuse(w, r, err)
			return
		}
		p.reply(w, r, answer) // outside of the time for a call: films are long
	})
}

// answer runs a route. The session is stored before anything is written, also
// when the call is refused: ending a session is part of some refusals.
func (p *Pages) answer(rt route, w http.ResponseWriter, r *http.Request) (any, error) {
	if err := p.sameOrigin(r); err != nil {
		return nil, err
	}
	if len(r.URL.RawQuery) > maxQuery {
		return nil, errTooLarge
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	ctx, err := p.sessions.load(r)
	if err != nil {
		return nil, fmt.Errorf("load session: %w", err)
	}
	answer, err := p.admit(rt, &request{Request: r.WithContext(ctx), conn: http.NewResponseController(w)})
	if saveErr := p.sessions.save(ctx, w); saveErr != nil {
		return nil, fmt.Errorf("save session: %w", saveErr)
	}
	return answer, err
}

// admit lets those in whom the table names.
func (p *Pages) admit(rt route, r *request) (_ any, err error) {
	r.who, err = p.whoIs(r.Context())
	switch {
	case err != nil:
		return nil, err
	case rt.who >= person && r.who == nil:
		return nil, errSignIn
	case rt.who == admin && r.who.Role != tenant.Admin:
		return nil, errAdminOnly
	}
	return rt.serve(p, r)
}

// sameOrigin refuses writes that another site's page may have caused. Browsers
// send our header across origins only after asking, and nobody here says yes.
func (p *Pages) sameOrigin(r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if err := p.origin.Check(r); err != nil {
		return errCrossOrigin
	}
	if r.Header.Get("X-Huilu") != "1" {
		return errNoMark
	}
	return nil
}

// decode reads a JSON body: one object with known fields and nothing behind it.
func (r *request) decode(to any) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return errNotJSON
	}
	// The limit is for the body alone: one that runs out later would end the call. Not every connection has one.
	_ = r.conn.SetReadDeadline(time.Now().Add(bodyTime))
	defer func() { _ = r.conn.SetReadDeadline(time.Time{}) }()
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return badBody(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &bodyError{English: "the body has more than one JSON value"}
	}
	return nil
}

// bodyError is a body that cannot be read. Its text is for whoever writes the
// page; people see it only when that is broken.
type bodyError struct {
	Field   string
	English string
}

func (e *bodyError) Error() string { return e.English }

func badBody(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &bodyError{Field: t.Field, English: fmt.Sprintf("%s must not be a %s", t.Field, t.Value)}
	}
	// encoding/json has no type for this one.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return &bodyError{Field: strings.Trim(name, `"`), English: "unknown field " + name}
	}
	return &bodyError{English: "the body is not valid JSON"}
}

// reply writes an answer.
func (p *Pages) reply(w http.ResponseWriter, r *http.Request, answer any) {
	guard(w.Header())
	switch a := answer.(type) {
	case nil:
		w.WriteHeader(http.StatusNoContent)
	case content:
		if err := a.write(w, r); err != nil {
			p.refuse(w, r, err)
		}
	default:
		writeJSON(w, http.StatusOK, a)
	}
}

// guard sets the headers of everything under /api/: nothing of it is stored,
// guessed at, framed or run.
func guard(h http.Header) {
	h.Add("Vary", "Cookie")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // only for types that cannot be JSON, which tests would meet
		status, body = http.StatusInternalServerError, *bytes.NewBufferString(`{"error":{"code":"internal"}}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the browser is gone; nobody to tell
}

type refusalJSON struct {
	Error struct {
		Code  string `json:"code"`
		EN    string `json:"message_en"`
		ZH    string `json:"message_zh"`
		Field string `json:"field,omitempty"`
		LogID string `json:"log_id,omitempty"`
	} `json:"error"`
}

// refuse writes what the book says about err. What is not in the book is the
// server's fault: whole in the log, and outside only the number to find it by.
func (p *Pages) refuse(w http.ResponseWriter, r *http.Request, err error) {
	f := lookUp(err)
	var out refusalJSON
	out.Error.Code, out.Error.EN, out.Error.ZH, out.Error.Field = f.Code, f.EN, f.ZH, f.Field
	if f.Status == http.StatusInternalServerError && r.Context().Err() == nil {
		out.Error.LogID = ident.Hex("", 8)
		out.Error.EN, out.Error.ZH = out.Error.EN+" ("+out.Error.LogID+")", out.Error.ZH+"（"+out.Error.LogID+"）"
		p.Log.ErrorContext(r.Context(), "page call failed", "log_id", out.Error.LogID, "method", r.Method, "path", r.URL.Path, "err", err)
	}
	guard(w.Header())
	if wait, ok := errors.AsType[*tooMany](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(wait.seconds()))
		p.Log.WarnContext(r.Context(), "guessing slowed down", "path", r.URL.Path, "from", p.Address(r))
	}
	writeJSON(w, f.Status, out)
}

// wrongMethod answers paths of the table called in a way that is not in it.
func (p *Pages) wrongMethod(allowed []string) http.Handler {
	allow := strings.Join(allowed, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		p.refuse(w, r, errMethod)
	})
}
