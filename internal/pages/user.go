package pages

import (
	"huilu/internal/tenant"
)

type userJSON struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Email     string      `json:"email"`
	Role      tenant.Role `json:"role"`
	Disabled  bool        `json:"disabled"`
	CreatedMS int64       `json:"created_ms"`
}

func showUser(u tenant.User) userJSON {
	return userJSON{u.UserID, u.Name, u.Email, u.Role, u.Disabled, u.CreatedAt.UnixMilli()}
}

func (p *Pages) listUsers(r *request) (any, error) {
	users, err := p.Tenants.Users(r.Context(), r.who.Tenant)
	if err != nil {
		return nil, err
	}
	out := listJSON[userJSON]{Items: []userJSON{}}
	for _, u := range users {
		out.Items = append(out.Items, showUser(u))
	}
	return out, nil
}

// createUser makes an account for a member of the administrator's tenant.
func (p *Pages) createUser(r *request) (any, error) {
	var in struct {
		Name     string `json:"name"`
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	u, err := p.Tenants.CreateUser(r.Context(), r.who.Tenant, tenant.UserSpec{Name: in.Name, Email: in.Email, Password: tenant.Secret(in.Password)})
	if err != nil {
		return nil, err
	}
	p.Log.InfoContext(r.Context(), "account made", "tenant", r.who.Tenant, "user", u.UserID, "by", r.who.UserID)
	return showUser(u), nil
}

// changeUser switches an account off or on. Its sessions end with the next request they make.
func (p *Pages) changeUser(r *request) (any, error) {
	var in struct {
		Disabled *bool `json:"disabled"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	u, err := p.Tenants.FindUser(r.Context(), r.who.Tenant, r.PathValue("user_id"))
	if err != nil {
		return nil, err
	}
	if in.Disabled == nil || *in.Disabled == u.Disabled {
		return showUser(u), nil
	}
	if u.Num == r.who.Num {
		return nil, errSelfDisable // the last administrator could never come back
	}
	u.Disabled = *in.Disabled
	if err := p.Tenants.SaveUser(r.Context(), u); err != nil {
		return nil, err
	}
	p.Log.InfoContext(r.Context(), "account switched", "tenant", r.who.Tenant, "user", u.UserID, "disabled", u.Disabled, "by", r.who.UserID)
	return showUser(u), nil
}
