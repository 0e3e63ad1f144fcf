package store_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"huilu/internal/store/storetest"
)

func TestSessionLastsFromCommitToExpiryOrDelete(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		s := w.DB.Sessions()
		find := func(token, want string) {
			t.Helper()
			data, found, err := s.Find(token)
			if err != nil || found != (want != "") || string(data) != want {
				t.Errorf("%s: %q, %v, %v; want %q", token, data, found, err, want)
			}
		}
		hour := time.Now().Add(time.Hour)
		check(t, s.Commit("a", []byte("one"), hour))
		find("a", "one")
		check(t, s.Commit("a", []byte("two"), hour))
		find("a", "two")
		check(t, s.Commit("old", []byte("x"), time.Now().Add(-time.Second)))
		find("old", "")
		find("never", "")
		check(t, s.Delete("a"))
		find("a", "")
		check(t, s.Delete("never"))
	})
}

func TestSessionManagerKeepsPeopleLoggedInAndStoresNoCookie(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		m := scs.New()
		m.Store, m.HashTokenInStore = w.DB.Sessions(), true
		h := m.LoadAndSave(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				m.Put(r.Context(), "user", "lin")
			}
			_, _ = rw.Write([]byte(m.GetString(r.Context(), "user")))
		}))
		in := httptest.NewRecorder()
		h.ServeHTTP(in, httptest.NewRequest("POST", "/login", nil))
		cookie := in.Result().Cookies()[0]
		r, again := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.AddCookie(cookie)
		h.ServeHTTP(again, r)
		same(t, "logged in as", again.Body.String(), "lin")
		if _, found, err := w.DB.Sessions().Find(cookie.Value); found || err != nil {
			t.Errorf("the cookie itself is in the database: %v, %v", found, err)
		}
	})
}
