// Package app puts the parts together: for serve, for the demo and for tests.
//
// Core is the domain over database and files. App adds everything that runs, started in this order and stopped in the
// reverse one:
//
//	health     what is wrong, in the log
//	sfu        rooms, media
//	events     deliveries
//	jobs       composition
//	keeper     hidden recorders
//	meetings   the sweep
//	pulse      the sign of life
//	http       /open-apis, pages, /rtc, /healthz, /readyz, /metrics
//
// So no request arrives before what it needs is there, and recorders have closed their logs before the media stop.
package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"huilu/internal/compose"
	"huilu/internal/config"
	"huilu/internal/egress"
	"huilu/internal/event"
	"huilu/internal/health"
	"huilu/internal/producer"
	"huilu/internal/recorder"
	"huilu/internal/recording"
	"huilu/internal/sfu"
)

// App is a whole server.
type App struct {
	*Core
	lock      *os.File // see alone
	sfu       *sfu.Server
	listener  net.Listener
	deliverer *event.Deliverer
	keeper    *recording.Keeper
	poster    *egress.Client
	health    *health.Checks
	meter     *meter
	server    *http.Server
}

// New opens everything and listens; nothing is answered until Run. An App that was made must be run, at least with a context that has ended.
func New(ctx context.Context, cfg config.Config, log *slog.Logger) (*App, error) {
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w; is huilu running there already? Otherwise change the setting listen", err)
	}
	cfg = withPort(cfg, l.Addr())
	a, err := open(ctx, cfg, l, log)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return a, nil
}

func open(ctx context.Context, cfg config.Config, l net.Listener, log *slog.Logger) (*App, error) {
	if err := cfg.EnsureData(); err != nil {
		return nil, err
	}
	lock, alive, err := alone(cfg)
	if err != nil {
		return nil, err
	}
	core, err := OpenCore(ctx, cfg, log)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	a := &App{Core: core, lock: lock, listener: l, meter: newMeter(), health: health.New(cfg, core.DB)}
	if err := a.build(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.Meetings.Resumed(alive)
	return a, nil
}

// Close closes what Core has open, then lets another server at the data.
func (a *App) Close() error { return errors.Join(a.Core.Close(), a.lock.Close()) }

func (a *App) build(ctx context.Context) error {
	if err := makeFolders(a.Config); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	a.poster = egress.New(egress.Config{Allow: a.Config.Events.AllowNetworks})
	wire := event.NewWire(a.Tenants.IDs(), a.DB, a.Config.PublicURL)
	a.deliverer = event.NewDeliverer(a.DB, a.DB, wire, a.poster, a.log, event.Options{})
	wakeDeliverer := a.deliverer.Wake
	a.Core.deliverer.Store(&wakeDeliverer)

	server, err := sfu.New(a.sfuConfig(), a.rooms, a.log)
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("%w; is huilu running there already? Otherwise change the setting sfu.udp_port or sfu.tcp_port", err)
	}
	if err != nil {
		return fmt.Errorf("media server: %w", err)
	}
	a.sfu, a.rooms.sfu = server, server
	hidden := recorder.New(recorder.Embedded(server, a.signalling), a.log)
	a.keeper = recording.NewKeeper(a.DB.Recordings(), recorders{recorder: hidden, rooms: a.rooms, folder: captureFolder(a.Config)}, a.log)
	wakeKeeper := a.keeper.Wake
	a.Core.keeper.Store(&wakeKeeper)
	if a.Config.Has("recorder") {
		a.Recordings.AwaitRecorder(a.keeper.Await)
	}

	a.server, err = a.web(ctx)
	return err
}

// sfuConfig is the media part of the settings; its secret follows from the master key.
func (a *App) sfuConfig() sfu.Config {
	c := a.Config
	return sfu.Config{
		NodeIP: c.SFU.NodeIP, UDPPort: c.SFU.UDPPort, TCPPort: c.SFU.TCPPort, Loopback: c.OnLoopback(),
		Key: "huilu", Secret: hex.EncodeToString(a.Keys.Derive("sfu")), RedisURL: c.SFU.RedisURL, STUNServers: c.SFU.STUNServers,
		Admit: a.rooms.Admit, MaxParticipants: crowded * c.MaxInside,
	}
}

// crowded is how many times more connections the media server takes for a room than people fit into a meeting. Whoever only
// knocks takes up a connection for a while, too, and must not keep the host out; meeting.Service counts who is inside.
const crowded = 3

