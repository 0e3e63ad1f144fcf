package openapi

import (
	"context"
	"net/http"

	"huilu/internal/handout"
	"huilu/internal/minute"
)

// content is a stored file as an answer.
type content handout.File

func (f content) write(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "private")
	handout.File(f).Write(w, r)
}

// downloadMinute serves the link of getMinuteMedia: GET or HEAD, with Range, without Authorization.
func (a *API) downloadMinute(ctx context.Context, c *call) (any, error) {
	m, err := a.minuteByLink(ctx, c, minute.Film)
	if err != nil {
		return nil, err
	}
	return a.open(ctx, m.File, m.Title)
}

// downloadCover serves the picture of a minute.
func (a *API) downloadCover(ctx context.Context, c *call) (any, error) {
	m, err := a.minuteByLink(ctx, c, minute.Cover)
	if err != nil {
		return nil, err
	}
	if m.Poster == "" {
		return nil, minute.ErrNotFound
	}
	return a.open(ctx, m.Poster, "")
}

func (a *API) minuteByLink(ctx context.Context, c *call, p minute.Piece) (minute.Minute, error) {
	token, err := c.minuteToken()
	if err != nil {
		return minute.Minute{}, err
	}
	return a.minutes.ByLink(ctx, token, p, c.URL.Query().Get("sig"))
}

// open opens a stored file, to be saved under title or, without one, to be shown.
func (a *API) open(ctx context.Context, key, title string) (any, error) {
	f, changed, _, err := a.files.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	return content{Body: f, Key: key, Changed: changed, Title: title}, nil
}
