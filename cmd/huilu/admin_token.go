package main

import (
	"fmt"
	"strings"
	"time"

	"huilu/internal/scope"
)

type adminToken struct {
	Mint tokenMint `cmd:"" help:"Issue a user access token as if the person had agreed on the consent page."`
}

type tokenMint struct {
	App    string   `required:"" help:"App id, cli_…" placeholder:"ID"`
	User   string   `required:"" help:"Email address or user_id." placeholder:"WHO"`
	Scopes []string `help:"Permissions granted; all of the app's when not given." placeholder:"SCOPE,…"`
}

type tokenView struct {
	Access        string `json:"access_token"`
	ExpiresIn     int    `json:"expires_in"`
	Refresh       string `json:"refresh_token,omitempty"`
	RefreshExpire int    `json:"refresh_token_expires_in,omitempty"`
	Scope         string `json:"scope"`
	OpenID        string `json:"open_id"`
}

func (p tokenMint) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		x, err := o.appOf(p.App)
		if err != nil {
			return err
		}
		u, err := o.userOf(x.Tenant, p.User)
		if err != nil {
			return err
		}
		scopes := x.Scopes
		if len(p.Scopes) > 0 {
			scopes = scope.Parse(strings.Join(p.Scopes, " "))
		}
		for _, s := range scopes {
			if !x.Scopes.Has(s) {
				return fmt.Errorf("the app does not have the scope %q; it has %s", s, x.Scopes)
			}
		}
		pair, err := o.Tokens.Mint(c.ctx, x, u, scopes)
		if err != nil {
			return err
		}
		v := tokenView{pair.Access, int(pair.Expires / time.Second), pair.Refresh, int(pair.RefreshExpire / time.Second), pair.Scopes.String(), o.Tenants.IDs().Open(x, u.Num)}
		return o.print(v, [2]string{"access_token", v.Access}, [2]string{"expires_in", fmt.Sprint(v.ExpiresIn)}, [2]string{"refresh_token", v.Refresh}, [2]string{"scope", v.Scope}, [2]string{"open_id", v.OpenID})
	})
}
