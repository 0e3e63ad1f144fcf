package fault

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	lark "github.com/larksuite/oapi-sdk-go/v3"
	larkcore "github.com/larksuite/oapi-sdk-go/v3/core"
	larkminutes "github.com/larksuite/oapi-sdk-go/v3/service/minutes/v1"
	larkvc "github.com/larksuite/oapi-sdk-go/v3/service/vc/v1"
	_ "modernc.org/sqlite" // to look into the database from outside

	"huilu/internal/app/apptest"
	"huilu/internal/examine"
	"huilu/internal/people"
)

// office is a machine with a tenant, an app whose events go to an inbox, two people, and their meeting.
type office struct {
	*machine
	inbox   *apptest.Inbox
	api     *lark.Client
	secrets appSecrets
	token   larkcore.RequestOptionFunc // of the first person, who owns the meeting
	no      string
	meeting string // its id, since somebody joined
}

type appSecrets struct {
	ID         string `json:"app_id"`
	Secret     string `json:"app_secret"`
	EncryptKey string `json:"encrypt_key"`
	Token      string `json:"verification_token"`
}

const password = "a password for tests"

func email(i int) string { return fmt.Sprintf("person%d@test.invalid", i) }

var names = []string{"Ada", "林华"}

// newOffice makes the accounts with the admin commands, before any server runs.
func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{machine: newMachine(t, filepath.Join(t.TempDir(), "data")), inbox: apptest.NewInbox(t)}
	o.admin(&struct{}{}, "tenant", "create", "--name", "Test")
	o.admin(&o.secrets, "app", "create", "--name", "Integration", "--event-url", o.inbox.URL())
	for i, name := range names {
		o.admin(&struct{}{}, "user", "create", "--name", name, "--email", email(i), "--password", password)
	}
	var minted struct {
		Access string `json:"access_token"`
		OpenID string `json:"open_id"`
	}
	o.admin(&minted, "token", "mint", "--app", o.secrets.ID, "--user", email(0))
	o.token = larkcore.WithUserAccessToken(minted.Access)
	o.connect()
	return o
}

func (o *office) connect() {
	o.api = lark.NewClient(o.secrets.ID, o.secrets.Secret, lark.WithOpenBaseUrl(o.url()), lark.WithLogLevel(larkcore.LogLevelError), lark.WithReqTimeout(30*time.Second))
}

// open lets the integrator's webhook receive.
func (o *office) open() { o.inbox.Open(o.secrets.Token, o.secrets.EncryptKey) }

// copied is an office with a copy of the data, on ports of its own.
func (o *office) copied(t *testing.T) *office {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := errors.Join(os.CopyFS(data, os.DirFS(o.data)), os.Chmod(filepath.Join(data, "master.key"), 0o600)); err != nil {
		t.Fatal(err)
	}
	c := *o
	c.machine = newMachine(t, data)
	c.connect()
	return &c
}

// answer is what every answer of the SDK has.
type answer interface {
	Success() bool
	ErrorResp() string
}

func (o *office) must(a answer, err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
	if !a.Success() {
		o.t.Fatal(a.ErrorResp())
	}
}

// reserve asks the API for a meeting that belongs to the first person.
func (o *office) reserve() {
	o.t.Helper()
	r, err := o.api.Vc.V1.Reserve.Apply(o.t.Context(), larkvc.NewApplyReserveReqBuilder().Body(larkvc.NewApplyReserveReqBodyBuilder().
		EndTime(strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)).
		MeetingSettings(larkvc.NewReserveMeetingSettingBuilder().Topic("Fault").Build()).Build()).Build(), o.token)
	o.must(r, err)
	o.no = *r.Data.Reserve.MeetingNo
}

// join lets everybody in and returns when the API says that they are inside.
func (o *office) join() []*people.Session {
	o.t.Helper()
	crowd := make([]*people.Session, len(names))
	for i := range names {
		crowd[i] = o.joinAs(i)
	}
	apptest.Eventually(o.t, "everybody is inside", patience, func() bool { return o.inside() >= len(names) })
	return crowd
}

