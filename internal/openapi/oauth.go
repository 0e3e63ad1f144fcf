package openapi

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"huilu/internal/tenant"
	"huilu/internal/token"
)

// oauthFields is the body of the token endpoint, as JSON or as a form (contract
// tokens.md §4). Which ones are needed depends on grant_type.
var oauthFields = []Field{
	{Name: "grant_type", Kind: Text, Text: "authorization_code or refresh_token"},
	{Name: "client_id", Kind: Text, Text: "id of the app, unless sent by HTTP Basic"},
	{Name: "client_secret", Kind: Text, Text: "secret of the app, unless sent by HTTP Basic"},
	{Name: "code", Kind: Text, Text: "authorization_code: the code from the redirect"},
	{Name: "redirect_uri", Kind: Text, Text: "authorization_code: if given, that of the authorization request"},
	{Name: "code_verifier", Kind: Text, Text: "authorization_code: needed if the authorization request had a code_challenge"},
	{Name: "refresh_token", Kind: Text, Text: "refresh_token: the token to exchange"},
	{Name: "scope", Kind: Text, Text: "fewer permissions than were granted, space separated"},
}

// oauthRefusal is how the token endpoint refuses: a contract code and the name of RFC 6749 §5.2.
type oauthRefusal struct {
	Code        int    `json:"code"`
	Name        string `json:"error"`
	Description string `json:"error_description"`
	status      int
}

func (r *oauthRefusal) Error() string { return fmt.Sprintf("%d %s: %s", r.Code, r.Name, r.Description) }

func badOAuth(code int, name, format string, args ...any) error {
	return &oauthRefusal{Code: code, Name: name, Description: fmt.Sprintf(format, args...), status: http.StatusBadRequest}
}

// The names of RFC 6749 that refusals use.
const (
	invalidRequest     = "invalid_request"
	invalidClient      = "invalid_client"
	invalidGrant       = "invalid_grant"
	invalidScope       = "invalid_scope"
	unauthorizedClient = "unauthorized_client"
)

// oauthBook maps what the domain refuses to the codes of tokens.md §4.
var oauthBook = []struct {
	rule error
	code int
	name string
}{
	{token.ErrCodeNotFound, 20003, invalidGrant},
	{token.ErrCodeExpired, 20004, invalidGrant},
	{token.ErrCodeUsed, 20065, invalidGrant},
	{token.ErrOtherClient, 20024, invalidGrant},
	{token.ErrRedirectMismatch, 20071, invalidGrant},
	{token.ErrPKCE, 20049, invalidGrant},
	{token.ErrRefreshInvalid, 20026, invalidGrant},
	{token.ErrRefreshExpired, 20037, invalidGrant},
	{token.ErrRefreshUsed, 20073, invalidGrant},
	{token.ErrScopeRepeated, 20067, invalidScope},
	{token.ErrScopeNotGranted, 20068, invalidScope},
	{token.ErrUserGone, 20066, invalidGrant},
	{token.ErrUserOutside, 20010, invalidGrant},
	{token.ErrNotInstalled, 20009, unauthorizedClient},
	{token.ErrAppDisabled, 20069, unauthorizedClient},
	{tenant.ErrSecretInvalid, 20002, invalidClient},
}

// pairReply is the answer to a grant, flat as RFC 6749 §5.1 has it.
type pairReply struct {
	Code          int    `json:"code"`
	AccessToken   string `json:"access_token"`
	ExpiresIn     int    `json:"expires_in"` // seconds
	TokenType     string `json:"token_type"`
	Scope         string `json:"scope"`
	RefreshToken  string `json:"refresh_token,omitempty"`
	RefreshExpiry int    `json:"refresh_token_expires_in,omitempty"` // seconds
}

func (a *API) oauthToken(ctx context.Context, c *call) (any, error) {
	noStore(c.w)
	in, err := c.oauthBody()
	if err != nil {
		return nil, err
	}
	grant, err := grantOf(in)
	if err != nil {
		return nil, err
	}
	app, err := a.oauthClient(ctx, c, in)
	if err != nil {
		return nil, err
	}
	pair, err := grant(a, ctx, app, in)
	if err != nil {
		return nil, err
	}
	return whole{pairReply{
		AccessToken: pair.Access, ExpiresIn: wholeSeconds(pair.Expires), TokenType: "Bearer", Scope: pair.Scopes.String(),
		RefreshToken: pair.Refresh, RefreshExpiry: wholeSeconds(pair.RefreshExpire),
	}}, nil
}

// oauthBody reads the request as JSON or as a form.
func (c *call) oauthBody() (object, error) {
	raw, err := c.rawBody()
	if err != nil {
		return nil, err
	}
	kind, _, _ := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" {
		return readBody(oauthFields, raw)
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, errBody
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, invalid(name, "%s is given more than once", name)
		}
	}
	return readQuery(oauthFields, form)
}

