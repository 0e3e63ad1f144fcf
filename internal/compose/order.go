package compose

import (
	"container/heap"

	"github.com/pion/rtp"
)

// packet is one RTP packet with its numbers unrolled to 64 bits.
type packet struct {
	seq     int64
	ts      int64 // RTP timestamp
	run     int   // which count of timestamps ts belongs to: 0, and one more whenever the sender began anew
	arrival int64 // unix ns
	marker  bool
	payload []byte
}

const (
	// maxBehind is how many numbers a late packet may lie behind the newest. Anything further back is a sender that began
	// to count anew, and is taken as a jump forward.
	maxBehind = 3000
	// holdPackets and holdTime bound what waits for a missing packet. Retransmissions come within a second.
	holdPackets = 1024
	holdTime    = int64(2e9)
	// settlePackets and settleTime are how long the first packet waits for one that was sent before it.
	settlePackets = 16
	settleTime    = int64(200e6)
)

// orderer puts a track's packets in the order they were sent and drops duplicates. It holds a bounded number of them.
type orderer struct {
	waiting  packetHeap
	rate     int64 // RTP units per second
	newest   int64 // highest number seen
	ts       int64 // timestamp of the packet before, unrolled
	arrival  int64 // of the packet before
	run      int
	last     int64 // number of the packet handed out last
	started  bool
	handing  bool
	dropped  int // duplicates and those that came too late
	reorders int
}

// push takes a packet and hands out, through out, what is in order now.
func (o *orderer) push(p *rtp.Packet, arrival int64, out func(packet) error) error {
	q := packet{arrival: arrival, marker: p.Marker, payload: p.Payload}
	if !o.started {
		o.started = true
		o.newest, o.ts = int64(p.SequenceNumber), int64(p.Timestamp)
		q.seq, q.ts = o.newest, o.ts
	} else {
		q.seq = o.unrollSeq(p.SequenceNumber)
		q.ts = o.unrollTime(p.Timestamp)
		o.noticeJump(q)
		o.ts = q.ts
	}
	o.arrival, q.run = arrival, o.run
	if o.handing && q.seq <= o.last {
		o.dropped++
		return nil
	}
	if q.seq < o.newest {
		o.reorders++
	}
	o.newest = max(o.newest, q.seq)
	heap.Push(&o.waiting, q)
	return o.release(arrival, out)
}

func (o *orderer) unrollSeq(n uint16) int64 {
	d := int64(int16(n - uint16(o.newest)))
	if d < -maxBehind {
		d += 1 << 16
	}
	return o.newest + d
}

// unrollTime returns the 64-bit form of an RTP timestamp near the newest one.
func (o *orderer) unrollTime(ts uint32) int64 { return o.ts + int64(int32(ts-uint32(o.ts))) }

// noticeJump begins a new run when time went on very differently by the sender's count and by ours.
func (o *orderer) noticeJump(q packet) {
	step := (q.ts - o.ts) / o.rate * 1e9
	if absolute(step-(q.arrival-o.arrival)) > newClock {
		o.run++
	}
}

func (o *orderer) release(now int64, out func(packet) error) error {
	for len(o.waiting) > 0 && o.due(now) {
		if err := o.hand(out); err != nil {
			return err
		}
	}
	return nil
}

func (o *orderer) due(now int64) bool {
	head := o.waiting[0]
	switch {
	case !o.handing:
		return len(o.waiting) >= settlePackets || now-head.arrival > settleTime
	case head.seq <= o.last+1:
		return true
	}
	return len(o.waiting) > holdPackets || now-head.arrival > holdTime
}

func (o *orderer) hand(out func(packet) error) error {
	p := heap.Pop(&o.waiting).(packet)
	if o.handing && p.seq <= o.last {
		o.dropped++
		return nil
	}
	o.handing, o.last = true, p.seq
	return out(p)
}

// finish hands out what is left.
func (o *orderer) finish(out func(packet) error) error {
	for len(o.waiting) > 0 {
		if err := o.hand(out); err != nil {
			return err
		}
	}
	return nil
}

// packetHeap has the lowest number on top.
type packetHeap []packet

func (h packetHeap) Len() int           { return len(h) }
func (h packetHeap) Less(i, j int) bool { return h[i].seq < h[j].seq }
func (h packetHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *packetHeap) Push(x any)        { *h = append(*h, x.(packet)) }
func (h *packetHeap) Pop() any {
	old := *h
	p := old[len(old)-1]
	old[len(old)-1] = packet{}
	*h = old[:len(old)-1]
	return p
}
