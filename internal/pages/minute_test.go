package pages

import (
	"mime"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestTheOwnerSeesWhatThereIsToWatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.recordMeeting()
	var m minuteJSON
	w.as(w.olga).get("/api/minutes/"+w.minute).into(t, &m)
	if m.Token != w.minute || m.Title != w.secretTopic || m.DurationMS != 60_000 || m.OwnerName != "Olga" || !m.IsOwner || !m.CanDownload {
		t.Errorf("minute: %+v", m)
	}
	if m.MediaURL != "/api/minutes/"+w.minute+"/media" || m.PosterURL == nil || *m.PosterURL != "/api/minutes/"+w.minute+"/poster" {
		t.Errorf("addresses: %s, %v", m.MediaURL, m.PosterURL)
	}
	if len(m.Participants) != 2 || m.Participants[0].Name != "Olga" || m.Participants[1].Name != "Mia" {
		t.Fatalf("participants: %+v", m.Participants)
	}
	if left := m.Participants[1].LeftMS; left == nil || *left-m.Participants[1].JoinedMS != 60_000 || m.StartMS != m.Participants[1].JoinedMS {
		t.Errorf("times: start %d, %+v", m.StartMS, m.Participants)
	}
	if len(m.Defects) != 1 || m.Defects[0] != "a gap of 2 s" {
		t.Errorf("defects: %q", m.Defects)
	}
}

// A refusal must be the same whatever is behind it: neither content nor, across tenants, existence may show.
func TestRefusalsTellNothingAboutAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.recordMeeting()
	none := "obcn" + strings.Repeat("x", 20)
	hints := []string{w.secretTopic, "Merger", "保密", "Olga", "olga", "60000", "gap", "Here"}
	for _, rest := range []string{"", "/media", "/media?download=1", "/poster"} {
		for name, c := range map[string]struct {
			b      *browser
			status int
		}{"anonymous": {w.browser(), 401}, "somebody who was there": {w.as(w.mia), 403}, "administrator": {w.as(w.ada), 403}, "foreign administrator": {w.as(w.bob), 404}} {
			for _, method := range []string{"GET", "HEAD"} {
				a := c.b.send(method, "/api/minutes/"+w.minute+rest, nil, "Range", "bytes=0-99")
				if a.status != c.status {
					t.Errorf("%s %s%s: %s, want %d", method, name, rest, a, c.status)
				}
				all := a.body + strings.ReplaceAll(strings.Join(flat(a.header), "\n"), w.minute, "")
				for _, hint := range hints {
					if strings.Contains(all, hint) {
						t.Errorf("%s %s%s: the refusal has %q: %s", method, name, rest, hint, all)
					}
				}
			}
			real, missing := c.b.get("/api/minutes/"+w.minute+rest), c.b.get("/api/minutes/"+none+rest)
			if c.status != 403 && real.String() != missing.String() {
				t.Errorf("%s tells what exists:\n%s\n%s", name, real, missing)
			}
		}
	}
}

func flat(h http.Header) (lines []string) {
	for k, vs := range h {
		lines = append(lines, k+": "+strings.Join(vs, ", "))
	}
	return lines
}

// Link previews and search engines read the page without signing in.
func TestThePageOfAMinuteIsTheSameForAllMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.recordMeeting()
	owner := w.as(w.olga)
	none := w.browser().get("/minutes/obcn" + strings.Repeat("x", 20))
	for _, agent := range []string{"Twitterbot/1.0", "Slackbot-LinkExpanding 1.0", "Mozilla/5.0"} {
		for _, b := range []*browser{w.browser(), owner} {
			if a := b.get("/minutes/"+w.minute, "User-Agent", agent); a.status != 200 || a.body != none.body || !strings.Contains(a.header.Get("X-Robots-Tag"), "noindex") {
				t.Errorf("%s: %s, X-Robots-Tag %q", agent, a, a.header.Get("X-Robots-Tag"))
			}
		}
	}
}