// signalling is where hidden recorders connect: this process, whatever certificate the public address has.
func (a *App) signalling() string {
	url, err := a.sfu.LocalURL()
	if err != nil {
		a.log.Error("recorders cannot reach the media server in this process", "err", err)
	}
	return url
}

// Problems says what keeps this server from doing its work.
func (a *App) Problems(ctx context.Context) []health.Problem { return a.health.Problems(ctx) }

// URL is how the server is reached, without a trailing slash.
func (a *App) URL() string { return a.Config.PublicURL }

// Run serves until ctx ends, then stops in order and closes everything.
func (a *App) Run(ctx context.Context) error {
	if strings.HasPrefix(a.Config.Database, "sqlite:") { // see alone: whoever held anything is dead
		if err := a.DB.Inherit(context.WithoutCancel(ctx)); err != nil {
			return errors.Join(err, a.Close())
		}
	}
	parts := []part{
		{"health", func(ctx context.Context) error { return a.health.Watch(ctx, a.log) }},
		{"media server", a.sfu.Run},
	}
	if a.Config.Has("api") {
		parts = append(parts, part{"events", a.deliverer.Run})
	}
	if a.Config.Has("composer") {
		parts = append(parts, part{"jobs", a.compose})
	}
	if a.Config.Has("recorder") {
		parts = append(parts, part{"recorders", a.keeper.Run})
	}
	parts = append(parts, part{"meetings", a.Meetings.Run}, part{"pulse", a.pulse}, part{"http", a.serve})
	err := runParts(ctx, parts, a.log)
	return errors.Join(err, a.Close())
}

// compose works on recordings; those that were being processed when the last process died come first.
func (a *App) compose(ctx context.Context) error {
	p := &producer.Producer{
		Recordings: a.Recordings, Parts: a.DB.Recordings(), Sealer: a.keeper, Files: a.Blobs, Topics: a.Core, Busy: a.busy,
		Able:     func(ctx context.Context) error { return health.Composing(ctx, a.Config) },
		Composer: &compose.Composer{FFmpeg: a.Config.FFmpeg, FFprobe: a.Config.FFprobe, Log: a.log},
		Capture:  captureFolder(a.Config), Work: workFolder(a.Config), Log: a.log,
	}
	if err := a.Recordings.Resume(ctx); err != nil {
		return err
	}
	a.Jobs.Work(p.Produce)
	a.Jobs.Every("prune", time.Hour, func(ctx context.Context) error { return a.DB.Prune(ctx, time.Now()) })
	return a.Jobs.Run(ctx)
}

// busy reports whether people are meeting on this server.
func (a *App) busy() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	ms, err := a.DB.Unended(ctx)
	return err != nil || len(ms) > 0
}

// shutdownTime is how long requests may take to finish when the server stops; events and media follow after.
const shutdownTime = 5 * time.Second

func (a *App) serve(ctx context.Context) error {
	a.log.InfoContext(ctx, "listening", "address", a.listener.Addr(), "https", a.Config.TLS.On(), "public_url", a.Config.PublicURL)
	failed := make(chan error, 1)
	go func() {
		if a.Config.TLS.On() {
			failed <- a.server.ServeTLS(a.listener, "", "")
			return
		}
		failed <- a.server.Serve(a.listener)
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := a.server.Shutdown(stop); err != nil { // a signalling socket or a long download: cut
		return a.server.Close()
	}
	return nil
}

// withPort puts the port that the system picked into the settings made from it, and picks media ports that were left open.
func withPort(cfg config.Config, addr net.Addr) config.Config {
	host, port, _ := net.SplitHostPort(cfg.Listen)
	if _, actual, _ := net.SplitHostPort(addr.String()); port == "0" {
		cfg.Listen = net.JoinHostPort(host, actual)
		if cfg.PublicURL == "http://"+net.JoinHostPort(host, "0") {
			cfg.PublicURL = "http://" + cfg.Listen
		}
	}
	if cfg.SFU.UDPPort == 0 {
		cfg.SFU.UDPPort = freeUDP()
	}
	return cfg
}

// freeUDP asks the system for a UDP port that is free now.
func freeUDP() int {
	c, err := net.ListenUDP("udp", &net.UDPAddr{})
	if err != nil {
		return 0 // the media server will say that it needs one
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}
