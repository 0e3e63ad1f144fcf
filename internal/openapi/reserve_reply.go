package openapi

import (
	"context"
	"errors"
	"strconv"

	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

// reserveReply is data.reserve (contract vc.md §3). live_link is left out: this server has no live pages.
type reserveReply struct {
	ID           string         `json:"id"`
	MeetingNo    string         `json:"meeting_no"`
	Password     string         `json:"password"`
	URL          string         `json:"url"`
	AppLink      string         `json:"app_link,omitempty"`
	EndTime      string         `json:"end_time"` // unix seconds
	ExpireStatus int            `json:"expire_status,omitempty"`
	UserID       string         `json:"reserve_user_id,omitempty"`
	Settings     *settingsReply `json:"meeting_settings,omitempty"`
}

type reservedReply struct {
	Reserve    reserveReply `json:"reserve"`
	Correction correction   `json:"reserve_correction_check_info"`
}

type correction struct {
	InvalidHosts []string `json:"invalid_host_id_list"`
}

type settingsReply struct {
	Topic             string                     `json:"topic"`
	ActionPermissions []meeting.ActionPermission `json:"action_permissions,omitempty"`
	InitialType       int                        `json:"meeting_initial_type"`
	Connect           bool                       `json:"meeting_connect"`
	Call              *meeting.CallSetting       `json:"call_setting,omitempty"`
	AutoRecord        bool                       `json:"auto_record"`
	AssignHosts       []assignedHost             `json:"assign_host_list,omitempty"`
}

type assignedHost struct {
	UserType int    `json:"user_type"`
	ID       string `json:"id"`
}

// Values of expire_status.
const (
	notExpired = 1
	expired    = 2
)

func (a *API) reserveReply(r meeting.Reserve) reserveReply {
	return reserveReply{
		ID: number(r.ID), MeetingNo: r.No, Password: r.Password, URL: a.links.Meeting(r.No), EndTime: number(r.EndAt.Unix()),
	}
}

func (a *API) expireStatus(r meeting.Reserve) int {
	if r.Expired(a.now()) {
		return expired
	}
	return notExpired
}

func (a *API) settingsReply(ctx context.Context, c *call, s meeting.Settings) (*settingsReply, error) {
	out := &settingsReply{Topic: s.Topic, InitialType: s.InitialType, Connect: s.Connect, Call: s.Call, AutoRecord: s.AutoRecord}
	for _, n := range s.AssignHosts {
		id, err := a.idOf(ctx, c, n)
		if err != nil {
			return nil, err
		}
		out.AssignHosts = append(out.AssignHosts, assignedHost{meeting.UserType, id})
	}
	for _, p := range s.ActionPermissions {
		shown := meeting.ActionPermission{Permission: p.Permission}
		for _, k := range p.Checkers {
			if k.Field == byUserID {
				list, err := a.showList(ctx, c, k.List)
				if err != nil {
					return nil, err
				}
				k.List = list
			}
			shown.Checkers = append(shown.Checkers, k)
		}
		out.ActionPermissions = append(out.ActionPermissions, shown)
	}
	return out, nil
}

// showList turns kept numbers back into the caller's kind of person ids.
func (a *API) showList(ctx context.Context, c *call, nums []string) ([]string, error) {
	out := make([]string, len(nums))
	for i, text := range nums {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, errors.New("a checker's list of people holds something else than a number")
		}
		if out[i], err = a.idOf(ctx, c, tenant.UserNum(n)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
