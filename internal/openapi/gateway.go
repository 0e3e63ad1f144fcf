package openapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"huilu/internal/limit"
	"huilu/internal/scope"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

// MaxBody is the largest body of a call, in bytes.
const MaxBody = 1 << 20

// call is one request on its way through the gateway.
type call struct {
	*http.Request
	w        http.ResponseWriter // for the body limit and headers of odd answers; handlers return, they do not write
	route    *Route
	logID    string
	caller   *token.Caller // not to be changed; a blank one until it is known
	unusable error         // why app or tenant of a genuine token may not be used
	query    object
	body     object
	idType   tenant.IDType
	deadline deadline
}

// step is one check of the gateway.
type step func(a *API, ctx context.Context, c *call) error

// steps are the checks in the contract's order (gateway.md §4). Route and method were
// decided before; IP lists and the monthly quota have their place beside the limits.
var steps = [...]step{
	(*API).identify,   // app and token parse, token validity
	(*API).takeKind,   // token type accepted
	(*API).usable,     // app installed and enabled
	(*API).limit,      // rate limit
	(*API).appScope,   // the app's scopes
	(*API).userGrant,  // the person's grants
	(*API).readParams, // query, body
	(*API).personID,   // user_id_type and its scope
}

// serve takes one call through the gateway and its handler, and answers it.
func (a *API) serve(w http.ResponseWriter, r *http.Request, route *Route) {
	start := a.now()
	c := &call{Request: r, w: w, route: route, logID: stamp(w.Header(), start), caller: &a.nobody, deadline: deadline{Context: r.Context(), at: time.Now().Add(a.timeout)}}
	ctx := &c.deadline
	defer ctx.release()
	reply, err := a.answer(ctx, c)
	status := a.write(ctx, c, reply, err)
	took := a.now().Sub(start)
	a.observe(route.api, status, took)
	if a.log.Enabled(ctx, slog.LevelDebug) {
		a.log.DebugContext(ctx, "call", "api", route.api, "status", status, "took", took, "log_id", c.logID,
			"tenant", c.caller.Tenant.Key, "app", c.caller.App.ID, "err", err)
	}
}

