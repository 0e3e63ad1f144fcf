package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"huilu/internal/app/apptest"
)

// patience is for what normally takes a few seconds, on a machine that does other things too.
const patience = 90 * time.Second

var (
	binary   string // the real huilu, as users start it
	wardrobe string // what people look like is drawn once
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // the WebRTC library of people tells everything it does
	code, err := build(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func build(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "huilu-fault-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	binary, wardrobe = filepath.Join(dir, "huilu"), filepath.Join(dir, "people")
	if err := os.Mkdir(wardrobe, 0o700); err != nil {
		return 1, err
	}
	if out, err := exec.Command("go", "build", "-o", binary, "huilu/cmd/huilu").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// machine is a data folder with its ports, and the server process on it, if one runs.
type machine struct {
	t        *testing.T
	data     string
	address  string
	settings map[string]string

	cmd    *exec.Cmd
	log    string
	exited chan error // of cmd
}

// newMachine picks ports that stay the same over restarts.
func newMachine(t *testing.T, data string) *machine {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, data: data, address: tcp.Addr().String(), log: filepath.Join(t.TempDir(), "log")}
	m.settings = map[string]string{
		"sfu.udp_port": strconv.Itoa(udp.LocalAddr().(*net.UDPAddr).Port), "sfu.tcp_port": "0",
		"events.allow_networks": "127.0.0.0/8", "meeting.empty_after": "3s",
	}
	if err := errors.Join(tcp.Close(), udp.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.clean)
	return m
}

func (m *machine) url() string { return "http://" + m.address }

// boot starts the server and waits until it answers; it need not be ready.
func (m *machine) boot() {
	m.t.Helper()
	args := []string{"serve", "--data", m.data, "--listen", m.address}
	for name, v := range m.settings {
		args = append(args, "--set", name+"="+v)
	}
	text, err := os.OpenFile(m.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		m.t.Fatal(err)
	}
	defer text.Close()
	m.cmd, m.exited = exec.Command(binary, args...), make(chan error, 1)
	m.cmd.Stdout, m.cmd.Stderr = text, text
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	go func(c *exec.Cmd, exited chan<- error) { exited <- c.Wait() }(m.cmd, m.exited)
	apptest.Eventually(m.t, "the server answers", patience, func() bool {
		if len(m.exited) > 0 {
			m.cmd = nil
			m.t.Fatalf("the server does not start: %v", <-m.exited)
		}
		status, _ := m.get("/healthz")
		return status == http.StatusOK
	})
}

// get asks without a token.
func (m *machine) get(path string) (status int, body string) {
	ctx, stop := context.WithTimeout(m.t.Context(), 10*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url()+path, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}

// kill is a power cut for the process: kill -9. It returns when that happened.
func (m *machine) kill() time.Time {
	m.t.Helper()
	if err := m.cmd.Process.Kill(); err != nil {
		m.t.Fatal(err)
	}
	at := time.Now()
	<-m.exited
	m.cmd = nil
	return at
}

// stop is what systemd and docker do: SIGTERM, and then the process has to go by itself, with 0.
func (m *machine) stop() time.Time {
	m.t.Helper()
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		m.t.Fatal(err)
	}
	at := time.Now()
	select {
	case err := <-m.exited:
		m.cmd = nil
		if err != nil {
			m.t.Errorf("the server did not stop cleanly: %v", err)
		}
	case <-time.After(patience):
		m.t.Fatal("the server does not stop")
	}
	return at
}

func (m *machine) clean() {
	if m.cmd != nil {
		_ = m.cmd.Process.Kill()
		<-m.exited
	}
	if m.t.Failed() {
		text, err := os.ReadFile(m.log)
		m.t.Logf("log of the server: %v\n%s", err, text)
	}
}

// admin runs an admin command on the data folder and decodes what it prints.
func (m *machine) admin(into any, args ...string) {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), binary, append([]string{"--data", m.data, "admin", "--json"}, args...)...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		m.t.Fatalf("huilu admin %s: %v\n%s%s", strings.Join(args, " "), err, out, complaint.String())
	}
}
