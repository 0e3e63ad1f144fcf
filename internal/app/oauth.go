package app

import (
	"context"
	"errors"
	"net/url"

	"huilu/internal/openapi"
	"huilu/internal/pages"
	"huilu/internal/token"
)

// oauth lets the consent page ask the API's rules for authorize requests.
type oauth struct {
	api    *openapi.API
	tokens *token.Service
}

func (o oauth) Check(ctx context.Context, q url.Values) (pages.AuthorizeRequest, error) {
	r, err := o.api.ValidateAuthorize(ctx, q)
	var refused *openapi.AuthorizeError
	if errors.As(err, &refused) {
		return pages.AuthorizeRequest{}, &pages.OAuthError{Code: refused.Code, Text: refused.Text}
	}
	return pages.AuthorizeRequest{App: r.App, Scopes: r.Scopes, Redirect: r.Redirect, State: r.State, Challenge: r.Challenge, Method: r.Method}, err
}

func (o oauth) Authorize(ctx context.Context, c token.Consent) (string, error) {
	return o.tokens.Authorize(ctx, c)
}
