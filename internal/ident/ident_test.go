package ident_test

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huilu/internal/ident"
)

// The forms of contract gateway.md §8.
func TestIdentifiersHaveTheContractsForms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		form string
		make func() string
	}{
		"app":            {`^cli_[0-9a-f]{16}$`, ident.AppID},
		"tenant":         {`^[0-9a-f]{16}$`, ident.TenantKey},
		"event":          {`^[0-9a-f]{32}$`, ident.EventID},
		"minute":         {`^obcn[a-z0-9]{20}$`, ident.Minute},
		"user":           {`^[a-z0-9]{8}$`, ident.UserID},
		"meeting number": {`^[1-9][0-9]{8}$`, ident.MeetingNo},
		"secret":         {`^[A-Za-z0-9]{40}$`, func() string { return ident.Secret(40) }},
	} {
		form, seen := regexp.MustCompile(c.form), map[string]bool{}
		for range 500 {
			id := c.make()
			if !form.MatchString(id) || seen[id] {
				t.Errorf("%s %q is of another form, or was made before", name, id)
			}
			seen[id] = true
		}
	}
}

func TestEveryCharacterIsAsLikelyAsTheNext(t *testing.T) {
	t.Parallel()
	const alphabet, n = "abcdefghij", 20_000
	count := map[rune]int{}
	for _, c := range ident.Text(n, alphabet) {
		count[c]++
	}
	for _, c := range alphabet { // six standard deviations: one run in a hundred million fails by chance
		if off := math.Abs(float64(count[c] - n/len(alphabet))); off > 6*math.Sqrt(n*0.1*0.9) {
			t.Errorf("%c came %d times of %d", c, count[c], n)
		}
	}
	if len(count) != len(alphabet) || ident.Text(0, alphabet) != "" {
		t.Errorf("%d different characters", len(count))
	}
}

func TestWhatIsAMeetingNumber(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[1-9][0-9]{8}$`)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9]{8,10}`), rapid.StringMatching(`[0-9 +.-]{9}`)).Draw(t, "text")
		if got := ident.IsMeetingNo(s); got != form.MatchString(s) {
			t.Fatalf("%q: %v", s, got)
		}
	})
	if ident.IsMeetingNo("١٢٣٤٥٦٧٨٩") || ident.IsMeetingNo("123456789\n") || !ident.IsMeetingNo(ident.MeetingNo()) {
		t.Error("digits of other scripts, a line break, or a number made here")
	}
}

// clocks are instants at which the server may believe to be, in whatever order.
func clocks() *rapid.Generator[time.Time] {
	at := func(ms int64) time.Time { return time.UnixMilli(ms) }
	return rapid.OneOf(
		rapid.Map(rapid.Int64Range(1_700_000_000_000, 1_700_000_000_050), at), // much at once
		rapid.Map(rapid.Int64Range(0, 3_000_000_000_000), at),                 // 1970, as a machine without a clock starts, to 2065
	)
}

func TestNumbersGrowWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var n ident.Numbers
		last := int64(0)
		for _, now := range rapid.SliceOfN(clocks(), 1, 50).Draw(t, "clock") {
			next := n.Next(now)
			if next <= last {
				t.Fatalf("%d follows %d", next, last)
			}
			if len(strconv.FormatInt(next, 10)) != 19 {
				t.Fatalf("at %s: %d has not 19 digits", now, next)
			}
			last = next
		}
	})
}

func TestNumbersAreDifferentInAllGoroutines(t *testing.T) {
	t.Parallel()
	var n ident.Numbers
	const each = 200
	var all [16][]int64
	var wg sync.WaitGroup
	now := time.UnixMilli(1_700_000_000_000)
	for i := range all {
		wg.Go(func() {
			for k := range each {
				all[i] = append(all[i], n.Next(now.Add(-time.Duration(k)*time.Second)))
			}
		})
	}
	wg.Wait()
	seen := map[int64]bool{}
	for _, ids := range all {
		if !slices.IsSorted(ids) {
			t.Error("one goroutine saw numbers shrink")
		}
		for _, id := range ids {
			seen[id] = true
		}
	}
	if len(seen) != len(all)*each {
		t.Errorf("%d different numbers of %d", len(seen), len(all)*each)
	}
}

// Nodes do not talk to each other: what keeps them apart within a millisecond is chance, 21 bits of it.
func TestTwoProcessesHardlyEverMakeTheSameNumber(t *testing.T) {
	t.Parallel()
	now, seen := time.UnixMilli(1_700_000_000_000), map[int64]int{}
	const processes = 64
	for range processes {
		var n ident.Numbers
		seen[n.Next(now)]++
	}
	if len(seen) < processes-2 { // two meetings of 64: one run in a million
		t.Errorf("%d numbers of %d processes", len(seen), processes)
	}
}
