package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"huilu/internal/app"
	"huilu/internal/config"
	"huilu/internal/health"
)

type doctorCmd struct {
	JSON    bool `help:"Print one JSON object for programs."`
	Running bool `help:"The server is running: do not complain that its ports are taken."`
}

type diagnosis struct {
	OK       bool             `json:"ok"`
	Problems []health.Problem `json:"problems"`
	Settings []config.Entry   `json:"settings"`
}

// Run checks everything that can be checked from outside. A data folder that is there gets what a first start would make in it;
// one that is not is left so.
func (d doctorCmd) Run(c *console) error {
	cfg, err := c.load(nil)
	if err != nil {
		return err
	}
	found := diagnosis{Problems: []health.Problem{}, Settings: cfg.Entries()}
	found.Problems = append(found.Problems, c.examine(cfg, d.Running)...)
	found.OK = health.Ready(found.Problems)
	if d.JSON {
		err = json.NewEncoder(c.out).Encode(found)
	} else {
		c.report(found)
	}
	if err == nil && !found.OK {
		err = errors.New("this server cannot do its work until the problems above are mended")
	}
	return err
}

func (c *console) examine(cfg config.Config, running bool) []health.Problem {
	var ps []health.Problem
	if _, err := os.Stat(cfg.Data); err == nil {
		ps = append(ps, health.Disk(cfg.Data)...)
		core, err := app.OpenCore(c.ctx, cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			ps = append(ps, health.Problem{Code: "open", Fatal: true, EN: err.Error(), ZH: err.Error()})
		} else if err := core.Close(); err != nil {
			ps = append(ps, health.Problem{Code: "close", EN: err.Error(), ZH: err.Error()})
		}
	} else {
		ps = append(ps, health.Folder(cfg.Data)...)
	}
	ps = append(ps, health.Strays(cfg)...)
	ps = append(ps, health.Certificate(cfg, time.Now())...)
	ps = append(ps, health.Programs(c.ctx, cfg)...)
	ps = append(ps, health.Camera(cfg)...)
	ps = append(ps, health.Clock(cfg, time.Now())...)
	if !running {
		ps = append(ps, health.Ports(cfg)...)
	}
	return ps
}

func (c *console) report(d diagnosis) {
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SETTING\tVALUE\tFROM\tMEANING")
	for _, e := range d.Settings {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.Name, e.Value, e.Origin, e.Text)
	}
	_ = w.Flush()
	fmt.Fprintln(c.out)
	for _, p := range d.Problems {
		mark := "warning"
		if p.Fatal {
			mark = "PROBLEM"
		}
		fmt.Fprintf(c.out, "%s  %s\n         %s\n", mark, p.EN, p.ZH)
	}
	if len(d.Problems) == 0 {
		fmt.Fprintln(c.out, "All is well. 一切正常。")
	}
}
