package health

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

func TestTheLogTellsOfAProblemWhenItComesAndWhenItGoes(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	full, low, https := Problem{Code: "disk_full", EN: "Full.", Fatal: true}, Problem{Code: "disk_low", EN: "Low."}, Problem{Code: "no_https", EN: "No https."}
	known := []Problem(nil)
	for _, c := range []struct {
		found []Problem
		want  string
	}{
		{[]Problem{https}, `WARN msg="No https." problem=no_https`},
		{[]Problem{https}, ``},
		{[]Problem{https, low}, `WARN msg=Low. problem=disk_low`},
		{[]Problem{https, {Code: "disk_low", EN: "Lower."}}, ``},
		{[]Problem{https, full}, `ERROR msg=Full. problem=disk_full INFO msg="a problem is gone" problem=disk_low`},
		{[]Problem{https}, `INFO msg="a problem is gone" problem=disk_full`},
	} {
		log.Reset()
		tell(t.Context(), logger, known, c.found)
		known = c.found
		got := strings.Join(strings.Fields(regexp.MustCompile(`(?m)^time=\S+ level=`).ReplaceAllString(log.String(), "")), " ")
		if got != c.want {
			t.Errorf("found %v: the log says\n%s\nwant\n%s", codes(c.found), got, c.want)
		}
	}
}

func TestWatchingEndsWithTheServer(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	ctx, stop := context.WithCancel(t.Context())
	stop()
	c := New(load(t, map[string]string{"public_url": "http://meet.example.org"}), &database{})
	if err := c.Watch(ctx, slog.New(slog.NewTextHandler(&log, nil))); err != nil || !strings.Contains(log.String(), "no_https") {
		t.Errorf("%v; the log says %q", err, log.String())
	}
}
