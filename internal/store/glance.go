package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"

	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// glances answers what GET recording asks about a ready recording in SQLite, in a quarter of the time that the ordinary way
// takes, and with hardly more for a million recordings than for a thousand. It knows four short cuts:
//
//   - It asks the driver itself. Package database/sql locks, copies and converts for longer than SQLite searches.
//   - The whole answer is one column of one row: the driver describes every column of every answer anew.
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
	conn    driver.Conn
	stmt    driver.StmtQueryContext
	held    bool   // a read transaction is open
	version uint64 // of changes, when it was opened
	args    [2]driver.NamedValue
	row     [1]driver.Value
}

// glanceQuery finds a recording by its meeting. Tenants are few and stay in the cache.
const glanceQuery = `SELECT r.minute || ' ' || r.owner || ' ' || r.duration_ms || ' ' || r.id
	FROM recordings r JOIN tenants t ON t.key = r.tenant
	WHERE r.meeting = $1 AND r.tenant = $2 AND r.state = 'ready' AND t.recording`

// openGlances opens n connections to the file that dsn names. Whoever commits raises changes afterwards.
func openGlances(ctx context.Context, dsn string, n int, changes *atomic.Uint64, log *slog.Logger) (*glances, error) {
	g := &glances{changes: changes, log: log}
	g.ageing = time.AfterFunc(time.Hour, g.age)
	g.ageing.Stop()
	for range n {
		one, err := openGlance(ctx, dsn+"&_pragma=query_only(1)&_pragma=mmap_size(2147418112)") // as much as SQLite maps
		if err != nil {
			return nil, errors.Join(err, g.close())
		}
		g.free = append(g.free, one)
	}
	return g, nil
}

func openGlance(ctx context.Context, dsn string) (*glance, error) {
	conn, err := (&sqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	g := &glance{conn: conn, args: [2]driver.NamedValue{{Ordinal: 1}, {Ordinal: 2}}}
	preparer, ok := conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, errors.Join(errors.New("the driver cannot prepare"), conn.Close())
	}
	stmt, err := preparer.PrepareContext(ctx, glanceQuery)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %q: %w", glanceQuery, err), conn.Close())
	}
	if g.stmt, ok = stmt.(driver.StmtQueryContext); !ok {
		return nil, errors.Join(errors.New("the driver cannot ask"), stmt.Close(), conn.Close())
	}
	return g, nil
}

// close waits until nobody is using a connection, and closes all. Once more does nothing.
func (g *glances) close() (err error) {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.inUse.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ageing.Stop()
	for _, one := range g.free {
		err = errors.Join(err, one.stmt.(driver.Stmt).Close(), one.conn.Close())
	}
	g.free = nil
	return err
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
	var answer string
	if err := guard(func() { answer = one.look(m, string(t), g.changes.Load()) }); err != nil {
		g.broken(err)
		g.inUse.Done()
		return f, false
	}
	g.put(one)
	return readyFacts(answer)
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

// look asks. An empty answer means that nothing is known.
func (g *glance) look(m int64, t string, version uint64) (answer string) {
	if g.held && g.version != version {
		g.release()
	}
	if !g.held && !g.hold(version) {
		return ""
	}
	g.args[0].Value, g.args[1].Value = m, t
	rows, err := g.stmt.QueryContext(context.Background(), g.args[:])
	if err != nil {
		g.release()
		return ""
	}
	if rows.Next(g.row[:]) == nil {
		answer, _ = g.row[0].(string)
	}
	if rows.Close() != nil {
		return ""
	}
	return answer
}

// hold opens a read transaction; the state it shows is that of the first question in it.
func (g *glance) hold(version uint64) bool {
	g.held, g.version = g.exec("BEGIN"), version
	return g.held
}

// release ends the read transaction, if one is open.
func (g *glance) release() {
	if g.held {
		g.held = false
		g.exec("ROLLBACK")
	}
}

func (g *glance) exec(text string) bool {
	_, err := g.conn.(driver.ExecerContext).ExecContext(context.Background(), text, nil)
	return err == nil
}

// readyFacts reads the answer of glanceQuery. The rest follows from the state: what is ready has been recorded in a meeting
// that could be, which has ended.
func readyFacts(answer string) (f recording.Facts, ok bool) {
	minute, rest, _ := strings.Cut(answer, " ")
	owner, rest, _ := strings.Cut(rest, " ")
	millis, id, _ := strings.Cut(rest, " ")
	var numbers [3]int64
	for i, s := range [...]string{owner, millis, id} {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return recording.Facts{}, false
		}
		numbers[i] = n
	}
	return recording.Facts{
		Found: true, TenantRecords: true, Owner: tenant.UserNum(numbers[0]), InitialType: groupMeeting, Status: meeting.Ended,
		State: recording.Ready, RecordingID: recording.ID(numbers[2]), Minute: minute, Duration: time.Duration(numbers[1]) * time.Millisecond,
	}, true
}

// groupMeeting is the initial type of meetings that can be recorded: the only one besides meeting.OneToOne.
const groupMeeting = 1
