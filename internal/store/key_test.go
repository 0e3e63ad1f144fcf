package store_test

import (
	"testing"

	"huilu/internal/store/storetest"
)

func TestTheFirstMasterKeyIsTheOneForEver(t *testing.T) {
	both(t, func(t *testing.T, w *storetest.World) {
		for _, c := range []struct {
			fingerprint string
			want        bool
		}{{"a1", true}, {"a1", true}, {"b2", false}, {"a1", true}} {
			got, err := w.DB.ClaimKey(t.Context(), c.fingerprint)
			check(t, err)
			same(t, "claim of "+c.fingerprint, got, c.want)
		}
	})
}
