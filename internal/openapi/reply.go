package openapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// The forms a handler may answer in, besides any value for data:
//
//	whole     is the body itself, for the endpoints that have no data
//	appender  writes its JSON without reflection, for calls that programs make all the time
//	writer    writes the response itself: redirects and files
type (
	whole    struct{ body any }
	appender interface{ appendJSON(b []byte) []byte }
	writer   interface {
		write(w http.ResponseWriter, r *http.Request)
	}
)

// jsonType is shared by all responses; nobody may change it.
var jsonType = []string{"application/json; charset=utf-8"}

const (
	replyHead = `{"code":0,"msg":"success","data":`
	emptyData = replyHead + `{}}`
)

// encode makes the body of a successful answer.
func encode(reply any) ([]byte, error) {
	switch v := reply.(type) {
	case nil:
		return []byte(emptyData), nil
	case appender:
		b := append(make([]byte, 0, 256), replyHead...)
		return append(v.appendJSON(b), '}'), nil
	case whole:
		return marshal(v.body)
	}
	data, err := marshal(reply)
	if err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, len(replyHead)+len(data)+1), replyHead...)
	return append(append(b, data...), '}'), nil
}

// marshal leaves & < > as they are: the links in answers are read by people too.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// writeJSON sends a body that has been encoded.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone is nobody's problem
}

// writeRefusal sends the envelope of a failed call.
func writeRefusal(w http.ResponseWriter, r refusal) {
	envelope := struct {
		Code  int        `json:"code"`
		Msg   string     `json:"msg"`
		Error *errorInfo `json:"error,omitempty"`
	}{Code: r.code, Msg: r.msg, Error: &r.info}
	if r.window != nil {
		w.Header().Set("X-Ogw-Ratelimit-Limit", strconv.Itoa(r.window.Limit))
		w.Header().Set("X-Ogw-Ratelimit-Reset", strconv.Itoa(r.window.Seconds()))
		envelope.Error = nil
	}
	body, err := marshal(envelope)
	if err != nil {
		body = []byte(`{"code":2200,"msg":"internal error"}`) // cannot happen: the envelope is plain text and numbers
	}
	writeJSON(w, r.status, body)
}

// number is an int64 as the wire carries it (contract gateway.md §9).
func number(n int64) string { return strconv.FormatInt(n, 10) }
