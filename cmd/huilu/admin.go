package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"huilu/internal/app"
	"huilu/internal/tenant"
)

// adminCmd works on the data of a server, which may be running: it opens the
// same database (and so needs the same settings and master key).
type adminCmd struct {
	JSON bool `help:"Print one JSON object or list for programs."`

	Tenant adminTenant `cmd:"" help:"Organisations."`
	App    adminApp    `cmd:"" help:"Programs that call the API or receive events."`
	User   adminUser   `cmd:"" help:"People with an account."`
	Token  adminToken  `cmd:"" help:"Tokens, without the consent page."`

	Recording adminRecording `cmd:"" help:"Recordings that need somebody."`
}

// verb is the last word of the command, for commands that come in pairs.
type verb string

// office is an open database and where to print.
type office struct {
	*app.Core
	c    *console
	json bool
}

// open is what every admin command begins with; close the Core after.
func (c *console) open(json bool) (*office, error) {
	cfg, err := c.load(nil)
	if err != nil {
		return nil, err
	}
	core, err := app.OpenCore(c.ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return &office{Core: core, c: c, json: json}, nil
}

// in runs f with the office open.
func (c *console) in(a *cli, f func(*office) error) error {
	o, err := c.open(a.Admin.JSON)
	if err != nil {
		return err
	}
	return errors.Join(f(o), o.Close())
}

// print shows one thing: as JSON, or as name and value lines.
func (o *office) print(v any, lines ...[2]string) error {
	if o.json {
		return json.NewEncoder(o.c.out).Encode(v)
	}
	w := tabwriter.NewWriter(o.c.out, 0, 4, 2, ' ', 0)
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\n", l[0], l[1])
	}
	return w.Flush()
}

// list shows many things: as a JSON list, or as a table.
func (o *office) list(v any, head string, rows [][]string) error {
	if o.json {
		return json.NewEncoder(o.c.out).Encode(v)
	}
	w := tabwriter.NewWriter(o.c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, strings.ReplaceAll(head, ",", "\t"))
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}

// tenantOf finds a tenant by key, or the only one there is.
func (o *office) tenantOf(key string) (tenant.Tenant, error) {
	if key != "" {
		t, err := o.Tenants.Get(o.c.ctx, tenant.Key(key))
		if errors.Is(err, tenant.ErrNotFound) {
			return t, fmt.Errorf("no tenant %q; see huilu admin tenant list", key)
		}
		return t, err
	}
	all, err := o.Tenants.List(o.c.ctx)
	switch {
	case err != nil:
		return tenant.Tenant{}, err
	case len(all) == 0:
		return tenant.Tenant{}, errors.New("there is no tenant yet; make one: huilu admin tenant create --name NAME")
	case len(all) > 1:
		return tenant.Tenant{}, errors.New("there are several tenants; say which: --tenant KEY (huilu admin tenant list)")
	}
	return all[0], nil
}

// appOf finds an app by its id, whoever owns it.
func (o *office) appOf(id string) (tenant.App, error) {
	a, err := o.Tenants.App(o.c.ctx, id)
	if errors.Is(err, tenant.ErrNotFound) {
		return a, fmt.Errorf("no app %q; see huilu admin app list", id)
	}
	return a, err
}

// userOf finds a person of a tenant by email address or user_id.
func (o *office) userOf(t tenant.Key, who string) (tenant.User, error) {
	u, err := o.Tenants.FindUser(o.c.ctx, t, who)
	if errors.Is(err, tenant.ErrNotFound) {
		return u, fmt.Errorf("no person %q in this tenant; see huilu admin user list, or make one: huilu admin user create", who)
	}
	return u, err
}

func some(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func enabled(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "enabled"
}
