package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"

	"huilu/internal/keys"
	"huilu/internal/store"
)

// startLimit is how long a slow machine may take to start PostgreSQL.
const startLimit = 30 * time.Second

// cluster is the PostgreSQL of this test process.
type cluster struct {
	port  int
	admin *sql.DB
	stdin *os.File // the cluster lives while this is open
	count atomic.Int64

	migrate    sync.Once // makes the database that others are copied from
	migrateErr error
}

var shared = sync.OnceValues(startCluster)

// PostgresDSN makes an empty database and returns its address. It is dropped when the test ends.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	return makeDatabase(t, "template1")
}

// migratedDSN makes a database with the current schema, by copying one: that is much faster than migrating.
func migratedDSN(t testing.TB) string {
	t.Helper()
	c := running(t)
	c.migrate.Do(func() {
		if _, c.migrateErr = c.admin.Exec("CREATE DATABASE migrated"); c.migrateErr == nil {
			var db *store.DB
			if db, c.migrateErr = store.Open(context.Background(), c.dsn("migrated"), keys.New(), slog.New(slog.DiscardHandler)); c.migrateErr == nil {
				c.migrateErr = db.Close()
			}
		}
	})
	if c.migrateErr != nil {
		t.Fatalf("make the database to copy: %v", c.migrateErr)
	}
	return makeDatabase(t, "migrated")
}

func running(t testing.TB) *cluster {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	return c
}

func makeDatabase(t testing.TB, template string) string {
	t.Helper()
	c := running(t)
	name := fmt.Sprintf("test_%d", c.count.Add(1))
	if _, err := c.admin.ExecContext(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatalf("make database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startLimit)
		defer cancel()
		if _, err := c.admin.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return c.dsn(name)
}

func (c *cluster) dsn(database string) string {
	return fmt.Sprintf("postgres://huilu@127.0.0.1:%d/%s?sslmode=disable", c.port, database)
}

// startCluster tries twice: between choosing a port and using it somebody else may take it.
func startCluster() (*cluster, error) {
	c, err := newCluster()
	if err != nil {
		c, err = newCluster()
	}
	return c, err
}

func newCluster() (*cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	who, err := owner()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "huilu-postgres-")
	if err != nil {
		return nil, err
	}
	c := &cluster{}
	if err := errors.Join(who.own(dir), c.start(bin, dir, who)); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, log), os.RemoveAll(dir))
	}
	return c, nil
}

// script makes a cluster and runs it until its standard input closes, which is
// when the test process is gone, killed or not. Then it leaves nothing behind. TERM comes before QUIT because
// a shell starts its children deaf to QUIT, and a server that is only just starting still is.
const script = `bin=$1 dir=$2 port=$3
exec 3<&0 >"$dir/log" 2>&1
trap 'rm -rf "$dir"' EXIT
"$bin/initdb" -D "$dir/data" -U huilu -A trust -E UTF8 --locale=C --no-sync || exit 1
"$bin/postgres" -D "$dir/data" -k "$dir" -p "$port" -h 127.0.0.1 -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=300 &
server=$!
(read -r until_closed; kill -TERM $server; sleep 3; kill -QUIT $server) <&3 &
wait $server`

func (c *cluster) start(bin, dir string, who account) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	defer in.Close()
	cmd := exec.Command("/bin/sh", "-c", script, "sh", bin, dir, strconv.Itoa(port))
	cmd.Stdin, cmd.Dir, cmd.SysProcAttr = in, dir, who.attributes()
	// A group of its own: an interrupt at the keyboard is for the test, and the test's end ends this.
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		return errors.Join(err, out.Close())
	}
	c.port, c.stdin = port, out
	if c.admin, err = sql.Open("pgx", c.dsn("postgres")); err != nil {
		return errors.Join(err, out.Close())
	}
	// CREATE DATABASE copies a template that nobody else may be connected to.
	c.admin.SetMaxOpenConns(1)
	if err := c.ready(); err != nil {
		return errors.Join(fmt.Errorf("postgres did not start: %w", err), c.admin.Close(), out.Close())
	}
	return nil
}

func (c *cluster) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for {
		err := c.admin.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// binaries finds the newest installed version.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("not found in /usr/lib/postgresql; install it: apt-get install postgresql")
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// account is who runs the cluster: PostgreSQL refuses to be root.
type account struct {
	uid, gid int
	change   bool
}

func owner() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return account{}, err
		}
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return account{uid: uid, gid: gid, change: true}, errors.Join(err1, err2)
}

func (a account) own(dir string) error {
	if !a.change {
		return nil
	}
	return os.Chown(dir, a.uid, a.gid)
}

func (a account) attributes() *syscall.SysProcAttr {
	if !a.change {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}}
}
