// Package store keeps what the server knows in SQL: SQLite by default, PostgreSQL for more than one machine.
//
//	tenants ─┬─ apps ──── tenant_issues            tokens.go      who may call
//	         ├─ users ─── codes, token_rows, grants
//	         ├─ reserves ─ meetings ─ participants  meetings.go    who met
//	         │                └─ recordings ─ parts recordings.go  what was recorded
//	         │                       ├─ minutes     minutes.go     what can be played
//	         │                       └─ compositions jobs.go       what waits to be composed
//	         └─ events ─ deliveries ─ attempts      events.go      who was told
//	sessions                                        sessions.go    who is logged in on the pages
//	chores                                          jobs.go        what is done now and then, by one node
//
//	home.go                                         what a person sees of all that on one page
//
// It implements the Store interfaces of the domain packages and holds no rules: those live above, so that both
// databases obey the same ones. One text of SQL serves both, with parameters numbered in order of first use. Every
// query for a tenant's data takes the tenant; a method that does not says why.
//
// Units are converted here and nowhere else: times are unix milliseconds in *_ms columns with 0 for "not yet", durations
// are milliseconds, lists and settings are JSON. What an app needs its secrets for again is sealed with the master key.
//
// A transaction travels in the context (docs/adr/0002-context-transactions.md): see [DB.Within].
package store
