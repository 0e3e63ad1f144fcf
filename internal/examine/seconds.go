package examine

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Seconds is a time in the file or a length, in seconds from its beginning. In
// JSON it has four decimals: finer than anything here is measured.
type Seconds float64

// MarshalJSON writes the number rounded to a tenth of a millisecond.
func (s Seconds) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(s)) || math.IsInf(float64(s), 0) {
		return []byte("null"), nil
	}
	v := math.Round(float64(s)*1e4) / 1e4
	return strconv.AppendFloat(nil, v+0, 'f', -1, 64), nil
}

func (s Seconds) String() string { return fmt.Sprintf("%.3f s", float64(s)) }

// Duration is the same time in the type that clocks use.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

// Interval is the time from From until just before To.
type Interval struct {
	From Seconds `json:"from_s"`
	To   Seconds `json:"to_s"`
}

func (i Interval) String() string {
	return fmt.Sprintf("%.3f–%.3f s", float64(i.From), float64(i.To))
}

// Length is how long the interval is; an interval that ends before it begins
// is empty.
func (i Interval) Length() Seconds { return max(0, i.To-i.From) }

// common is the part of both intervals.
func (i Interval) common(o Interval) Interval {
	return Interval{max(i.From, o.From), min(i.To, o.To)}
}

// covered is how much of i the list covers. The intervals of the list do not
// overlap.
func (i Interval) covered(list []Interval) Seconds {
	sum := Seconds(0)
	for _, o := range list {
		sum += i.common(o).Length()
	}
	return sum
}
