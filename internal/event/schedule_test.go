package event

import (
	"testing"
	"testing/synctest"
	"time"
)

// attempts walks the schedule in fake time until try succeeds or it is used up.
func attempts(s Schedule, try func() bool) (made []time.Duration, last State) {
	start := time.Now()
	for n := 1; ; n++ {
		made = append(made, time.Since(start))
		if try() {
			return made, Delivered
		}
		state, next := s.After(n, time.Now())
		if state == Failed {
			return made, state
		}
		time.Sleep(time.Until(next))
	}
}

func TestReceiverDownForAnHourIsReachedByTheFourthAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		made, state := attempts(ContractSchedule(), func() bool { return time.Since(start) > time.Hour })
		if state != Delivered || len(made) != 4 {
			t.Errorf("%v, %s; want 4 attempts", made, state)
		}
	})
}

func TestScheduleIsTheContracts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made, state := attempts(ContractSchedule(), func() bool { return false })
		at, want := time.Duration(0), []time.Duration{0, 15 * time.Second, 5 * time.Minute, time.Hour, 6 * time.Hour}
		if state != Failed || len(made) != len(want) {
			t.Fatalf("%v, %s; want %d attempts and then failed", made, state, len(want))
		}
		for i, wait := range want {
			if at += wait; made[i] != at {
				t.Errorf("attempt %d after %v, want after %v", i+1, made[i], at)
			}
		}
	})
}

// A ring while nobody sleeps must not be lost, or an event waits for the poll.
func TestAlarmKeepsARingForTheNextSleeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAlarm()
		a.ring()
		a.ring()
		<-a.rung
		select {
		case <-a.rung:
			t.Error("two rings before the sleeper looked are two")
		default:
		}
	})
}
