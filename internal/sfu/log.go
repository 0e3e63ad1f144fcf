package sfu

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/livekit/protocol/logger"
	"github.com/livekit/protocol/logger/zaputil"
)

// LiveKit has one logger per process. The first server installs ours; it writes to the logger of the newest server.
var (
	logTarget    atomic.Pointer[slog.Logger]
	logInstalled atomic.Bool
)

// useLogger sends LiveKit's log to log.
//
// logger.SetLogger is called once: LiveKit reads it without a lock. logger.InitFromConfig is never called: it would
// replace slog's default.
func useLogger(log *slog.Logger) {
	logTarget.Store(log)
	if !logInstalled.Swap(true) {
		logger.SetLogger(liveKitLog{to: &logTarget}, "livekit")
	}
}

// ClientLog returns a logger for LiveKit's client library (server-sdk-go) that writes to log, all of it at debug: whoever
// runs the client knows better what is worth telling.
func ClientLog(log *slog.Logger) logger.Logger {
	to := new(atomic.Pointer[slog.Logger])
	to.Store(log)
	return liveKitLog{to: to, component: "client"}
}

// liveKitLog implements LiveKit's logger over slog, lowering its levels.
//
// LiveKit calls it an error or a warning whenever somebody hangs up or a network fails, and tells of each join at info.
// Taken at its word it would bury what an operator must see: so its errors become warnings, the rest debug, and whatever
// speaks of a transport is debug altogether.
type liveKitLog struct {
	to        *atomic.Pointer[slog.Logger]
	component string
	values    []any
}

// quiet begins the components that only report on single connections.
var quiet = []string{"pion", "transport", "rtc.transport", "sfu", "pub", "sub", "signal", "client"}

// usual begins messages that tell of a normal end of a connection, whoever writes them.
var usual = []string{
	"error reading from websocket", "error writing to websocket", "error writing to request sink", "could not write initial response",
	"error reading data channel", "could not restart", "cannot restart", "could not handle new participant", "could not resume",
	"Failed to ping without candidate pairs", "Incoming unhandled RTP ssrc", "cannot unmute track",
}

func (l liveKitLog) log(level slog.Level, msg string, err error, kv []any) {
	log := l.to.Load()
	if log == nil || !log.Enabled(context.Background(), level) {
		return
	}
	attrs := make([]any, 0, len(l.values)+len(kv)+4)
	attrs = append(attrs, "part", strings.TrimSuffix("livekit."+l.component, "."))
	attrs = append(append(attrs, l.values...), kv...)
	if err != nil {
		attrs = append(attrs, "error", err)
	}
	log.Log(context.Background(), level, msg, attrs...)
}

func (l liveKitLog) errorLevel(msg string) slog.Level {
	for _, q := range quiet {
		if strings.HasPrefix(l.component, q) {
			return slog.LevelDebug
		}
	}
	for _, u := range usual {
		if strings.HasPrefix(msg, u) {
			return slog.LevelDebug
		}
	}
	return slog.LevelWarn
}

func (l liveKitLog) Debugw(msg string, kv ...any)           { l.log(slog.LevelDebug-4, msg, nil, kv) }
func (l liveKitLog) Infow(msg string, kv ...any)            { l.log(slog.LevelDebug, msg, nil, kv) }
func (l liveKitLog) Warnw(msg string, err error, kv ...any) { l.log(slog.LevelDebug, msg, err, kv) }
func (l liveKitLog) Errorw(msg string, err error, kv ...any) {
	l.log(l.errorLevel(msg), msg, err, kv)
}

func (l liveKitLog) WithValues(kv ...any) logger.Logger {
	return liveKitLog{to: l.to, component: l.component, values: append(l.values[:len(l.values):len(l.values)], kv...)}
}

func (l liveKitLog) WithUnlikelyValues(kv ...any) logger.UnlikelyLogger {
	return logger.NewUnlikelyLogger(l, kv...)
}

func (l liveKitLog) WithComponent(c string) logger.Logger {
	if l.component != "" {
		c = l.component + "." + c
	}
	return liveKitLog{to: l.to, component: c, values: l.values}
}

func (l liveKitLog) WithDeferredValues() (logger.Logger, logger.DeferredFieldResolver) {
	return l, zaputil.NoOpDeferrer{}
}

func (l liveKitLog) WithName(string) logger.Logger   { return l }
func (l liveKitLog) WithCallDepth(int) logger.Logger { return l }
func (l liveKitLog) WithItemSampler() logger.Logger  { return l }
func (l liveKitLog) WithoutSampler() logger.Logger   { return l }