// answer runs the steps and the handler. A panic becomes an error.
func (a *API) answer(ctx context.Context, c *call) (reply any, err error) {
	defer func() {
		if p := recover(); p != nil {
			reply, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if c.route.run == nil {
		return nil, errMethod
	}
	for _, s := range steps {
		if err := s(a, ctx, c); err != nil {
			return nil, err
		}
	}
	return c.route.run(a, ctx, c)
}

// write sends the answer and returns its status.
func (a *API) write(ctx context.Context, c *call, reply any, err error) int {
	if v, ok := reply.(writer); ok && err == nil {
		v.write(c.w, c.Request)
		return http.StatusOK
	}
	var body []byte
	if err == nil {
		body, err = encode(reply)
	}
	if err == nil {
		writeJSON(c.w, http.StatusOK, body)
		return http.StatusOK
	}
	if c.Context().Err() != nil {
		return 499 // the client has gone: there is nobody to answer, and nothing is wrong
	}
	if c.route.Family == OAuth {
		return a.writeOAuth(ctx, c, err)
	}
	r := a.refuse(err, c)
	if r.internal {
		a.report(ctx, c, r.code, err)
	}
	writeRefusal(c.w, r)
	return r.status
}

// report logs what the caller is only told a log id of.
func (a *API) report(ctx context.Context, c *call, code int, err error) {
	a.log.ErrorContext(ctx, "a call failed on the server's side", "api", c.route.api, "path", c.URL.Path, "code", code,
		"log_id", c.logID, "tenant", c.caller.Tenant.Key, "app", c.caller.App.ID, "err", err)
}

func (a *API) identify(ctx context.Context, c *call) error {
	if c.route.Tokens == 0 {
		return nil
	}
	raw := bearer(c.Header.Get("Authorization"))
	if raw == "" {
		return errNoToken
	}
	caller, err := a.tokens.Look(ctx, raw)
	switch {
	case err == nil:
	case errors.Is(err, token.ErrAppDisabled), errors.Is(err, token.ErrNotInstalled), errors.Is(err, token.ErrTenantDisabled):
		c.unusable = err // told after the token's kind
	default:
		return err
	}
	c.caller = caller
	return nil
}

// bearer returns the token of an Authorization header; without the scheme the
// whole value is taken for one and refused as malformed.
func bearer(header string) string {
	const scheme = "Bearer"
	h := strings.TrimSpace(header)
	if len(h) >= len(scheme) && strings.EqualFold(h[:len(scheme)], scheme) {
		return strings.TrimSpace(h[len(scheme):])
	}
	return h
}

func (a *API) takeKind(_ context.Context, c *call) error {
	switch {
	case c.route.Tokens == 0, c.route.Tokens&c.caller.Kind != 0:
		return nil
	case c.caller.Kind == token.Tenant:
		return errTenantNotTaken
	}
	return errUserNotTaken
}

func (a *API) usable(_ context.Context, c *call) error { return c.unusable }

// limit counts the call. Endpoints without an access token count for themselves
// once they know who is calling (countFor).
func (a *API) limit(ctx context.Context, c *call) error {
	if c.route.Tokens == 0 {
		return nil
	}
	return a.countFor(ctx, c, c.caller.App.ID, c.caller.Tenant.Key)
}

func (a *API) countFor(ctx context.Context, c *call, app string, t tenant.Key) error {
	v, err := a.limiter.Take(ctx, limit.Key{API: c.route.api, App: app, Tenant: string(t)}, c.route.Tier)
	if err != nil { // nobody could count: serving is better than refusing everybody
		a.log.WarnContext(ctx, "the rate limiter does not answer; the call is served uncounted", "api", c.route.api, "err", err)
		return nil
	}
	if !v.OK {
		return &limitError{v}
	}
	return nil
}

func (a *API) appScope(_ context.Context, c *call) error {
	if len(c.route.Scopes) == 0 || c.caller.App.Scopes.HasAny(c.route.Scopes...) {
		return nil
	}
	return &scopeError{appScope, c.route.Scopes}
}

// userGrant asks for one scope that the app has and the person granted to it.
func (a *API) userGrant(_ context.Context, c *call) error {
	if c.caller.Kind != token.User || len(c.route.Scopes) == 0 {
		return nil
	}
	for _, s := range c.route.Scopes {
		if c.caller.App.Scopes.Has(s) && c.caller.Scopes.Has(s) {
			return nil
		}
	}
	return &scopeError{userScope, c.route.Scopes}
}

// userIDType describes the query parameter user_id_type, which many routes share.
var userIDType = Field{Name: "user_id_type", Kind: Text, Text: "kind of every person id in request and answer: open_id (default), union_id or user_id"}

func (a *API) readParams(_ context.Context, c *call) (err error) {
	if len(c.route.Query) > 0 || c.route.UserIDs {
		q := c.URL.Query()
		if c.query, err = readQuery(c.route.Query, q); err != nil {
			return err
		}
		if c.idType, err = readIDType(c.route, q.Get(userIDType.Name)); err != nil {
			return err
		}
	}
	if c.route.Body == nil {
		return nil
	}
	raw, err := c.rawBody()
	if err == nil {
		c.body, err = readBody(c.route.Body, raw)
	}
	return err
}

func readIDType(r *Route, s string) (tenant.IDType, error) {
	switch t := tenant.IDType(s); {
	case !r.UserIDs, s == "":
		return tenant.OpenID, nil
	case t == tenant.OpenID, t == tenant.UnionID, t == tenant.UserID:
		return t, nil
	}
	return "", invalid(userIDType.Name, "user_id_type must be open_id, union_id or user_id")
}

// bodyTime is how long a client may take to send a body.
const bodyTime = 10 * time.Second

// rawBody reads the whole body, of MaxBody bytes at most.
func (c *call) rawBody() ([]byte, error) {
	// A client that sends nothing must not hold the call. The limit is for the body alone; not every connection has one.
	conn := http.NewResponseController(c.w)
	_ = conn.SetReadDeadline(time.Now().Add(bodyTime))
	defer func() { _ = conn.SetReadDeadline(time.Time{}) }()
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.Body, MaxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, errBodySize
	} else if err != nil {
		return nil, fmt.Errorf("%w: it could not be read: %v", errBody, err)
	}
	return raw, nil
}

// personID lets apps without the scope for it neither give nor get a user_id.
func (a *API) personID(_ context.Context, c *call) error {
	if c.idType == tenant.UserID && !c.seesUserIDs() {
		return &scopeError{fieldScope, []string{scope.UserID}}
	}
	return nil
}

func (c *call) seesUserIDs() bool {
	return c.caller.App.Scopes.Has(scope.UserID) && c.caller.Scopes.Has(scope.UserID)
}