type grant func(a *API, ctx context.Context, app tenant.App, in object) (token.Pair, error)

// grantOf picks the grant and checks that its fields are there.
func grantOf(in object) (grant, error) {
	var g grant
	var need string
	switch t := in.text("grant_type"); t {
	case "":
		return nil, missingOAuth("grant_type")
	case "authorization_code":
		g, need = (*API).exchangeCode, "code"
	case "refresh_token":
		g, need = (*API).exchangeRefresh, "refresh_token"
	default:
		return nil, badOAuth(20036, "unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
	}
	if in.text(need) == "" {
		return nil, missingOAuth(need)
	}
	return g, nil
}

func missingOAuth(name string) error {
	return badOAuth(20001, invalidRequest, "%s is missing", name)
}

// oauthClient finds out which app is asking, by Basic or by the body, not both.
func (a *API) oauthClient(ctx context.Context, c *call, in object) (tenant.App, error) {
	id, secret, basic := c.BasicAuth()
	switch {
	case basic && in.text("client_secret") != "":
		return tenant.App{}, badOAuth(20070, invalidRequest, "the client's credentials are in the Authorization header and in the body; send them once")
	case basic && in.text("client_id") != "" && in.text("client_id") != id:
		return tenant.App{}, badOAuth(20070, invalidRequest, "the Authorization header and client_id name different clients")
	case !basic:
		id, secret = in.text("client_id"), in.text("client_secret")
	}
	if id == "" {
		return tenant.App{}, missingOAuth("client_id")
	}
	if secret == "" {
		return tenant.App{}, missingOAuth("client_secret")
	}
	noApp := badOAuth(20048, invalidClient, "no app has this client_id")
	if !isText(id) {
		return tenant.App{}, noApp
	}
	app, err := a.tenants.Authenticate(ctx, id, tenant.Secret(secret))
	switch {
	case errors.Is(err, tenant.ErrNotFound):
		return tenant.App{}, noApp
	case err != nil:
		return tenant.App{}, err
	case app.Disabled:
		return tenant.App{}, token.ErrAppDisabled
	}
	return app, a.countFor(ctx, c, app.ID, app.Tenant)
}

func (a *API) exchangeCode(ctx context.Context, app tenant.App, in object) (token.Pair, error) {
	return a.tokens.Exchange(ctx, token.CodeExchange{
		App: app, Code: in.text("code"), Redirect: in.text("redirect_uri"), Verifier: in.text("code_verifier"), Scope: in.text("scope"),
	})
}

func (a *API) exchangeRefresh(ctx context.Context, app tenant.App, in object) (token.Pair, error) {
	return a.tokens.Refresh(ctx, app, in.text("refresh_token"), in.text("scope"))
}

// writeOAuth answers a failed call of the token endpoint in the form of RFC 6749 and returns its status.
func (a *API) writeOAuth(ctx context.Context, c *call, err error) int {
	r := explainOAuth(err)
	if l, ok := errors.AsType[*limitError](err); ok {
		c.w.Header().Set("X-Ogw-Ratelimit-Limit", strconv.Itoa(l.Limit))
		c.w.Header().Set("X-Ogw-Ratelimit-Reset", strconv.Itoa(l.Seconds()))
	}
	if r.status >= 500 {
		a.report(ctx, c, r.Code, err)
	}
	body, err := marshal(r)
	if err != nil {
		body = []byte(`{"code":20050,"error":"server_error"}`) // cannot happen: texts and numbers
	}
	writeJSON(c.w, r.status, body)
	return r.status
}

func explainOAuth(err error) oauthRefusal {
	if r, ok := errors.AsType[*oauthRefusal](err); ok {
		return *r
	}
	if v, ok := errors.AsType[violations](err); ok {
		return oauthRefusal{20063, invalidRequest, v[0].Description, http.StatusBadRequest}
	}
	if _, ok := errors.AsType[*limitError](err); ok {
		return oauthRefusal{limited.code, "temporarily_unavailable", limited.msg, limited.status}
	}
	if errors.Is(err, errBody) {
		return oauthRefusal{20063, invalidRequest, "the body must be one JSON object or a form with its Content-Type", http.StatusBadRequest}
	}
	if errors.Is(err, errBodySize) {
		return oauthRefusal{20063, invalidRequest, errBodySize.Error(), http.StatusBadRequest}
	}
	for _, e := range oauthBook {
		if errors.Is(err, e.rule) {
			return oauthRefusal{e.code, e.name, e.rule.Error(), http.StatusBadRequest}
		}
	}
	return oauthRefusal{20050, "server_error", "An unexpected server error occurred. Please retry your request.", http.StatusInternalServerError}
}
