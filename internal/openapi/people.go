package openapi

import (
	"context"
	"errors"

	"huilu/internal/tenant"
)

// person reads a person id that the caller presented, of the kind user_id_type says.
func (a *API) person(ctx context.Context, c *call, id string) (tenant.User, error) {
	if !isText(id) {
		return tenant.User{}, &idError{c.idType, "", tenant.ErrIDUnknown}
	}
	u, err := a.tenants.Resolve(ctx, c.caller.App, c.caller.Tenant.Key, c.idType, id)
	if errors.Is(err, tenant.ErrIDUnknown) || errors.Is(err, tenant.ErrIDOtherKind) || errors.Is(err, tenant.ErrIDCrossApp) {
		return tenant.User{}, &idError{c.idType, id, err}
	}
	return u, err
}

// idOf writes a person's id as the caller asked for it. A user_id is known only
// of people of the caller's tenant; of others it is empty.
func (a *API) idOf(ctx context.Context, c *call, n tenant.UserNum) (string, error) {
	switch c.idType {
	case tenant.UnionID:
		return a.tenants.IDs().Union(c.caller.App, n), nil
	case tenant.UserID:
		u, err := a.tenants.User(ctx, c.caller.Tenant.Key, n)
		if errors.Is(err, tenant.ErrNotFound) {
			return "", nil
		}
		return u.UserID, err
	}
	return a.tenants.IDs().Open(c.caller.App, n), nil
}
