// Bench measures what the product promises about speed, each number beside its baseline, in the same run.
//
//	go run ./bench [-only NAME] [-quick] [-out FILE]
//
//	get_recording   get.go, fill.go, load.go   GET recording against a bare handler, with 1 thousand and 1 million recordings
//	capture         capture.go                 recording a meeting against the same meeting unrecorded
//	compose         film.go, bare.go           composing against ffmpeg alone with the same filter graph
//	ready           film.go                    from the end of a meeting to its recording
//
// Machines differ, and a busy one is slow for everybody: a number means something only beside one that was measured at
// the same time. So each benchmark alternates between the product and its baseline, takes the ratio of each pair, and
// reports the median. docs/benchmarks.md says what exactly is measured, and what the last run gave.
//
// A whole run writes bench/results.json. With -only or -quick the numbers are printed and not kept, unless -out says where.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"
)

// benchmark measures one thing; it returns the same results, by name, each time.
type benchmark struct {
	name  string
	names []string // of its results
	run   func(ctx context.Context, e *env) ([]Result, error)
}

var benchmarks = []benchmark{
	{"get_recording", []string{rps1k, rps1m, rpsFlat, p991k, p991m, cpu1k, cpu1m}, getRecording},
	{"capture", []string{capturePerTrack}, captureCost},
	{"compose", []string{composeSpeed, composeCPU}, composing},
	{"ready", []string{ready10s, ready60s}, readiness},
}

// env is what every benchmark gets.
type env struct {
	quick  bool   // a few seconds each, to see that everything works; the numbers mean little
	folder string // temporary, removed at the end
	say    func(format string, args ...any)
	log    *slog.Logger
	films  map[time.Duration][]*film // meetings that were held, by how long they were recorded
}

// roleVar tells a copy of this program to be something else than the benchmarks.
const roleVar = "HUILU_BENCH_ROLE"

func main() {
	part := run
	if os.Getenv(roleVar) == "people" {
		part = act
	}
	if err := part(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	only := flag.String("only", "", "run only this benchmark, or the one that this result belongs to")
	quick := flag.Bool("quick", false, "a few seconds each, to see that everything works; the numbers mean little")
	out := flag.String("out", "", "file for the results (default bench/results.json for a whole run, none otherwise)")
	profile := flag.String("cpuprofile", "", "write a CPU profile to this file")
	flag.Parse()
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	if *out == "" && *only == "" && !*quick {
		*out = filepath.Join("bench", "results.json")
	}
	stop, err := profiling(*profile)
	if err != nil {
		return err
	}
	defer stop()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	results, err := measure(ctx, chosen, *quick)
	if err != nil {
		return err
	}
	printTable(os.Stdout, results)
	if *out == "" {
		return nil
	}
	return save(*out, results)
}

// choose returns the benchmarks that -only means.
func choose(only string) ([]benchmark, error) {
	if only == "" {
		return benchmarks, nil
	}
	var names []string
	for _, b := range benchmarks {
		names = append(append(names, b.name), b.names...)
		for _, n := range append(b.names, b.name) {
			if n == only {
				return []benchmark{b}, nil
			}
		}
	}
	return nil, fmt.Errorf("-only %s: there is %s", only, strings.Join(names, ", "))
}

func profiling(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, nil
}

// measure runs benchmarks one after the other in a temporary folder.
func measure(ctx context.Context, chosen []benchmark, quick bool) (all []Result, err error) {
	folder, err := os.MkdirTemp("", "huilu-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	begun := time.Now()
	e := &env{quick: quick, folder: folder, films: map[time.Duration][]*film{}, log: slog.New(slog.NewTextHandler(io.Discard, nil)), say: func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "%6.1f s  %s\n", time.Since(begun).Seconds(), fmt.Sprintf(format, args...))
	}}
	for _, b := range chosen {
		e.say("%s", b.name)
		results, err := b.run(ctx, e)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
		for _, r := range results {
			e.say("%s", r)
		}
		all = append(all, results...)
	}
	return all, nil
}