// joinAs lets one person in by the pages.
func (o *office) joinAs(i int) *people.Session {
	o.t.Helper()
	media := dressed(o.t)[i]
	ctx, stop := context.WithTimeout(o.t.Context(), patience)
	defer stop()
	v, err := apptest.Login(ctx, o.url(), email(i), password)
	if err != nil {
		o.t.Fatalf("%s logs in: %v", names[i], err)
	}
	s, id, err := v.Join(ctx, o.no, media, people.Options{Subscribe: true})
	if err != nil {
		o.t.Fatalf("%s joins: %v", names[i], err)
	}
	o.t.Cleanup(s.Leave)
	o.meeting = id
	return s
}

// inside counts the people in the meeting.
func (o *office) inside() int {
	m, err := o.api.Vc.V1.Meeting.Get(o.t.Context(), larkvc.NewGetMeetingReqBuilder().MeetingId(o.meeting).WithParticipants(true).Build())
	o.must(m, err)
	n := 0
	for _, p := range m.Data.Meeting.Participants {
		if *p.Status == 2 {
			n++
		}
	}
	return n
}

// span is how long something lasted: at least, and at most. Two instants are
// never the same for two processes.
type span struct{ least, most time.Duration }

// check fails unless a file is that long, give or take what a frame and signalling take.
func (s span) check(t *testing.T, r *examine.Report) {
	t.Helper()
	const slack = 200 * time.Millisecond
	if d := length(r); d < s.least-slack || d > s.most+slack {
		t.Errorf("the file lasts %v; recording lasted %v to %v", d, s.least, s.most)
	}
}

// take is a recording that runs.
type take struct {
	asked time.Time // when the host pressed the button
	lit   time.Time // when the sign was on: from here on nothing may be missing
}

// until is how long it lasted at that instant.
func (k take) until(end time.Time) span { return span{end.Sub(k.lit), end.Sub(k.asked)} }

// record starts recording and waits until it runs.
func (o *office) record() take {
	o.t.Helper()
	k := take{asked: time.Now()}
	r, err := o.api.Vc.V1.MeetingRecording.Start(o.t.Context(), larkvc.NewStartMeetingRecordingReqBuilder().MeetingId(o.meeting).
		Body(larkvc.NewStartMeetingRecordingReqBodyBuilder().Timezone(8).Build()).Build(), o.token)
	o.must(r, err)
	apptest.Eventually(o.t, "the recorder is in the room", patience, func() bool {
		for _, name := range o.files("capture/*/events.jsonl") {
			text, err := os.ReadFile(name)
			if err == nil && strings.Contains(string(text), "rec_start") {
				return true
			}
		}
		return false
	})
	k.lit = time.Now()
	return k
}

// files lists what matches a pattern below the data folder.
func (m *machine) files(pattern string) []string {
	m.t.Helper()
	found, err := filepath.Glob(filepath.Join(m.data, pattern))
	if err != nil {
		m.t.Fatal(err)
	}
	return found
}

// end ends the meeting for everybody.
func (o *office) end() time.Time {
	o.t.Helper()
	r, err := o.api.Vc.V1.Meeting.End(o.t.Context(), larkvc.NewEndMeetingReqBuilder().MeetingId(o.meeting).Build(), o.token)
	o.must(r, err)
	return time.Now()
}

// fetch is GET recording in the app's name.
func (o *office) fetch() *larkvc.GetMeetingRecordingResp {
	o.t.Helper()
	r, err := o.api.Vc.V1.MeetingRecording.Get(o.t.Context(), larkvc.NewGetMeetingRecordingReqBuilder().MeetingId(o.meeting).Build())
	if err != nil {
		o.t.Fatal(err)
	}
	return r
}

