package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"huilu/internal/demo"
)

type demoCmd struct {
	Seconds int    `default:"20" help:"How long people talk."`
	People  int    `default:"2" help:"How many people meet."`
	Out     string `help:"Folder for the recording; a temporary one when not given." placeholder:"DIR" type:"path"`
	JSON    bool   `help:"Print one JSON object for programs."`
	Verbose bool   `help:"Show the server's log too."`
}

// Run does the demo. It fails when a check of the recording failed.
func (d demoCmd) Run(c *console) error {
	var log io.Writer = io.Discard
	if d.Verbose {
		log = c.err
	}
	s, err := demo.Run(c.ctx, demo.Options{
		Seconds: d.Seconds, People: d.People, Folder: d.Out, Say: c.err, Log: slog.New(slog.NewTextHandler(log, nil)), Environ: c.environ,
	})
	if err != nil {
		return err
	}
	if d.JSON {
		err = json.NewEncoder(c.out).Encode(s)
	} else {
		_, err = fmt.Fprintf(c.out, "\nmeeting    %s\nurl        %s\nduration   %.1f s\nready      %.1f s after the end\nevent      %s\nfile       %s\n",
			s.MeetingID, s.URL, float64(s.DurationMS)/1000, float64(s.ReadyAfterMS)/1000, s.EventID, s.File)
	}
	if err == nil && !s.OK() {
		err = errors.New("the recording did not pass every check; see above")
	}
	return err
}
