package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// module is the name in go.mod; root is where it lies.
const (
	module = "huilu"
	root   = "../.."
)

// skipped are folders that hold nothing written here.
var skipped = []string{".git", "node_modules", "dist", "bin", "data", "out", "test-results", "playwright-report", "results"}

// file is a Go file of the tree.
type file struct {
	path string // from the root, with slashes
	ast  *ast.File
	test bool
}

func (f file) pkg() string { return path.Dir(f.path) }

// tree is every Go file of the module, parsed once.
type tree struct {
	fset  *token.FileSet
	files []file
}

var parsed = sync.OnceValues(func() (*tree, error) {
	tr := &tree{fset: token.NewFileSet()}
	err := walk(func(name string) error {
		if path.Ext(name) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(tr.fset, filepath.Join(root, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err == nil {
			tr.files = append(tr.files, file{path: name, ast: parsed, test: strings.HasSuffix(name, "_test.go")})
		}
		return err
	})
	return tr, err
})

// source returns the tree, of which more than a handful of files must be there.
func source(t *testing.T) *tree {
	t.Helper()
	tr, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.files) < 100 {
		t.Fatalf("only %d Go files found below %s", len(tr.files), root)
	}
	return tr
}

// at says where something is, as file:line.
func (tr *tree) at(n ast.Node) string {
	p := tr.fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", filepath.ToSlash(strings.TrimPrefix(p.Filename, filepath.Clean(root)+string(filepath.Separator))), p.Line)
}

// imports lists what the packages import, tests left out: package → import → a file that does.
func (tr *tree) imports(t *testing.T) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	for _, f := range tr.files {
		if f.test {
			continue
		}
		if all[f.pkg()] == nil {
			all[f.pkg()] = map[string]string{}
		}
		for _, spec := range f.ast.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			all[f.pkg()][name] = f.path
		}
	}
	return all
}

// walk visits every file of the tree with its path from the root, with slashes.
func walk(visit func(name string) error) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (slices.Contains(skipped, d.Name()) || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(rel))
	})
}

// read returns a file of the tree.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func sorted[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
