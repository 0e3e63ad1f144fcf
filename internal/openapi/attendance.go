package openapi

import (
	"context"
	"errors"
	"strconv"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

// attendee is one person over all their stays in a meeting. Someone may be
// inside twice at once, with two devices: that time counts once.
type attendee struct {
	user     tenant.UserNum // zero for a guest
	guest    string         // participant id of a guest
	userType int
	joined   time.Time // first
	left     time.Time // last; of somebody inside, the time of asking
	stayed   time.Duration
	inside   bool
}

// attendance folds stays, which come in the order of joining, into people. A
// guest has no identity beyond one page load, so each stay of a guest is a person.
// Stays that go on are counted until now.
func attendance(stays []meeting.Participant, now time.Time) []attendee {
	var out []attendee
	at := map[string]int{}
	for _, p := range stays {
		if p.JoinedAt.IsZero() {
			continue
		}
		key := p.ID
		if p.User != 0 {
			key = strconv.FormatInt(int64(p.User), 10)
		}
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			out = append(out, attendee{user: p.User, guest: p.ID, userType: p.UserType(), joined: p.JoinedAt})
		}
		out[i].add(p, now)
	}
	return out
}

// add counts one stay, without the time that an earlier one has covered.
func (t *attendee) add(p meeting.Participant, now time.Time) {
	until := p.LeftAt
	if p.Inside() {
		t.inside, until = true, now
	}
	if until.After(t.left) {
		t.stayed += until.Sub(later(p.JoinedAt, t.left))
		t.left = until
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Values of participant.status.
const (
	statusInside = 2
	statusLeft   = 4
)

// participantItem is an entry of participants (contract vc.md §4).
type participantItem struct {
	ID         string `json:"id"`
	FirstJoin  string `json:"first_join_time"`
	FinalLeave string `json:"final_leave_time,omitempty"`
	Duration   string `json:"in_meeting_duration"` // seconds
	UserType   int    `json:"user_type"`
	IsHost     bool   `json:"is_host"`
	IsCohost   bool   `json:"is_cohost"`
	IsExternal bool   `json:"is_external"`
	Status     int    `json:"status"`
}

func (a *API) participants(ctx context.Context, c *call, m meeting.Meeting, people []attendee) ([]participantItem, error) {
	out := make([]participantItem, 0, len(people))
	for _, t := range people {
		item := participantItem{
			ID: t.guest, FirstJoin: number(t.joined.Unix()), UserType: t.userType, IsExternal: true,
			IsHost: t.user != 0 && t.user == m.Host, Status: statusLeft, FinalLeave: secondsOf(t.left), Duration: number(int64(t.stayed / time.Second)),
		}
		if t.inside {
			item.Status, item.FinalLeave = statusInside, ""
		}
		if t.user != 0 {
			var err error
			if item.ID, err = a.idOf(ctx, c, t.user); err != nil {
				return nil, err
			}
			if item.IsExternal, err = a.external(ctx, c, t.user); err != nil {
				return nil, err
			}
		}
		out = append(out, item)
	}
	return out, nil
}

// external reports whether a person has their account in another tenant.
func (a *API) external(ctx context.Context, c *call, n tenant.UserNum) (bool, error) {
	_, err := a.tenants.User(ctx, c.caller.Tenant.Key, n)
	if errors.Is(err, tenant.ErrNotFound) {
		return true, nil
	}
	return false, err
}
