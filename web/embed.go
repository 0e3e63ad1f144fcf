// Package web holds the pages people see and hands them to browsers.
//
//	src/     TypeScript and React: pages/ (one folder each), parts/ (shared), api/ (calls), i18n/ (both languages)
//	public/  files copied as they are: favicon, boot.js
//	dev/     a mock of the server for working on the pages; never in the build
//	dist/    what `make build` makes of them, embedded into the binary:
//	           index.html, assets/<name>-<hash>.js and .css, each also as .gz
//
// The pages are one React program: every address of a page answers index.html and the program shows the right
// page. Handler serves them with the headers they need; what they ask the server lives in package pages.
// Before the first build dist holds only a placeholder: everything compiles, and Handler says what to do.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the built pages, index.html at the top. Before the first build it holds only the placeholder.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return dist // "dist" is a valid path, so this does not happen
	}
	return files
}

// Built says whether the pages were built before the binary was.
func Built() bool {
	_, err := fs.Stat(Files(), "index.html")
	return err == nil
}
