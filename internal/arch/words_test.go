package arch

import (
	"strings"
	"testing"
)

// minDoc is how many lines a package comment has at least: one says the name again, two begin to explain.
const minDoc = 2

func TestEveryPackageSaysWhatItIsAbout(t *testing.T) {
	lines, tests := map[string]int{}, map[string]bool{}
	for _, f := range source(t).files {
		if _, seen := tests[f.pkg()]; !seen {
			tests[f.pkg()] = true
		}
		tests[f.pkg()] = tests[f.pkg()] && f.test
		n := 0
		for line := range strings.SplitSeq(f.ast.Doc.Text(), "\n") {
			if strings.TrimSpace(line) != "" {
				n++
			}
		}
		lines[f.pkg()] = max(lines[f.pkg()], n)
	}
	for _, pkg := range sorted(lines) {
		if lines[pkg] < minDoc {
			t.Errorf("%s has a package comment of %d lines: what is it, what does it promise, what does it leave to others?", pkg, lines[pkg])
		}
	}
}
