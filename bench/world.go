package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"time"

	"huilu/internal/app"
	"huilu/internal/config"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// world is a whole server in this process, with a tenant.
type world struct {
	*app.App
	e     *env
	org   tenant.Tenant
	hired int // accounts made so far
	stop  context.CancelFunc
	ended chan error
}

// open starts a server in a folder of its own. settings are those that differ from the usual ones.
func (e *env) open(ctx context.Context, name string, settings map[string]string) (*world, error) {
	flags := map[string]string{
		"data": filepath.Join(e.folder, name), "listen": "127.0.0.1:0", "sfu.udp_port": "0", "sfu.tcp_port": "0", "meeting.empty_after": "5s",
	}
	maps.Copy(flags, settings)
	cfg, err := config.Load(config.Source{Flags: flags})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	a, err := app.New(ctx, cfg, e.log)
	if err != nil {
		stop()
		return nil, err
	}
	w := &world{App: a, e: e, stop: stop, ended: make(chan error, 1)}
	go func() { w.ended <- a.Run(ctx) }()
	if err := w.answers(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if w.org, err = a.Tenants.Create(ctx, "Bench"); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// answers waits until the server says that it can do its work.
func (w *world) answers(ctx context.Context) error {
	return eventually(ctx, 30*time.Second, "the server answers", func() (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.URL()+"/readyz", nil)
		if err != nil {
			return false, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, nil
		}
		return resp.StatusCode == http.StatusOK, resp.Body.Close()
	})
}

func (w *world) close() error {
	w.stop()
	return <-w.ended
}

// eventually waits until f is true. An error of f ends the waiting.
func eventually(ctx context.Context, limit time.Duration, what string, f func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		if ok, err := f(); err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %v, and still not: %s", limit, what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// gathering is a meeting with people in it.
type gathering struct {
	w    *world
	id   int64
	host tenant.Actor
	part int // of the recording, the last one begun
}

// gather lets people meet: rooms meetings of each persons. They are in a child process, which done ends.
func (w *world) gather(ctx context.Context, rooms, each int) (all []*gathering, done func(), err error) {
	cast := cast{Base: w.URL(), Folder: filepath.Join(w.e.folder, "people")}
	for range rooms {
		var host tenant.User
		for i := range each {
			w.hired++
			spec := tenant.UserSpec{Name: fmt.Sprint("Person ", w.hired), Email: fmt.Sprintf("person%d@bench.invalid", w.hired), Password: "benchmark password"}
			u, err := w.Tenants.CreateUser(ctx, w.org.Key, spec)
			if err != nil {
				return nil, nil, err
			}
			if i == 0 {
				host = u
			}
			cast.People = append(cast.People, role{Email: spec.Email, Password: string(spec.Password), Index: i})
		}
		actor := tenant.Actor{Tenant: w.org.Key, User: host.Num}
		r, err := w.Meetings.Apply(ctx, actor, meeting.ReserveSpec{EndAt: time.Now().Add(time.Hour), Settings: meeting.Settings{Topic: "Bench"}})
		if err != nil {
			return nil, nil, err
		}
		for i := range each {
			cast.People[len(cast.People)-1-i].No = r.No
		}
		all = append(all, &gathering{w: w, host: actor})
	}
	entered, done, err := enter(ctx, cast)
	if err != nil {
		return nil, nil, err
	}
	for i, g := range all {
		g.id = entered[i*each]
	}
	return all, done, nil
}

// record starts recording, as soon as the server has seen the host come.
func (g *gathering) record(ctx context.Context) error {
	g.part++
	return eventually(ctx, 10*time.Second, "recording starts", func() (bool, error) {
		return g.w.Recordings.Start(ctx, g.host, g.id, nil) == nil, nil
	})
}

func (g *gathering) pause(ctx context.Context) error { return g.w.Recordings.Stop(ctx, g.host, g.id) }

// recording is the meeting's recording as it is stored.
func (g *gathering) recording(ctx context.Context) (recording.Recording, error) {
	return g.w.DB.Recordings().ByMeeting(ctx, g.host.Tenant, g.id)
}

// folder is where the meeting is captured.
func (g *gathering) folder(ctx context.Context) (string, error) {
	r, err := g.recording(ctx)
	return filepath.Join(g.w.Config.Data, "capture", r.ID.String()), err
}
