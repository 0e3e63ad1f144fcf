package main

import (
	"huilu/internal/tenant"
)

type userView struct {
	UserID   string            `json:"user_id"`
	UnionID  string            `json:"union_id"`
	OpenIDs  map[string]string `json:"open_ids,omitempty"` // by app
	Tenant   string            `json:"tenant_key"`
	Name     string            `json:"name"`
	Email    string            `json:"email"`
	Role     string            `json:"role"`
	Disabled bool              `json:"disabled"`
}

// viewUser shows the union_id for apps the tenant itself develops.
func (o *office) viewUser(u tenant.User) (userView, error) {
	t, err := o.Tenants.Get(o.c.ctx, u.Tenant)
	if err != nil {
		return userView{}, err
	}
	apps, err := o.Tenants.Apps(o.c.ctx, u.Tenant)
	if err != nil {
		return userView{}, err
	}
	v := userView{
		UserID: u.UserID, UnionID: o.Tenants.IDs().Union(tenant.App{DeveloperNum: t.Num}, u.Num), OpenIDs: map[string]string{},
		Tenant: string(u.Tenant), Name: u.Name, Email: u.Email, Role: string(u.Role), Disabled: u.Disabled,
	}
	for _, x := range apps {
		v.OpenIDs[x.ID] = o.Tenants.IDs().Open(x, u.Num)
	}
	return v, nil
}

func (o *office) printUser(u tenant.User) error {
	v, err := o.viewUser(u)
	if err != nil {
		return err
	}
	lines := [][2]string{{"user_id", v.UserID}, {"union_id", v.UnionID}, {"name", v.Name}, {"email", v.Email}, {"role", v.Role}, {"state", enabled(v.Disabled)}}
	for id, open := range v.OpenIDs {
		lines = append(lines, [2]string{"open_id for " + id, open})
	}
	return o.print(v, lines...)
}

type adminUser struct {
	Create   userCreate   `cmd:"" help:"Make an account."`
	List     userList     `cmd:"" help:"List the people of a tenant."`
	Show     userShow     `cmd:"" help:"Show one person with all ids."`
	Disable  userSwitch   `cmd:"" help:"Lock an account."`
	Enable   userSwitch   `cmd:"" help:"Unlock an account."`
	Password userPassword `cmd:"" help:"Set a new password."`
}

type userCreate struct {
	Tenant   string `help:"Tenant key; not needed when there is one tenant." placeholder:"KEY"`
	Name     string `required:"" help:"Name others see."`
	Email    string `required:"" help:"To log in with."`
	Password string `required:"" help:"At least 10 characters."`
	Role     string `enum:"member,admin" default:"member" help:"admin also manages apps and people."`
}

func (p userCreate) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		t, err := o.tenantOf(p.Tenant)
		if err != nil {
			return err
		}
		u, err := o.Tenants.CreateUser(c.ctx, t.Key, tenant.UserSpec{Name: p.Name, Email: p.Email, Password: tenant.Secret(p.Password), Role: tenant.Role(p.Role)})
		if err != nil {
			return err
		}
		return o.printUser(u)
	})
}

type userList struct {
	Tenant string `help:"Tenant key; not needed when there is one tenant." placeholder:"KEY"`
}

func (p userList) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		t, err := o.tenantOf(p.Tenant)
		if err != nil {
			return err
		}
		all, err := o.Tenants.Users(c.ctx, t.Key)
		if err != nil {
			return err
		}
		views, rows := []userView{}, [][]string{}
		for _, u := range all {
			v, err := o.viewUser(u)
			if err != nil {
				return err
			}
			views, rows = append(views, v), append(rows, []string{v.UserID, v.Name, v.Email, v.Role, enabled(v.Disabled)})
		}
		return o.list(views, "USER,NAME,EMAIL,ROLE,STATE", rows)
	})
}

type userRef struct {
	Tenant string `help:"Tenant key; not needed when there is one tenant." placeholder:"KEY"`
	User   string `arg:"" help:"Email address or user_id."`
}

func (p userRef) find(o *office) (tenant.User, error) {
	t, err := o.tenantOf(p.Tenant)
	if err != nil {
		return tenant.User{}, err
	}
	return o.userOf(t.Key, p.User)
}

type userShow struct{ userRef }

func (p userShow) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		u, err := p.find(o)
		if err != nil {
			return err
		}
		return o.printUser(u)
	})
}

type userSwitch struct{ userRef }

func (p userSwitch) Run(c *console, a *cli, verb verb) error {
	return c.in(a, func(o *office) error {
		u, err := p.find(o)
		if err != nil {
			return err
		}
		u.Disabled = verb == "disable"
		if err := o.Tenants.SaveUser(c.ctx, u); err != nil {
			return err
		}
		return o.printUser(u)
	})
}

type userPassword struct {
	userRef
	Password string `required:"" help:"At least 10 characters."`
}

func (p userPassword) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		u, err := p.find(o)
		if err != nil {
			return err
		}
		if err := o.Tenants.SetPassword(c.ctx, u.Tenant, u.Num, tenant.Secret(p.Password)); err != nil {
			return err
		}
		return o.printUser(u)
	})
}
