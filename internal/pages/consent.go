package pages

import (
	"net/url"
	"slices"
	"strings"

	"huilu/internal/scope"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

type scopeJSON struct {
	Name   string `json:"name"`
	TextEN string `json:"text_en"`
	TextZH string `json:"text_zh"`
}

type consentJSON struct {
	App struct {
		Name  string `json:"name"`
		AppID string `json:"app_id"`
	} `json:"app"`
	Scopes []scopeJSON `json:"scopes"`
	User   struct {
		Name string `json:"name"`
	} `json:"user"`
}

// errBadQuery is a query string that cannot be read (contract tokens.md §4, 20063).
var errBadQuery = &OAuthError{Code: 20063, Text: "The authorization request is malformed."}

// askConsent tells a person what an app asks for. The authorize query comes through unchanged.
func (p *Pages) askConsent(r *request) (any, error) {
	q, err := p.authorizeRequest(r, r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	var out consentJSON
	out.App.Name, out.App.AppID, out.User.Name = q.App.Name, q.App.ID, r.who.Name
	out.Scopes = describe(q.Scopes)
	return out, nil
}

// consent takes a person's answer and says where to send them. The request is
// checked anew: what the page was shown is not proof of anything.
func (p *Pages) consent(r *request) (any, error) {
	var in struct {
		Query string `json:"query"`
		Allow bool   `json:"allow"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	q, err := p.authorizeRequest(r, in.Query)
	if err != nil {
		return nil, err
	}
	answer := url.Values{"error": {"access_denied"}}
	if in.Allow {
		code, err := p.OAuth.Authorize(r.Context(), token.Consent{
			App: q.App, User: r.who.User, Scopes: q.Scopes, Redirect: q.Redirect, Challenge: q.Challenge, Method: q.Method,
		})
		if err != nil {
			return nil, err
		}
		answer = url.Values{"code": {code}}
	}
	if q.State != "" {
		answer.Set("state", q.State)
	}
	to, err := withQuery(q.Redirect, answer)
	if err != nil {
		return nil, err
	}
	return struct {
		Redirect string `json:"redirect"`
	}{to}, nil
}

// authorizeRequest checks a request for the person who is asked. A custom app
// serves the people of its own tenant only.
func (p *Pages) authorizeRequest(r *request, raw string) (AuthorizeRequest, error) {
	query, err := url.ParseQuery(raw)
	if err != nil || len(raw) > maxQuery {
		return AuthorizeRequest{}, errBadQuery
	}
	q, err := p.OAuth.Check(r.Context(), query)
	if err == nil && q.App.Type == tenant.Custom && q.App.Tenant != r.who.Tenant {
		err = errOtherTenant
	}
	return q, err
}

// withQuery adds an answer to the query of address; its fragment stays last. The comparison with
// the registered address leaves the query out, so an answer that is already in there is somebody else's.
func withQuery(address string, answer url.Values) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	var pairs []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if name, err = url.QueryUnescape(name); err != nil {
			return "", err
		}
		if pair != "" && !slices.Contains(answerNames, name) {
			pairs = append(pairs, pair)
		}
	}
	u.RawQuery = strings.Join(append(pairs, answer.Encode()), "&")
	return u.String(), nil
}

// answerNames are the parameters by which an app learns the outcome (contract tokens.md §3).
var answerNames = []string{"code", "state", "error"}

// describe puts scopes into plain words, in the order people should read them.
func describe(set scope.Set) []scopeJSON {
	out := []scopeJSON{}
	for _, s := range scope.All() {
		if set.Has(s.Name) {
			out = append(out, scopeJSON(s))
		}
	}
	for _, name := range set { // never leave out what is being granted
		if !slices.ContainsFunc(out, func(s scopeJSON) bool { return s.Name == name }) {
			out = append(out, scopeJSON{name, name, name})
		}
	}
	return out
}
