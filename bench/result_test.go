package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRatioIsTheMedianOfThePairs(t *testing.T) {
	t.Parallel()
	// The machine was twice as slow during the second pair, and something else disturbed the value of the third.
	r := compare("x", "requests/s", []float64{60, 30, 10}, []float64{100, 50, 100})
	if r.Value != 30 || r.Baseline != 100 || r.Ratio != 0.6 {
		t.Errorf("%+v", r)
	}
}

func TestAnAimIsMetOrMissed(t *testing.T) {
	t.Parallel()
	r := Result{Value: 0.004, Ratio: 0.7}
	for _, c := range []struct {
		r   Result
		met bool
	}{{r.atLeast(0.7), true}, {r.atLeast(0.71), false}, {r.valueAtMost(0.004), true}, {r.valueAtMost(0.003), false}} {
		if *c.r.Met != c.met {
			t.Errorf("%s: met %v", c.r, *c.r.Met)
		}
	}
	if strings.Contains(r.String(), "aim") {
		t.Errorf("no aim, and it says %q", r)
	}
}

func TestRoundingKeepsThreeDigits(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]float64{0: 0, 12345: 12300, 0.0049951: 0.005, 0.123456: 0.123, 1: 1, 99.96: 100, -0.04567: -0.0457} {
		if got := round(v); got != want {
			t.Errorf("%g becomes %g, want %g", v, got, want)
		}
	}
}

func TestResultsHaveTheFieldsThatScriptsReadAndNullWithoutAnAim(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "results.json")
	if err := save(file, []Result{compare("x", "ms", []float64{2}, []float64{1})}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"name": "x", "value": 2., "unit": "ms", "baseline": 1., "ratio": 2., "aim": nil, "met": nil}
	if len(got) != 1 || len(got[0]) != len(want) {
		t.Fatalf("%s", b)
	}
	for k, v := range want {
		if got[0][k] != v {
			t.Errorf("%s is %v, want %v", k, got[0][k], v)
		}
	}
}

func TestKeptResultsAreThoseThatBenchmarksPromise(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("results.json")
	if err != nil {
		t.Fatal(err)
	}
	var kept []Result
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&kept); err != nil {
		t.Fatal(err)
	}
	var names, promised []string
	for _, r := range kept {
		names = append(names, r.Name)
	}
	for _, k := range benchmarks {
		promised = append(promised, k.names...)
	}
	if !slices.Equal(names, promised) {
		t.Errorf("results.json has %v\nthe benchmarks give %v", names, promised)
	}
	doc, err := os.ReadFile(filepath.Join("..", "docs", "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range promised {
		if !bytes.Contains(doc, []byte("`"+n+"`")) {
			t.Errorf("docs/benchmarks.md does not explain %s", n)
		}
	}
}

func TestChoosingByBenchmarkOrResult(t *testing.T) {
	t.Parallel()
	for only, want := range map[string]int{"": len(benchmarks), "capture": 1, capturePerTrack: 1, ready60s: 1} {
		if got, err := choose(only); err != nil || len(got) != want {
			t.Errorf("-only %q: %d benchmarks, %v", only, len(got), err)
		}
	}
	if _, err := choose("nothing"); err == nil || !strings.Contains(err.Error(), capturePerTrack) {
		t.Errorf("-only nothing: %v; want what there is", err)
	}
}
