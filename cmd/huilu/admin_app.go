package main

import (
	"fmt"
	"slices"
	"strings"

	"huilu/internal/app"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

type appView struct {
	ID                string   `json:"app_id"`
	Secret            string   `json:"app_secret,omitempty"`
	EncryptKey        string   `json:"encrypt_key"`
	VerificationToken string   `json:"verification_token"`
	Tenant            string   `json:"tenant_key"`
	Name              string   `json:"name"`
	Type              string   `json:"type"`
	Scopes            []string `json:"scopes"`
	Redirects         []string `json:"redirect_urls"`
	EventURL          string   `json:"event_url"`
	Events            []string `json:"events"`
	Disabled          bool     `json:"disabled"`
}

func viewApp(a tenant.App, secret tenant.Secret) appView {
	return appView{
		ID: a.ID, Secret: string(secret), EncryptKey: string(a.Events.EncryptKey), VerificationToken: string(a.Events.VerificationToken),
		Tenant: string(a.Tenant), Name: a.Name, Type: string(a.Type), Scopes: some(a.Scopes), Redirects: some(a.Redirects),
		EventURL: a.Events.URL, Events: some(a.Events.Types), Disabled: a.Disabled,
	}
}

func (v appView) lines() [][2]string {
	lines := [][2]string{{"app_id", v.ID}}
	if v.Secret != "" {
		lines = append(lines, [2]string{"app_secret", v.Secret + "   (shown only now)"})
	}
	return append(lines, [][2]string{
		{"name", v.Name}, {"type", v.Type}, {"tenant_key", v.Tenant}, {"scopes", strings.Join(v.Scopes, ",")}, {"redirect_urls", strings.Join(v.Redirects, ",")},
		{"event_url", v.EventURL}, {"events", strings.Join(v.Events, ",")}, {"encrypt_key", v.EncryptKey}, {"verification_token", v.VerificationToken}, {"state", enabled(v.Disabled)},
	}...)
}

type adminApp struct {
	Create  appCreate `cmd:"" help:"Make an app; its secret is printed once."`
	List    appList   `cmd:"" help:"List the apps of a tenant."`
	Show    appShow   `cmd:"" help:"Show one app."`
	Disable appSwitch `cmd:"" help:"Stop an app: its tokens work no more, it receives nothing."`
	Enable  appSwitch `cmd:"" help:"Let a disabled app work again."`
	Secret  appSecret `cmd:"" help:"Give an app a new secret; the old one stops at once."`
}

type appCreate struct {
	Tenant    string   `help:"Tenant key; not needed when there is one tenant." placeholder:"KEY"`
	Name      string   `required:"" help:"Name people see on the consent page."`
	Type      string   `enum:"custom,store" default:"custom" help:"custom serves its own tenant, store may be installed in many."`
	Scopes    []string `help:"Permissions, comma separated; all of them when not given." placeholder:"SCOPE,…"`
	Redirects []string `name:"redirect-urls" help:"Where the authorization page may send people back to." placeholder:"URL,…"`
	EventURL  string   `help:"Where events are posted." placeholder:"URL"`
	Events    []string `help:"Event types; all when --event-url is given without them." placeholder:"TYPE,…"`
	Plain     bool     `help:"Post events unencrypted: the app gets no encrypt key."`
}

func (p appCreate) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		t, err := o.tenantOf(p.Tenant)
		if err != nil {
			return err
		}
		for _, sc := range p.Scopes {
			if !scope.Known(sc) {
				return fmt.Errorf("no scope %q; there are %s", sc, strings.Join(scopeNames(), ", "))
			}
		}
		spec := tenant.AppSpec{
			Name: p.Name, Type: tenant.AppType(p.Type), Scopes: p.Scopes, Redirects: p.Redirects, EventURL: p.EventURL, Events: p.Events, Plain: p.Plain,
		}
		if len(spec.Scopes) == 0 {
			spec.Scopes = scopeNames()
		}
		if spec.EventURL != "" && len(spec.Events) == 0 {
			spec.Events = app.EventTypes()
		}
		for _, e := range spec.Events {
			if !slices.Contains(app.EventTypes(), e) {
				return fmt.Errorf("no event type %q; there are %s", e, strings.Join(app.EventTypes(), ", "))
			}
		}
		made, secret, err := o.Tenants.CreateApp(c.ctx, t, spec)
		if err != nil {
			return err
		}
		v := viewApp(made, secret)
		return o.print(v, v.lines()...)
	})
}

func scopeNames() (names []string) {
	for _, s := range scope.All() {
		names = append(names, s.Name)
	}
	return names
}

type appList struct {
	Tenant string `help:"Tenant key; not needed when there is one tenant." placeholder:"KEY"`
}

func (p appList) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		t, err := o.tenantOf(p.Tenant)
		if err != nil {
			return err
		}
		all, err := o.Tenants.Apps(c.ctx, t.Key)
		if err != nil {
			return err
		}
		views, rows := []appView{}, [][]string{}
		for _, x := range all {
			v := viewApp(x, "")
			views, rows = append(views, v), append(rows, []string{v.ID, v.Name, v.Type, enabled(v.Disabled), v.EventURL})
		}
		return o.list(views, "APP,NAME,TYPE,STATE,EVENTS TO", rows)
	})
}

type appShow struct {
	ID string `arg:"" help:"App id, cli_…"`
}

func (p appShow) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		x, err := o.appOf(p.ID)
		if err != nil {
			return err
		}
		v := viewApp(x, "")
		return o.print(v, v.lines()...)
	})
}

type appSwitch struct {
	ID string `arg:"" help:"App id, cli_…"`
}

func (p appSwitch) Run(c *console, a *cli, verb verb) error {
	return c.in(a, func(o *office) error {
		x, err := o.appOf(p.ID)
		if err != nil {
			return err
		}
		x, err = o.Tenants.SwitchApp(c.ctx, x.Tenant, x.ID, verb == "disable")
		if err != nil {
			return err
		}
		v := viewApp(x, "")
		return o.print(v, v.lines()...)
	})
}

type appSecret struct {
	ID string `arg:"" help:"App id, cli_…"`
}

func (p appSecret) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		x, err := o.appOf(p.ID)
		if err != nil {
			return err
		}
		secret, err := o.Tenants.RotateSecret(c.ctx, x.Tenant, x.ID)
		if err != nil {
			return err
		}
		v := viewApp(x, secret)
		return o.print(v, v.lines()...)
	})
}
