package openapi_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"huilu/internal/limit"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/scope"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	check(t, err)
	if got != string(want) {
		t.Errorf("%s has changed; read the difference and run go test -update\n--- got\n%s\n--- want\n%s", path, got, want)
	}
}

// TestGetRecordingMatrix prints what GET recording answers for every kind of
// caller and every state of a recording, in the words of the contract.
func TestGetRecordingMatrix(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *options) { o.limiter = limit.None{} })
	states := w.recordingsInEveryState()
	reader := scope.Set{scope.RecordRead}
	callers := []struct{ name, token string }{
		{"app of the tenant", w.tenantToken("app")},
		{"another app of the tenant", w.tenantToken("second")},
		{"app of another tenant", w.tenantToken("foreign")},
		{"app without the scope", w.tenantToken("bare")},
		{"the owner", w.userToken("app", "lin", reader)},
		{"the owner, not granted", w.userToken("app", "lin", scope.Set{scope.MeetingRead})},
		{"the owner, app without the scope", w.userToken("bare", "lin", reader)},
		{"a colleague", w.userToken("app", "mallory", reader)},
		{"somebody of another tenant", w.userToken("foreign", "zoe", reader)},
		{"nobody", ""},
		{"a torn token", "t-torn"},
		{"no token of ours", "secret"},
	}
	var b strings.Builder
	line := fmt.Sprintf("%-34s", "GET recording")
	for _, s := range states {
		line += fmt.Sprintf("%-15s", s.name)
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	for _, c := range callers {
		line := fmt.Sprintf("%-34s", c.name)
		for _, s := range states {
			res, body := w.do(request("GET", "/open-apis/vc/v1/meetings/"+s.id+"/recording", c.token, ""))
			var reply struct {
				Code int `json:"code"`
			}
			check(t, json.Unmarshal(body, &reply))
			line += fmt.Sprintf("%-15s", fmt.Sprintf("%d %d", res.StatusCode, reply.Code))
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	golden(t, "get_recording_matrix.txt", b.String())
}

type namedMeeting struct{ name, id string }

// recordingsInEveryState are lin's meetings, one for each row of design's table.
func (w *world) recordingsInEveryState() []namedMeeting {
	w.t.Helper()
	off := w.telephoneCall()
	out := []namedMeeting{{"not a number", "69x"}, {"unknown", "6911188411934433028"}, {"switched off", off}}
	for _, s := range []struct {
		name  string
		state recording.State
	}{
		{"running", recording.Running}, {"processing", recording.Processing}, {"never", ""}, {"empty", recording.Empty},
		{"deleted", recording.Deleted}, {"failed", recording.Failed}, {"ready", recording.Ready},
	} {
		out = append(out, namedMeeting{s.name, w.recorded("app", "lin", s.state).Room()})
	}
	return out
}

// telephoneCall is a meeting of lin of a kind that cannot be recorded.
func (w *world) telephoneCall() string {
	r := must(w.meetings.Apply(w.t.Context(), w.actor("app", ""), meeting.ReserveSpec{
		Owner: w.users["lin"].Num, Settings: meeting.Settings{InitialType: meeting.OneToOne},
	}))(w.t)
	m := w.join(r, "lin")
	w.end(m)
	return m.Room()
}
