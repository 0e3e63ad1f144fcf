package store

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// glances answers what GET recording asks about a ready recording in SQLite, in a quarter of the time that the ordinary way
// takes, and with hardly more for a million recordings than for a thousand. It knows four short cuts:
//
//   - The whole answer is in one row.
//   - It asks SQLite itself (see direct). Package database/sql and the driver lock, describe, copy and convert for longer
//     than SQLite searches.
//   - It reads the file through a mapping into memory, instead of copying pages.
//   - Glances that follow each other look at one state of the database: taking and returning the lock that keeps it still
//     costs as much as the search. What this process commits is seen by the next glance; what another one does, within
//     glanceAge.
//
// A mapping has a danger: a disk that fails to read does not return an error, it stops the program. Here the program is told to
// panic instead (see guard), the connection is left alone for good, and its share is asked in the ordinary way from then on.
//
// Whatever is not a ready recording of that tenant, a glance does not know. So it never refuses anything, and what
// has just become ready is found in the ordinary way.
type glances struct {
	changes *atomic.Uint64 // goes up with every commit, and when glanceAge has passed
	log     *slog.Logger
	inUse   sync.WaitGroup

	mu     sync.Mutex // guards what follows
	free   []*glance  // the one used last is taken first: the processor knows its memory
	ageing *time.Timer
	armed  bool // ageing will fire
	closed bool
}

// glanceAge is how old the state that glances look at may become: the longest time for which a recording is handed out
// after another process has withdrawn it. A state that is held keeps SQLite's log from starting over.
const glanceAge = 50 * time.Millisecond

// glance is a connection of its own. It is used by one goroutine at a time.
type glance struct {
	*direct
	held    bool   // a read transaction is open
	version uint64 // of changes, when it was opened
}

// glanceQuery finds a recording by its meeting. Tenants are few and stay in the cache.
const glanceQuery = `SELECT r.id, r.owner, r.minute, r.duration_ms FROM recordings r JOIN tenants t ON t.key = r.tenant
	WHERE r.meeting = $1 AND r.tenant = $2 AND r.state = 'ready' AND t.recording`

// openGlances opens n connections to a file that has its tables. Whoever commits raises changes afterwards.
func openGlances(path string, n int, changes *atomic.Uint64, log *slog.Logger) (*glances, error) {
	g := &glances{changes: changes, log: log}
	g.ageing = time.AfterFunc(time.Hour, g.age)
	g.ageing.Stop()
	for range n {
		d, err := openDirect(path, glanceQuery, fmt.Sprintf("PRAGMA busy_timeout = %d", busyTimeout.Milliseconds()),
			"PRAGMA query_only = 1", "PRAGMA mmap_size = 2147418112") // as much as SQLite maps
		if err != nil {
			g.close()
			return nil, err
		}
		g.free = append(g.free, &glance{direct: d})
	}
	return g, nil
}

// close waits until nobody is using a connection, and closes all. Once more does nothing.
func (g *glances) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.inUse.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ageing.Stop()
	for _, one := range g.free {
		one.direct.close()
	}
	g.free = nil
}

// take returns a connection, nil when none is free.
func (g *glances) take() *glance {
	g.mu.Lock()
	defer g.mu.Unlock()
	last := len(g.free) - 1
	if g.closed || last < 0 {
		return nil
	}
	one := g.free[last]
	g.free = g.free[:last]
	g.inUse.Add(1)
	return one
}

func (g *glances) put(one *glance) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free = append(g.free, one)
	if one.held && !g.armed {
		g.armed = true
		g.ageing.Reset(glanceAge)
	}
	g.inUse.Done()
}

// age declares the state old that glances have looked at, and lets go of it where nobody is looking. Connections in use
// notice with their next glance, or are found when they have come back.
func (g *glances) age() {
	g.changes.Add(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.armed = false
	if g.closed {
		return
	}
	for i, one := range slices.Backward(g.free) {
		if err := guard(one.release); err != nil {
			g.free = slices.Delete(g.free, i, i+1)
			g.broken(err)
		}
	}
}

// facts returns the facts of a ready recording. With ok false nothing is known: ask in the ordinary way, which also knows
// what is wrong.
func (g *glances) facts(t tenant.Key, m int64) (f recording.Facts, ok bool) {
	one := g.take()
	if one == nil {
		return f, false
	}
	if err := guard(func() { f, ok = one.look(m, t, g.changes.Load()) }); err != nil {
		g.broken(err)
		g.inUse.Done()
		return recording.Facts{}, false
	}
	g.put(one)
	return f, ok
}

// broken tells of a connection that is not used again, and not closed either: SQLite was interrupted at an arbitrary place.
func (g *glances) broken(err error) {
	g.log.Error("the database file cannot be read; is the disk failing? Recordings are looked up in a slower way from now on", "err", err)
}

// guard does what reads the mapping. The error is a page that cannot be read.
func guard(f func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("read of a mapped page: %v", p)
		}
	}()
	f()
	return nil
}

// look asks.
func (g *glance) look(m int64, t tenant.Key, version uint64) (f recording.Facts, ok bool) {
	if g.held && g.version != version {
		g.release()
	}
	if !g.held && !g.hold(version) {
		return f, false
	}
	found, err := g.ask(m, string(t), func() {
		f = readyFacts(recording.ID(g.int(0)), tenant.UserNum(g.int(1)), g.string(2), time.Duration(g.int(3))*time.Millisecond)
	})
	if err != nil {
		g.release()
	}
	return f, found && err == nil
}

// readyFacts is what is known of a ready recording. More follows from the state: what is ready was recorded in a meeting that
// could be, which has ended.
func readyFacts(id recording.ID, owner tenant.UserNum, minute string, length time.Duration) recording.Facts {
	return recording.Facts{
		Found: true, TenantRecords: true, Owner: owner, InitialType: groupMeeting, Status: meeting.Ended,
		State: recording.Ready, RecordingID: id, Minute: minute, Duration: length,
	}
}

// groupMeeting is the initial type of meetings that can be recorded: the only one besides meeting.OneToOne.
const groupMeeting = 1

// hold opens a read transaction; the state it shows is that of the first question in it.
func (g *glance) hold(version uint64) bool {
	g.held, g.version = g.exec("BEGIN") == nil, version
	return g.held
}

// release ends the read transaction, if one is open.
func (g *glance) release() {
	if g.held {
		g.held = false
		_ = g.exec("ROLLBACK") // there is nothing to lose
	}
}
