package openapi

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huilu/internal/minute"
)

// content sends a stored file, whole or in ranges.
type content struct {
	file    io.ReadSeekCloser
	changed time.Time
	name    string // of the attachment; empty: shown, not saved
	kind    string // Content-Type
}

func (f content) write(w http.ResponseWriter, r *http.Request) {
	defer f.file.Close() //nolint:errcheck // it was only read
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private")
	if f.name != "" {
		h.Set("Content-Disposition", attachment(f.name))
	}
	conn := http.NewResponseController(w)
	defer func() { _ = conn.SetWriteDeadline(time.Time{}) }() // else it would hit a later answer on this connection
	http.ServeContent(patient{w, conn}, r, "", f.changed, f.file)
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

// kinds are what minutes are made of, by the extension of the stored file.
var kinds = map[string]string{".mp4": "video/mp4", ".webm": "video/webm", ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}

// downloadMinute serves the link of getMinuteMedia: GET or HEAD, with Range, without Authorization.
func (a *API) downloadMinute(ctx context.Context, c *call) (any, error) {
	m, err := a.minuteByLink(ctx, c)
	if err != nil {
		return nil, err
	}
	return a.open(ctx, m.File, fileName(m.Title)+path.Ext(m.File))
}

// downloadCover serves the picture of a minute.
func (a *API) downloadCover(ctx context.Context, c *call) (any, error) {
	m, err := a.minuteByLink(ctx, c)
	if err != nil {
		return nil, err
	}
	if m.Poster == "" {
		return nil, minute.ErrNotFound
	}
	return a.open(ctx, m.Poster, "")
}

func (a *API) minuteByLink(ctx context.Context, c *call) (minute.Minute, error) {
	token, err := c.minuteToken()
	if err != nil {
		return minute.Minute{}, err
	}
	return a.minutes.ByLink(ctx, token, c.URL.Query().Get("sig"))
}

// open opens a stored file, to be saved under name or, without one, to be shown.
func (a *API) open(ctx context.Context, key, name string) (any, error) {
	f, changed, _, err := a.files.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	kind, known := kinds[path.Ext(key)]
	if !known {
		kind = "application/octet-stream"
	}
	return content{f, changed, name, kind}, nil
}

// longestName leaves room for an extension below the 255 bytes that most file systems allow.
const longestName = 240

// fileName makes a title fit to be a file's name on any system.
func fileName(title string) string {
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