// talk lets time pass.
func talk(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

// ready waits until the recording can be had and was announced, and checks that there is one of everything.
func (o *office) ready() apptest.Letter {
	o.t.Helper()
	apptest.Eventually(o.t, "GET recording succeeds", 2*patience, func() bool { return o.fetch().Success() })
	apptest.Eventually(o.t, "recording_ready arrives", patience, func() bool { return len(o.announced()) > 0 })
	l, r := o.announced()[0], o.fetch().Data.Recording
	if *r.Url != l.URL || *r.Duration != l.Duration {
		o.t.Errorf("the event says %s, %s ms; GET says %s, %s ms", l.URL, l.Duration, *r.Url, *r.Duration)
	}
	if n := o.count(`SELECT count(*) FROM minutes`); n != 1 {
		o.t.Errorf("there are %d minutes, want one", n)
	}
	if n := o.count(`SELECT count(*) FROM recordings WHERE state = 'ready'`); n != 1 {
		o.t.Errorf("%d recordings are ready, want one", n)
	}
	return l
}

// announced returns each delivery of recording_ready by this machine.
func (o *office) announced() []apptest.Letter {
	return slices.DeleteFunc(o.inbox.Of(apptest.RecordingReady, o.meeting), func(l apptest.Letter) bool {
		return !strings.HasPrefix(l.URL, o.url()+"/")
	})
}

// announcedOnce checks that however often recording_ready was delivered, it was one event.
func (o *office) announcedOnce() {
	o.t.Helper()
	all := o.announced()
	for _, l := range all {
		if l.ID != all[0].ID {
			o.t.Errorf("recording_ready was announced twice: %s and %s", all[0].ID, l.ID)
		}
	}
	if n := o.count(`SELECT count(*) FROM events WHERE type = '` + apptest.RecordingReady + `'`); n != 1 {
		o.t.Errorf("%d events recording_ready were written, want one", n)
	}
}

// count looks into the database beside the server.
func (o *office) count(query string) (n int) {
	o.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(o.data, "huilu.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		o.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(o.t.Context(), query).Scan(&n); err != nil {
		o.t.Fatal(err)
	}
	return n
}

// watch downloads the recording as a program would, and looks at all of it.
func (o *office) watch(l apptest.Letter) *examine.Report {
	o.t.Helper()
	r, err := o.api.Minutes.V1.MinuteMedia.Get(o.t.Context(), larkminutes.NewGetMinuteMediaReqBuilder().MinuteToken(path.Base(l.URL)).Build())
	o.must(r, err)
	name := filepath.Join(o.t.ArtifactDir(), "recording.mp4")
	f, err := os.Create(name)
	if err != nil {
		o.t.Fatal(err)
	}
	head, err := apptest.Download(o.t.Context(), *r.Data.DownloadUrl, f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		o.t.Fatal(err)
	}
	if got := http.Header.Get(head, "Content-Type"); got != "video/mp4" {
		o.t.Errorf("Content-Type %q", got)
	}
	report, err := examine.Examine(o.t.Context(), name, examine.Options{Loop: loop})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Logf("\n%s", report)
	for _, c := range report.Bad() {
		o.t.Errorf("%s", c)
	}
	if ms := strconv.FormatInt(length(report).Milliseconds(), 10); ms != l.Duration {
		o.t.Logf("the file lasts %s ms, announced were %s ms", ms, l.Duration)
	}
	return report
}

func length(r *examine.Report) time.Duration { return r.Probe.Stream("video").End.Duration() }

// loop is how long people's clocks run before they begin again.
const loop = 10 * time.Second

var draw = sync.OnceValues(func() (media []*people.Media, err error) {
	for i, name := range names {
		m, err := people.Prepare(context.Background(), people.Person{Name: name, Index: i, Width: 640, Height: 360, FPS: 20}, loop, wardrobe, nil)
		if err != nil {
			return nil, err
		}
		media = append(media, m)
	}
	return media, nil
})

// dressed returns what people show and sound.
func dressed(t *testing.T) []*people.Media {
	t.Helper()
	media, err := draw()
	if err != nil {
		t.Fatal(err)
	}
	return media
}
