package store_test

import (
	"strings"
	"testing"

	"huilu/internal/store"
	"huilu/internal/store/storetest"
)

// fewRows are what a plan may read from end to end: tables with a row for each
// app, results of other steps, and indexes of rows that are only there for a while.
var fewRows = []string{"apps", "queues", "ends", "owned", "visited", "meetings USING INDEX meetings_unended", "p USING INDEX parts_one_open", "deliveries USING INDEX deliveries_held"}

func TestNoQueryThatIsAskedOftenReadsAlongATable(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	for name, query := range store.Queries {
		for _, step := range plan(t, db, query) {
			table, scans := strings.CutPrefix(step, "SCAN ")
			for _, few := range fewRows {
				scans = scans && !(table == few || strings.HasPrefix(table, few+" "))
			}
			if scans {
				t.Errorf("%s: %s", name, step)
			}
		}
	}
}

// TestFactsAreThreeLookUps keeps the query of every GET recording at the least a database can do.
func TestFactsAreThreeLookUps(t *testing.T) {
	t.Parallel()
	steps := plan(t, storetest.SQLite(t), store.Queries["facts"])
	for _, step := range steps {
		if !strings.HasPrefix(step, "SEARCH") || !strings.Contains(step, "INTEGER PRIMARY KEY (rowid=?)") && !strings.Contains(step, "sqlite_autoindex_tenants_1 (key=?)") {
			t.Errorf("not a look-up of one key: %q", step)
		}
	}
	if len(steps) != 3 {
		t.Errorf("%d steps, want 3: %q", len(steps), steps)
	}
}

func plan(t *testing.T, db *store.DB, query string) (steps []string) {
	t.Helper()
	args := make([]any, 0, 6)
	for n := 1; n <= 6; n++ {
		if strings.Contains(query, "$"+string(rune('0'+n))) {
			args = append(args, 1)
		}
	}
	rows, err := db.Pool().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	check(t, err)
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		check(t, rows.Scan(&id, &parent, &unused, &step))
		steps = append(steps, step)
	}
	check(t, rows.Err())
	return steps
}
