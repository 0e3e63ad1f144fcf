package event

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"
)

// nasty are texts that JSON writers disagree about.
var nasty = []string{
	"", "周会 <b>&amp;</b>", "line\nbreak\r\ttab\b\f", `back\slash \u2028 "quoted" /slash/`, "\u2028\u2029", "\\\u2028", `\\u2028`,
	"\x00\x01\x1f\x7f\u0080\u009f", "\ufffd", "bad \xff\xfe utf-8 \xe4\xbc", "😀 \U0010ffff", "\ufeffBOM", "__proto__", "é e\u0301",
}

// texts returns the nasty ones and many at random.
func texts() []string {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same every time
	all := append([]string(nil), nasty...)
	for range 2000 {
		var b strings.Builder
		for range r.IntN(20) {
			switch r.IntN(4) {
			case 0:
				b.WriteRune(rune(r.IntN(0x80)))
			case 1:
				b.WriteByte(byte(r.IntN(256)))
			case 2:
				b.WriteRune(rune(0x2020 + r.IntN(16)))
			default:
				b.WriteString(nasty[r.IntN(len(nasty))])
			}
		}
		all = append(all, b.String())
	}
	return all
}

// The Node SDK signs JSON.stringify(JSON.parse(body)); Node itself is the judge.
func TestNodeWritesEveryBodyInTheSameBytes(t *testing.T) {
	t.Parallel()
	var input bytes.Buffer
	for _, s := range texts() {
		body, err := compact(meetingBody{Meeting: wireMeeting{Topic: s, MeetingSource: 4}, LeaveReason: 2, LeaveUser: &wireUser{ID: wireID{UserID: s}}})
		if err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsAny(body, "\r\n") {
			t.Fatalf("%q has a line break", body)
		}
		input.Write(append(body, '\n'))
	}
	const script = `for (const line of require("fs").readFileSync(0).toString("utf8").split("\n"))
		if (line) process.stdout.write(JSON.stringify(JSON.parse(line)) + "\n")`
	node := exec.CommandContext(t.Context(), "node", "-e", script)
	node.Stdin = bytes.NewReader(input.Bytes())
	output, err := node.Output()
	if err != nil {
		t.Fatalf("this test needs Node.js: %v", err)
	}
	want, got := bytes.Split(input.Bytes(), []byte("\n")), bytes.Split(output, []byte("\n"))
	if len(want) != len(got) {
		t.Fatalf("Node wrote %d bodies of %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(want[i], got[i]) {
			t.Errorf("sent  %s\nNode: %s", want[i], got[i])
		}
	}
}

func FuzzCompactLosesNothing(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		body, err := compact([]string{s})
		if err != nil {
			t.Fatal(err)
		}
		var back []string
		if err := json.Unmarshal(body, &back); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		want := []rune(s) // what is no UTF-8 becomes U+FFFD, byte by byte
		if back[0] != string(want) || !utf8.Valid(body) {
			t.Fatalf("%q came back as %q in %s", s, back[0], body)
		}
	})
}
