package openapi

import (
	"context"
	"hash/fnv"
	"strconv"

	"huilu/internal/limit"
	"huilu/internal/token"
)

// Route is one row of the table: everything the gateway, the limiter, the
// description of the API and the tests need to know about one call.
type Route struct {
	Method  string
	Path    string     // ServeMux pattern without method
	Scopes  []string   // any one of them; none: no scope is needed
	Tokens  token.Kind // accepted kinds; 0: called without an access token
	Tier    limit.Tier
	Family  Family
	UserIDs bool    // takes user_id_type, for every person id in request and answer
	Query   []Field // query parameters, without user_id_type
	Body    []Field // JSON body; nil: whatever is sent is ignored
	Text    string  // what it does, for the API's description
	run     handler

	api    string // method and path, what is counted and logged
	number string // method_id of troubleshooter: stable digits made from api
}

// handler answers a call that has passed the gateway. It returns what goes into
// data: nothing for {}, or one of the forms of reply.go.
type handler func(a *API, ctx context.Context, c *call) (any, error)

// Family is the service behind a route. It decides what a bad parameter and an
// unknown error are called, and whether errors travel with HTTP 200.
type Family int

// The families of this server.
const (
	VC       Family = iota // vc/v1
	Minutes                // minutes/v1 and downloads
	Auth                   // auth/v3: HTTP 200 always (contract tokens.md §2)
	Authen                 // authen/v1: HTTP 200 except for 20050 (tokens.md §5)
	OAuth                  // authen/v2: body in the form of RFC 6749 (tokens.md §4)
	Unrouted               // nothing is behind the path
)

func (r Route) prepared() *Route {
	r.api = r.Method + " " + r.Path
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.api)) // never fails
	r.number = strconv.FormatUint(h.Sum64()>>1, 10)
	return &r
}
