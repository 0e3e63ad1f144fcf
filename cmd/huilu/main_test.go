package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"huilu": main})
}

// TestScripts runs the command line as people and scripts do. Beside testscript's own commands there are
//
//	field FILE PATH PATTERN [VARIABLE]   the value at a dotted path of a JSON file matches as a whole, and is kept
//	names FILE NAME…                     a JSON object, or each one of a list, has exactly these fields
//	ports TCP UDP                        two variables with ports that are free
//	ready URL                            waits until the server there says that it is ready
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"field": field, "names": names, "ports": ports, "ready": ready},
	})
}

// read decodes a JSON file of a script.
func read(ts *testscript.TestScript, file string) any {
	var v any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(file)))
	d.UseNumber()
	ts.Check(d.Decode(&v))
	if d.More() {
		ts.Fatalf("%s holds more than one JSON value", file)
	}
	return v
}

func field(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: field FILE PATH PATTERN [VARIABLE]")
	}
	v := read(ts, args[0])
	for step := range strings.SplitSeq(args[1], ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n >= len(at) {
				ts.Fatalf("%s: no element %q in a list of %d", args[1], step, len(at))
			}
			v = at[n]
		default:
			ts.Fatalf("%s: nothing has a field %q", args[1], step)
		}
	}
	got := fmt.Sprint(v)
	if ok, err := regexp.MatchString("^(?:"+args[2]+")$", got); err != nil || !ok {
		ts.Fatalf("%s is %q, which is not %q %v", args[1], got, args[2], err)
	}
	if len(args) == 4 {
		ts.Setenv(args[3], got)
	}
}

func names(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: names FILE NAME…")
	}
	list, ok := read(ts, args[0]).([]any)
	if !ok {
		list = []any{read(ts, args[0])}
	}
	want := slices.Sorted(slices.Values(args[1:]))
	for _, v := range list {
		object, _ := v.(map[string]any)
		if got := slices.Sorted(maps.Keys(object)); !slices.Equal(got, want) {
			ts.Fatalf("fields %q, want %q", got, want)
		}
	}
}

func ports(ts *testscript.TestScript, _ bool, args []string) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", ":0")
	ts.Check(err)
	defer udp.Close()
	ts.Setenv(args[0], strconv.Itoa(tcp.Addr().(*net.TCPAddr).Port))
	ts.Setenv(args[1], strconv.Itoa(udp.LocalAddr().(*net.UDPAddr).Port))
}

func ready(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(args[0] + "/readyz")
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	ts.Fatalf("%s does not become ready", args[0])
}

// TestWrongUsageIsToldInOneLine is the table of what people get wrong: one line, with what was wrong and what would be right.
func TestWrongUsageIsToldInOneLine(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for _, c := range []struct {
		args string // | between them
		code int
		want string
	}{
		{"", 2, `expected one of "serve"`},
		{"server", 2, `unexpected argument server, did you mean "serve"`},
		{"serve|--port|80", 2, "unknown flag --port"},
		{"serve|extra", 2, "unexpected argument extra"},
		{"serve|--listen|8080", 1, "setting listen: must be host:port"},
		{"serve|--listen|127.0.0.1:notaport", 1, "change the setting listen"},
		{"serve|--roles|api,cook", 1, `setting roles (from command line): "cook" must be one of api, sfu, recorder, composer`},
		{"serve|--roles|,", 1, "setting roles (from command line): must name at least one of"},
		{"serve|--set|sfu.udp_port=70000", 1, "setting sfu.udp_port (from command line): must be a port, 0 to 65535"},
		{"serve|--set|sfu.udp=7882", 1, "there is no setting \"sfu.udp\"; `huilu doctor` lists them"},
		{"serve|--set|sfu.udp_port", 2, `--set: expected "<key>=<value>"`},
		{"serve|--set|log.level=loud", 1, "setting log.level (from command line): must be one of debug, info, warn, error"},
		{"serve|--set|tls.cert=a.pem", 1, "settings tls.cert and tls.key belong together"},
		{"serve|--set|database=mysql://x", 1, `database must be "sqlite:PATH" or "postgres://…"`},
		{"serve|--set|master_key=abc", 1, "master key must be 64 hex digits"},
		{"serve|--config|" + data + ".yaml", 1, "configuration file: open"},
		{"demo|--seconds|5", 1, "--seconds must be from 6 to 600"},
		{"demo|--people|10", 1, "--people must be from 1 to 9"},
		{"demo|--seconds|many", 2, "--seconds: expected a valid 64 bit int"},
		{"admin", 2, `expected one of "tenant"`},
		{"admin|app|create", 2, "missing flags: --name=STRING"},
		{"admin|app|create|--name|A", 1, "there is no tenant yet; make one: huilu admin tenant create --name NAME"},
		{"admin|app|create|--name|A|--type|free", 2, `--type must be one of "custom","store" but got "free"`},
		{"admin|app|show|cli_0", 1, `no app "cli_0"; see huilu admin app list`},
		{"admin|tenant|show|nobody", 1, `no tenant "nobody"; see huilu admin tenant list`},
		{"admin|tenant|show", 2, `expected "<key>"`},
		{"admin|tenant|record|x|perhaps", 2, `must be one of "on","off"`},
		{"admin|token|mint|--app|cli_0|--user|x", 1, `no app "cli_0"`},
		{"import", 2, "missing flags: --owner=USER"},
		{"import|no-such-file.mp4|--owner|x", 2, "no such file or directory"},
		{"import|main_test.go", 2, "missing flags: --owner=USER"},
		{"import|main_test.go|--owner|x", 1, "there is no tenant yet"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			args := []string{"--data", filepath.Join(t.TempDir(), "data")}
			if c.args != "" {
				args = append(args, strings.Split(c.args, "|")...)
			}
			var out, complaint bytes.Buffer
			code := run(t.Context(), args, &out, &complaint, nil)
			if code != c.code {
				t.Errorf("it ends with %d, want %d", code, c.code)
			}
			text := complaint.String()
			if !strings.HasPrefix(text, "huilu: ") || strings.Count(text, "\n") != 1 || !strings.Contains(text, c.want) || out.Len() > 0 {
				t.Errorf("said %q, want one line with %q; printed %q", text, c.want, out.String())
			}
		})
	}
}
