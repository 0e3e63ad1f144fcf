package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"huilu/internal/app"
	"huilu/internal/config"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// failed makes data with one recording that could not be produced, and returns its meeting.
func failed(t *testing.T, data string) string {
	t.Helper()
	cfg, err := config.Load(config.Source{Flags: map[string]string{"data": data}})
	if err != nil {
		t.Fatal(err)
	}
	core, err := app.OpenCore(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer core.Close()
	org, err := core.Tenants.Create(t.Context(), "Acme")
	if err != nil {
		t.Fatal(err)
	}
	u, err := core.Tenants.CreateUser(t.Context(), org.Key, tenant.UserSpec{Name: "Lin", Email: "lin@example.org", Password: "correct horse battery"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := core.Meetings.Adopt(t.Context(), u, "Weekly", time.Now().Add(-time.Hour), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var r recording.Recording
	if r, err = core.Recordings.Adopt(t.Context(), m); err == nil {
		err = core.Recordings.Fail(t.Context(), r.ID, "composition failed 5 times")
	}
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(m.ID, 10)
}

func TestAFailedRecordingIsListedAndTriedAgain(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	id := failed(t, data)
	admin := func(code int, args ...string) (out, complaint string) {
		t.Helper()
		var o, e bytes.Buffer
		if got := run(t.Context(), append([]string{"--data", data, "admin", "recording"}, args...), &o, &e, nil); got != code {
			t.Errorf("%v ends with %d, want %d: %s", args, got, code, e.String())
		}
		return o.String(), e.String()
	}
	states := func(args ...string) (list []recordingView) {
		t.Helper()
		out, _ := admin(0, append([]string{"list", "--json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	if l := states(); len(l) != 1 || l[0].Meeting != id || l[0].State != "failed" || l[0].Cause != "composition failed 5 times" {
		t.Errorf("%+v", l)
	}
	if _, complaint := admin(1, "retry", "6911188411934433028"); !strings.Contains(complaint, "has no recording; see huilu admin recording list") {
		t.Error(complaint)
	}
	if _, complaint := admin(1, "retry", "the last one"); !strings.HasPrefix(complaint, "huilu: meeting id: must be") {
		t.Error(complaint)
	}
	if out, _ := admin(0, "retry", id); !strings.Contains(out, id) || !strings.Contains(out, "processing") {
		t.Error(out)
	}
	if l := states("--state", "processing"); len(l) != 1 || l[0].Meeting != id || l[0].Cause != "" || l[0].Attempts != 0 {
		t.Errorf("%+v", l)
	}
	if l := states(); len(l) != 0 {
		t.Errorf("%+v", l)
	}
	if _, complaint := admin(1, "retry", id); !strings.Contains(complaint, "has not failed") {
		t.Error(complaint)
	}
}
