package openapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"huilu/internal/tenant"
	"huilu/internal/token"
)

// appCredentials is the body of the token endpoints. Nothing is marked required:
// what is missing is 10003 here, not the gateway's field violation.
var appCredentials = []Field{
	{Name: "app_id", Kind: Text, Text: "id of the app, cli_…"},
	{Name: "app_secret", Kind: Text, Text: "secret of the app"},
}

// tokenReply has its fields at the top level (contract tokens.md §2).
type tokenReply struct {
	Code              int    `json:"code"`
	Msg               string `json:"msg"`
	AppAccessToken    string `json:"app_access_token,omitempty"`
	TenantAccessToken string `json:"tenant_access_token"`
	Expire            int    `json:"expire"` // seconds
}

func (a *API) tenantToken(ctx context.Context, c *call) (any, error) {
	issued, err := a.issueTenantToken(ctx, c)
	if err != nil {
		return nil, err
	}
	return whole{tokenReply{Msg: "ok", TenantAccessToken: issued.Token, Expire: wholeSeconds(issued.Expire)}}, nil
}

func (a *API) appToken(ctx context.Context, c *call) (any, error) {
	issued, err := a.issueTenantToken(ctx, c)
	if err != nil {
		return nil, err
	}
	return whole{tokenReply{Msg: "ok", AppAccessToken: issued.Token, TenantAccessToken: issued.Token, Expire: wholeSeconds(issued.Expire)}}, nil
}

func (a *API) issueTenantToken(ctx context.Context, c *call) (token.Issued, error) {
	noStore(c.w)
	id, secret := c.body.text("app_id"), c.body.text("app_secret")
	if id == "" || secret == "" {
		return token.Issued{}, errNoAppID
	}
	app, err := a.tenants.Authenticate(ctx, id, tenant.Secret(secret))
	switch {
	case errors.Is(err, tenant.ErrNotFound):
		return token.Issued{}, errNoAppID
	case err != nil:
		return token.Issued{}, err
	case app.Type != tenant.Custom: // store apps have endpoints of their own
		return token.Issued{}, errNoAppID
	}
	if err := a.countFor(ctx, c, app.ID, app.Tenant); err != nil {
		return token.Issued{}, err
	}
	return a.tokens.ForTenant(ctx, app, app.Tenant)
}

// noStore keeps tokens out of caches on the way (RFC 6749 §5.1).
func noStore(w http.ResponseWriter) { w.Header().Set("Cache-Control", "no-store") }

// wholeSeconds rounds down: a token must not outlive what was promised.
func wholeSeconds(d time.Duration) int { return int(d / time.Second) }
