package meeting

import (
	"slices"
	"strconv"

	"huilu/internal/field"
	"huilu/internal/tenant"
)

// Values of action permissions (contract vc.md §1).
const (
	MayHost   = 1
	MayInvite = 2
	MayJoin   = 3

	byUser   = 1
	byType   = 2
	byTenant = 3

	allow = 1
	deny  = 2
)

// GuestsWelcome is the join permission of a meeting that anybody with the link
// may enter, signed in or not. Without any join permission a meeting is for the people of its tenant.
func GuestsWelcome() ActionPermission {
	list := []string{strconv.Itoa(UserType), strconv.Itoa(GuestType)}
	return ActionPermission{Permission: MayJoin, Checkers: []Checker{{Field: byType, Mode: allow, List: list}}}
}

// visitor is somebody at the door as checkers see them.
type visitor struct {
	user   tenant.UserNum // zero for a guest
	tenant tenant.Key     // empty for a guest
}

func (v visitor) userType() int {
	if v.user == 0 {
		return GuestType
	}
	return UserType
}

// admits says whether v may do something: several entries for one permission,
// and several checkers in it, combine with OR; without any entry the people of the tenant may.
func (r Reserve) admits(permission int, v visitor) bool {
	if v.user != 0 && (v.user == r.Owner || v.user == r.Creator) {
		return true
	}
	asked := false
	for _, p := range r.Settings.ActionPermissions {
		if p.Permission != permission {
			continue
		}
		asked = true
		if slices.ContainsFunc(p.Checkers, func(c Checker) bool { return c.passes(v) }) {
			return true
		}
	}
	return !asked && v.tenant == r.Tenant
}

func (c Checker) passes(v visitor) bool {
	var mine string
	switch c.Field {
	case byUser:
		mine = strconv.FormatInt(int64(v.user), 10)
	case byType:
		mine = strconv.Itoa(v.userType())
	case byTenant:
		mine = string(v.tenant)
	}
	return slices.Contains(c.List, mine) == (c.Mode == allow)
}

func checkPermissions(ps []ActionPermission) error {
	const name = "meeting_settings.action_permissions"
	for _, p := range ps {
		if p.Permission < MayHost || p.Permission > MayJoin {
			return field.Invalid(name+".permission", "must be 1 (be host), 2 (invite) or 3 (join)")
		}
		if len(p.Checkers) == 0 {
			return field.Invalid(name+".permission_checkers", "must have at least one entry")
		}
		for _, c := range p.Checkers {
			switch {
			case c.Field < byUser || c.Field > byTenant:
				return field.Invalid(name+".permission_checkers.check_field", "must be 1 (user id), 2 (user type) or 3 (tenant key)")
			case c.Mode != allow && c.Mode != deny:
				return field.Invalid(name+".permission_checkers.check_mode", "must be 1 (allow-list) or 2 (deny-list)")
			case len(c.List) == 0:
				return field.Invalid(name+".permission_checkers.check_list", "must have at least one entry")
			}
		}
	}
	return nil
}
