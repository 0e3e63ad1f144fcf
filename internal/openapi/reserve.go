package openapi

import (
	"context"
	"errors"
	"strconv"
	"time"

	"huilu/internal/field"
	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

// maxSecond is the last second of the year 9999: larger times are no times.
const maxSecond = 253402300799

// reserveFields is the body of apply and update (contract vc.md §3).
func reserveFields(apply bool) []Field {
	fields := []Field{
		{Name: "end_time", Kind: Int64, Min: 1, Max: maxSecond, Text: "when the number is freed, unix seconds, at most 30 days ahead; needed for a group meeting"},
		{Name: "meeting_settings", Kind: Object, Required: apply, Fields: settingsFields, Text: "rules of the meetings under the reserve"},
	}
	if apply {
		fields = append(fields, Field{Name: "owner_id", Kind: Text, Text: "who owns the meetings; needed with a tenant token, ignored with a user token"})
	}
	return fields
}

var settingsFields = []Field{
	{Name: "topic", Kind: Text, Text: "title, at most 255 characters; the owner's name when empty"},
	{Name: "action_permissions", Kind: List, Item: Object, Min: 0, Max: 100, Text: "who may do what; entries for one permission combine with OR", Fields: []Field{
		{Name: "permission", Kind: Int, Required: true, Text: "1 be host, 2 invite, 3 join"},
		{Name: "permission_checkers", Kind: List, Item: Object, Required: true, Max: 100, Text: "any one of them is enough", Fields: []Field{
			{Name: "check_field", Kind: Int, Required: true, Text: "1 user id, 2 user type, 3 tenant key"},
			{Name: "check_mode", Kind: Int, Required: true, Text: "1 allow-list, 2 deny-list"},
			{Name: "check_list", Kind: List, Item: Text, Required: true, Max: 1000},
		}},
	}},
	{Name: "meeting_initial_type", Kind: Int, Text: "1 group meeting, 2 one-to-one call"},
	{Name: "meeting_connect", Kind: Bool, Text: "kept; cannot be changed by update"},
	{Name: "call_setting", Kind: Object, Text: "one-to-one calls only", Fields: []Field{
		{Name: "callee", Kind: Object, Fields: []Field{
			{Name: "id", Kind: Text, Max: 200},
			{Name: "user_type", Kind: Int, Required: true, Min: 6, Max: 6, Text: "6, a telephone"},
			{Name: "pstn_sip_info", Kind: Object, Fields: []Field{
				{Name: "nickname", Kind: Text, Max: 200},
				{Name: "main_address", Kind: Text, Required: true, Min: 1, Max: 64, Text: "telephone number such as +86-02187654321"},
			}},
		}},
	}},
	{Name: "auto_record", Kind: Bool, Text: "record each meeting from its start; not for one-to-one calls"},
	{Name: "assign_host_list", Kind: List, Item: Object, Max: 1000, Text: "people who may be host, at most 10", Fields: []Field{
		{Name: "user_type", Kind: Int, Min: 1, Max: 1, Text: "1, a person"},
		{Name: "id", Kind: Text, Required: true},
	}},
	{Name: "password", Kind: Text, Text: "4 to 9 digits; empty for none"},
}

func (a *API) applyReserve(ctx context.Context, c *call) (any, error) {
	spec := meeting.ReserveSpec{EndAt: timeOf(c.body, "end_time")}
	if c.caller.Actor().IsApp() {
		if c.body.text("owner_id") == "" {
			return nil, invalid("owner_id", "owner_id is required with a tenant access token")
		}
		owner, err := a.person(ctx, c, c.body.text("owner_id"))
		if err != nil {
			return nil, err
		}
		spec.Owner = owner.Num
	}
	in, err := a.settings(ctx, c, c.body.object("meeting_settings"))
	if err != nil {
		return nil, err
	}
	spec.Settings, spec.Password = in.whole(), in.change.Password
	r, err := a.meetings.Apply(ctx, c.caller.Actor(), spec)
	if err != nil {
		return nil, err
	}
	reply := a.reserveReply(r)
	reply.AppLink = a.links.App(r.No)
	return reservedReply{reply, correction{in.invalidHosts}}, nil
}

func (a *API) updateReserve(ctx context.Context, c *call) (any, error) {
	id, err := c.reserveID()
	if err != nil {
		return nil, err
	}
	in, err := a.settings(ctx, c, c.body.object("meeting_settings"))
	if err != nil {
		return nil, err
	}
	if c.body.has("end_time") {
		in.change.EndAt = new(timeOf(c.body, "end_time"))
	}
	r, err := a.meetings.Update(ctx, c.caller.Actor(), id, in.change)
	if err != nil {
		return nil, err
	}
	reply := a.reserveReply(r)
	reply.ExpireStatus = a.expireStatus(r)
	return reservedReply{reply, correction{in.invalidHosts}}, nil
}

func (a *API) deleteReserve(ctx context.Context, c *call) (any, error) {
	id, err := c.reserveID()
	if err != nil {
		return nil, err
	}
	return nil, a.meetings.Delete(ctx, c.caller.Actor(), id)
}

func (a *API) getReserve(ctx context.Context, c *call) (any, error) {
	id, err := c.reserveID()
	if err != nil {
		return nil, err
	}
	r, err := a.meetings.Reserve(ctx, c.caller.Actor(), id)
	if err != nil {
		return nil, err
	}
	reply := a.reserveReply(r)
	reply.AppLink, reply.ExpireStatus = a.links.App(r.No), a.expireStatus(r)
	if reply.Settings, err = a.settingsReply(ctx, c, r.Settings); err != nil {
		return nil, err
	}
	if r.Creator != 0 {
		reply.UserID, err = a.idOf(ctx, c, r.Creator)
	} else {
		reply.UserID, err = a.idOf(ctx, c, r.Owner) // an app reserved in its own name: the owner stands in
	}
	return struct {
		Reserve reserveReply `json:"reserve"`
	}{reply}, err
}

func (a *API) getActiveMeeting(ctx context.Context, c *call) (any, error) {
	id, err := c.reserveID()
	if err != nil {
		return nil, err
	}
	m, err := a.meetings.Active(ctx, c.caller.Actor(), id)
	if err != nil {
		return nil, err
	}
	reply, err := a.meetingReply(ctx, c, m)
	return meetingData{reply}, err
}

func (c *call) reserveID() (int64, error) {
	return meeting.ParseID("reserve_id", c.PathValue("reserve_id"))
}

// timeOf reads unix seconds; zero when the field is absent.
func timeOf(o object, name string) time.Time {
	if !o.has(name) {
		return time.Time{}
	}
	return time.Unix(o.int64(name), 0).UTC()
}

// settingsInput is meeting_settings as read, with what was left out still nil.
type settingsInput struct {
	change       meeting.ReserveChange
	connect      bool
	invalidHosts []string // accounts that are disabled: left out and named in the answer
}

// whole is the input of apply, where left out and empty are the same.
func (in settingsInput) whole() (s meeting.Settings) {
	c := in.change
	s.Connect, s.Call = in.connect, c.Call
	fill(&s.Topic, c.Topic)
	fill(&s.ActionPermissions, c.ActionPermissions)
	fill(&s.InitialType, c.InitialType)
	fill(&s.AutoRecord, c.AutoRecord)
	fill(&s.AssignHosts, c.AssignHosts)
	return s
}

func fill[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (a *API) settings(ctx context.Context, c *call, o object) (in settingsInput, err error) {
	in.connect = o.bool("meeting_connect")
	in.invalidHosts = []string{}
	if o.has("topic") {
		in.change.Topic = new(o.text("topic"))
	}
	if o.has("meeting_initial_type") {
		in.change.InitialType = new(o.int("meeting_initial_type"))
	}
	if o.has("auto_record") {
		in.change.AutoRecord = new(o.bool("auto_record"))
	}
	if o.has("password") {
		in.change.Password = new(o.text("password"))
	}
	if o.has("call_setting") {
		in.change.Call = callSetting(o.object("call_setting").object("callee"))
	}
	if o.has("action_permissions") {
		if in.change.ActionPermissions, err = a.permissions(ctx, c, o.objects("action_permissions")); err != nil {
			return in, err
		}
	}
	if o.has("assign_host_list") {
		err = a.hosts(ctx, c, o.objects("assign_host_list"), &in)
	}
	return in, err
}

func callSetting(callee object) *meeting.CallSetting {
	s := &meeting.CallSetting{Callee: meeting.Callee{ID: callee.text("id"), UserType: callee.int("user_type")}}
	if callee.has("pstn_sip_info") {
		p := callee.object("pstn_sip_info")
		s.Callee.PSTN = &meeting.PSTNSIP{Nickname: p.text("nickname"), MainAddress: p.text("main_address")}
	}
	return s
}

// byUserID is the check_field whose list holds person ids.
const byUserID = 1

func (a *API) permissions(ctx context.Context, c *call, list []object) (*[]meeting.ActionPermission, error) {
	out := make([]meeting.ActionPermission, 0, len(list))
	for _, o := range list {
		p := meeting.ActionPermission{Permission: o.int("permission")}
		for _, k := range o.objects("permission_checkers") {
			checker := meeting.Checker{Field: k.int("check_field"), Mode: k.int("check_mode"), List: k.texts("check_list")}
			if checker.Field == byUserID {
				if err := a.resolveList(ctx, c, checker.List); err != nil {
					return nil, err
				}
			}
			p.Checkers = append(p.Checkers, checker)
		}
		out = append(out, p)
	}
	return &out, nil
}

// resolveList replaces person ids by the numbers under which they are kept.
func (a *API) resolveList(ctx context.Context, c *call, ids []string) error {
	for i, id := range ids {
		u, err := a.person(ctx, c, id)
		if err != nil {
			return err
		}
		ids[i] = strconv.FormatInt(int64(u.Num), 10)
	}
	return nil
}

// hosts reads assign_host_list. An id that nobody has is the contract's 123004;
// a disabled account is left out and reported.
func (a *API) hosts(ctx context.Context, c *call, list []object, in *settingsInput) error {
	const name = "meeting_settings.assign_host_list"
	if len(list) > meeting.MaxHosts { // here too, before as many look-ups
		return field.Because(meeting.ErrTooManyHosts, name, "must name at most %d people", meeting.MaxHosts)
	}
	nums := make([]tenant.UserNum, 0, len(list))
	for _, o := range list {
		u, err := a.person(ctx, c, o.text("id"))
		if _, wrong := errors.AsType[*idError](err); wrong {
			return field.Because(meeting.ErrBadHost, name, "must name people of this tenant; %s is none", o.text("id"))
		} else if err != nil {
			return err
		}
		if u.Disabled {
			in.invalidHosts = append(in.invalidHosts, o.text("id"))
			continue
		}
		nums = append(nums, u.Num)
	}
	in.change.AssignHosts = &nums
	return nil
}
