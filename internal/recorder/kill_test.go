package recorder_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huilu/internal/capture"
	"huilu/internal/recorder"
)

var discard = slog.New(slog.DiscardHandler)

// roleVar tells a copy of the test binary to be something else than a test.
const roleVar = "HUILU_RECORDER_TEST_ROLE"

// materialVar names the folder of what people send.
const materialVar = "HUILU_RECORDER_TEST_MATERIAL"

func TestMain(m *testing.M) {
	recorder.New(nil, discard) // takes the client library's log before anybody connects
	roles := map[string]func() error{"record": recordUntilKilled, "people": publishUntilKilled}
	if role, ok := roles[os.Getenv(roleVar)]; ok {
		if err := role(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	_ = os.RemoveAll(os.Getenv(materialVar))
	os.Exit(code)
}

// recordUntilKilled is a process with a meeting and its recorder. It says "recording" when packets are stored.
func recordUntilKilled() error {
	s, _, err := serve()
	if err != nil {
		return err
	}
	if _, err := s.enter("room", "alice", "h264", "opus"); err != nil {
		return err
	}
	session, err := capture.Create(os.Getenv("HUILU_RECORDER_TEST_DIR"), capture.Meta{RecordingID: "rec"})
	if err != nil {
		return err
	}
	run, err := recorder.New(s.connector(), discard).Start(context.Background(), "room", session, 1)
	if err != nil {
		return err
	}
	for run.Stats().Packets < 500 {
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Println("recording")
	time.Sleep(time.Minute)
	return fmt.Errorf("nobody killed me")
}

// child starts a copy of the test binary in another role and waits until it has said a line.
func child(t testing.TB, role, line string, env ...string) *exec.Cmd {
	t.Helper()
	if _, err := material(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, roleVar+"="+role)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	said := make(chan string, 1)
	go func() {
		for in := bufio.NewScanner(out); in.Scan(); {
			said <- in.Text()
		}
		close(said)
	}()
	select {
	case got := <-said:
		if got != line {
			t.Fatalf("child said %q, want %q", got, line)
		}
	case <-time.After(patience):
		t.Fatalf("child never said %q", line)
	}
	return cmd
}

func TestKilledRecorderLosesLessThanASecond(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rec")
	cmd := child(t, "record", "recording", "HUILU_RECORDER_TEST_DIR="+dir)
	if _, err := capture.Repair(dir); err == nil || !strings.Contains(err.Error(), capture.ErrInUse.Error()) {
		t.Errorf("repairing a folder that is being written: %v, want ErrInUse", err)
	}
	killed := time.Now()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()

	rep, err := capture.Repair(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Stopped) != 1 || rep.Stopped[0].Part != 1 {
		t.Errorf("repair reports %+v, want one part stopped", rep)
	}
	if rep, err := capture.Repair(dir); err != nil || rep.Changed() {
		t.Errorf("second repair: %+v, %v; want nothing to do", rep, err)
	}
	events, logs := readLogs(t, dir)
	if len(logs) != 2 {
		t.Fatalf("%d logs, want 2:\n%s", len(logs), story(events))
	}
	for _, l := range logs {
		lost := killed.Sub(l.to)
		t.Logf("%s: %d packets, last one %s before the kill", l.Mime, l.packets, lost)
		if lost > time.Second || l.gaps > 0 || len(l.damage) > 0 {
			t.Errorf("%s: %s lost, %d packets missing, damage %v; want less than 1 s, 0, none", l.Mime, lost, l.gaps, l.damage)
		}
	}
	end := events[len(events)-1]
	if end.Type != capture.RecStop || killed.Sub(end.At) > time.Second {
		t.Errorf("timeline ends with %s %s before the kill, want rec_stop within 1 s", end.Type, killed.Sub(end.At))
	}
}
