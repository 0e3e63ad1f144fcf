// Package browser tests the product as people meet it: a whole server, Debian's Chromium driven by Playwright, and the
// file that comes out in the end, watched and listened to.
//
// The Go side makes server, people and a reserve, then runs one spec; the specs write down what happened and leave
// screenshots in docs/screenshots, which the README shows. Chromium's camera and microphone are replaced by person.ts: a picture with a clock
// strip, a lamp and a tone, so that package examine can judge what was recorded of a browser.
package browser

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"huilu/internal/app/apptest"
	"huilu/internal/examine"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// world is what specs are told, see world.ts.
type world struct {
	Base      string    `json:"base"`
	Admin     account   `json:"admin"`
	People    []account `json:"people"`
	MeetingNo string    `json:"meetingNo"`
	Minute    string    `json:"minute,omitempty"`
	Facts     string    `json:"facts"`
	Pictures  string    `json:"pictures"`
}

type account struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

func accountOf(u tenant.User) account {
	return account{Name: u.Name, Email: u.Email, Password: apptest.Password}
}

// stage is a server with people and a meeting that an app reserved for the first of them.
type stage struct {
	*apptest.Server
	world world
	owner tenant.User
	app   tenant.App
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{Server: apptest.Start(t, nil)}
	s.app, _ = s.Program("")
	admin := s.Person("Administrator", 0, tenant.Admin)
	s.owner = s.Person("Lin Hua 林华", 1, tenant.Member)
	second := s.Person("Zoë Martin", 2, tenant.Member)
	r, err := s.Meetings.Apply(t.Context(), tenant.Actor{Tenant: s.Org.Key, App: s.app.ID}, meeting.ReserveSpec{
		Owner: s.owner.Num, EndAt: time.Now().Add(time.Hour), Settings: meeting.Settings{Topic: "Weekly planning 周会", ActionPermissions: []meeting.ActionPermission{meeting.GuestsWelcome()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	pictures, err := filepath.Abs("../../docs/screenshots")
	if err != nil {
		t.Fatal(err)
	}
	s.world = world{
		Base: s.URL(), Admin: accountOf(admin), People: []account{accountOf(s.owner), accountOf(second)},
		MeetingNo: r.No, Facts: filepath.Join(t.TempDir(), "facts.json"), Pictures: pictures,
	}
	return s
}

// play runs one spec and decodes the facts it noted.
func (s *stage) play(t *testing.T, spec string, facts any) {
	t.Helper()
	text, err := json.Marshal(s.world)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node_modules/.bin/playwright", "test", spec)
	cmd.Env = append(os.Environ(), "HUILU_TEST="+string(text))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	t.Logf("%s\n%s", spec, out.String())
	if err != nil {
		t.Fatalf("%s: %v", spec, err)
	}
	if facts == nil {
		return
	}
	text, err = os.ReadFile(s.world.Facts)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, facts); err != nil {
		t.Fatal(err)
	}
}

// loop is after how long the clock of person.ts starts again.
const loop = 10 * time.Second

func TestTwoBrowsersMeetRecordAndWatch(t *testing.T) {
	s := newStage(t)
	var told struct {
		Meeting string `json:"meeting"`
		Signed  int64  `json:"signed"` // when both pages showed the red sign, unix ms
	}
	s.play(t, "meet.spec.ts", &told)

	id, err := strconv.ParseInt(told.Meeting, 10, 64)
	if err != nil {
		t.Fatalf("the page names the meeting %q", told.Meeting)
	}
	actor := tenant.Actor{Tenant: s.Org.Key, App: s.app.ID}
	var f recording.Facts
	s.Eventually("the recording is ready", 3*time.Minute, func() bool {
		f, err = s.Recordings.Fetch(t.Context(), actor, id)
		return err == nil
	})
	examineRecording(t, s, actor, id, f, time.UnixMilli(told.Signed))

	s.world.Minute = f.Minute
	s.play(t, "minute.spec.ts", nil)
}

// examineRecording holds the file against what happened: both there from join to leave, in sync, as long as the wall clock says.
func examineRecording(t *testing.T, s *stage, actor tenant.Actor, id int64, f recording.Facts, signed time.Time) {
	t.Helper()
	m, err := s.Meetings.Get(t.Context(), actor, id)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := s.DB.Recordings().ByMeeting(t.Context(), s.Org.Key, id)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := s.DB.Recordings().Parts(t.Context(), rec.ID)
	if err != nil || len(parts) != 1 {
		t.Fatalf("parts: %v, %v", parts, err)
	}
	// Nothing that happened under the red sign may be missing; the recorder was there a moment before pages showed it.
	least, most := m.EndedAt.Sub(signed)-exact, m.EndedAt.Sub(parts[0].StartedAt)+exact
	if f.Duration < least || f.Duration > most {
		t.Errorf("recorded %s, want %s to %s", f.Duration, least, most)
	}
	file := fileOf(t, s, f.Minute)
	// A tenth of the time a lamp is lit may go by before Chromium paints it, and a newcomer's layer climbs for a second.
	all := []examine.Interval{{From: 1.5, To: examine.Seconds(f.Duration.Seconds())}}
	report, err := examine.Examine(t.Context(), file, examine.Options{
		Loop:   loop,
		People: []examine.Expected{{Index: 0, Name: s.world.People[0].Name, Seen: all, Heard: all}, {Index: 1, Name: s.world.People[1].Name, Seen: all, Heard: all}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("recorded %s, from the red sign to the end it was %s\n%s", f.Duration, least+exact, report)
	for _, c := range report.Bad() {
		if !strings.HasPrefix(c.Name, sync) && !strings.HasPrefix(c.Name, still) {
			t.Errorf("%s", c)
		}
	}
	for i, a := range s.world.People[:2] {
		if p := report.Person(i); p == nil || abs(p.Sync.Median) > apart || abs(p.Sync.Fine) > apart || p.Sync.Pairs < 8 || longest(p.Still) > stall {
			t.Errorf("flash and beep of %s: %+v, want 8 pairs or more within %.3f s, and no picture that stays %.1f s", a.Name, p, apart, stall)
		}
	}
}

// apart is how far flash and beep may be from each other: what people begin to notice.
const apart = 0.040

// exact is how well a length has to agree with the wall clock.
const exact = 200 * time.Millisecond

// These checks of package examine are for people whose pictures are never late. A page on a busy machine paints some
// frames late, and that is what it then shows: single pairs are apart, a picture stays a while. The median, and the
// beeps held against the clock in the picture, are not moved by single late frames.
const (
	sync  = "flash and beep apart"
	still = "longest still picture"
	stall = 1.0 // seconds
)

func longest(is []examine.Interval) (l examine.Seconds) {
	for _, i := range is {
		l = max(l, i.Length())
	}
	return l
}

func abs(s examine.Seconds) float64 { return math.Abs(float64(s)) }

func fileOf(t *testing.T, s *stage, token string) string {
	t.Helper()
	m, err := s.DB.MinuteByToken(t.Context(), s.Org.Key, token)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.ArtifactDir(), "recording.mp4")
	r, _, _, err := s.Blobs.Open(t.Context(), m.File)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestEveryPage(t *testing.T) {
	s := newStage(t)
	s.play(t, "pages.spec.ts", nil)
}
