package main

import (
	"context"
	"fmt"

	"huilu/internal/app"
	"huilu/internal/health"
)

type serveCmd struct {
	Listen string `help:"Address of HTTP (default 127.0.0.1:8080)." placeholder:"HOST:PORT"`
	Roles  string `help:"What this process does: api,sfu,recorder,composer (default all)." placeholder:"ROLE,…"`
}

// Run serves until it is told to stop.
func (s serveCmd) Run(c *console) error {
	cfg, err := c.load(map[string]string{"listen": s.Listen, "roles": s.Roles})
	if err != nil {
		return err
	}
	log := c.logger(cfg)
	a, err := app.New(c.ctx, cfg, log)
	if err != nil {
		return err
	}
	if err := c.welcome(a); err != nil {
		stopped, stop := context.WithCancel(c.ctx)
		stop()
		_ = a.Run(stopped) // closes what New opened
		return err
	}
	if err := a.Run(c.ctx); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// welcome prints where to go and, on a first start, how to log in.
func (c *console) welcome(a *app.App) error {
	admin, made, err := a.Bootstrap(c.ctx)
	if err != nil {
		return fmt.Errorf("make the first tenant: %w", err)
	}
	fmt.Fprintf(c.out, "\n  huilu 会录 is at  %s\n", a.URL())
	if made {
		fmt.Fprintf(c.out, "\n  Log in as  %s\n  password   %s\n  This password is shown only now. 此密码仅显示这一次。\n", admin.Email, admin.Password)
	}
	fmt.Fprintln(c.out)
	for _, p := range append(health.Strays(a.Config), a.Problems(c.ctx)...) {
		fmt.Fprintf(c.out, "  ! %s\n    %s\n\n", p.EN, p.ZH)
	}
	return nil
}
