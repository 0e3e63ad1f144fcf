package main

import (
	"huilu/internal/tenant"
)

type tenantView struct {
	Key       string `json:"tenant_key"`
	Name      string `json:"name"`
	Recording bool   `json:"recording"`
	Disabled  bool   `json:"disabled"`
	Created   string `json:"created"`
}

func viewTenant(t tenant.Tenant) tenantView {
	return tenantView{string(t.Key), t.Name, t.Recording, t.Disabled, stamp(t.CreatedAt)}
}

func (v tenantView) row() []string {
	return []string{v.Key, v.Name, onOff(v.Recording), enabled(v.Disabled), v.Created}
}

type adminTenant struct {
	Create  tenantCreate `cmd:"" help:"Make a tenant."`
	List    tenantList   `cmd:"" help:"List tenants."`
	Show    tenantShow   `cmd:"" help:"Show one tenant."`
	Disable tenantSwitch `cmd:"" help:"Shut a tenant out: nobody logs in, no token works."`
	Enable  tenantSwitch `cmd:"" help:"Let a disabled tenant in again."`
	Record  tenantRecord `cmd:"" help:"Switch recording on or off for a tenant."`
}

type tenantCreate struct {
	Name string `required:"" help:"Name of the organisation."`
}

func (t tenantCreate) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		made, err := o.Tenants.Create(c.ctx, t.Name)
		if err != nil {
			return err
		}
		return o.print(viewTenant(made), [2]string{"tenant_key", string(made.Key)}, [2]string{"name", made.Name})
	})
}

type tenantList struct{}

func (tenantList) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		all, err := o.Tenants.List(c.ctx)
		if err != nil {
			return err
		}
		views, rows := []tenantView{}, [][]string{}
		for _, t := range all {
			v := viewTenant(t)
			views, rows = append(views, v), append(rows, v.row())
		}
		return o.list(views, "TENANT,NAME,RECORDING,STATE,CREATED", rows)
	})
}

type tenantShow struct {
	Key string `arg:"" help:"Tenant key."`
}

func (t tenantShow) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		found, err := o.tenantOf(t.Key)
		if err != nil {
			return err
		}
		v := viewTenant(found)
		return o.list(v, "TENANT,NAME,RECORDING,STATE,CREATED", [][]string{v.row()})
	})
}

type tenantSwitch struct {
	Key string `arg:"" help:"Tenant key."`
}

func (t tenantSwitch) Run(c *console, a *cli, verb verb) error {
	return c.in(a, func(o *office) error {
		found, err := o.tenantOf(t.Key)
		if err != nil {
			return err
		}
		found.Disabled = verb == "disable"
		if err := o.Tenants.Save(c.ctx, found); err != nil {
			return err
		}
		v := viewTenant(found)
		return o.list(v, "TENANT,NAME,RECORDING,STATE,CREATED", [][]string{v.row()})
	})
}

type tenantRecord struct {
	Key    string `arg:"" help:"Tenant key."`
	Switch string `arg:"" enum:"on,off" help:"on or off."`
}

func (t tenantRecord) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		found, err := o.tenantOf(t.Key)
		if err != nil {
			return err
		}
		found.Recording = t.Switch == "on"
		if err := o.Tenants.Save(c.ctx, found); err != nil {
			return err
		}
		v := viewTenant(found)
		return o.list(v, "TENANT,NAME,RECORDING,STATE,CREATED", [][]string{v.row()})
	})
}
