// Package storetest opens databases for tests: SQLite in a file, PostgreSQL in a cluster of its own.
//
//	storetest.Each(t, func(t *testing.T, db *store.DB) { … })   the same promise, kept on both
//	storetest.SQLite(t), storetest.Postgres(t)                   one of them, empty and migrated
//	storetest.PostgresDSN(t)                                     for who opens it himself
//	storetest.NewWorld(t, db)                                    a tenant, an app, people, to begin with
//
// The cluster is Debian's PostgreSQL, started once in a test process on a loopback port the system chose, without
// durability. It ends with the process, however that ends. When PostgreSQL is not installed the test fails: one that is
// skipped proves nothing.
package storetest
