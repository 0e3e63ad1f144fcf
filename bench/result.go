package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"text/tabwriter"
)

// Result is one line of results.json. Names, units and meanings do not change; docs/benchmarks.md lists them.
type Result struct {
	Name     string   `json:"name"`
	Value    float64  `json:"value"`    // median over the run
	Unit     string   `json:"unit"`     // of value and baseline
	Baseline float64  `json:"baseline"` // median of the same for what the product is held against
	Ratio    float64  `json:"ratio"`    // median of value/baseline of each pair, not the ratio of the medians
	Aim      *float64 `json:"aim"`      // null: none
	Met      *bool    `json:"met"`      // null: there is no aim

	bound string // what the aim bounds, for people: "ratio >="
}

// atLeast sets the lowest ratio that meets the aim.
func (r Result) atLeast(ratio float64) Result { return r.aim("ratio ≥", ratio, r.Ratio >= ratio) }

// valueAtMost sets the highest value that meets the aim.
func (r Result) valueAtMost(v float64) Result { return r.aim("value ≤", v, r.Value <= v) }

func (r Result) aim(bound string, aim float64, met bool) Result {
	r.bound, r.Aim, r.Met = bound, &aim, &met
	return r
}

// compare makes a result of pairs: values[i] was measured beside baselines[i].
func compare(name, unit string, values, baselines []float64) Result {
	ratios := make([]float64, len(values))
	for i := range values {
		ratios[i] = values[i] / baselines[i]
	}
	return Result{Name: name, Unit: unit, Value: round(median(values)), Baseline: round(median(baselines)), Ratio: round(median(ratios))}
}

// String is the result in one line, for people.
func (r Result) String() string {
	return fmt.Sprintf("%s %g %s, baseline %g, ratio %g%s", r.Name, r.Value, r.Unit, r.Baseline, r.Ratio, r.verdict(", aim "))
}

func (r Result) verdict(before string) string {
	if r.Aim == nil {
		return ""
	}
	word := "met"
	if !*r.Met {
		word = "MISSED"
	}
	return fmt.Sprintf("%s%s %g: %s", before, r.bound, *r.Aim, word)
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(all))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// round keeps three significant digits: there are no more in such a measurement.
func round(v float64) float64 {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return v
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-2)
	if unit >= 1 {
		return math.Round(v/unit) * unit
	}
	scale := math.Round(1 / unit)
	return math.Round(v*scale) / scale
}

func printTable(w io.Writer, results []Result) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "name\tvalue\tunit\tbaseline\tratio\taim")
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%g\t%s\t%g\t%g\t%s\n", r.Name, r.Value, r.Unit, r.Baseline, r.Ratio, r.verdict(""))
	}
	_ = t.Flush() // to the terminal
}

func save(file string, results []Result) error {
	b, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return fmt.Errorf("results: %w", err)
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
