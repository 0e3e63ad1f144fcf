package openapi

import (
	"context"
	"errors"
	"time"

	"huilu/internal/field"
	"huilu/internal/ident"
	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

var (
	withParticipants = Field{Name: "with_participants", Kind: Bool, Text: "list who took part"}
	withAbility      = Field{Name: "with_meeting_ability", Kind: Bool, Text: "say what was used in the meeting; with a tenant token only"}
	queryMode        = Field{Name: "query_mode", Kind: Int, Min: 0, Max: 1, Text: "1: only related artifacts, of which this server has none"}
)

var listByNoQuery = []Field{
	{Name: "meeting_no", Kind: Text, Required: true, Text: "nine digits"},
	{Name: "start_time", Kind: Int64, Required: true, Min: 0, Max: maxSecond, Text: "unix seconds"},
	{Name: "end_time", Kind: Int64, Required: true, Min: 0, Max: maxSecond, Text: "unix seconds, at most 90 days later"},
	{Name: "page_token", Kind: Text, Text: "from the page before"},
	{Name: "page_size", Kind: Int, Min: 1, Max: 50, Text: "20 when left out"},
}

const defaultPage = 20

func (a *API) getMeeting(ctx context.Context, c *call) (any, error) {
	id, err := c.meetingID()
	if err != nil {
		return nil, err
	}
	m, err := a.meetings.Get(ctx, c.caller.Actor(), id)
	if err != nil || c.query.int(queryMode.Name) == 1 {
		return nil, err
	}
	reply, err := a.meetingReply(ctx, c, m)
	return meetingData{reply}, err
}

func (a *API) endMeeting(ctx context.Context, c *call) (any, error) {
	id, err := c.meetingID()
	if err != nil {
		return nil, err
	}
	return nil, a.meetings.End(ctx, c.caller.Actor(), id)
}

func (a *API) listByNo(ctx context.Context, c *call) (any, error) {
	no := c.query.text("meeting_no")
	from, to := timeOf(c.query, "start_time"), timeOf(c.query, "end_time")
	switch {
	case !ident.IsMeetingNo(no):
		return nil, field.Invalid("meeting_no", "must be nine digits")
	case to.Before(from):
		return nil, field.Invalid("end_time", "must not be before start_time")
	case to.Sub(from) > meeting.Visible:
		return nil, field.Invalid("end_time", "must be at most 90 days after start_time")
	}
	size := defaultPage
	if c.query.has("page_size") {
		size = c.query.int("page_size")
	}
	// end_time is inside the range, as the original has it
	briefs, next, err := a.meetings.ByNo(ctx, c.caller.Actor(), no, from, to.Add(time.Second), c.query.text("page_token"), size)
	if err != nil {
		return nil, err
	}
	reply := briefsReply{HasMore: next != "", PageToken: next, Briefs: make([]brief, 0, len(briefs))}
	for _, b := range briefs {
		reply.Briefs = append(reply.Briefs, brief{ID: number(b.ID), Topic: b.Topic, URL: a.links.Meeting(b.No), MeetingNo: b.No})
	}
	return reply, nil
}

// briefsReply is the answer of list_by_no. page_token is absent on the last page: Go's iterators loop on an empty one.
type briefsReply struct {
	HasMore   bool    `json:"has_more"`
	PageToken string  `json:"page_token,omitempty"`
	Briefs    []brief `json:"meeting_briefs"`
}

type brief struct {
	ID        string `json:"id"`
	Topic     string `json:"topic"`
	URL       string `json:"url"`
	MeetingNo string `json:"meeting_no"`
}

func (c *call) meetingID() (int64, error) {
	return meeting.ParseID("meeting_id", c.PathValue("meeting_id"))
}

// meetingData is data of the calls that answer with one meeting.
type meetingData struct {
	Meeting meetingReply `json:"meeting"`
}

// meetingReply is data.meeting (contract vc.md §4). Times are unix seconds; those that have not come yet are left out.
type meetingReply struct {
	ID           string            `json:"id"`
	Topic        string            `json:"topic"`
	URL          string            `json:"url"`
	MeetingNo    string            `json:"meeting_no"`
	Password     string            `json:"password"`
	CreateTime   string            `json:"create_time"`
	StartTime    string            `json:"start_time,omitempty"`
	EndTime      string            `json:"end_time,omitempty"`
	HostUser     *hostReply        `json:"host_user,omitempty"`
	Connect      bool              `json:"meeting_connect"`
	Status       int               `json:"status"`
	Peak         string            `json:"participant_count"`
	Total        string            `json:"participant_count_accumulated"`
	Participants []participantItem `json:"participants,omitempty"`
	Ability      *ability          `json:"ability,omitempty"`
}

type hostReply struct {
	ID       string `json:"id"`
	UserType int    `json:"user_type"`
}

// ability says what was used. What this server does not keep is left out, what it does not have is false.
type ability struct {
	UseRecording    bool `json:"use_recording"`
	UseFollowScreen bool `json:"use_follow_screen"`
	UsePSTN         bool `json:"use_pstn"`
}

func (a *API) meetingReply(ctx context.Context, c *call, m meeting.Meeting) (meetingReply, error) {
	r, err := a.meetings.ReserveOf(ctx, m)
	if err != nil && !errors.Is(err, meeting.ErrReserveNotFound) {
		return meetingReply{}, err
	}
	stays, err := a.meetings.Participants(ctx, m)
	if err != nil {
		return meetingReply{}, err
	}
	attended := attendance(stays, a.now())
	out := meetingReply{
		ID: number(m.ID), Topic: m.Topic, URL: a.links.Meeting(m.No), MeetingNo: m.No, Password: r.Password,
		CreateTime: number(m.CreatedAt.Unix()), StartTime: secondsOf(m.StartedAt), EndTime: secondsOf(m.EndedAt),
		Connect: r.Settings.Connect, Status: int(m.Status), Peak: number(int64(m.Peak)), Total: number(int64(len(attended))),
	}
	if m.Host != 0 {
		id, err := a.idOf(ctx, c, m.Host)
		if err != nil {
			return out, err
		}
		out.HostUser = &hostReply{id, meeting.UserType}
	}
	if c.query.bool(withParticipants.Name) {
		if out.Participants, err = a.participants(ctx, c, m, attended); err != nil {
			return out, err
		}
	}
	if c.query.bool(withAbility.Name) && c.caller.Actor().IsApp() {
		out.Ability, err = a.ability(ctx, c, m)
	}
	return out, err
}

func (a *API) ability(ctx context.Context, c *call, m meeting.Meeting) (*ability, error) {
	f, err := a.recordings.Fetch(ctx, tenant.Actor{Tenant: c.caller.Tenant.Key, App: c.caller.App.ID}, m.ID)
	if err != nil && !f.Found {
		return nil, err
	}
	return &ability{UseRecording: f.State != ""}, nil
}

// secondsOf is unix seconds as text, empty for a time that has not come.
func secondsOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return number(t.Unix())
}
