package openapi_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"huilu/internal/openapi"
)

func TestAuthorizeRequestIsCheckedBeforeAnybodyIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := url.Values{"client_id": {w.apps["app"].ID}, "response_type": {"code"}, "redirect_uri": {redirect}, "scope": {"vc:record:readonly offline_access"}, "state": {"s"}}
	many := strings.Join(numbered(51), " ")
	for name, c := range map[string]struct {
		change url.Values
		code   int
	}{
		"as it should be":               {nil, 0},
		"no scope":                      {url.Values{"scope": nil}, 0},
		"redirect with query":           {url.Values{"redirect_uri": {redirect + "?a=1#b"}}, 0},
		"redirect host in capitals":     {url.Values{"redirect_uri": {strings.Replace(redirect, "app.example", "APP.example", 1)}}, 0},
		"PKCE":                          {url.Values{"code_challenge": {challenge}, "code_challenge_method": {"S256"}}, 0},
		"PKCE, plain by default":        {url.Values{"code_challenge": {verifier}}, 0},
		"no client":                     {url.Values{"client_id": nil}, 20001},
		"no redirect":                   {url.Values{"redirect_uri": nil}, 20001},
		"no response type":              {url.Values{"response_type": nil}, 20001},
		"implicit flow":                 {url.Values{"response_type": {"token"}}, 20001},
		"repeated":                      {url.Values{"client_id": {w.apps["app"].ID, w.apps["second"].ID}}, 20001},
		"bytes":                         {url.Values{"state": {"\xff"}}, 20001},
		"unknown client":                {url.Values{"client_id": {"cli_0000000000000000"}}, 20048},
		"disabled app":                  {url.Values{"client_id": {w.apps["disabled"].ID}}, 20069},
		"redirect elsewhere":            {url.Values{"redirect_uri": {"https://evil.example/callback"}}, 20029},
		"redirect deeper":               {url.Values{"redirect_uri": {redirect + "/deeper"}}, 20029},
		"redirect by another port":      {url.Values{"redirect_uri": {"https://app.example.org:8443/callback"}}, 20029},
		"redirect without TLS":          {url.Values{"redirect_uri": {"http://app.example.org/callback"}}, 20029},
		"redirect with a user name":     {url.Values{"redirect_uri": {"https://app.example.org@evil.example/callback"}}, 20029},
		"redirect with our host inside": {url.Values{"redirect_uri": {"https://app.example.org.evil.example/callback"}}, 20029},
		"redirect to a script":          {url.Values{"redirect_uri": {"javascript://app.example.org/callback"}}, 20029},
		"relative redirect":             {url.Values{"redirect_uri": {"/callback"}}, 20029},
		"scope the app lacks":           {url.Values{"client_id": {w.apps["bare"].ID}}, 20027},
		"scope in capitals":             {url.Values{"scope": {"VC:record:readonly"}}, 20027},
		"51 scopes":                     {url.Values{"scope": {many}}, 20001},
		"method without challenge":      {url.Values{"code_challenge_method": {"S256"}}, 20001},
		"unknown method":                {url.Values{"code_challenge": {challenge}, "code_challenge_method": {"S512"}}, 20001},
		"short challenge":               {url.Values{"code_challenge": {"short"}}, 20001},
		"S256 of the wrong length":      {url.Values{"code_challenge": {challenge + "x"}, "code_challenge_method": {"S256"}}, 20001},
	} {
		q := url.Values{}
		for k, v := range good {
			q[k] = v
		}
		for k, v := range c.change {
			q[k] = v
		}
		_, err := w.api.ValidateAuthorize(t.Context(), q)
		got := 0
		if bad, ok := errors.AsType[*openapi.AuthorizeError](err); ok {
			got = bad.Code
		} else if err != nil {
			got = -1
		}
		if got != c.code {
			t.Errorf("%s: %v; want %d", name, err, c.code)
		}
	}
}

func numbered(n int) (out []string) {
	for i := range n {
		out = append(out, "s"+decimal(int64(i)))
	}
	return out
}

func TestAuthorizeRequestIsWhatWasAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	to := redirect + "?keep=1#end"
	q := url.Values{"client_id": {w.apps["app"].ID}, "response_type": {"code"}, "redirect_uri": {to}, "scope": {"offline_access vc:reserve"}, "state": {"a&b=c"}, "code_challenge": {verifier}}
	r := must(w.api.ValidateAuthorize(t.Context(), q))(t)
	if r.App.ID != w.apps["app"].ID || !slices.Equal(r.Scopes, []string{"offline_access", "vc:reserve"}) || r.Redirect != to || r.State != "a&b=c" || r.Method != "plain" || r.Challenge != verifier {
		t.Errorf("request = %+v", r)
	}
}
