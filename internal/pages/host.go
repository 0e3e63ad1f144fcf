package pages

import (
	"context"

	"huilu/internal/field"
	"huilu/internal/tenant"
)

// record starts or stops the recording of a running meeting. Only its host may.
func (p *Pages) record(r *request) (any, error) {
	id, err := meetingID(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Action string `json:"action"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	switch in.Action {
	case "start":
		return nil, p.Recordings.Start(r.Context(), r.who.actor(), id, nil)
	case "stop":
		return nil, p.Recordings.Stop(r.Context(), r.who.actor(), id)
	}
	return nil, field.Invalid("action", "must be start or stop")
}

// end ends a meeting for everybody.
func (p *Pages) end(r *request) (any, error) {
	id, err := meetingID(r)
	if err != nil {
		return nil, err
	}
	return nil, p.Meetings.End(r.Context(), r.who.actor(), id)
}

func (p *Pages) kick(r *request) (any, error)     { return r.toParticipant(p.Meetings.Kick) }
func (p *Pages) mute(r *request) (any, error)     { return r.toParticipant(p.Meetings.Mute) }
func (p *Pages) giveHost(r *request) (any, error) { return r.toParticipant(p.Meetings.GiveHost) }

// toParticipant does something to one participant of a meeting.
func (r *request) toParticipant(do func(context.Context, tenant.Actor, int64, string) error) (any, error) {
	id, err := meetingID(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Identity string `json:"identity"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.Identity == "" {
		return nil, field.Invalid("identity", "is required")
	}
	return nil, do(r.Context(), r.who.actor(), id, in.Identity)
}
