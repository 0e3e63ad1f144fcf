package arch

import (
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"huilu/internal/config"
)

var update = flag.Bool("update", false, "write docs/settings.md anew")

// documents are the Markdown files of the tree, by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	err := walk(func(name string) error {
		if path.Ext(name) == ".md" {
			docs[name] = read(t, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "README.zh-CN.md", "CONTRIBUTING.md", "docs/operators.md", settingsPage} {
		if docs[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	return docs
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)(?:\s+"[^"]*")?\)|(?:src|href)="([^"]+)"`)
	heading = regexp.MustCompile(`(?m)^#{1,6}\s+(.+)$`)
	fence   = regexp.MustCompile("(?ms)^```.*?^```")
)

func TestLinksInDocumentsLeadSomewhere(t *testing.T) {
	docs := documents(t)
	links := 0
	for _, name := range sorted(docs) {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(docs[name], ""), -1) {
			to := m[1] + m[2]
			if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			links++
			if problem := follow(docs, name, to); problem != "" {
				t.Errorf("%s links to %s: %s", name, to, problem)
			}
		}
	}
	if links < 10 {
		t.Errorf("only %d links found", links)
	}
}

// follow says what is wrong with a link from a document; nothing when it leads to a file, and to a heading of it.
func follow(docs map[string]string, from, to string) string {
	target, anchor, _ := strings.Cut(to, "#")
	if target = path.Join(path.Dir(from), target); strings.HasPrefix(to, "#") {
		target = from
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
		return "there is no such file"
	}
	if anchor != "" && !slices.Contains(anchors(docs[target]), anchor) {
		return fmt.Sprintf("no heading is called so; there are %s", anchors(docs[target]))
	}
	return ""
}

// anchors are the names under which the headings of a document are found.
func anchors(doc string) (names []string) {
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(doc, ""), -1) {
		names = append(names, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1]))
	}
	return names
}

// mention is a file of the tree named in a document or a comment, from the root or from where its kind lives.
var mention = regexp.MustCompile("`([a-z][\\w-]*(?:/[\\w.-]+)+\\.(?:go|md|ts|tsx|sql|txt|json|png))`")

func TestFilesThatDocumentsNameAreThere(t *testing.T) {
	docs, found := documents(t), 0
	for _, name := range sorted(docs) {
		for _, m := range mention.FindAllStringSubmatch(docs[name], -1) {
			found++
			if !slices.ContainsFunc([]string{"", "internal", "web", "web/src", path.Dir(name)}, func(base string) bool {
				_, err := os.Stat(filepath.Join(root, base, filepath.FromSlash(m[1])))
				return err == nil
			}) && m[1] != "bench/results.json" { // made by make bench
				t.Errorf("%s names %s, which is not there", name, m[1])
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d names found", found)
	}
}

var decision = regexp.MustCompile(`docs/[\w/-]+\.(?:md|png)`)

func TestDocumentsThatTheCodeNamesAreThere(t *testing.T) {
	tr := source(t)
	for _, f := range tr.files {
		if f.pkg() == "internal/arch" {
			continue
		}
		for _, group := range f.ast.Comments {
			for _, name := range decision.FindAllString(group.Text(), -1) {
				if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil {
					t.Errorf("%s names %s, which is not there", tr.at(group), name)
				}
			}
		}
	}
}

var variable = regexp.MustCompile(`HUILU_[A-Z_]*[A-Z]`)

func TestVariablesThatDocumentsNameExist(t *testing.T) {
	known := []string{"HUILU_CONFIG"}
	for _, s := range config.Table() {
		known = append(known, s.Variable())
		if s.Secret {
			known = append(known, s.Variable()+"_FILE")
		}
	}
	docs := documents(t)
	for _, name := range sorted(docs) {
		for _, v := range variable.FindAllString(docs[name], -1) {
			if !slices.Contains(known, v) {
				t.Errorf("%s names %s, which nothing reads", name, v)
			}
		}
	}
}

const settingsPage = "docs/settings.md"

// The page is made from the table, so that no setting is without its sentence: go test ./internal/arch -update
func TestTheSettingsPageIsWhatTheTableSays(t *testing.T) {
	want := settings()
	if *update {
		if err := os.WriteFile(filepath.Join(root, settingsPage), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, settingsPage); got != want {
		t.Errorf("%s is not what internal/config says; run go test ./internal/arch -update, and read the difference", settingsPage)
	}
}

// settings writes the page.
func settings() string {
	var b strings.Builder
	b.WriteString(`# Settings

Written by ` + "`go test ./internal/arch -update`" + ` from the table in ` + "`internal/config`" + `; ` + "`huilu doctor`" + ` prints what is in force and where it came from.

Each setting comes from, later ones winning: its default, a YAML file (` + "`--config`" + `; nested or dotted names), its variable, the command line (` + "`--set name=value`" + `).
A secret may come from a file: append ` + "`_FILE`" + ` to its variable.

| setting | variable | default | |
|---|---|---|---|
`)
	for _, s := range config.Table() {
		text := s.Text
		if s.Secret {
			text += " (secret)"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", s.Name, s.Variable(), code(s.Default), strings.ReplaceAll(text, "|", `\|`))
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func TestEverySettingIsExplained(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range config.Table() {
		if len(s.Text) < 7 || seen[s.Name] || seen[s.Variable()] {
			t.Errorf("%s is explained by %q, or is there twice", s.Name, s.Text)
		}
		seen[s.Name], seen[s.Variable()] = true, true
	}
}
