package sfu_test

import (
	"log/slog"
	"os"
	"testing"

	"huilu/internal/sfu"

	lksdk "github.com/livekit/server-sdk-go/v2"
)

func TestMain(m *testing.M) {
	lksdk.SetLogger(sfu.ClientLog(slog.New(slog.DiscardHandler))) // it would write to stderr otherwise
	os.Exit(m.Run())
}
