package apptest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"huilu/internal/people"
)

// Visitor is a person with a browser: signed in on the pages, with the calls that
// the pages make. It needs only an address, so the server may be another process.
type Visitor struct {
	base string
	http *http.Client
}

// Login signs somebody in on the pages of the server at base.
func Login(ctx context.Context, base, email, password string) (*Visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	v := &Visitor{base: base, http: &http.Client{Timeout: 30 * time.Second, Jar: jar}}
	return v, v.Call(ctx, http.MethodPost, "/api/login", map[string]string{"email": email, "password": password}, nil)
}

// Call makes one of the pages' own calls. body may be nil; the answer is decoded into into, unless that is nil.
func (v *Visitor) Call(ctx context.Context, method, path string, body, into any) error {
	var b bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, v.base+path, &b)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Huilu", "1")
	resp, err := v.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s %s: %s: %w: %.200s", method, path, resp.Status, err, text)
	}
	return nil
}

// Join opens the door of a meeting number and enters the room with camera and microphone.
func (v *Visitor) Join(ctx context.Context, no string, m *people.Media, o people.Options) (s *people.Session, meetingID string, err error) {
	var door struct {
		MeetingID string `json:"meeting_id"`
		Token     string `json:"token"`
	}
	if err := v.Call(ctx, http.MethodPost, "/api/join/"+url.PathEscape(no), struct{}{}, &door); err != nil {
		return nil, "", err
	}
	s, err = people.Join(ctx, strings.Replace(v.base, "http", "ws", 1), door.Token, m, o)
	return s, door.MeetingID, err
}
