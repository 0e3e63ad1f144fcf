package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"huilu/internal/app/apptest"
	"huilu/internal/meeting"
	"huilu/internal/tenant"
)

// ticket is what a guest gets at the door.
type ticket struct {
	MeetingID string `json:"meeting_id"`
	Token     string `json:"token"`
	Identity  string `json:"identity"`
}

// knock asks for a ticket as a guest.
func knock(t *testing.T, s *apptest.Server, no string) (k ticket) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/api/join/"+no, bytes.NewReader([]byte(`{"name":"Guest"}`)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Huilu", "1")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || json.Unmarshal(body, &k) != nil {
		t.Fatalf("knocking: %d %s, %v", res.StatusCode, body, err)
	}
	return k
}

// opens reports the status with which the media server answers a ticket.
func opens(t *testing.T, s *apptest.Server, k ticket) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/rtc/validate?access_token="+k.Token, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func TestTheDoorOfTheRoomAsksTheMeeting(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, map[string]string{"meeting.empty_after": "1h"})
	owner := s.Person("Owner", 1, tenant.Member)
	host := tenant.Actor{Tenant: s.Org.Key, User: owner.Num}
	r, err := s.Meetings.Apply(t.Context(), host, meeting.ReserveSpec{EndAt: time.Now().Add(time.Hour), Settings: meeting.Settings{
		ActionPermissions: []meeting.ActionPermission{meeting.GuestsWelcome()},
	}})
	if err != nil {
		t.Fatal(err)
	}
	stays, removed := knock(t, s, r.No), knock(t, s, r.No)
	id, err := strconv.ParseInt(stays.MeetingID, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	want := func(when string, k ticket, status int) {
		t.Helper()
		if got := opens(t, s, k); got != status {
			t.Errorf("%s: HTTP %d, want %d", when, got, status)
		}
	}
	want("a fresh ticket", stays, 200)
	want("another one", removed, 200)
	now := time.Now()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Meetings.Joined(t.Context(), id, removed.Identity, now))
	must(s.Meetings.Left(t.Context(), id, removed.Identity, meeting.Kicked, now))
	want("the ticket of somebody who was removed", removed, 401)
	want("whoever was not", stays, 200)
	m, p, err := s.Meetings.Enter(t.Context(), r.No, meeting.Visitor{User: &owner})
	must(err)
	apptest.Eventually(t, "the meeting ended", 30*time.Second, func() bool {
		must(s.Meetings.Joined(t.Context(), m.ID, p.ID, now)) // the sweep sees nobody in the room, and says so every two seconds
		err := s.Meetings.End(t.Context(), host, id)
		if err != nil && fmt.Sprint(err) != meeting.ErrNotInMeeting.Error() {
			t.Fatal(err)
		}
		return err == nil
	})
	want("a ticket, after the end", stays, 401)
}
