package openapi

import (
	"context"

	"huilu/internal/minute"
)

// minuteReply is data.minute (contract minutes.md).
type minuteReply struct {
	Token      string `json:"token"`
	OwnerID    string `json:"owner_id"`
	CreateTime string `json:"create_time"` // milliseconds
	Title      string `json:"title"`
	Cover      string `json:"cover,omitempty"`
	Duration   string `json:"duration"` // milliseconds
	URL        string `json:"url"`
}

func (a *API) getMinute(ctx context.Context, c *call) (any, error) {
	m, err := a.minuteOf(ctx, c)
	if err != nil {
		return nil, err
	}
	reply := minuteReply{
		Token: m.Token, CreateTime: number(m.CreatedAt.UnixMilli()), Title: m.Title,
		Duration: number(m.Duration.Milliseconds()), URL: a.links.Minute(m.Token),
	}
	if m.Poster != "" {
		reply.Cover = a.links.Cover(m.Token, a.minutes.Link(m, minute.Cover))
	}
	reply.OwnerID, err = a.idOf(ctx, c, m.Owner)
	return struct {
		Minute minuteReply `json:"minute"`
	}{reply}, err
}

func (a *API) getMinuteMedia(ctx context.Context, c *call) (any, error) {
	m, err := a.minuteOf(ctx, c)
	if err != nil {
		return nil, err
	}
	return struct {
		URL string `json:"download_url"`
	}{a.links.Download(m.Token, a.minutes.Link(m, minute.Film))}, nil
}

func (a *API) minuteOf(ctx context.Context, c *call) (minute.Minute, error) {
	token, err := c.minuteToken()
	if err != nil {
		return minute.Minute{}, err
	}
	return a.minutes.Get(ctx, c.caller.Actor(), token)
}

// minuteToken checks the form of the token in the path: the contract answers a
// wrong length with a field violation, and nothing but its alphabet reaches the database.
func (c *call) minuteToken() (string, error) {
	const name = "minute_token"
	t := c.PathValue(name)
	switch {
	case len(t) < minute.TokenLength:
		return "", invalid(name, "the min len is %d", minute.TokenLength)
	case len(t) > minute.TokenLength:
		return "", invalid(name, "the max len is %d", minute.TokenLength)
	}
	for i := range len(t) {
		if (t[i] < 'a' || t[i] > 'z') && (t[i] < '0' || t[i] > '9') {
			return "", invalid(name, "minute_token must be lower-case letters and digits")
		}
	}
	return t, nil
}
