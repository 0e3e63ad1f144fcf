package event

import "time"

// Schedule is how long to wait after each failed attempt before the next. When it is used up, the delivery has failed for good.
type Schedule []time.Duration

// ContractSchedule is what receivers are built for: 15 s, 5 min, 1 h, 6 h, so at most five attempts (contract events.md §3).
func ContractSchedule() Schedule {
	return Schedule{15 * time.Second, 5 * time.Minute, time.Hour, 6 * time.Hour}
}

// After tells what becomes of a delivery whose attempt n (1 is the first) failed at the given time.
func (s Schedule) After(n int, at time.Time) (State, time.Time) {
	if n > len(s) {
		return Failed, time.Time{}
	}
	return Pending, at.Add(s[n-1])
}

// alarm wakes one sleeper: by a call, or at a time. A call while nobody sleeps is kept, several are one.
type alarm struct{ rung chan struct{} }

func newAlarm() alarm { return alarm{rung: make(chan struct{}, 1)} }

func (a alarm) ring() {
	select {
	case a.rung <- struct{}{}:
	default: // it is ringing already
	}
}
