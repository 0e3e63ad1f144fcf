package fault

import (
	"os"
	"strings"
	"testing"
	"time"

	"huilu/internal/app/apptest"
	"huilu/internal/examine"
)

func TestStoppedServerGoesOnWhereItWasAndDeliversWhatNobodyTook(t *testing.T) {
	t.Parallel()
	o := newOffice(t) // whose webhook is down
	o.boot()
	o.reserve()
	crowd := o.join()
	recorded := o.record()
	talk(t, 7*time.Second)
	wall := recorded.until(o.stop())
	if text, err := os.ReadFile(o.log); err != nil || !strings.Contains(string(text), "msg=stopped") {
		t.Errorf("the server does not say that it stopped: %v", err)
	}
	for _, p := range crowd {
		p.Leave()
	}
	if n := len(o.inbox.Of(apptest.Started, o.meeting)); n != 0 {
		t.Fatalf("%d events went to a webhook that is down", n)
	}
	o.open()
	o.boot()
	for typ, n := range map[string]int{
		apptest.Started: 1, apptest.Joined: len(crowd), apptest.RecordingStarted: 1,
		apptest.Left: len(crowd), apptest.RecordingEnded: 1, apptest.Ended: 1, apptest.RecordingReady: 1,
	} {
		if got := o.inbox.Wait(t, patience, typ, o.meeting, n); len(got) > n {
			t.Errorf("%d events %s, want %d", len(got), typ, n)
		}
	}
	r := o.watch(o.ready())
	wall.most += 10 * time.Second // while the server stops, people talk on
	wall.check(t, r)
	everybody(t, r, examine.Interval{From: settle, To: examine.Seconds(wall.least.Seconds())})
	o.announcedOnce()
}
