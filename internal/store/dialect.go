package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	"modernc.org/sqlite"               // driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// dialect is everything in which the two databases differ.
type dialect struct {
	sqlite bool
	// isolation of Within. The domain looks, decides and writes, and its rules hold
	// only if nothing changed in between. SQLite's single writer gives that; PostgreSQL
	// has to be asked, and then refuses one of two transactions that got in each other's way.
	isolation sql.IsolationLevel
	// skipLocked takes a row for one transaction and passes by those that another has taken.
	// SQLite needs nothing of the kind: there is only one transaction that writes.
	skipLocked string
}

var (
	sqliteDialect   = dialect{sqlite: true}
	postgresDialect = dialect{isolation: sql.LevelSerializable, skipLocked: " FOR NO KEY UPDATE SKIP LOCKED"}
)

// busyTimeout is how long a connection waits for SQLite's write lock when another
// process (huilu admin beside huilu serve) holds it.
const busyTimeout = 10 * time.Second

// openSQLite opens one file twice: for the one writer SQLite allows, so that
// writers queue in Go instead of failing with "database is locked", and for readers, which
// in WAL mode neither wait for the writer nor make it wait.
//
// synchronous is FULL: with WAL's usual NORMAL a power cut can take back commits of the last
// seconds. A recording that was announced as ready, or a "recording started" that a person saw,
// would be gone. It costs one fsync for each write transaction, of which a meeting makes a few.
//
// The file is not mapped into memory, although that takes a third off a look-up in a million rows: a
// disk that fails to read would end the process, with all its meetings, instead of one request. Only
// glances do it, which take precautions.
func openSQLite(path string) (write, read *sql.DB, err error) {
	if path == "" {
		return nil, nil, errors.New("sqlite: needs a path")
	}
	if err := makeFile(path); err != nil {
		return nil, nil, err
	}
	dsn := sqliteDSN(path)
	// A transaction that begins by reading and then writes could fail half-way; immediate makes it wait at the start.
	if write, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return nil, nil, err
	}
	// query_only: a write that strays into the readers' pool fails instead of fighting the writer for the lock.
	if read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return nil, nil, errors.Join(err, write.Close())
	}
	write.SetMaxOpenConns(1)
	// Idle ones are kept because opening one costs a millisecond.
	read.SetMaxOpenConns(readers())
	read.SetMaxIdleConns(readers())
	return write, read, nil
}

// readers is how many connections read. More only queue for processors.
func readers() int { return max(4, 2*runtime.GOMAXPROCS(0)) }

// sqliteDSN is how every connection to the file is opened; more pragmas may be appended.
func sqliteDSN(path string) string {
	const common = "_pragma=busy_timeout(%d)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)"
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + fmt.Sprintf(common, busyTimeout.Milliseconds())
}

// makeFile makes the file before SQLite would, for nobody else to read. The log beside it gets the same mode.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func openPostgres(dsn string) (*sql.DB, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	// PostgreSQL allows 100 connections by default; this leaves room for several nodes.
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// errConflict reports that a row appeared between a look and a write. Within
// starts over, and the second look sees it.
var errConflict = errors.New("another transaction was faster")

// canRetry reports whether a transaction that failed with err may succeed when run again.
func canRetry(err error) bool {
	if errors.Is(err, errConflict) {
		return true
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "40001" || e.Code == "40P01" // serialization_failure, deadlock_detected
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()&0xff == sqlite3.SQLITE_BUSY
	}
	return false
}