func TestPlayersCanSeek(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.recordMeeting()
	b := w.as(w.olga)
	media, size := "/api/minutes/"+w.minute+"/media", strconv.Itoa(len(w.video))
	whole := b.get(media)
	etag := whole.header.Get("ETag")
	if whole.status != 200 || whole.body != string(w.video) || whole.header.Get("Accept-Ranges") != "bytes" || whole.header.Get("Content-Type") != "video/mp4" || etag == "" {
		t.Fatalf("whole: %d, %d bytes, %v", whole.status, len(whole.body), whole.header)
	}
	if d := whole.header.Get("Content-Disposition"); d != "" {
		t.Errorf("watching would save the file: %s", d)
	}
	for _, c := range []struct {
		name   string
		header []string
		status int
		body   string
		rang   string
	}{
		{"first bytes", []string{"Range", "bytes=0-9"}, 206, "0123456789", "bytes 0-9/" + size},
		{"the middle", []string{"Range", "bytes=1000-1003"}, 206, string(w.video[1000:1004]), "bytes 1000-1003/" + size},
		{"to the end", []string{"Range", "bytes=65530-"}, 206, string(w.video[65530:]), "bytes 65530-65535/" + size},
		{"the last ones", []string{"Range", "bytes=-3"}, 206, "def", "bytes 65533-65535/" + size},
		{"behind the end", []string{"Range", "bytes=65536-"}, 416, "", "bytes */" + size},
		{"same file", []string{"Range", "bytes=0-0", "If-Range", etag}, 206, "0", "bytes 0-0/" + size},
		{"another file by now", []string{"Range", "bytes=0-0", "If-Range", `"old"`}, 200, string(w.video), ""},
		{"nothing new", []string{"If-None-Match", etag}, 304, "", ""},
	} {
		a := b.get(media, c.header...)
		if a.status != c.status || a.header.Get("Content-Range") != c.rang || (c.status < 400 && a.body != c.body) {
			t.Errorf("%s: %d, %d bytes, Content-Range %q; want %d, %d bytes, %q", c.name, a.status, len(a.body), a.header.Get("Content-Range"), c.status, len(c.body), c.rang)
		}
	}
	if a := b.send("HEAD", media, nil); a.status != 200 || a.header.Get("Content-Length") != size || a.body != "" {
		t.Errorf("HEAD: %s, Content-Length %q", a, a.header.Get("Content-Length"))
	}
	if a := b.get("/api/minutes/" + w.minute + "/poster"); a.status != 200 || a.header.Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(a.body, "\xff\xd8") {
		t.Errorf("poster: %d %v", a.status, a.header)
	}
}

func TestADownloadIsNamedAfterItsMeeting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.recordMeeting()
	a := w.as(w.olga).get("/api/minutes/" + w.minute + "/media?download=1")
	kind, params, err := mime.ParseMediaType(a.header.Get("Content-Disposition"))
	if err != nil || kind != "attachment" || params["filename"] != w.secretTopic+".mp4" {
		t.Errorf("%q, %v: %s", kind, params, a.header.Get("Content-Disposition"))
	}
}

func TestADeletedOrLostFileIsSaidSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.recordMeeting()
	b := w.as(w.olga)
	delete(w.files, "minutes/"+w.minute+".mp4")
	a := b.get("/api/minutes/" + w.minute + "/media")
	want(t, "lost file", a, 500, "internal")
	var r refusalJSON
	a.into(t, &r)
	if r.Error.LogID == "" || !strings.Contains(r.Error.EN, r.Error.LogID) || !strings.Contains(w.logs.String(), r.Error.LogID) || strings.Contains(a.body, "no such file") {
		t.Errorf("the number to find it by: %s", a)
	}
	if a.header.Get("Content-Type") != "application/json; charset=utf-8" || a.header.Get("ETag") != "" {
		t.Errorf("headers of a file on a refusal: %v", a.header)
	}
	if _, err := w.db.Pool().Exec(`UPDATE minutes SET deleted_at_ms = 1 WHERE token = $1`, w.minute); err != nil {
		t.Fatal(err)
	}
	want(t, "deleted", b.get("/api/minutes/"+w.minute), 410, "deleted")
	want(t, "deleted, asked by another", w.as(w.mia).get("/api/minutes/"+w.minute), 403, "not_permitted")
}

// timed is a connection that notes the deadlines set on it.
type timed struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (t *timed) SetWriteDeadline(at time.Time) error {
	t.deadlines = append(t.deadlines, at)
	return nil
}

func TestAStuckPlayerHoldsNoConnectionAndAFinishedOneLeavesNoDeadline(t *testing.T) {
	t.Parallel()
	w := &timed{ResponseRecorder: httptest.NewRecorder()}
	f := file{files: files{"a.mp4": []byte("film")}, key: "a.mp4"}
	check(t, f.write(w, httptest.NewRequest("GET", "/", nil)))
	if n := len(w.deadlines); n < 2 || w.deadlines[0].IsZero() || !w.deadlines[n-1].IsZero() || w.Body.String() != "film" {
		t.Errorf("deadlines %v, body %q", w.deadlines, w.Body)
	}
}
