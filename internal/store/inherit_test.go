package store_test

import (
	"testing"

	"huilu/internal/event"
	"huilu/internal/job"
	"huilu/internal/store/storetest"
)

func TestWhatADeadServerHeldIsFreeForItsHeir(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		d, id := w.Announce(storetest.Now, w.Home.App)[0], newJob(t, w)
		claim(t, w, storetest.Now, 1, 1)
		work(t, w, "dead", storetest.Now)
		same(t, "delivery before", claim(t, w, storetest.Now, 1, 1), []event.Delivery(nil))
		same(t, "composition before", work(t, w, "heir", storetest.Now), []job.Job(nil))
		check(t, w.DB.Inherit(t.Context()))
		same(t, "delivery", claim(t, w, storetest.Now, 1, 1), []event.Delivery{d})
		same(t, "composition", work(t, w, "heir", storetest.Now), []job.Job{{Recording: id, Version: 1, Tries: 2}})
	})
}
