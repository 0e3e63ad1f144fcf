package examine

import (
	"math"
	"math/rand/v2"
	"testing"

	"huilu/internal/people/mark"
)

// tone adds a beep to samples.
func tone(samples []float32, index int, at, length, level float64) {
	for i := int(at * rate); i < int((at+length)*rate) && i < len(samples); i++ {
		samples[i] += float32(level * math.Sin(2*math.Pi*mark.Tone(index)*float64(i)/rate))
	}
}

func hear(samples []float32, indexes ...int) []Beep {
	e := newEar(indexes)
	for len(samples) > 0 { // in uneven pieces, as a pipe gives them
		n := min(len(samples), 777)
		e.listen(samples[:n])
		samples = samples[n:]
	}
	e.end()
	return e.Beeps
}

func TestABeepIsHeardToTheMillisecond(t *testing.T) {
	t.Parallel()
	for _, at := range []float64{0.5, 0.50013, 0.7391, 0.123} {
		samples := make([]float32, 2*rate)
		tone(samples, 3, at, 0.1, 0.1)
		beeps := hear(samples, 3)
		if len(beeps) != 1 {
			t.Fatalf("%d beeps heard, want 1: %+v", len(beeps), beeps)
		}
		b := beeps[0]
		if d := math.Abs(float64(b.At) - at); d > 0.001 {
			t.Errorf("beep at %v heard at %v", at, b.At)
		}
		if math.Abs(float64(b.Length)-0.1) > 0.002 || math.Abs(b.Level-0.1) > 0.005 {
			t.Errorf("beep of 0.1 s at 0.1 heard as %v at %v", b.Length, b.Level)
		}
	}
}

func TestNineBeepsAtOnceAreNotMistakenForOneAnother(t *testing.T) {
	t.Parallel()
	samples := make([]float32, 2*rate)
	var all []int
	for i := range 9 {
		all = append(all, i)
		if i != 4 { // who is silent must not be heard
			tone(samples, i, 0.5+0.020*float64(i), 0.1, 0.1)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range samples {
		samples[i] += float32(r.NormFloat64() * 0.002)
	}
	heard := map[int]Beep{}
	for _, b := range hear(samples, all...) {
		if _, twice := heard[b.Index]; twice {
			t.Errorf("tone %d heard twice", b.Index)
		}
		heard[b.Index] = b
	}
	for i := range 9 {
		b, ok := heard[i]
		if ok != (i != 4) {
			t.Fatalf("tone %d heard: %v", i, ok)
		}
		if want := 0.5 + 0.020*float64(i); ok && math.Abs(float64(b.At)-want) > 0.003 {
			t.Errorf("tone %d at %v heard at %v", i, want, b.At)
		}
	}
}

func TestSilenceNoiseAndHumAreNoBeeps(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	noise, hum := make([]float32, 2*rate), make([]float32, 2*rate)
	for i := range noise {
		noise[i] = float32(r.NormFloat64() * 0.03)
		hum[i] = float32(0.5 * math.Sin(2*math.Pi*50*float64(i)/rate))
	}
	for name, samples := range map[string][]float32{"silence": make([]float32, 2*rate), "noise": noise, "hum": hum} {
		if beeps := hear(samples, 0, 1, 2); len(beeps) != 0 {
			t.Errorf("%s: heard %+v", name, beeps)
		}
	}
	held := make([]float32, 3*rate)
	tone(held, 0, 0.5, 2, 0.1)
	if beeps := hear(held, 0); len(beeps) != 0 {
		t.Errorf("a tone of two seconds was taken for a beep: %+v", beeps)
	}
}
