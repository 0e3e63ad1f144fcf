package store

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// direct is a connection to SQLite without a driver around it, for one question: one row, found by a number and a text. It
// is used by one goroutine at a time. Addresses are of memory that is not Go's.
type direct struct {
	tls     *libc.TLS
	db      uintptr
	stmt    uintptr
	text    uintptr // what is bound to $2
	textNow string
}

// openDirect opens a file that exists and prepares query, after the other statements have run.
func openDirect(path, query string, first ...string) (*direct, error) {
	d := &direct{tls: libc.NewTLS()}
	err := d.with(path, func(name uintptr) error {
		out := libc.Xcalloc(d.tls, 1, bits.UintSize/8)
		if out == 0 {
			return errMemory
		}
		defer libc.Xfree(d.tls, out)
		// Without SQLite's own mutexes: the one goroutine is ours to see to.
		rc := sqlite3.Xsqlite3_open_v2(d.tls, name, out, sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_NOMUTEX, 0)
		d.db = address(libc.GoBytes(out, bits.UintSize/8))
		return d.check("open", rc)
	})
	for _, text := range first {
		if err == nil {
			err = d.exec(text)
		}
	}
	if err == nil {
		err = d.with(query, func(text uintptr) error {
			out := libc.Xcalloc(d.tls, 1, bits.UintSize/8)
			if out == 0 {
				return errMemory
			}
			defer libc.Xfree(d.tls, out)
			rc := sqlite3.Xsqlite3_prepare_v3(d.tls, d.db, text, -1, sqlite3.SQLITE_PREPARE_PERSISTENT, out, 0)
			d.stmt = address(libc.GoBytes(out, bits.UintSize/8))
			return d.check("prepare", rc)
		})
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

var errMemory = fmt.Errorf("sqlite: out of memory")

// address reads an address as C has written it.
func address(b []byte) uintptr {
	if len(b) == 4 {
		return uintptr(binary.NativeEndian.Uint32(b))
	}
	return uintptr(binary.NativeEndian.Uint64(b))
}

// with hands f a text as C knows it.
func (d *direct) with(text string, f func(uintptr) error) error {
	p, err := libc.CString(text)
	if err != nil {
		return err
	}
	defer libc.Xfree(d.tls, p)
	return f(p)
}

func (d *direct) check(what string, rc int32) error {
	if rc == sqlite3.SQLITE_OK {
		return nil
	}
	return fmt.Errorf("sqlite: %s: %s", what, libc.GoString(sqlite3.Xsqlite3_errstr(d.tls, rc)))
}

// exec runs a statement; rows it may return are dropped.
func (d *direct) exec(text string) error {
	return d.with(text, func(p uintptr) error {
		return d.check(text, sqlite3.Xsqlite3_exec(d.tls, d.db, p, 0, 0, 0))
	})
}

// ask finds the row for $1 and $2 and hands it to read, whose columns are good until it returns. found false means that there is
// none.
func (d *direct) ask(n int64, text string, read func()) (found bool, err error) {
	if err := d.bind(text); err != nil {
		return false, err
	}
	if err := d.check("bind", sqlite3.Xsqlite3_bind_int64(d.tls, d.stmt, 1, n)); err != nil {
		return false, err
	}
	rc := sqlite3.Xsqlite3_step(d.tls, d.stmt)
	if rc == sqlite3.SQLITE_ROW {
		read()
		found, rc = true, sqlite3.SQLITE_OK
	} else if rc == sqlite3.SQLITE_DONE {
		rc = sqlite3.SQLITE_OK
	}
	sqlite3.Xsqlite3_reset(d.tls, d.stmt) // says again what step said
	return found, d.check("read", rc)
}

// bind binds $2. It stays bound: questions about one tenant follow each other.
func (d *direct) bind(text string) error {
	if d.text != 0 && d.textNow == text {
		return nil
	}
	p, err := libc.CString(text)
	if err != nil {
		return err
	}
	rc := sqlite3.Xsqlite3_bind_text(d.tls, d.stmt, 2, p, int32(len(text)), 0)
	libc.Xfree(d.tls, d.text) // not bound any more
	d.text, d.textNow = p, text
	return d.check("bind", rc)
}

func (d *direct) int(column int32) int64 { return sqlite3.Xsqlite3_column_int64(d.tls, d.stmt, column) }

func (d *direct) string(column int32) string {
	return libc.GoString(sqlite3.Xsqlite3_column_text(d.tls, d.stmt, column))
}

// close gives everything back.
func (d *direct) close() {
	sqlite3.Xsqlite3_finalize(d.tls, d.stmt)
	sqlite3.Xsqlite3_close_v2(d.tls, d.db)
	libc.Xfree(d.tls, d.text)
	d.tls.Close()
}
