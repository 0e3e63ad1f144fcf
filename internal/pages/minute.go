package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"huilu/internal/handout"
	"huilu/internal/minute"
)

type minuteJSON struct {
	Token        string     `json:"token"`
	Title        string     `json:"title"`
	StartMS      int64      `json:"start_ms"`
	DurationMS   int64      `json:"duration_ms"`
	OwnerName    string     `json:"owner_name"`
	Participants []stayJSON `json:"participants"`
	MediaURL     string     `json:"media_url"`
	PosterURL    *string    `json:"poster_url"`
	CanDownload  bool       `json:"can_download"`
	IsOwner      bool       `json:"is_owner"`
	Defects      []string   `json:"defects"`
}

type stayJSON struct {
	Name     string `json:"name"`
	JoinedMS int64  `json:"joined_ms"`
	LeftMS   *int64 `json:"left_ms"`
}

func (p *Pages) minuteOf(r *request) (minute.Minute, error) {
	return p.Minutes.Get(r.Context(), r.who.actor(), r.PathValue("minute_token"))
}

// getMinute tells who may watch a minute what there is to see. A refusal says nothing about it.
func (p *Pages) getMinute(r *request) (any, error) {
	m, err := p.minuteOf(r)
	if err != nil {
		return nil, err
	}
	owner, err := p.Tenants.User(r.Context(), m.Tenant, m.Owner)
	if err != nil {
		return nil, err
	}
	stays, err := p.Minutes.Stays(r.Context(), m)
	if err != nil {
		return nil, err
	}
	isOwner := r.who.Num == m.Owner
	out := minuteJSON{
		Token: m.Token, Title: m.Title, StartMS: m.StartedAt.UnixMilli(), DurationMS: m.Duration.Milliseconds(), OwnerName: owner.Name,
		Participants: []stayJSON{}, MediaURL: "/api/minutes/" + m.Token + "/media", IsOwner: isOwner, CanDownload: isOwner,
		Defects: append([]string{}, m.Defects...),
	}
	if m.Poster != "" {
		out.PosterURL = new("/api/minutes/" + m.Token + "/poster")
	}
	for _, s := range stays {
		out.Participants = append(out.Participants, stayJSON{Name: s.Name, JoinedMS: s.JoinedAt.UnixMilli(), LeftMS: optionalMS(s.LeftAt)})
	}
	return out, nil
}

// getMedia hands out the video: whole or in ranges, to look at or, with ?download=1, to keep.
func (p *Pages) getMedia(r *request) (any, error) {
	m, err := p.minuteOf(r)
	if err != nil {
		return nil, err
	}
	f := file{files: p.Files, key: m.File, at: m.CreatedAt}
	if r.URL.Query().Get("download") == "1" {
		f.title = m.Title
	}
	return f, nil
}

func (p *Pages) getPoster(r *request) (any, error) {
	m, err := p.minuteOf(r)
	switch {
	case err != nil:
		return nil, err
	case m.Poster == "":
		return nil, errNoPoster
	}
	return file{files: p.Files, key: m.Poster, at: m.CreatedAt}, nil
}

// file is a stored file as an answer. Stored files never change under their key.
type file struct {
	files Files
	key   string
	at    time.Time
	title string // to be saved under; empty: to be shown
}

func (f file) write(w http.ResponseWriter, r *http.Request) error {
	body, err := f.files.Open(r.Context(), f.key)
	if err != nil {
		return fmt.Errorf("open %s: %w", f.key, err)
	}
	h := w.Header()
	h.Del("Content-Security-Policy") // a player that is opened on the file itself needs its own styles
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "private, no-cache") // kept, but asked for again: who signed out sees nothing
	sum := sha256.Sum256([]byte(f.key))
	h.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	handout.File{Body: body, Key: f.key, Changed: f.at, Title: f.title}.Write(w, r)
	return nil
}

var _ content = file{}
