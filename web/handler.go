package web

import (
	"bytes"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

// notBuilt is what a browser shows when the binary was made without the pages.
const notBuilt = "huilu: the pages are not built: run make build, then start huilu again\nhuilu：页面尚未构建，请运行 make build 后重新启动\n"

// pagePaths are the addresses that show a page; src/app.tsx has the same list as routes. Everything else gets
// the "no such page" page with status 404.
var pagePaths = regexp.MustCompile(`^/(login|oauth/consent|j/[^/]+|minutes/[^/]+|app/[^/]+/auth|admin(/apps(/[^/]+)?|/users)?)?/?$`)

// hostName is what may be copied from the Host header into a policy: a name or an address, perhaps with a port.
var hostName = regexp.MustCompile(`^[A-Za-z0-9.\-\[\]:]+$`)

// Handler serves the pages from files, which has index.html at the top (see Files).
//
// It answers GET and HEAD only. Files under /assets/ carry a hash in their name and are cached for a year;
// index.html is asked for again each time. The policy allows scripts from this server alone.
func Handler(files fs.FS) http.Handler {
	return &handler{files: files}
}

type handler struct{ files fs.FS }

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "pages answer GET and HEAD only", http.StatusMethodNotAllowed)
		return
	}
	guard(w.Header(), r.Host)
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	switch {
	case h.isFile(name):
		h.serveFile(w, r, name)
	case strings.HasPrefix(name, "assets/"):
		http.NotFound(w, r) // never a page in place of a script: the browser would try to run it
	case pagePaths.MatchString(r.URL.Path):
		h.servePage(w, r, http.StatusOK)
	default:
		h.servePage(w, r, http.StatusNotFound)
	}
}

// isFile says whether name is a file for browsers: not the index, no placeholder, no compressed copy.
func (h *handler) isFile(name string) bool {
	if name == "" || name == "index.html" || strings.HasPrefix(path.Base(name), ".") || strings.HasSuffix(name, ".gz") {
		return false
	}
	info, err := fs.Stat(h.files, name)
	return err == nil && info.Mode().IsRegular()
}

func (h *handler) serveFile(w http.ResponseWriter, r *http.Request, name string) {
	if strings.HasPrefix(name, "assets/") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "public, max-age=3600")
	}
	h.send(w, r, name, http.StatusOK)
}

func (h *handler) servePage(w http.ResponseWriter, r *http.Request, status int) {
	w.Header().Set("Cache-Control", "no-cache")
	if _, err := fs.Stat(h.files, "index.html"); err != nil {
		http.Error(w, notBuilt, http.StatusServiceUnavailable)
		return
	}
	h.send(w, r, "index.html", status)
}

// send writes a file, in its compressed copy when there is one and the browser takes it.
func (h *handler) send(w http.ResponseWriter, r *http.Request, name string, status int) {
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Add("Vary", "Accept-Encoding")
	stored := name
	if takesGzip(r) {
		if _, err := fs.Stat(h.files, name+".gz"); err == nil {
			stored = name + ".gz"
			w.Header().Set("Content-Encoding", "gzip")
		}
	}
	body, err := fs.ReadFile(h.files, stored)
	if err != nil {
		http.Error(w, "cannot read the page", http.StatusInternalServerError)
		return
	}
	if status != http.StatusOK {
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(body) // the browser is gone; nobody to tell
		}
		return
	}
	// ServeContent answers Range and HEAD; a zero time leaves Last-Modified out, which embedded files do not have.
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
}

// types are the files a build makes. Go's own table depends on the machine's mime.types, so it is not asked.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".json": "application/json",
	".txt": "text/plain; charset=utf-8", ".woff2": "font/woff2", ".wasm": "application/wasm", ".webmanifest": "application/manifest+json",
}

func contentType(name string) string {
	if t, ok := types[path.Ext(name)]; ok {
		return t
	}
	return "application/octet-stream"
}

func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding == "gzip" && strings.TrimSpace(params) != "q=0" {
			return true
		}
	}
	return false
}

// guard sets the headers that keep a page to itself.
//
// Styles may be inline because the component library sets its variables that way; scripts may not. The socket
// of the meeting is named beside 'self' because older Safari does not count ws: as the same origin.
func guard(head http.Header, host string) {
	connect := "'self'"
	if hostName.MatchString(host) {
		connect += " ws://" + host + " wss://" + host
	}
	head.Set("Content-Security-Policy", "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "+
		"img-src 'self' data: blob:; media-src 'self' blob:; connect-src "+connect+"; worker-src 'self' blob:; "+
		"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	head.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "same-origin")
	head.Set("X-Frame-Options", "DENY")
}
