package compose

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pion/rtp"
)

// ordered runs packets through an orderer and returns what comes out. Arrivals are 10 ms apart.
func ordered(seqs []uint16, stamp func(i int) uint32, arrival func(i int) int64) (out []packet, o *orderer) {
	o = &orderer{rate: 90000}
	take := func(p packet) error { out = append(out, p); return nil }
	for i, n := range seqs {
		p := &rtp.Packet{Header: rtp.Header{SequenceNumber: n, Timestamp: stamp(i)}, Payload: []byte{1}}
		o.push(p, arrival(i), take)
	}
	o.finish(take)
	return out, o
}

func numbers(ps []packet) (n []uint16) {
	for _, p := range ps {
		n = append(n, uint16(p.seq))
	}
	return n
}

func everyTen(i int) int64 { return int64(i) * 10e6 }

func TestPacketsComeOutInOrder(t *testing.T) {
	flat := func(int) uint32 { return 5 }
	dice := rand.New(rand.NewPCG(3, 3))
	shuffled := make([]uint16, 3000)
	for i := range shuffled {
		shuffled[i] = uint16(65000 + i) // over the end of the numbers
	}
	straight := slices.Clone(shuffled)
	for i := 0; i+8 <= len(shuffled); i += 8 {
		dice.Shuffle(8, func(a, b int) { shuffled[i+a], shuffled[i+b] = shuffled[i+b], shuffled[i+a] })
	}
	for _, c := range []struct {
		name     string
		in, want []uint16
	}{
		{"in order", []uint16{1, 2, 3}, []uint16{1, 2, 3}},
		{"the very first is late", []uint16{2, 1, 3}, []uint16{1, 2, 3}},
		{"twice", []uint16{1, 1, 2, 2, 1, 3}, []uint16{1, 2, 3}},
		{"one is missing", []uint16{1, 2, 4, 5}, []uint16{1, 2, 4, 5}},
		{"over the end of the numbers", []uint16{65534, 0, 65535, 1}, []uint16{65534, 65535, 0, 1}},
		{"the sender began anew", []uint16{40000, 40001, 7, 8}, []uint16{40000, 40001, 7, 8}},
		{"shuffled", shuffled, straight},
	} {
		out, _ := ordered(c.in, flat, everyTen)
		if got := numbers(out); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if !slices.IsSortedFunc(out, func(a, b packet) int { return int(a.seq - b.seq) }) {
			t.Errorf("%s: unrolled numbers are not in order", c.name)
		}
	}
}

func TestWaitingForAMissingPacketIsBounded(t *testing.T) {
	seqs := make([]uint16, 20000)
	for i := range seqs {
		seqs[i] = uint16(i)
		if i >= 100 {
			seqs[i]++
		}
	}
	o := &orderer{rate: 90000}
	for i, n := range seqs {
		o.push(&rtp.Packet{Header: rtp.Header{SequenceNumber: n}}, int64(i)*1e5, func(packet) error { return nil })
		if len(o.waiting) > holdPackets+1 {
			t.Fatalf("%d packets wait", len(o.waiting))
		}
	}
}

func TestClockThatBeginsAnewBeginsARun(t *testing.T) {
	seqs := []uint16{1, 2, 3, 4, 5, 6}
	stamps := []uint32{4294967000, 604, 1504, 2000000000, 2000000900, 2000001800}
	out, _ := ordered(seqs, func(i int) uint32 { return stamps[i] }, everyTen)
	var runs []int
	for _, p := range out {
		runs = append(runs, p.run)
	}
	if !slices.Equal(runs, []int{0, 0, 0, 1, 1, 1}) {
		t.Errorf("runs = %v", runs)
	}
	// A network that stalls for eight seconds and a microphone that is off for an hour are not new clocks.
	for name, c := range map[string]struct {
		arrival int64
		stamp   uint32
	}{"stall": {8e9, 900}, "pause": {3600e9, 3600 * 90000}} {
		_, o := ordered(seqs[:2], func(i int) uint32 { return uint32(i) * c.stamp }, func(i int) int64 { return int64(i) * c.arrival })
		if o.run != 0 {
			t.Errorf("%s: a new run", name)
		}
	}
}

// letters is a codec whose frames are words: a capital begins a frame, K begins a key frame.
type letters struct{}

func (letters) head(p []byte) bool { return p[0] >= 'A' && p[0] <= 'Z' }
func (letters) frame(parts [][]byte) (frame, error) {
	return frame{key: parts[0][0] == 'K', data: bytes.Join(parts, nil)}, nil
}

func TestBrokenFramesAreLeftOutUntilTheNextKeyFrame(t *testing.T) {
	type pkt struct {
		seq  int64
		ts   int64
		text string // ends with a dot: the marker
	}
	for _, c := range []struct {
		name string
		in   []pkt
		want []string
	}{
		{"whole", []pkt{{1, 1, "Ke"}, {2, 1, "y."}, {3, 2, "D."}}, []string{"Key", "D"}},
		{"before the first key frame", []pkt{{1, 1, "D."}, {2, 2, "K."}}, []string{"K"}},
		{"the end is lost", []pkt{{1, 1, "K."}, {2, 2, "Da"}, {4, 3, "D."}, {5, 4, "K."}}, []string{"K", "K"}},
		{"the start is lost", []pkt{{1, 1, "K."}, {3, 2, "b."}, {4, 3, "D."}, {5, 4, "Ke"}, {6, 4, "y."}}, []string{"K", "Key"}},
		{"the middle is lost", []pkt{{1, 1, "Ka"}, {3, 1, "c."}, {4, 2, "D."}, {5, 3, "K."}}, []string{"K"}},
		{"a key frame heals at once", []pkt{{1, 1, "K."}, {3, 3, "K."}, {4, 4, "D."}}, []string{"K", "K", "D"}},
		{"padding is no loss", []pkt{{1, 0, ""}, {2, 0, ""}, {3, 1, "K."}, {4, 1, ""}, {5, 2, "D."}}, []string{"K", "D"}},
		{"no marker", []pkt{{1, 1, "Ke"}, {2, 1, "y"}, {3, 2, "D."}}, []string{"Key", "D"}},
		{"the marker is on padding", []pkt{{1, 1, "K"}, {2, 1, "."}, {3, 2, "D"}}, []string{"K", "D"}},
	} {
		var got []string
		a := newAssembler(letters{}, func(f frame) error { got = append(got, string(f.data)); return nil })
		for _, p := range c.in {
			text, marker := p.text, false
			if n := len(text); n > 0 && text[n-1] == '.' {
				text, marker = text[:n-1], true
			}
			a.push(packet{seq: p.seq, ts: p.ts, marker: marker, payload: []byte(text)})
		}
		a.finish()
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
