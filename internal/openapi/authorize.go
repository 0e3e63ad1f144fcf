package openapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// AuthorizeRequest is what an app asks a person for on the consent page, checked
// as far as the person does not matter: whose account may use the app is the page's question.
type AuthorizeRequest struct {
	App       tenant.App
	Scopes    scope.Set // asked for, all of them enabled on the app
	Redirect  string    // as given; one of the app's
	State     string    // as given
	Challenge string    // PKCE, empty for none
	Method    string    // "S256" or "plain" with a challenge
}

// AuthorizeError is a request that cannot even be asked about. It is shown to the
// person, never sent to the redirect address: that address may be the lie.
type AuthorizeError struct {
	Code int    // contract tokens.md §3, §4
	Text string // English, for the person and the app's developer
}

func (e *AuthorizeError) Error() string { return fmt.Sprintf("%d: %s", e.Code, e.Text) }

// maxScopes is how many scopes one request may ask for (contract tokens.md §3).
const maxScopes = 50

// ValidateAuthorize checks the query of an authorization request (contract
// tokens.md §3): client, redirect address, scopes and PKCE. The error is an *AuthorizeError, or internal.
func (a *API) ValidateAuthorize(ctx context.Context, q url.Values) (AuthorizeRequest, error) {
	r := AuthorizeRequest{Redirect: q.Get("redirect_uri"), State: q.Get("state"), Challenge: q.Get("code_challenge"), Method: q.Get("code_challenge_method")}
	if err := requireAuthorize(q); err != nil {
		return r, err
	}
	var err error
	r.App, err = a.tenants.App(ctx, q.Get("client_id"))
	switch {
	case errors.Is(err, tenant.ErrNotFound):
		return r, &AuthorizeError{20048, "no app has this client_id"}
	case err != nil:
		return r, fmt.Errorf("authorization request: %w", err)
	case r.App.Disabled:
		return r, &AuthorizeError{20069, "the app is disabled"}
	case !r.redirectAllowed():
		return r, &AuthorizeError{20029, "the redirect_uri is not in the app's list of redirect URLs"}
	}
	if r.Scopes, err = askedScopes(r.App, q.Get("scope")); err != nil {
		return r, err
	}
	return r, r.checkPKCE()
}

func requireAuthorize(q url.Values) error {
	for _, name := range []string{"client_id", "redirect_uri", "response_type"} {
		if q.Get(name) == "" {
			return &AuthorizeError{20001, name + " is missing"}
		}
	}
	for name, values := range q {
		if len(values) > 1 {
			return &AuthorizeError{20001, name + " is given more than once"}
		}
		if !isText(q.Get(name)) {
			return &AuthorizeError{20001, name + " is not UTF-8 text"}
		}
	}
	if q.Get("response_type") != "code" {
		return &AuthorizeError{20001, "response_type must be code"}
	}
	return nil
}

// redirectAllowed compares without query and fragment (contract tokens.md §3).
func (r AuthorizeRequest) redirectAllowed() bool {
	want, ok := addressOf(r.Redirect)
	return ok && slices.ContainsFunc(r.App.Redirects, func(allowed string) bool {
		have, ok := addressOf(allowed)
		return ok && have == want
	})
}

// addressOf is a URL without query and fragment. One with a user name in it is
// refused: people read https://bank.example@evil.example the wrong way.
func addressOf(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", false
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return u.Scheme + "://" + strings.ToLower(u.Host) + path, true
}

func askedScopes(app tenant.App, text string) (scope.Set, error) {
	asked := scope.Parse(text)
	if len(asked) > maxScopes {
		return nil, &AuthorizeError{20001, fmt.Sprintf("scope names more than %d permissions", maxScopes)}
	}
	for _, s := range asked {
		if !app.Scopes.Has(s) {
			return nil, &AuthorizeError{20027, fmt.Sprintf("the scope %q is not enabled on the app", s)}
		}
	}
	return asked, nil
}

// checkPKCE holds the challenge against RFC 7636 §4.2 and fills in the method's default.
func (r *AuthorizeRequest) checkPKCE() error {
	switch {
	case r.Challenge == "" && r.Method == "":
		return nil
	case r.Challenge == "":
		return &AuthorizeError{20001, "code_challenge_method is given without code_challenge"}
	case r.Method == "":
		r.Method = "plain"
	}
	switch {
	case r.Method != "plain" && r.Method != "S256":
		return &AuthorizeError{20001, "code_challenge_method must be S256 or plain"}
	case r.Method == "S256" && len(r.Challenge) != 43, !isVerifier(r.Challenge):
		return &AuthorizeError{20001, "code_challenge must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~, and 43 for S256"}
	}
	return nil
}

func isVerifier(s string) bool {
	if len(s) < 43 || len(s) > 128 {
		return false
	}
	return strings.IndexFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._~", c)
	}) < 0
}

// redirect sends the caller elsewhere.
type redirect string

func (to redirect) write(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, string(to), http.StatusFound)
}

// authorize leads to the consent page, which checks the request itself: whoever
// comes here is a person with a browser, and errors are pages.
func (a *API) authorize(_ context.Context, c *call) (any, error) {
	noStore(c.w)
	to := "/oauth/consent"
	if c.URL.RawQuery != "" {
		to += "?" + c.URL.RawQuery
	}
	return redirect(to), nil
}
