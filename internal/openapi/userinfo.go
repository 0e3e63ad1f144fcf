package openapi

import "context"

// userInfo answers who the token belongs to (contract tokens.md §5). Email and
// user_id are gated by scopes: email has none on this server, so it is left out.
func (a *API) userInfo(_ context.Context, c *call) (any, error) {
	u, ids := c.caller.User, a.tenants.IDs()
	reply := userInfoReply{
		Name: u.Name, EnName: u.Name,
		OpenID: ids.Open(c.caller.App, u.Num), UnionID: ids.Union(c.caller.App, u.Num), TenantKey: string(c.caller.Tenant.Key),
	}
	if c.seesUserIDs() {
		reply.UserID = u.UserID
	}
	return reply, nil
}

type userInfoReply struct {
	Name      string `json:"name"`
	EnName    string `json:"en_name"`
	OpenID    string `json:"open_id"`
	UnionID   string `json:"union_id"`
	TenantKey string `json:"tenant_key"`
	UserID    string `json:"user_id,omitempty"`
}
