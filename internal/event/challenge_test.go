package event_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"huilu/internal/egress"
	"huilu/internal/event"
	"huilu/internal/field"
	"huilu/internal/tenant"
)

func TestOfficialSDKPassesTheURLCheck(t *testing.T) {
	t.Parallel()
	forms(t, func(t *testing.T, encrypted bool) {
		sub := tenant.Subscription{VerificationToken: "token"}
		if encrypted {
			sub.EncryptKey = "encrypt key"
		}
		url := server(t, official(sub, nil))
		verify := event.NewVerifier(loopback())
		if err := verify.Verify(t.Context(), url, sub); err != nil {
			t.Errorf("refused: %v", err)
		}
		sub.VerificationToken = "another"
		if err := verify.Verify(t.Context(), url, sub); !errors.Is(err, event.ErrNotVerified) || !strings.Contains(err.Error(), "HTTP 500") {
			t.Errorf("receiver with another token: %v", err)
		}
	})
}

func TestChallengeIsTheContracts(t *testing.T) {
	t.Parallel()
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		var got map[string]string
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || len(got) != 3 || got["type"] != "url_verification" || got["token"] != "token" || r.Header.Get("X-Lark-Signature") == "" {
			t.Errorf("%v, %v, %v", got, r.Header, err)
		}
		w.Header().Set("Content-Type", "text/plain") // as the Go SDK does
		_, _ = fmt.Fprintf(w, `{"challenge":%q,"more":1}`, got["challenge"])
	})
	if err := event.NewVerifier(loopback()).Verify(t.Context(), url, tenant.Subscription{VerificationToken: "token"}); err != nil {
		t.Error(err)
	}
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if status/100 == 3 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// hang answers nothing until the client gives up, which a server notices only once the body has been read.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestURLCheckSaysWhatCameBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    []string
	}{
		"not found":         {says(404, "404 page\nnot   found"), []string{"HTTP 404: 404 page not found"}},
		"created":           {says(201, `{"challenge":"x"}`), []string{"HTTP 201"}},
		"empty":             {says(200, ""), []string{"not the JSON object", "empty body"}},
		"no JSON":           {says(200, "<html>hello</html>"), []string{"not the JSON object", "<html>hello"}},
		"JSON of no object": {says(200, `["challenge"]`), []string{"not the JSON object"}},
		"no challenge":      {says(200, `{"msg":"success"}`), []string{`no field "challenge"`, `"success"`}},
		"null challenge":    {says(200, `{"challenge":null}`), []string{`no field "challenge"`}},
		"wrong kind":        {says(200, `{"challenge":1}`), []string{"not the JSON object"}},
		"another challenge": {says(200, `{"challenge":"x"}`), []string{"another challenge"}},
		"encrypted":         {says(200, `{"encrypt":"x"}`), []string{"must be plain"}},
		"redirect":          {says(302, ""), []string{"redirects are not followed", "302"}},
		"hangs":             {hang, []string{"within 1 s", "in time"}},
		"long":              {says(500, strings.Repeat("x", 5000)), []string{"HTTP 500"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := event.NewVerifier(loopback()).Verify(t.Context(), server(t, c.handler), tenant.Subscription{})
			f, ok := errors.AsType[*field.Error](err)
			if !ok || f.Name != "event_url" || !errors.Is(err, event.ErrNotVerified) {
				t.Fatalf("%v is no refusal of event_url", err)
			}
			for _, want := range c.want {
				if !strings.Contains(f.Rule, want) {
					t.Errorf("%q does not say %q", f.Rule, want)
				}
			}
			if len(f.Rule) > 500 || strings.ContainsAny(f.Rule, "\r\n") {
				t.Errorf("%d bytes, or several lines: %q", len(f.Rule), f.Rule)
			}
		})
	}
}

func TestURLCheckDoesNotReachInside(t *testing.T) {
	t.Parallel()
	url := server(t, func(http.ResponseWriter, *http.Request) { t.Error("the receiver was reached") })
	err := event.NewVerifier(egress.New(egress.Config{})).Verify(t.Context(), url, tenant.Subscription{})
	if !errors.Is(err, event.ErrNotVerified) || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("%v; want refused as loopback", err)
	}
}

// deadline notes how long a post may take.
type deadline struct{ left time.Duration }

func (d *deadline) Post(ctx context.Context, _ string, _ map[string]string, _ []byte) (int, []byte, error) {
	if at, ok := ctx.Deadline(); ok {
		d.left = time.Until(at)
	}
	return 0, nil, errors.New("nobody is there")
}

func TestURLCheckWaitsAtMostASecond(t *testing.T) {
	t.Parallel()
	var d deadline
	err := event.NewVerifier(&d).Verify(t.Context(), "https://receiver.example", tenant.Subscription{})
	if d.left <= 0 || d.left > time.Second || err == nil || !strings.Contains(err.Error(), "nobody is there") {
		t.Errorf("%v left, %v", d.left, err)
	}
}
