package openapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"huilu/internal/limit"
)

// FuzzToken: no header that this server did not make opens anything.
func FuzzToken(f *testing.F) {
	w := newWorld(f, func(o *options) { o.limiter = limit.None{} })
	good := w.tenantToken("app")
	for _, s := range []string{"", "Bearer", "Bearer ", "bearer x", "Bearer t-", "Bearer t-" + strings.Repeat("A", 48), "Bearer eyJ", "Bearer " + unsigned, "Basic YTpi", "Bearer \xff", "t-", "Bearer Bearer t-x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if strings.Contains(header, good) {
			t.Skip()
		}
		r := request("GET", "/open-apis/vc/v1/meetings/1/recording", "", "")
		r.Header["Authorization"] = []string{header}
		refusedCleanly(t, w, r, map[int]bool{99991661: true, 99991663: true, 99991668: true, 99991671: true})
	})
}

// FuzzMeetingID: any id is a number that nobody has, or no number.
func FuzzMeetingID(f *testing.F) {
	w := newWorld(f, func(o *options) { o.limiter = limit.None{} })
	auth := w.tenantToken("app")
	for _, s := range []string{"1", "0", "-1", "+1", "9223372036854775807", "9223372036854775808", "1e3", "٣", "\x00", "%", "a b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if id == "" || id == "." || id == ".." || id == "/" {
			t.Skip() // another path; ServeMux takes a segment that is just %2F for a slash at the end
		}
		r := request("GET", "/open-apis/vc/v1/meetings/x/recording", auth, "")
		r.URL = &url.URL{Path: "/open-apis/vc/v1/meetings/" + id + "/recording", RawPath: "/open-apis/vc/v1/meetings/" + url.PathEscape(id) + "/recording"}
		refusedCleanly(t, w, r, map[int]bool{121003: true, 122002: true})
	})
}

func refusedCleanly(t *testing.T, w *world, r *http.Request, codes map[int]bool) {
	t.Helper()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	var reply struct{ Code int }
	if err := json.Unmarshal(rec.Body.Bytes(), &reply); err != nil || rec.Code >= 500 || !codes[reply.Code] {
		t.Errorf("HTTP %d %s", rec.Code, rec.Body)
	}
}
