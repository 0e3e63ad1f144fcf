package arch

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// Lengths beyond which a file or a function needs a reason.
const (
	maxFile = 500
	maxFunc = 60
)

// long is what is longer, each with its reason in a sentence.
var long = map[string]string{
	"internal/capture/capture_test.go": "every crash the log survives is tried on one small disk that the file begins with",
	"internal/job/queue_test.go":       "promises of the queue share one store that can be made to fail",
	"web/dev/mock.ts":                  "a stand-in for the whole server, one case for each call, used by nothing that ships",
}

func TestNoFileIsLongWithoutAReason(t *testing.T) {
	kinds := []string{".go", ".ts", ".tsx", ".css", ".sql"}
	seen := map[string]bool{}
	err := walk(func(name string) error {
		if !slices.Contains(kinds, path.Ext(name)) || strings.HasSuffix(name, ".d.ts") {
			return nil
		}
		n := strings.Count(read(t, name), "\n")
		_, reason := long[name]
		switch seen[name] = true; {
		case n > maxFile && !reason:
			t.Errorf("%s has %d lines: split it, or give a reason", name, n)
		case n <= maxFile && reason:
			t.Errorf("%s has %d lines and needs no reason any more", name, n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sorted(long) {
		if !seen[name] {
			t.Errorf("%s is not there and needs no reason", name)
		}
	}
}

// Tests may be tables as long as what they promise.
func TestNoFunctionIsLong(t *testing.T) {
	tr := source(t)
	for _, f := range tr.files {
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := tr.fset.Position(fn.End()).Line - tr.fset.Position(fn.Pos()).Line + 1; n > maxFunc {
				t.Errorf("%s: %s has %d lines", tr.at(fn), fn.Name.Name, n)
			}
		}
	}
}
