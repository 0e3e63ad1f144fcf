package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"huilu/internal/importer"
)

type importCmd struct {
	File      string `arg:"" help:"The video." type:"existingfile"`
	Owner     string `required:"" help:"Whose it is: email address or user_id." placeholder:"USER"`
	Tenant    string `help:"Tenant key; not needed when there is one tenant." placeholder:"KEY"`
	Topic     string `help:"Title; the name of the file when not given." placeholder:"T"`
	StartedAt string `help:"When the meeting began, such as 2026-05-01T09:30:00+08:00; default: so that it ended when the file was last changed." placeholder:"TIME"`
	JSON      bool   `help:"Print one JSON object for programs."`
}

type importView struct {
	MeetingID   string `json:"meeting_id"`
	MinuteToken string `json:"minute_token"`
	URL         string `json:"url"`
	DurationMS  int64  `json:"duration_ms"`
}

// Run imports one file into the data of a server, which may be running.
func (p importCmd) Run(c *console) error {
	o, err := c.open(p.JSON)
	if err != nil {
		return err
	}
	return errors.Join(p.in(o), o.Close())
}

func (p importCmd) in(o *office) error {
	t, err := o.tenantOf(p.Tenant)
	if err != nil {
		return err
	}
	owner, err := o.userOf(t.Key, p.Owner)
	if err != nil {
		return err
	}
	src := importer.Source{File: p.File, Owner: owner, Topic: p.Topic}
	if p.StartedAt != "" {
		if src.StartedAt, err = time.Parse(time.RFC3339, p.StartedAt); err != nil {
			return fmt.Errorf("--started-at %q must be a time such as 2026-05-01T09:30:00+08:00", p.StartedAt)
		}
	}
	work, err := o.WorkFolder()
	if err != nil {
		return err
	}
	im := &importer.Importer{
		Work:     work,
		Meetings: o.Meetings, Recordings: o.Recordings, Files: o.Blobs, Within: o.DB.Within, FFmpeg: o.Config.FFmpeg, FFprobe: o.Config.FFprobe,
		Say: func(s string) { fmt.Fprintln(o.c.err, s) },
	}
	done, err := im.Import(o.c.ctx, src)
	if err != nil {
		return err
	}
	return o.printImported(done)
}

func (o *office) printImported(done importer.Imported) error {
	v := importView{strconv.FormatInt(done.Meeting, 10), done.Minute, o.Config.PublicURL + "/minutes/" + done.Minute, done.Duration.Milliseconds()}
	return o.print(v, [2]string{"meeting_id", v.MeetingID}, [2]string{"minute_token", v.MinuteToken}, [2]string{"url", v.URL}, [2]string{"duration_ms", fmt.Sprint(v.DurationMS)})
}
