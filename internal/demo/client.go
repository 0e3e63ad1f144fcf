package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"time"

	"huilu/internal/people"
	"huilu/internal/tenant"
)

// client calls /open-apis as the app.
type client struct {
	base   string
	app    tenant.App
	secret tenant.Secret
	token  string // of the tenant, once asked for
}

var httpClient = &http.Client{Timeout: 30 * time.Second}

// reply is the envelope.
type reply struct {
	Code int             `json:"code"`
	Msg  string          `json:"msg"`
	Data json.RawMessage `json:"data"`
}

// login gets the tenant access token.
func (c *client) login(ctx context.Context) error {
	var r struct {
		Code  int    `json:"code"`
		Msg   string `json:"msg"`
		Token string `json:"tenant_access_token"`
	}
	body := map[string]string{"app_id": c.app.ID, "app_secret": string(c.secret)}
	if err := send(ctx, httpClient, "POST", c.base+"/open-apis/auth/v3/tenant_access_token/internal", "", body, &r); err != nil {
		return err
	}
	if r.Code != 0 {
		return fmt.Errorf("tenant_access_token: %d %s", r.Code, r.Msg)
	}
	c.token = r.Token
	return nil
}

// call makes one API call with a token and decodes data.
func (c *client) call(ctx context.Context, method, path, token string, body, data any) error {
	var r reply
	if err := send(ctx, httpClient, method, c.base+"/open-apis"+path, token, body, &r); err != nil {
		return err
	}
	if r.Code != 0 {
		return fmt.Errorf("%s %s: %d %s", method, path, r.Code, r.Msg)
	}
	if data == nil {
		return nil
	}
	return json.Unmarshal(r.Data, data)
}

// send posts JSON and decodes JSON, whatever the status: the code inside counts.
func send(ctx context.Context, hc *http.Client, method, address, token string, body, into any) error {
	var b bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, address, &b)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("X-Huilu", "1")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if into == nil {
		if resp.StatusCode >= http.StatusBadRequest {
			return fmt.Errorf("%s %s: %s: %s", method, address, resp.Status, text)
		}
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s %s: %s: %w: %.200s", method, address, resp.Status, err, text)
	}
	return nil
}

// person is one of the crowd.
type person struct {
	user            tenant.User
	email, password string
	openID, token   string
	media           *people.Media
	session         *people.Session
}

// join logs in on the pages, asks at the door and enters the room.
func (p *person) join(ctx context.Context, base, no string) (meetingID string, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	hc := &http.Client{Timeout: 30 * time.Second, Jar: jar}
	if err := send(ctx, hc, "POST", base+"/api/login", "", map[string]string{"email": p.email, "password": p.password}, nil); err != nil {
		return "", err
	}
	var door struct {
		MeetingID string `json:"meeting_id"`
		ServerURL string `json:"server_url"`
		Token     string `json:"token"`
	}
	if err := send(ctx, hc, "POST", base+"/api/join/"+url.PathEscape(no), "", map[string]string{}, &door); err != nil {
		return "", err
	}
	if door.Token == "" {
		return "", fmt.Errorf("the door of meeting %s did not open for %s", no, p.email)
	}
	address := strings.Replace(base, "http", "ws", 1)
	if p.session, err = people.Join(ctx, address, door.Token, p.media, people.Options{Subscribe: true}); err != nil {
		return "", err
	}
	return door.MeetingID, nil
}

// download fetches a file that needs no login.
func download(ctx context.Context, address, file string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("download: %s", resp.Status)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, resp.Body)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// waitFor asks until the answer is 200.
func waitFor(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var last string
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		if resp, err := httpClient.Do(req); err == nil {
			text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			last = string(text)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server did not become ready: %s", last)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
