package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"testing"
)

// secret are names of things whose comparison must take as long when the first letter is wrong as when the last is.
var secret = regexp.MustCompile(`(?i)(secret|password|passwordhash|signature|mac|verifier)$`)

// known are files in which the other side has the secret anyway.
var known = map[string]string{
	"internal/event/challenge.go": "the receiver of a challenge answers with what it was sent",
}

// An == that stops at the first difference tells a stranger how much of a guess was right. Comparing with nothing is fine.
func TestSecretsAreNotComparedLetterByLetter(t *testing.T) {
	tr := source(t)
	for _, f := range tr.files {
		if f.test {
			continue
		}
		found := leaks(f.ast)
		if _, reason := known[f.path]; reason && len(found) > 0 {
			continue
		} else if reason {
			t.Errorf("%s compares no secret and needs no reason any more", f.path)
		}
		for _, n := range found {
			t.Errorf("%s: use crypto/subtle or hmac.Equal", tr.at(n))
		}
	}
}

func leaks(f *ast.File) (found []ast.Node) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if (n.Op == token.EQL || n.Op == token.NEQ) && !isFixed(n.X) && !isFixed(n.Y) && (secret.MatchString(name(n.X)) || secret.MatchString(name(n.Y))) {
				found = append(found, n)
			}
		case *ast.CallExpr:
			if fn, ok := n.Fun.(*ast.SelectorExpr); ok && name(fn.X) == "bytes" && fn.Sel.Name == "Equal" && (secret.MatchString(name(n.Args[0])) || secret.MatchString(name(n.Args[1]))) {
				found = append(found, n)
			}
		}
		return true
	})
	return found
}

// isFixed reports whether an expression is a literal or nil, which everybody knows.
func isFixed(e ast.Expr) bool {
	if id, ok := e.(*ast.Ident); ok {
		return id.Name == "nil"
	}
	_, ok := e.(*ast.BasicLit)
	return ok
}

// name is the last name in an expression: secret of app.secret(x)[:8].
func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.CallExpr:
		if fn := name(e.Fun); len(e.Args) != 1 || fn == "len" {
			return fn
		}
		return name(e.Args[0]) // a conversion such as string(secret)
	case *ast.IndexExpr:
		return name(e.X)
	case *ast.SliceExpr:
		return name(e.X)
	case *ast.ParenExpr:
		return name(e.X)
	}
	return ""
}

func TestALeakIsSeen(t *testing.T) {
	for expr, want := range map[string]int{
		`r.Password == v.Password`: 1, `string(secret) != given`: 1, `bytes.Equal(b[8:], s.mac(b))`: 0, `bytes.Equal(signature[:], want)`: 1, `sum == c.Verifier`: 1,
		`r.Password != ""`: 0, `nil == secret`: 0, `a.Name == b.Name`: 0, `len(signature) != size`: 0, `hmac.Equal(mac, want)`: 0,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p\nvar _ = "+expr, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(leaks(f)); got != want {
			t.Errorf("%s: %d leaks, want %d", expr, got, want)
		}
	}
}
