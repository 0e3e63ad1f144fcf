// Package demo does the main job from end to end, with nobody's hands.
//
//	server    a fresh one in a temporary folder, on free ports of the loopback interface
//	office    a tenant, an app, people
//	reserve   the app reserves a meeting through /open-apis
//	meet      the people log in, open the door and join over WebRTC: picture with a clock, flash and beep each second
//	record    the host starts through the API, they talk, the host ends the meeting through the API
//	ready     recording_ready arrives at a webhook; signature checked, body decrypted by the official SDK
//	fetch     GET recording, GET minutes …/media, download
//	check     the file is watched and listened to
//
// Everything after the server's start goes through HTTP, WebRTC and the webhook, as an integrator would do it.
package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"huilu/internal/app"
	"huilu/internal/config"
	"huilu/internal/examine"
	"huilu/internal/people"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// Options are what to do.
type Options struct {
	Seconds int       // how long people talk, 6 to 600
	People  int       // how many, 1 to 9
	Folder  string    // where the file is left; empty for a temporary folder
	Say     io.Writer // progress for people
	Log     *slog.Logger
	Environ []string
}

// Summary is the result; its JSON is what scripts rely on.
type Summary struct {
	MeetingID    string          `json:"meeting_id"`
	URL          string          `json:"url"`
	DurationMS   int64           `json:"duration_ms"`
	File         string          `json:"file"`
	ReadyAfterMS int64           `json:"ready_after_ms"` // from the end of the meeting to recording_ready at the webhook
	EventID      string          `json:"event_id"`
	Checks       []examine.Check `json:"checks"`
}

// OK reports whether every check passed.
func (s Summary) OK() bool {
	for _, c := range s.Checks {
		if !c.OK {
			return false
		}
	}
	return len(s.Checks) > 0
}

// demo is one run.
type demo struct {
	opt    Options
	folder string
	app    *app.App
	org    tenant.Tenant
	client *client  // the app that was made
	crowd  []person // the first one is the host
	events *receiver
	zero   time.Time
}

// Run does the whole. The file is left in Options.Folder; everything else is removed.
func Run(ctx context.Context, opt Options) (Summary, error) {
	if opt.Seconds < 6 || opt.Seconds > 600 {
		return Summary{}, fmt.Errorf("--seconds must be from 6 to 600: shorter recordings give no file")
	}
	if opt.People < 1 || opt.People > 9 {
		return Summary{}, fmt.Errorf("--people must be from 1 to 9")
	}
	folder, err := os.MkdirTemp("", "huilu-demo-")
	if err != nil {
		return Summary{}, err
	}
	defer os.RemoveAll(folder)
	if opt.Folder == "" {
		if opt.Folder, err = os.MkdirTemp("", "huilu-recording-"); err != nil {
			return Summary{}, err
		}
	}
	if err := os.MkdirAll(opt.Folder, 0o755); err != nil {
		return Summary{}, err
	}
	d := &demo{opt: opt, folder: folder, zero: time.Now()}
	return d.run(ctx)
}

func (d *demo) run(ctx context.Context) (Summary, error) {
	ctx, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	defer func() { stop(); <-served }()
	if err := d.start(ctx, served); err != nil {
		served <- nil
		return Summary{}, fmt.Errorf("start the server: %w", err)
	}
	if err := d.office(ctx); err != nil {
		return Summary{}, fmt.Errorf("make tenant, app and people: %w", err)
	}
	defer d.events.Close()
	meeting, err := d.meet(ctx)
	if err != nil {
		return Summary{}, err
	}
	return d.collect(ctx, meeting)
}

// say tells people how far it is.
func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.opt.Say, "%6.1f s  %s\n", time.Since(d.zero).Seconds(), fmt.Sprintf(format, args...))
}

func (d *demo) start(ctx context.Context, served chan<- error) error {
	cfg, err := config.Load(config.Source{Flags: map[string]string{
		"data": filepath.Join(d.folder, "data"), "listen": "127.0.0.1:0", "sfu.udp_port": "0", "sfu.tcp_port": "0",
		"events.allow_networks": "127.0.0.0/8", "meeting.empty_after": "5s",
	}})
	if err != nil {
		return err
	}
	if d.app, err = app.New(ctx, cfg, d.opt.Log); err != nil {
		return err
	}
	go func() { served <- d.app.Run(ctx) }()
	d.say("server at %s, data in a temporary folder", d.app.URL())
	return waitFor(ctx, d.app.URL()+"/readyz")
}

// names of the people, in scripts that a recording should get right.
var names = []string{"Lin Hua 林华", "Zoë", "Amir", "陈晨", "Olga", "José", "Aïcha", "Kenji 健二", "Noor"}

func (d *demo) office(ctx context.Context) (err error) {
	if d.events, err = listen(); err != nil {
		return err
	}
	if d.org, err = d.app.Tenants.Create(ctx, "Demo"); err != nil {
		return err
	}
	var scopes []string
	for _, s := range scope.All() {
		scopes = append(scopes, s.Name)
	}
	a, secret, err := d.app.Tenants.CreateApp(ctx, d.org, tenant.AppSpec{Name: "Demo", Scopes: scopes, EventURL: d.events.URL(), Events: app.EventTypes()})
	if err != nil {
		return err
	}
	d.events.Expect(a.Events)
	d.client = &client{base: d.app.URL(), app: a, secret: secret}
	for i := range d.opt.People {
		if err := d.hire(ctx, a, i); err != nil {
			return err
		}
	}
	d.say("a tenant, app %s, %d people, a webhook receiver at %s", a.ID, len(d.crowd), d.events.URL())
	return d.dress(ctx)
}

// hire makes the account of person i and mints the host's token.
func (d *demo) hire(ctx context.Context, a tenant.App, i int) error {
	spec := tenant.UserSpec{Name: names[i], Email: fmt.Sprintf("person%d@demo.invalid", i+1), Password: tenant.Secret(fmt.Sprintf("demo password %d", i+1))}
	u, err := d.app.Tenants.CreateUser(ctx, d.org.Key, spec)
	if err != nil {
		return err
	}
	p := person{user: u, email: spec.Email, password: string(spec.Password), openID: d.app.Tenants.IDs().Open(a, u.Num)}
	if i == 0 {
		pair, err := d.app.Tokens.Mint(ctx, a, u, a.Scopes)
		if err != nil {
			return err
		}
		p.token = pair.Access
	}
	d.crowd = append(d.crowd, p)
	return nil
}

// dress draws what people will show.
func (d *demo) dress(ctx context.Context) error {
	wardrobe := filepath.Join(d.folder, "people")
	if err := os.MkdirAll(wardrobe, 0o700); err != nil {
		return err
	}
	for i := range d.crowd {
		p := people.Person{Name: d.crowd[i].user.Name, Index: i}
		m, err := people.Prepare(ctx, p, d.loop(), wardrobe, nil)
		if err != nil {
			return fmt.Errorf("draw %s: %w", p.Name, err)
		}
		d.crowd[i].media = m
	}
	d.say("pictures and sounds of %d people are drawn", len(d.crowd))
	return nil
}

// loop is how long people's media last before their clock starts again: for longer
// than the meeting, unless drawing that would take longer than people want to wait.
func (d *demo) loop() time.Duration {
	return min(time.Duration(d.opt.Seconds)*time.Second+20*time.Second, time.Minute)
}
