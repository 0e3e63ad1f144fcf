// Package migrations carries the history of the schema inside the binary.
//
//	0001_first.sql   and so on: one file a step, applied in order and never changed after a release
//
// Each file is good for SQLite and for PostgreSQL. Package store applies what is missing when it opens a
// database; pressly/goose notes what was applied in the table schema_versions. A step that one of the two databases
// has to do in another way would get a folder of its own here; so far there is none.
package migrations

import "embed"

// Files holds the steps.
//
//go:embed *.sql
var Files embed.FS
