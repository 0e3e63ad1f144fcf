package recording

import (
	"errors"
	"testing"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

// ready is a recording that may be had.
func ready() Facts {
	return Facts{Found: true, TenantRecords: true, Owner: 7, InitialType: 1, Status: meeting.Ended, State: Ready, RecordingID: 1, Minute: "obcn", Duration: time.Minute}
}

// obstacles are the conditions of the table, first one first: each makes facts that it applies to.
var obstacles = []struct {
	name string
	make func(*Facts, *tenant.UserNum)
	want error
}{
	{"no such meeting", func(f *Facts, _ *tenant.UserNum) { *f = Facts{} }, meeting.ErrNotFound},
	{"somebody else's", func(_ *Facts, u *tenant.UserNum) { *u = 8 }, ErrNotOwner},
	{"switched off", func(f *Facts, _ *tenant.UserNum) { f.TenantRecords = false }, ErrSwitchedOff},
	{"a call", func(f *Facts, _ *tenant.UserNum) { f.InitialType = meeting.OneToOne }, ErrSwitchedOff},
	{"calling", func(f *Facts, _ *tenant.UserNum) { f.Status = meeting.Calling }, ErrNotEnded},
	{"running", func(f *Facts, _ *tenant.UserNum) { f.Status = meeting.Running }, ErrNotEnded},
	{"processing", func(f *Facts, _ *tenant.UserNum) { f.State = Processing }, ErrProcessing},
	{"just ended", func(f *Facts, _ *tenant.UserNum) { f.State = Running }, ErrProcessing},
	{"never recorded", func(f *Facts, _ *tenant.UserNum) { f.State = "" }, ErrNotFound},
	{"empty", func(f *Facts, _ *tenant.UserNum) { f.State = Empty }, ErrNotFound},
	{"deleted", func(f *Facts, _ *tenant.UserNum) { f.State = Deleted }, ErrNotFound},
	{"failed", func(f *Facts, _ *tenant.UserNum) { f.State = Failed }, ErrProduction},
	{"a state nobody knows", func(f *Facts, _ *tenant.UserNum) { f.State = "baked" }, ErrProduction},
}

func TestTheOwnerAndAppsGetAReadyRecording(t *testing.T) {
	t.Parallel()
	for _, u := range []tenant.UserNum{0, 7} {
		if err := Decide(ready(), u); err != nil {
			t.Errorf("user %d: %v", u, err)
		}
	}
}

func TestTheFirstObstacleIsTheAnswer(t *testing.T) {
	t.Parallel()
	for i, first := range obstacles {
		for _, later := range obstacles[i:] {
			f, u := ready(), tenant.UserNum(7)
			later.make(&f, &u)
			first.make(&f, &u)
			if got := Decide(f, u); !errors.Is(got, first.want) {
				t.Errorf("%s, and also %s: %v, want %v", first.name, later.name, got, first.want)
			}
		}
	}
}

func TestAnAppMayHaveWhatANonOwnerMayNot(t *testing.T) {
	t.Parallel()
	f := ready()
	if err := Decide(f, 8); !errors.Is(err, ErrNotOwner) {
		t.Errorf("a person who does not own it: %v", err)
	}
	if err := Decide(f, 0); err != nil {
		t.Errorf("an app: %v", err)
	}
}
