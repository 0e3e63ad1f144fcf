package event_test

import (
	"context"
	"testing"
	"time"

	"huilu/internal/event"
	"huilu/internal/scope"
	"huilu/internal/tenant"
)

// Who receives an event of a meeting that the first app reserved: one table of apps, both audiences.
func TestOnlyAppsThatMayAndWantToHearAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reserved := w.app("https://receiver.example/", true)
	change := func(f func(*tenant.App)) tenant.App {
		a := w.app("https://receiver.example/", true)
		f(&a)
		w.save(a)
		return a
	}
	apps := map[string]struct {
		app   tenant.App
		every bool // receives when every subscribed app does
	}{
		"another":      {change(func(*tenant.App) {}), true},
		"newer scope":  {change(func(a *tenant.App) { a.Scopes = scope.Set{scope.MeetingEventRead} }), true},
		"disabled":     {change(func(a *tenant.App) { a.Disabled = true }), false},
		"no URL":       {change(func(a *tenant.App) { a.Events.URL = "" }), false},
		"no scope":     {change(func(a *tenant.App) { a.Scopes = scope.Set{scope.RecordRead} }), false},
		"other events": {change(func(a *tenant.App) { a.Events.Types = []string{string(event.MeetingStarted)} }), false},
	}
	for _, audience := range []event.Audience{event.ReservingApp, event.EveryApp} {
		news := event.NewService(w.db, w.db, audience, func() {})
		e := event.Event{Type: event.MeetingEnded, Tenant: w.tenant.Key, App: reserved.ID, At: time.Now()}
		if err := w.db.Within(t.Context(), func(ctx context.Context) error { return news.Announce(ctx, e) }); err != nil {
			t.Fatal(err)
		}
	}
	count := func(a tenant.App) int {
		ds, _, err := w.db.Deliveries(t.Context(), w.tenant.Key, a.ID, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(ds)
	}
	if n := count(reserved); n != 2 {
		t.Errorf("the reserving app: %d deliveries, want one for each audience", n)
	}
	for name, c := range apps {
		if n := count(c.app); (n == 1) != c.every || n > 1 {
			t.Errorf("%s: %d deliveries, want %v for every-app and none for reserving-app", name, n, c.every)
		}
	}
}

func TestAnnouncingOutsideOfATransactionIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	news := event.NewService(w.db, w.db, event.EveryApp, func() {})
	if err := news.Announce(t.Context(), event.Event{Type: event.MeetingEnded, Tenant: w.tenant.Key, At: time.Now()}); err == nil {
		t.Error("an event without its cause was stored")
	}
}
