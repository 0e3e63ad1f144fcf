// Package handout gives stored files to browsers and programs: whole or in ranges, to be shown or to be saved.
//
// Who may have a file was decided before. What is left is the same for pages and API: the type by the file's
// ending, a name that no system stumbles over, and a reader that may take hours but not stand still.
package handout

import (
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// File is a stored file on its way out.
type File struct {
	Body    io.ReadSeekCloser // closed by Write
	Key     string            // in the blob store; its ending tells the type
	Changed time.Time
	Title   string // the file is saved under it; empty: it is shown
}

// kinds are what minutes are made of. Nothing else is shown by a browser.
var kinds = map[string]string{".mp4": "video/mp4", ".webm": "video/webm", ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}

// Write answers GET and HEAD with the file, and with the range that was asked for.
// Headers that are set already stay.
func (f File) Write(w http.ResponseWriter, r *http.Request) {
	defer f.Body.Close() //nolint:errcheck // it was only read
	h := w.Header()
	kind, known := kinds[path.Ext(f.Key)]
	if !known {
		kind = "application/octet-stream"
	}
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	if f.Title != "" {
		h.Set("Content-Disposition", attachment(Name(f.Title)+path.Ext(f.Key)))
	}
	conn := http.NewResponseController(w)
	defer func() { _ = conn.SetWriteDeadline(time.Time{}) }() // else it would hit a later answer on this connection
	http.ServeContent(patient{w, conn}, r, "", f.Changed, f.Body)
}

// stall is how long a client may take nothing of a file before its connection is closed.
const stall = time.Minute

// patient lets a download take as long as it is being read: a limit for the
// whole would cut films, none would let a stuck client hold the connection forever.
type patient struct {
	http.ResponseWriter
	conn *http.ResponseController
}

func (p patient) Write(b []byte) (int, error) {
	_ = p.conn.SetWriteDeadline(time.Now().Add(stall)) // a connection without deadlines ends with its client
	return p.ResponseWriter.Write(b)
}

// longestName leaves room for an extension below the 255 bytes that most file systems allow.
const longestName = 240

// Name makes a title fit to be a file's name on any system.
func Name(title string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), strings.ContainsRune(`/\:*?"<>|`, r):
			return '_'
		case unicode.In(r, unicode.Cf): // invisible ones turn text around: "gpj.exe" reads as "exe.jpg"
			return -1
		}
		return r
	}, title)
	if clean = strings.Trim(clean, " ."); clean == "" {
		return "recording"
	}
	for len(clean) > longestName {
		_, size := utf8.DecodeLastRuneInString(clean)
		clean = clean[:len(clean)-size]
	}
	return clean
}

// attachment writes Content-Disposition with the name in UTF-8 (RFC 6266 §4.3)
// and in ASCII for clients that know no better.
func attachment(name string) string {
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
	return `attachment; filename="` + ascii + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}
