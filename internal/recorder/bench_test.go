package recorder_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"huilu/internal/capture"
	"huilu/internal/recorder"
)

const (
	benchRooms  = 4
	benchPeople = 2
	benchTracks = benchRooms * benchPeople * 2
)

// publishUntilKilled is a process with the people of the benchmark: 720p H.264 and Opus each.
func publishUntilKilled() error {
	url := os.Getenv("HUILU_RECORDER_TEST_URL")
	for token := range strings.FieldsSeq(os.Getenv("HUILU_RECORDER_TEST_TOKENS")) {
		if _, err := enter(url, token, "h264", "opus"); err != nil {
			return err
		}
	}
	fmt.Println("publishing")
	time.Sleep(10 * time.Minute)
	return fmt.Errorf("nobody killed me")
}

// cpu returns the processor time this process has used.
func cpu(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCapture measures what recording costs above the same meetings unrecorded, in the process that holds media
// server and recorder; the people are in another. It alternates unrecorded and recorded stretches.
//
//	go test ./internal/recorder -run '^$' -bench Capture -benchtime 3x
//
// core/track is the share of a core that one recorded track costs, averaged over as many 720p H.264 tracks as Opus ones;
// core/person is one of each together, cpu-s/track-min the first per recorded minute, base-core/person what the meeting
// itself costs. HUILU_BENCH_SECONDS sets the length of a stretch (10).
func BenchmarkCapture(b *testing.B) {
	stretch := 10 * time.Second
	if s, err := strconv.Atoi(os.Getenv("HUILU_BENCH_SECONDS")); err == nil {
		stretch = time.Duration(s) * time.Second
	}
	s := newServer(b)
	crowd(b, s)
	var base, recorded time.Duration
	var packets uint64
	for b.Loop() {
		before := cpu(b)
		time.Sleep(stretch)
		base += cpu(b) - before
		c, n := recordAll(b, s, stretch)
		recorded += c
		packets += n
	}
	seconds := float64(b.N) * stretch.Seconds()
	people := float64(benchRooms * benchPeople)
	cost := (recorded - base).Seconds() / seconds / people
	b.ReportMetric(cost, "core/person")
	b.ReportMetric(cost/2, "core/track")
	b.ReportMetric(cost/2*60, "cpu-s/track-min")
	b.ReportMetric(base.Seconds()/seconds/people, "base-core/person")
	b.ReportMetric(float64(packets)/seconds/people, "packets/s")
	b.ReportMetric(0, "ns/op")
}

// crowd fills the rooms, everybody subscribed to everybody.
func crowd(b *testing.B, s *server) {
	var tokens []string
	for r := range benchRooms {
		for p := range benchPeople {
			token, err := s.Token(join(fmt.Sprintf("room%d", r), fmt.Sprintf("person%d", p)))
			if err != nil {
				b.Fatal(err)
			}
			tokens = append(tokens, token)
		}
	}
	child(b, "people", "publishing", "HUILU_RECORDER_TEST_URL="+s.url, "HUILU_RECORDER_TEST_TOKENS="+strings.Join(tokens, " "))
	for r := range benchRooms {
		eventually(b, "everybody publishes", func() bool {
			tracks, err := s.PublishedTracks(b.Context(), fmt.Sprintf("room%d", r))
			return err == nil && len(tracks) == benchPeople*2
		})
	}
	time.Sleep(8 * time.Second) // let the congestion control's probing end: it costs either side alike
}

// recordAll records all rooms for a while and returns the processor time from when every track flows.
func recordAll(b *testing.B, s *server, d time.Duration) (spent time.Duration, packets uint64) {
	var runs []*recorder.Run
	for r := range benchRooms {
		session, err := capture.Create(b.TempDir(), capture.Meta{RecordingID: "bench"})
		if err != nil {
			b.Fatal(err)
		}
		defer session.Close()
		run, err := recorder.New(s.connector(), discard).Start(b.Context(), fmt.Sprintf("room%d", r), session, 1)
		if err != nil {
			b.Fatal(err)
		}
		runs = append(runs, run)
	}
	stored := func() (tracks int, n uint64) {
		for _, run := range runs {
			tracks += run.Stats().Tracks
			n += run.Stats().Packets
		}
		return tracks, n
	}
	eventually(b, "every track is recorded", func() bool { n, _ := stored(); return n == benchTracks })
	_, first := stored()
	before := cpu(b)
	time.Sleep(d)
	spent = cpu(b) - before
	_, last := stored()
	for _, run := range runs {
		if err := run.Stop(); err != nil {
			b.Fatal(err)
		}
	}
	return spent, last - first
}
