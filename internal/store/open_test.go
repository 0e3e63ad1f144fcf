package store_test

import (
	"testing"

	"huilu/internal/store"
	"huilu/internal/store/storetest"
)

func TestHealthyDatabaseSaysSo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if err := db.Healthy(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
