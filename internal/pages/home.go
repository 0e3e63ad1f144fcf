package pages

import (
	"context"
	"strconv"
	"time"

	"huilu/internal/field"
	"huilu/internal/library"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// Home lists a person's meetings, which crosses reserves, meetings and recordings in one query.
type Home interface {
	// Mine lists, newest first by ID, what a person of tenant t reserved, owns or took part in: every meeting that
	// began, and every reserve under which people may meet at now and never did. Only lines with an ID below before, at most limit.
	Mine(ctx context.Context, t tenant.Key, u tenant.UserNum, now time.Time, before int64, limit int) ([]library.Line, error)
}

const homePage = 30 // lines

type meetingJSON struct {
	MeetingID    *string        `json:"meeting_id"`
	MeetingNo    string         `json:"meeting_no"`
	URL          string         `json:"url"`
	Topic        string         `json:"topic"`
	Status       string         `json:"status"`
	StartMS      *int64         `json:"start_ms"`
	EndMS        *int64         `json:"end_ms"`
	IsOwner      bool           `json:"is_owner"`
	Participants int            `json:"participants"`
	Recording    *recordingJSON `json:"recording"`
}

type recordingJSON struct {
	State       recording.State `json:"state"`
	MinuteToken *string         `json:"minute_token"`
	DurationMS  *int64          `json:"duration_ms"`
	Progress    *float64        `json:"progress"`
	Cause       *string         `json:"cause"`
}

type listJSON[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next"`
}

// listMeetings answers a page of the home list. The cursor is the id of the last line before it.
func (p *Pages) listMeetings(r *request) (any, error) {
	before := int64(1<<63 - 1)
	if c := r.URL.Query().Get("cursor"); c != "" {
		var err error
		if before, err = meeting.ParseID("cursor", c); err != nil {
			return nil, err
		}
	}
	lines, err := p.Home.Mine(r.Context(), r.who.Tenant, r.who.Num, p.Now(), before, homePage+1)
	if err != nil {
		return nil, err
	}
	out := listJSON[meetingJSON]{Items: []meetingJSON{}}
	if len(lines) > homePage {
		lines = lines[:homePage]
		out.Next = new(strconv.FormatInt(lines[homePage-1].ID, 10))
	}
	for _, l := range lines {
		out.Items = append(out.Items, p.line(l, r.who.Num))
	}
	return out, nil
}

var statusWords = map[meeting.Status]string{meeting.Calling: "reserved", meeting.Running: "running", meeting.Ended: "ended"}

func (p *Pages) line(l library.Line, viewer tenant.UserNum) meetingJSON {
	m := meetingJSON{
		MeetingNo: l.No, URL: p.meetingURL(l.No), Topic: l.Topic, Status: statusWords[l.Status],
		StartMS: optionalMS(l.StartedAt), EndMS: optionalMS(l.EndedAt), IsOwner: l.Owner == viewer, Participants: l.Participants,
	}
	if l.Meeting != 0 {
		m.MeetingID = new(strconv.FormatInt(l.Meeting, 10))
		m.Recording = recordingOf(l, m.IsOwner)
	}
	return m
}

// recording tells everybody who was there that there is one, and its owner where and what became of it.
func recordingOf(l library.Line, isOwner bool) *recordingJSON {
	out := &recordingJSON{State: l.State}
	if l.State == "" {
		out.State = "none"
	}
	switch {
	case l.State == recording.Processing && l.Progress > 0:
		out.Progress = new(l.Progress)
	case l.State == recording.Ready:
		out.DurationMS = new(l.Duration.Milliseconds())
	}
	if isOwner && l.State == recording.Ready {
		out.MinuteToken = new(l.Minute)
	}
	if isOwner && l.State == recording.Failed && l.Cause != "" {
		out.Cause = new(l.Cause)
	}
	return out
}

func (p *Pages) meetingURL(no string) string { return p.BaseURL + "/j/" + no }

func optionalMS(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.UnixMilli())
}

// reserveLife is how long a meeting made here may be used: the contract's longest (vc.md §3).
const reserveLife = meeting.MaxAhead

// reserve makes a meeting number for the person who asks, who owns it.
func (p *Pages) reserve(r *request) (any, error) {
	var in struct {
		Topic      string `json:"topic"`
		AutoRecord bool   `json:"auto_record"`
		Guests     bool   `json:"guests"`
		Password   string `json:"password"` // empty: none
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	set := meeting.Settings{Topic: in.Topic, AutoRecord: in.AutoRecord}
	if in.Guests {
		set.ActionPermissions = []meeting.ActionPermission{meeting.GuestsWelcome()}
	}
	res, err := p.Meetings.Apply(r.Context(), r.who.actor(), meeting.ReserveSpec{EndAt: p.Now().Add(reserveLife), Settings: set, Password: &in.Password})
	if err != nil {
		return nil, err
	}
	return struct {
		MeetingNo string `json:"meeting_no"`
		URL       string `json:"url"`
	}{res.No, p.meetingURL(res.No)}, nil
}

// meetingID reads the id in the path. One that is no number belongs to no meeting.
func meetingID(r *request) (int64, error) {
	id, err := meeting.ParseID("meeting_id", r.PathValue("meeting_id"))
	if _, bad := err.(*field.Error); bad {
		return 0, meeting.ErrNotFound
	}
	return id, err
}
