package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"huilu/internal/keys"
	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
)

// readyRecording stores a ready recording of a meeting that has ended.
func readyRecording(t *testing.T, w *storetest.World) (meeting.Meeting, recording.Recording) {
	t.Helper()
	m := w.Meeting(w.Home, meeting.Ended)
	r := w.Recording(m, recording.Processing)
	r.State, r.Minute, r.Duration = recording.Ready, "obcnabcdefghijklmnopqrst", 61234*time.Millisecond
	if !must[bool](t)(w.DB.Recordings().Advance(t.Context(), r, recording.Processing)) {
		t.Fatal("the recording was not processing")
	}
	return m, r
}

// Inside a transaction facts are asked in the ordinary way, outside by a glance.
func TestAGlanceSaysWhatTheOrdinaryWaySays(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		s := w.DB.Recordings()
		m, r := readyRecording(t, w)
		for _, step := range []struct {
			what   string
			change func() error
			state  recording.State
		}{
			{"ready", func() error { return nil }, recording.Ready},
			{"another owner", func() error {
				m.Owner = w.Home.Other.Num
				moved, err := w.DB.SaveMeeting(t.Context(), m, meeting.Ended)
				if err == nil && !moved {
					t.Error("the meeting was not saved")
				}
				return err
			}, recording.Ready},
			{"recording switched off", func() error { w.Home.Tenant.Recording = false; return w.DB.SaveTenant(t.Context(), w.Home.Tenant) }, recording.Ready},
			{"and on", func() error { w.Home.Tenant.Recording = true; return w.DB.SaveTenant(t.Context(), w.Home.Tenant) }, recording.Ready},
			{"deleted", func() error {
				r.State = recording.Deleted
				_, err := s.Advance(t.Context(), r, recording.Ready)
				return err
			}, recording.Deleted},
		} {
			check(t, step.change())
			for _, k := range []tenant.Key{w.Home.Tenant.Key, w.Away.Tenant.Key} {
				glance := must[recording.Facts](t)(s.Facts(t.Context(), k, m.ID))
				var ordinary recording.Facts
				check(t, w.DB.Within(t.Context(), func(ctx context.Context) (err error) {
					ordinary, err = s.Facts(ctx, k, m.ID)
					return err
				}))
				same(t, step.what, glance, ordinary)
				if own := k == w.Home.Tenant.Key; glance.Found != own || own && (glance.State != step.state || glance.Owner != m.Owner) {
					t.Errorf("%s, tenant %s: %+v", step.what, k, glance)
				}
			}
		}
	})
}

// A failing disk shows as a page of the mapping that is not there, as does a file that was cut.
func TestADiskThatFailsToReadEndsNotTheProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "huilu.db")
	w := storetest.NewWorld(t, storetest.Open(t, "sqlite:"+path, keys.New()))
	var asked []meeting.Meeting
	for range 400 {
		m, _ := readyRecording(t, w)
		asked = append(asked, m)
	}
	_, err := w.DB.Pool().ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)")
	check(t, err)
	for i := range 64 { // every connection maps the file
		if f := must[recording.Facts](t)(w.DB.Recordings().Facts(t.Context(), asked[i].Tenant, asked[i].ID)); f.State != recording.Ready {
			t.Fatalf("before: %+v", f)
		}
	}
	whole, err := os.ReadFile(path)
	check(t, err)
	check(t, os.Truncate(path, 8192))
	failed := 0
	for _, m := range asked {
		if _, err := w.DB.Recordings().Facts(t.Context(), m.Tenant, m.ID); err != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Error("nobody noticed that the file was cut")
	}
	check(t, os.WriteFile(path, whole, 0o600)) // or the database would complain when it is closed
}

// eventually waits until f is true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestWhatAnotherProcessWithdrawsIsNotHandedOutForLong(t *testing.T) {
	t.Parallel()
	path, m := "sqlite:"+filepath.Join(t.TempDir(), "huilu.db"), keys.New()
	w := storetest.NewWorld(t, storetest.Open(t, path, m))
	other := storetest.Open(t, path, m)
	met, r := readyRecording(t, w)
	state := func() recording.State {
		return must[recording.Facts](t)(w.DB.Recordings().Facts(t.Context(), met.Tenant, met.ID)).State
	}
	if s := state(); s != recording.Ready {
		t.Fatal(s)
	}
	r.State = recording.Deleted
	if !must[bool](t)(other.Recordings().Advance(t.Context(), r, recording.Ready)) {
		t.Fatal("it was not deleted")
	}
	eventually(t, "it is deleted, also for who asks all the time", func() bool { return state() == recording.Deleted })
}

func TestAGlanceDoesNotKeepTheLogFromStartingOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "huilu.db")
	w := storetest.NewWorld(t, storetest.Open(t, "sqlite:"+path, keys.New()))
	m, _ := readyRecording(t, w)
	must[recording.Facts](t)(w.DB.Recordings().Facts(t.Context(), m.Tenant, m.ID))
	readyRecording(t, w) // more log, behind what was looked at
	eventually(t, "the log is empty", func() bool {
		_, err := w.DB.Pool().ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)")
		check(t, err)
		st, err := os.Stat(path + "-wal")
		check(t, err)
		return st.Size() == 0
	})
}
