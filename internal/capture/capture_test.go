package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func create(t testing.TB, dir string) *Session {
	t.Helper()
	s, err := Create(dir, Meta{RecordingID: "rec1", MeetingID: "6911", Topic: "weekly"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func begin(t testing.TB, s *Session, m TrackMeta) *TrackLog {
	t.Helper()
	if m.Kind == "" {
		m.Kind = Audio
	}
	m.StartedAt = epoch
	l, err := s.Track(m)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// packet is the i-th of a log: its content tells its number.
func packet(i int) []byte {
	return bytes.Repeat([]byte{byte(i), byte(i >> 8), byte(i >> 16)}, 20+i%30)
}

func at(i int) time.Time { return epoch.Add(time.Duration(i) * 20 * time.Millisecond) }

// fill appends packets from up to to.
func fill(t testing.TB, l *TrackLog, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := l.RTP(at(i), packet(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t testing.TB, dir string) *Recording {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// read returns the numbers of the packets in a track and what is damaged. A record that is not what was written fails.
func read(t testing.TB, tr Track) (numbers []int, damage []*Damage) {
	t.Helper()
	for rec, err := range tr.Records() {
		if d, ok := errors.AsType[*Damage](err); ok {
			damage = append(damage, d)
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		i := int(rec.Payload[0]) | int(rec.Payload[1])<<8 | int(rec.Payload[2])<<16
		if !bytes.Equal(rec.Payload, packet(i)) || !rec.At.Equal(at(i)) {
			t.Fatalf("record %d at %s is not what was written", i, rec.At)
		}
		numbers = append(numbers, i)
	}
	return numbers, damage
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "capture", "rec1")
	s := create(t, dir)
	p, err := s.Part(1, epoch)
	if err != nil {
		t.Fatal(err)
	}
	meta := TrackMeta{Part: 1, ParticipantID: "pt1", Name: "Zoë 会议 \"<\n", SID: "TR_1", Kind: Video, Source: Screen, Mime: "video/H264",
		ClockRate: 90000, SSRC: 0xdeadbeef, PayloadType: 125, Fmtp: "a=1", StartedAt: epoch}
	l := begin(t, s, meta)
	fill(t, l, 0, 1000)
	if err := l.SenderReport(at(1000), packet(1000)); err != nil {
		t.Fatal(err)
	}
	if err := s.Note(Event{At: at(7), Type: Speakers, Part: 1, Speakers: []string{"pt1"}}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.End(at(1001)), p.Stop(at(1002)), p.Stop(at(1003)), s.Close(), s.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if err := l.RTP(at(0), packet(0)); !errors.Is(err, ErrClosed) {
		t.Errorf("RTP after Close: %v, want ErrClosed", err)
	}

	r := open(t, dir)
	if m := r.Meta(); m.RecordingID != "rec1" || m.MeetingID != "6911" || m.Topic != "weekly" || m.CreatedAt.IsZero() {
		t.Errorf("meta = %+v", m)
	}
	if len(r.Tracks()) != 1 || len(r.Damage()) != 0 || r.Tracks()[0].TrackMeta != meta {
		t.Fatalf("tracks = %+v, damage %v; want %+v", r.Tracks(), r.Damage(), meta)
	}
	numbers, damage := read(t, r.Tracks()[0])
	if !slices.Equal(numbers, upTo(1001)) || damage != nil {
		t.Errorf("read %d records, damage %v; want 1001, none", len(numbers), damage)
	}
	events, err := r.Timeline()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s+%d %s %d", e.Type, e.At.Sub(epoch).Milliseconds(), e.ParticipantID, e.Part))
	}
	if want := "rec_start+0  1, track+0 pt1 1, speakers+140  1, track_end+20020 pt1 1, rec_stop+20040  1"; strings.Join(got, ", ") != want {
		t.Errorf("timeline = %s\nwant       %s", strings.Join(got, ", "), want)
	}
	if events[1].Track == nil || *events[1].Track != meta {
		t.Errorf("the track event holds %+v, want the log's meta", events[1].Track)
	}
}

func TestReadingGoesOnWhereItEnded(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	l := begin(t, s, TrackMeta{Part: 1})
	tr := func() Track { return open(t, dir).Tracks()[0] }
	var next int64
	var got []int
	for round := range 5 {
		fill(t, l, round*10, round*10+10)
		if err := l.flush(); err != nil {
			t.Fatal(err)
		}
		for rec, err := range tr().RecordsFrom(next) {
			if err != nil {
				t.Fatal(err)
			}
			got, next = append(got, int(rec.Payload[0])), rec.Next
		}
	}
	if !slices.Equal(got, upTo(50)) {
		t.Errorf("read %v, want each record once", got)
	}
}

func TestAFolderIsWrittenByOneAndReopenedForLaterParts(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	if _, err := Create(dir, Meta{RecordingID: "rec1"}); !errors.Is(err, ErrInUse) {
		t.Errorf("second writer: %v, want ErrInUse", err)
	}
	if _, err := Repair(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("repair while written: %v, want ErrInUse", err)
	}
	p, err := s.Part(1, epoch)
	if err != nil {
		t.Fatal(err)
	}
	begin(t, s, TrackMeta{Part: 1})
	if err := errors.Join(p.Stop(at(1)), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, Meta{RecordingID: "rec2"}); err == nil || !strings.Contains(err.Error(), "rec1") {
		t.Errorf("another recording's folder: %v, want a refusal that names rec1", err)
	}
	s = create(t, dir)
	if got := s.LastPart(); got != 1 || s.Meta().MeetingID != "6911" {
		t.Errorf("last part %d, meta %+v; want 1 and the first writer's", got, s.Meta())
	}
	if _, err := s.Part(1, at(2)); err == nil {
		t.Error("part 1 can be begun twice")
	}
	if _, err := s.Part(2, at(2)); err != nil {
		t.Error(err)
	}
	if l := begin(t, s, TrackMeta{Part: 2}); l.Name() != "0002.rtpl" {
		t.Errorf("second log is %s, want 0002.rtpl", l.Name())
	}
}

func TestTracksAreRefusedWhenTheyMakeNoSense(t *testing.T) {
	s := create(t, t.TempDir())
	if _, err := s.Track(TrackMeta{Kind: "smell"}); err == nil {
		t.Error("a track of kind smell is taken")
	}
	l := begin(t, s, TrackMeta{})
	for _, size := range []int{0, maxPayload + 1} {
		if err := l.RTP(epoch, make([]byte, size)); !errors.Is(err, ErrTooBig) {
			t.Errorf("packet of %d bytes: %v, want ErrTooBig", size, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Track(TrackMeta{Kind: Audio}); !errors.Is(err, ErrClosed) {
		t.Errorf("track after Close: %v, want ErrClosed", err)
	}
}

// record writes a closed folder with one log of n packets and returns the log's path and bytes.
func record(t testing.TB, n int) (dir, path string, b []byte) {
	t.Helper()
	dir = t.TempDir()
	s := create(t, dir)
	if _, err := s.Part(1, epoch); err != nil {
		t.Fatal(err)
	}
	l := begin(t, s, TrackMeta{Part: 1, SID: "TR_1", ClockRate: 48000})
	fill(t, l, 0, n)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, l.Name())
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return dir, path, b
}

// offsets returns where the records of b begin, and its end.
func offsets(t testing.TB, b []byte) (offs []int) {
	t.Helper()
	_, off, err := parseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	for ; off < len(b); off += headerSize + int(binary.BigEndian.Uint32(b[off+1:])) + crcSize {
		offs = append(offs, off)
	}
	return append(offs, off)
}

func TestDamageCostsOnlyWhatItHits(t *testing.T) {
	const n = 3000 // more than the reader's buffer holds
	_, _, whole := record(t, n)
	o := offsets(t, whole)
	without := func(gone ...int) []int {
		return slices.DeleteFunc(upTo(n), func(i int) bool { return slices.Contains(gone, i) })
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= 0x10; return b }
	}
	for name, c := range map[string]struct {
		harm   func([]byte) []byte
		want   []int
		damage []Damage // without the file's name
	}{
		"none":                     {func(b []byte) []byte { return b }, upTo(n), nil},
		"bit in a payload":         {flip(o[100] + headerSize + 5), without(100), []Damage{{Offset: int64(o[100]), Bytes: int64(o[101] - o[100])}}},
		"bit in a type":            {flip(o[100]), without(100), []Damage{{Offset: int64(o[100]), Bytes: int64(o[101] - o[100])}}},
		"bit in a length":          {flip(o[100] + 4), without(100), []Damage{{Offset: int64(o[100]), Bytes: int64(o[101] - o[100])}}},
		"high bit in a length":     {flip(o[100] + 1), without(100), []Damage{{Offset: int64(o[100]), Bytes: int64(o[101] - o[100])}}},
		"bit in a time":            {flip(o[100] + 5), without(100), []Damage{{Offset: int64(o[100]), Bytes: int64(o[101] - o[100])}}},
		"bit in a checksum":        {flip(o[101] - 1), without(100), []Damage{{Offset: int64(o[100]), Bytes: int64(o[101] - o[100])}}},
		"bit in the first record":  {flip(o[0] + headerSize), without(0), []Damage{{Offset: int64(o[0]), Bytes: int64(o[1] - o[0])}}},
		"bit in the last record":   {flip(o[n-1] + headerSize), without(n - 1), []Damage{{Offset: int64(o[n-1]), Bytes: int64(o[n] - o[n-1]), Torn: true}}},
		"torn in a payload":        {func(b []byte) []byte { return b[:o[n-1]+headerSize+9] }, upTo(n - 1), []Damage{{Offset: int64(o[n-1]), Bytes: headerSize + 9, Torn: true}}},
		"torn in a header":         {func(b []byte) []byte { return b[:o[n-1]+3] }, upTo(n - 1), []Damage{{Offset: int64(o[n-1]), Bytes: 3, Torn: true}}},
		"torn between records":     {func(b []byte) []byte { return b[:o[n-1]] }, upTo(n - 1), nil},
		"a hole of zeros":          {func(b []byte) []byte { clear(b[o[50]:o[60]]); return b }, without(50, 51, 52, 53, 54, 55, 56, 57, 58, 59), []Damage{{Offset: int64(o[50]), Bytes: int64(o[60] - o[50])}}},
		"zeros at the end":         {func(b []byte) []byte { return append(b, make([]byte, 5000)...) }, upTo(n), []Damage{{Offset: int64(o[n]), Bytes: 5000, Torn: true}}},
		"half a record cut out":    {func(b []byte) []byte { return slices.Delete(b, o[70]+10, o[70]+40) }, without(70), []Damage{{Offset: int64(o[70]), Bytes: int64(o[71]-o[70]) - 30}}},
		"bytes put in":             {func(b []byte) []byte { return slices.Insert(b, o[70], 1, 2, 3) }, upTo(n), []Damage{{Offset: int64(o[70]), Bytes: 3}}},
		"a record twice":           {func(b []byte) []byte { return slices.Insert(b, o[2], b[o[1]:o[2]]...) }, slices.Insert(upTo(n), 1, 1), nil},
		"two records exchanged":    {func(b []byte) []byte { return slices.Concat(b[:o[1]], b[o[2]:o[3]], b[o[1]:o[2]], b[o[3]:]) }, append([]int{0, 2, 1}, upTo(n)[3:]...), nil},
		"a buffer of bytes broken": {func(b []byte) []byte { clear(b[o[10]:o[2990]]); return b }, slices.Concat(upTo(10), upTo(n)[2990:]), []Damage{{Offset: int64(o[10]), Bytes: int64(o[2990] - o[10])}}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, path, b := record(t, n)
			if err := os.WriteFile(path, c.harm(b), 0o640); err != nil {
				t.Fatal(err)
			}
			got, damage := read(t, open(t, dir).Tracks()[0])
			if !slices.Equal(got, c.want) {
				t.Errorf("read %d records, want %d", len(got), len(c.want))
			}
			for i := range c.damage {
				c.damage[i].File = "0001.rtpl"
			}
			if !slices.EqualFunc(damage, c.damage, func(a *Damage, b Damage) bool { return *a == b }) {
				t.Errorf("damage %v, want %v", damage, c.damage)
			}
		})
	}
}

func TestADamagedHeaderCostsNothingThatTheTimelineKnows(t *testing.T) {
	dir, path, b := record(t, 100)
	b[magicLine+10] ^= 1
	if err := os.WriteFile(path, b, 0o640); err != nil {
		t.Fatal(err)
	}
	r := open(t, dir)
	if len(r.Damage()) != 1 || len(r.Tracks()) != 1 || r.Tracks()[0].SID != "TR_1" {
		t.Fatalf("damage %v, tracks %+v; want one of each, described by the timeline", r.Damage(), r.Tracks())
	}
	got, damage := read(t, r.Tracks()[0])
	if !slices.Equal(got, upTo(100)) || len(damage) != 1 || damage[0].Offset != 0 {
		t.Errorf("read %d records, damage %v; want 100, and the header", len(got), damage)
	}
	if err := os.Remove(filepath.Join(dir, eventsFile)); err != nil {
		t.Fatal(err)
	}
	if r := open(t, dir); len(r.Tracks()) != 0 || len(r.Damage()) != 1 {
		t.Errorf("nothing describes the log: tracks %+v, damage %v; want none, and one", r.Tracks(), r.Damage())
	}
}

func TestRepairEndsWhatACrashLeftOpen(t *testing.T) {
	for name, tail := range map[string]string{"whole lines": "", "torn line": `{"at":17639`, "whole line without its end": fmt.Sprintf(`{"at":%d,"type":"leave","part":1}`, at(50).UnixNano())} {
		t.Run(name, func(t *testing.T) {
			dir, path, b := record(t, 100)
			o := offsets(t, b)
			b[o[30]+20] ^= 1
			if err := os.WriteFile(path, b[:o[100]-5], 0o640); err != nil {
				t.Fatal(err)
			}
			events := filepath.Join(dir, eventsFile)
			lines, err := os.ReadFile(events)
			if err != nil {
				t.Fatal(err)
			}
			// The timeline of a crashed process has no end of the log.
			kept := slices.DeleteFunc(bytes.SplitAfter(lines, []byte{'\n'}), func(l []byte) bool { return bytes.Contains(l, []byte("track_end")) })
			if err := os.WriteFile(events, append(bytes.Join(kept, nil), tail...), 0o640); err != nil {
				t.Fatal(err)
			}

			rep, err := Repair(dir)
			if err != nil {
				t.Fatal(err)
			}
			last := at(98)
			if len(rep.Stopped) != 1 || rep.Stopped[0].Part != 1 || !rep.Stopped[0].At.Equal(last) {
				t.Errorf("stopped %+v, want part 1 at %s", rep.Stopped, last)
			}
			cuts := 1
			if name == "torn line" {
				cuts = 2
			}
			if len(rep.Cut) != cuts || len(rep.Damaged) != 1 || !rep.Changed() {
				t.Errorf("cut %v, damaged %v; want %d and 1", rep.Cut, rep.Damaged, cuts)
			}
			again, err := Repair(dir)
			if err != nil || again.Changed() || len(again.Damaged) != 1 {
				t.Errorf("second repair: %+v, %v; want only the flipped bit", again, err)
			}
			r := open(t, dir)
			told, err := r.Timeline()
			if err != nil || told[len(told)-1].Type != RecStop || len(r.Damage()) != 0 {
				t.Errorf("timeline ends with %+v, %v, damage %v", told[len(told)-1], err, r.Damage())
			}
			got, _ := read(t, r.Tracks()[0])
			if want := slices.Delete(upTo(99), 30, 31); !slices.Equal(got, want) {
				t.Errorf("read %d records, want %d", len(got), len(want))
			}
			if s := create(t, dir); s.LastPart() != 1 {
				t.Errorf("last part %d, want 1", s.LastPart())
			}
		})
	}
}

func TestRepairLeavesAFinishedFolderAlone(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	p, err := s.Part(1, epoch)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, begin(t, s, TrackMeta{Part: 1}), 0, 10)
	if err := errors.Join(p.Stop(at(20)), s.Close()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, eventsFile))
	if err != nil {
		t.Fatal(err)
	}
	if rep, err := Repair(dir); err != nil || rep.Changed() || len(rep.Damaged) > 0 {
		t.Errorf("repair: %+v, %v; want nothing", rep, err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, eventsFile)); !bytes.Equal(before, after) {
		t.Error("the timeline changed")
	}
	if _, err := Repair(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there is repaired")
	}
}

func TestKilledWriterLeavesWholeRecordsInTheFile(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	l := begin(t, s, TrackMeta{Part: 1})
	fill(t, l, 0, 100)
	deadline := time.Now().Add(20 * time.Second)
	for { // nobody flushes by hand here: the session does, all the time
		if got, damage := read(t, open(t, dir).Tracks()[0]); len(got) == 100 && damage == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("what was appended never reached the file")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestAFullDiskCostsPicturesAndKeepsSound(t *testing.T) {
	dir := t.TempDir()
	s := create(t, dir)
	sound, picture := begin(t, s, TrackMeta{Part: 1, SID: "TR_A"}), begin(t, s, TrackMeta{Part: 1, SID: "TR_V", Kind: Video})
	// From here on the test is the only one that flushes.
	close(s.stop)
	s.loops.Wait()
	s.stop = make(chan struct{})

	full := errors.New("no space left on device")
	writable := s.writeFile
	s.writeFile = func(f *os.File, b []byte) (int, error) { // half of it gets through
		n, err := f.Write(b[:len(b)/2])
		return n, errors.Join(err, full)
	}
	fill(t, sound, 0, 10)
	fill(t, picture, 0, 10)
	s.flushAll()
	if err := s.Err(); !errors.Is(err, full) {
		t.Errorf("Err = %v, want the disk's complaint", err)
	}
	fill(t, sound, 10, 20)
	for i := range 3 { // what happens meanwhile is told later, in whole lines
		if err := s.Note(Event{At: at(i), Type: Join, Part: 1, ParticipantID: fmt.Sprint(i)}); err != nil {
			t.Errorf("an event on a full disk: %v", err)
		}
	}
	if _, err := s.Part(2, at(0)); !errors.Is(err, full) {
		t.Errorf("a part that begins on a full disk: %v, want its complaint", err)
	}
	s.writeFile = writable
	fill(t, picture, 10, 20)
	s.flushAll()
	if err := s.Err(); err != nil {
		t.Errorf("Err after the disk recovered = %v", err)
	}
	if st := picture.Stats(); st.Dropped != 10 || st.Packets != 20 {
		t.Errorf("picture stats = %+v, want 10 dropped of 20", st)
	}
	r := open(t, dir)
	if got, damage := read(t, r.Tracks()[0]); !slices.Equal(got, upTo(20)) || damage != nil {
		t.Errorf("sound: read %v, damage %v; want all 20", got, damage)
	}
	if got, damage := read(t, r.Tracks()[1]); !slices.Equal(got, upTo(20)[10:]) || damage != nil {
		t.Errorf("picture: read %v, damage %v; want the last 10", got, damage)
	}

	s.freeBytes = func() (uint64, error) { return keepFree - 1, nil }
	s.checkRoom()
	if err := picture.RTP(at(20), packet(20)); !errors.Is(err, ErrBacklog) {
		t.Errorf("picture on a nearly full disk: %v, want ErrBacklog", err)
	}
	fill(t, sound, 20, 21)
	s.flushAll()
	if s.Err() == nil {
		t.Error("a nearly full disk is no trouble")
	}
	if l := begin(t, s, TrackMeta{Part: 1, Kind: Video}); !l.shed {
		t.Error("a new picture is taken on a nearly full disk")
	}
	s.freeBytes = func() (uint64, error) { return keepFree + 1, nil }
	s.checkRoom()
	if err := picture.RTP(at(20), packet(20)); !errors.Is(err, ErrBacklog) {
		t.Errorf("picture with hardly more room: %v, want still ErrBacklog", err)
	}
	s.freeBytes = func() (uint64, error) { return 2 * keepFree, nil }
	s.checkRoom()
	fill(t, picture, 20, 21)
	if err := s.Err(); err != nil {
		t.Errorf("Err with room again = %v", err)
	}
	s.flushAll()
	events, err := r.Timeline()
	if err != nil || !slices.ContainsFunc(events, func(e Event) bool { return e.Type == Truncated && e.TrackSID == "TR_V" }) {
		t.Errorf("the timeline does not tell of the loss: %v, %v", events, err)
	}
	joined := slices.DeleteFunc(events, func(e Event) bool { return e.Type != Join })
	if len(joined) != 3 || slices.ContainsFunc(events, func(e Event) bool { return e.Part == 2 }) || len(r.Damage()) > 0 {
		t.Errorf("of the full disk the timeline has %v, damage %v", joined, r.Damage())
	}
}

func TestAFullDiskIsNotFilledWithComplaints(t *testing.T) {
	var l TrackLog
	told, now := 0, at(0)
	for range 3600 * 5 { // an hour of flushes, each of which lost something
		l.dropped++
		if l.takeDropped(now, false) > 0 {
			told++
		}
		now = now.Add(flushEvery)
	}
	if told < 60 || told > 75 {
		t.Errorf("told %d times in an hour, want at once, and then once a minute", told)
	}
	l.dropped = 7
	if n := l.takeDropped(now, true); n != 7 {
		t.Errorf("at the end %d packets are told, want 7", n)
	}
	l.dropped = 1
	if l.takeDropped(now.Add(time.Hour), false) != 1 || l.wait != firstWait {
		t.Error("the next trouble is not told at once")
	}
}

func TestASlowDiskDoesNotEatTheMemory(t *testing.T) {
	s := create(t, t.TempDir())
	l := begin(t, s, TrackMeta{Part: 1})
	l.disk.Lock() // the flusher waits, as for a disk
	defer l.disk.Unlock()
	big := make([]byte, maxPayload)
	var err error
	for i := 0; err == nil && i < 10*maxBacklog/maxPayload; i++ {
		err = l.RTP(at(i), big)
	}
	if st := l.Stats(); !errors.Is(err, ErrBacklog) || st.Dropped != 1 || st.Bytes > maxBacklog+2*maxRecord {
		t.Errorf("%v, %+v; want ErrBacklog at about %d bytes", err, st, maxBacklog)
	}
}

func TestAppendingAllocatesNothing(t *testing.T) {
	s := create(t, t.TempDir())
	l := begin(t, s, TrackMeta{Part: 1, Kind: Video})
	p, now := make([]byte, 1200), time.Now()
	fill := func() {
		for range 40 {
			if err := l.RTP(now, p); err != nil {
				t.Error(err)
			}
		}
		if err := l.flush(); err != nil {
			t.Error(err)
		}
	}
	fill()
	fill()                                          // both buffers have their size now
	if n := testing.AllocsPerRun(20, fill); n > 2 { // the session's own flusher may take part
		t.Errorf("%v allocations per 40 packets and a flush, want none", n)
	}
}

func FuzzReader(f *testing.F) {
	meta := TrackMeta{Part: 1, SID: "TR_1", Kind: Audio, StartedAt: epoch}
	head, err := header(meta)
	if err != nil {
		f.Fatal(err)
	}
	log := slices.Clone(head)
	for i := range 5 {
		log = appendRecord(log, RTP, at(i), packet(i))
	}
	f.Add(log)
	f.Add(log[:len(log)-3])
	f.Add(log[30:])
	f.Add(append(slices.Clone(log), make([]byte, 40)...))
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		b := slices.Clone(log)
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, off, err := parseHeader(b)
		if err != nil {
			off = 0
		}
		pos, damaged := int64(off), false
		scan(bytes.NewReader(b[off:]), "fuzz", int64(off), epoch, func(rec Record, err error) bool {
			if d, ok := errors.AsType[*Damage](err); ok {
				if d.Offset != pos || d.Bytes <= 0 || damaged {
					t.Fatalf("damage %+v at %d, after damage: %v", d, pos, damaged)
				}
				pos, damaged = pos+d.Bytes, true
				return true
			} else if err != nil {
				t.Fatal(err)
			}
			// What is yielded is what stands there, byte for byte, and nothing is skipped in silence.
			if rec.Offset != pos || !bytes.Equal(appendRecord(nil, rec.Type, rec.At, rec.Payload), b[rec.Offset:rec.Next]) {
				t.Fatalf("record at %d to %d, want at %d what the file holds", rec.Offset, rec.Next, pos)
			}
			pos, damaged = rec.Next, false
			return true
		})
		if pos != int64(len(b)) {
			t.Fatalf("reading ended at %d of %d", pos, len(b))
		}
	})
}

func FuzzTimeline(f *testing.F) {
	f.Add([]byte(`{"at":1,"type":"join"}` + "\n" + `{"at":1,"ty`))
	f.Add([]byte("\n\n{}\nnull\n[]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, eventsFile), b, 0o640); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		events, damage, err := readEvents(root)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(events) + len(damage); got > bytes.Count(b, []byte{'\n'})+1 {
			t.Fatalf("%d events and damages from %d bytes", got, len(b))
		}
		rep, err := Repair(dir)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Repair(dir); err != nil || again.Changed() {
			t.Fatalf("after %+v the second repair did %+v, %v", rep, again, err)
		}
		after, _, err := readEvents(root)
		if err != nil || len(after) != len(events)+len(rep.Stopped) {
			t.Fatalf("%d events before, %d stopped, %d after, %v", len(events), len(rep.Stopped), len(after), err)
		}
	})
}

func BenchmarkRTP(b *testing.B) {
	s := create(b, b.TempDir())
	l := begin(b, s, TrackMeta{Part: 1, Kind: Video})
	p, now := make([]byte, 1200), time.Now()
	b.SetBytes(1200)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := l.RTP(now, p); err != nil {
			b.Fatal(err)
		}
		if i%100 == 0 {
			if err := l.flush(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
