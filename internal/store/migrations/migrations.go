// Package migrations carries the history of the schema inside the binary.
//
//	0001_first.sql   one file a step, applied in order and never changed after a release; good for both databases
//	wide_ids.go      a step that the two databases do in different ways is a function
//
// Package store applies what is missing when it opens a database; pressly/goose notes what was applied in the table
// schema_versions.
package migrations

import "embed"

// Files holds the steps that are the same for both databases.
//
//go:embed *.sql
var Files embed.FS
