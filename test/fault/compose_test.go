package fault

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huilu/internal/app/apptest"
	"huilu/internal/examine"
)

// captured holds a meeting on a machine that does not compose, and stops it: what was captured waits in the data folder.
func captured(t *testing.T) (o *office, wall span) {
	t.Helper()
	o = newOffice(t)
	o.settings["roles"] = "api,sfu,recorder"
	o.open()
	o.boot()
	o.reserve()
	o.join()
	recorded := o.record()
	talk(t, 7*time.Second)
	wall = recorded.until(o.end())
	if r := o.fetch(); r.Code != 124002 || r.StatusCode != http.StatusBadRequest {
		t.Errorf("after the end GET recording says %d, HTTP %d; want 124002, HTTP 400", r.Code, r.StatusCode)
	}
	o.inbox.Wait(t, patience, apptest.Ended, o.meeting, 1)
	o.stop()
	delete(o.settings, "roles")
	return o, wall
}

// moment is a point in a composition that can be told by what lies in its work folder.
type moment struct {
	name string
	sign string // a pattern below work/<recording>/ that matches from then on
}

var moments = []moment{
	{"tracks are converted", "jobs/job-*"},
	{"a window is made", "windows/*.mp4"},
	{"windows and sound are joined", "jobs/recording.mp4"},
	{"the file is stored", "out/recording.mp4"},
}

func TestWhatWasCapturedBecomesOneRecording(t *testing.T) {
	t.Parallel()
	base, wall := captured(t)
	whole := func(t *testing.T, o *office) {
		t.Helper()
		r := o.watch(o.ready())
		wall.check(t, r)
		everybody(t, r, examine.Interval{From: settle, To: r.Probe.Stream("video").End})
		o.announcedOnce()
	}
	for _, m := range moments {
		t.Run("killed when "+m.name, func(t *testing.T) {
			t.Parallel()
			o := base.copied(t)
			o.boot()
			o.killAt(m.sign, 0)
			o.boot()
			whole(t, o)
		})
	}
	t.Run("killed again and again", func(t *testing.T) {
		t.Parallel()
		o := base.copied(t)
		for range 3 { // the first one composes; later ones wait until the dead one's claim has run out, and may be killed then
			o.boot()
			o.killAt("jobs", time.Duration(rand.Int64N(int64(3*time.Second))))
		}
		o.boot()
		whole(t, o)
	})
	t.Run("without ffmpeg until somebody installs it", func(t *testing.T) {
		t.Parallel()
		o := base.copied(t)
		o.settings["composer.ffmpeg"] = filepath.Join(t.TempDir(), "ffmpeg")
		o.boot()
		o.waitsForFFmpeg()
		o.stop()
		delete(o.settings, "composer.ffmpeg")
		o.boot()
		whole(t, o)
	})
}

// killAt kills the server that long after a file has appeared in the work folder, or when the recording is ready before that.
func (o *office) killAt(sign string, later time.Duration) {
	o.t.Helper()
	end := time.Now().Add(patience)
	for n := 1; len(o.files("work/*/"+sign)) == 0; n++ {
		if n%100 == 0 && o.count(`SELECT count(*) FROM minutes`) > 0 {
			break
		}
		if time.Now().After(end) {
			o.t.Fatalf("waited %v for %s", patience, sign)
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(later) // not to wait for something: the moment of the kill is what varies
	o.kill()
	o.t.Logf("killed %v after %s, %d minutes were there", later, sign, o.count(`SELECT count(*) FROM minutes`))
}

// waitsForFFmpeg checks what an operator is told, and that the recording has not failed.
func (o *office) waitsForFFmpeg() {
	o.t.Helper()
	apptest.Eventually(o.t, "composition was tried", patience, func() bool {
		return o.count(`SELECT count(*) FROM compositions WHERE error <> ''`) == 1
	})
	status, body := o.get("/readyz")
	var said struct {
		Ready    bool     `json:"ready"`
		Problems []string `json:"problems"`
	}
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		o.t.Fatal(errors.Join(err, errors.New(body)))
	}
	if text := strings.Join(said.Problems, "\n"); status != http.StatusServiceUnavailable || said.Ready || !strings.Contains(text, "ffmpeg: "+o.settings["composer.ffmpeg"]+" is not there") {
		o.t.Errorf("/readyz says %d %s", status, body)
	}
	if r := o.fetch(); r.Code != 124002 {
		o.t.Errorf("without ffmpeg GET recording says %d %s, want 124002", r.Code, r.Msg)
	}
}
