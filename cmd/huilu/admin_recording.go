package main

import (
	"errors"
	"fmt"
	"strconv"

	"huilu/internal/meeting"
	"huilu/internal/recording"
)

type adminRecording struct {
	List  recordingList  `cmd:"" help:"List recordings that failed, or are in another state."`
	Retry recordingRetry `cmd:"" help:"Compose a failed recording once more; what was captured is still there."`
}

type recordingView struct {
	ID       string `json:"recording_id"`
	Meeting  string `json:"meeting_id"`
	Tenant   string `json:"tenant_key"`
	State    string `json:"state"`
	Cause    string `json:"cause"`
	Attempts int    `json:"attempts"`
	Created  string `json:"created"`
}

func viewRecording(r recording.Recording) recordingView {
	return recordingView{
		ID: r.ID.String(), Meeting: strconv.FormatInt(r.Meeting, 10), Tenant: string(r.Tenant),
		State: string(r.State), Cause: r.Cause, Attempts: r.Attempts, Created: stamp(r.CreatedAt),
	}
}

func (v recordingView) row() []string {
	return []string{v.Meeting, v.Tenant, v.State, v.Created, v.Cause}
}

const recordingHead = "MEETING,TENANT,STATE,CREATED,CAUSE"

type recordingList struct {
	State string `enum:"recording,processing,ready,empty,failed,deleted" default:"failed" help:"recording, processing, ready, empty, failed or deleted."`
}

func (p recordingList) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		all, err := o.DB.Recordings().InState(c.ctx, recording.State(p.State))
		if err != nil {
			return err
		}
		views, rows := []recordingView{}, [][]string{}
		for _, r := range all {
			v := viewRecording(r)
			views, rows = append(views, v), append(rows, v.row())
		}
		return o.list(views, recordingHead, rows)
	})
}

type recordingRetry struct {
	Tenant  string `help:"Tenant key; not needed when there is one tenant." placeholder:"KEY"`
	Meeting string `arg:"" help:"Meeting id."`
}

func (p recordingRetry) Run(c *console, a *cli) error {
	return c.in(a, func(o *office) error {
		t, err := o.tenantOf(p.Tenant)
		if err != nil {
			return err
		}
		id, err := meeting.ParseID("meeting id", p.Meeting)
		if err != nil {
			return err
		}
		switch err := o.Recordings.Retry(c.ctx, t.Key, id); {
		case errors.Is(err, recording.ErrNotFound):
			return fmt.Errorf("meeting %s of this tenant has no recording; see huilu admin recording list", p.Meeting)
		case errors.Is(err, recording.ErrMoved):
			return fmt.Errorf("the recording of meeting %s has not failed; see huilu admin recording list --state ready", p.Meeting)
		case err != nil:
			return err
		}
		r, err := o.DB.Recordings().ByMeeting(c.ctx, t.Key, id)
		if err != nil {
			return err
		}
		v := viewRecording(r)
		return o.list(v, recordingHead, [][]string{v.row()})
	})
}
