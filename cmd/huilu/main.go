// Command huilu is the whole product: the meeting server and the tools around it.
//
//	serve    the server
//	demo     the main job from end to end, on a server of its own, with nobody's hands
//	admin    tenants, apps, people and tokens, for scripts
//	import   makes an existing video a finished meeting's recording
//	doctor   says what is missing or misconfigured, and how to mend it
//
// One file each. Whatever is printed for programs (--json) goes to stdout, whatever is for people to stderr.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"huilu/internal/config"
)

// console is where a command reads and writes.
type console struct {
	out, err io.Writer
	environ  []string
	ctx      context.Context
	settings *settings
}

// settings are the flags every command has.
type settings struct {
	Config string            `help:"Settings file (YAML)." placeholder:"FILE" env:"HUILU_CONFIG" type:"path"`
	Data   string            `help:"Folder of everything that is kept (default ./data)." placeholder:"DIR"`
	Set    map[string]string `help:"Any setting, such as --set sfu.udp_port=7882; huilu doctor lists them." placeholder:"NAME=VALUE"`
}

type cli struct {
	settings

	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Demo    demoCmd    `cmd:"" help:"Do the main job from end to end on a fresh server of its own, and check the result."`
	Admin   adminCmd   `cmd:"" help:"Tenants, apps, people and tokens."`
	Import  importCmd  `cmd:"" help:"Make an existing video a finished meeting's recording."`
	Doctor  doctorCmd  `cmd:"" help:"Say what is missing or misconfigured, and how to mend it."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Environ())
	stop()
	os.Exit(code)
}

// run is main without the process: 0 for success, 1 for failure, 2 for wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, environ []string) int {
	var c cli
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("huilu"),
		kong.Description("huilu (会录): meetings in the browser, recordings on your own machines, the Feishu/Lark video-conference API."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(stderr, "huilu:", err)
		return 2
	}
	k, err := parser.Parse(args)
	if exit >= 0 {
		return exit // --help
	}
	if err != nil {
		fmt.Fprintf(stderr, "huilu: %v; see huilu --help\n", err)
		return 2
	}
	err = k.Run(&console{out: stdout, err: stderr, environ: environ, ctx: ctx, settings: &c.settings}, &c, verb(k.Selected().Name))
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "huilu:", err)
		return 1
	}
	return 0
}

// load puts the settings together; extra are flags of one command.
func (c *console) load(extra map[string]string) (config.Config, error) {
	flags := map[string]string{}
	for name, v := range c.settings.Set {
		flags[name] = v
	}
	if c.settings.Data != "" {
		flags["data"] = c.settings.Data
	}
	for name, v := range extra {
		if v != "" {
			flags[name] = v
		}
	}
	return config.Load(config.Source{File: c.settings.Config, Environ: c.environ, Flags: flags})
}

// logger writes to stderr in the form and from the level that are configured.
func (c *console) logger(cfg config.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // config allows nothing that does not parse
	opt := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(c.err, opt))
	}
	return slog.New(slog.NewTextHandler(c.err, opt))
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(c *console) error {
	fmt.Fprintln(c.out, "huilu", version())
	return nil
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
