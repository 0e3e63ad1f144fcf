// Package fault breaks the server while it works: the real binary, as users
// start it, is killed, stopped, started without ffmpeg, and cut off from its
// webhook, while real people meet over WebRTC. Whatever happens, the recording
// comes out whole, once.
package fault

import (
	"testing"
	"time"

	"huilu/internal/app/apptest"
	"huilu/internal/examine"
)

// settle is after how long a picture that began is surely there.
const settle = 1.5

// everybody checks that everybody is seen and heard in an interval, picture and sound together.
func everybody(t *testing.T, r *examine.Report, in examine.Interval) {
	t.Helper()
	for i, name := range names {
		p := r.Person(i)
		if p == nil {
			t.Errorf("%s is not in the file", name)
			continue
		}
		seen := examine.Seconds(0)
		for _, v := range p.Visible {
			seen += examine.Interval{From: max(v.From, in.From), To: min(v.To, in.To)}.Length()
		}
		if missing := in.Length() - seen; missing > 0.5 {
			t.Errorf("%s cannot be seen for %v of %v: visible %v", name, missing, in, p.Visible)
		}
		last := in.From
		for _, b := range p.Beeps {
			if b.At < in.From || b.At > in.To {
				continue
			}
			if b.At-last > 1.3 {
				t.Errorf("%s cannot be heard from %v to %v", name, last, b.At)
			}
			last = b.At
		}
		if in.To-last > 1.3 {
			t.Errorf("%s cannot be heard from %v to %v", name, last, in.To)
		}
		if p.Sync.Pairs == 0 || max(p.Sync.Worst, -p.Sync.Worst) > 0.04 {
			t.Errorf("picture and sound of %s are %v apart at worst, in %d pairs", name, p.Sync.Worst, p.Sync.Pairs)
		}
	}
}

func TestKilledServerLosesLessThanTheLastSecondOfTheRecording(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.open()
	o.boot()
	o.reserve()
	crowd := o.join()
	recorded := o.record()
	talk(t, 8*time.Second)
	wall := recorded.until(o.kill())
	for _, p := range crowd { // nobody waits for the server to come back
		p.Leave()
	}
	o.boot()
	r := o.watch(o.ready())
	wall.least -= time.Second
	wall.check(t, r)
	everybody(t, r, examine.Interval{From: settle, To: r.Probe.Stream("video").End})
	o.announcedOnce()
}

func TestPeopleWhoComeBackAfterAKillAreInTheSameFile(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.open()
	o.boot()
	o.reserve()
	crowd := o.join()
	id, recorded := o.meeting, o.record()
	talk(t, 5*time.Second)
	first := recorded.until(o.kill()).least
	crowd[1].Leave() // reloads the page and comes back through the door; the other one's page reconnects by itself
	before := crowd[0].Received()
	o.boot()
	crowd[1] = o.joinAs(1)
	apptest.Eventually(t, "both see each other again", patience, func() bool {
		return crowd[0].Received() > before && crowd[1].Received() > 0
	})
	if o.meeting != id {
		t.Fatalf("people came back into meeting %s, they were in %s", o.meeting, id)
	}
	back := time.Now()
	talk(t, 6*time.Second)
	second := o.end().Sub(back)
	r := o.watch(o.ready())
	if d := length(r); d < first+second-time.Second {
		t.Errorf("the file lasts %v; people were recorded for %v and then for %v", d, first, second)
	}
	end := r.Probe.Stream("video").End
	everybody(t, r, examine.Interval{From: settle, To: examine.Seconds((first - time.Second).Seconds())})
	everybody(t, r, examine.Interval{From: end - examine.Seconds(second.Seconds()) + settle, To: end})
	o.announcedOnce()
}
