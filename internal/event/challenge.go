package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"huilu/internal/field"
	"huilu/internal/ident"
	"huilu/internal/tenant"
)

// Poster sends one request and returns what came back; egress.Client is one.
// It honours the deadline of ctx, follows no redirects, and bounds the answer. With an
// answer that broke off, status is set beside err. The text of err is for people.
type Poster interface {
	Post(ctx context.Context, url string, header map[string]string, body []byte) (status int, answer []byte, err error)
}

// challengeLimit is how long a receiver may take to prove that it listens (contract events.md §3).
const challengeLimit = time.Second

// ErrNotVerified is the reason in the field error of an address that did not answer the challenge.
var ErrNotVerified = errors.New("the request URL did not prove that it receives events of this app")

// Verifier asks a request URL to prove itself before it is saved.
type Verifier struct {
	post Poster
	now  func() time.Time
}

// NewVerifier returns a Verifier that asks through post.
func NewVerifier(post Poster) *Verifier { return &Verifier{post: post, now: time.Now} }

type challenge struct {
	Challenge string `json:"challenge"`
	Token     string `json:"token"`
	Type      string `json:"type"`
}

// Verify posts a challenge, encrypted if sub has an Encrypt Key, and wants it
// back in {"challenge":"…"} with HTTP 200 within a second. The Content-Type of the answer
// does not matter: the Go SDK sends text/plain. The error is a *field.Error
// for "event_url" that says what came back; its reason is ErrNotVerified.
func (v *Verifier) Verify(ctx context.Context, url string, sub tenant.Subscription) error {
	ctx, cancel := context.WithTimeout(ctx, challengeLimit)
	defer cancel()
	secret := ident.Hex("", 16)
	plain, err := compact(challenge{Challenge: secret, Token: string(sub.VerificationToken), Type: "url_verification"})
	if err != nil {
		return err
	}
	req := seal(sub, plain, v.now())
	status, answer, err := v.post.Post(ctx, url, req.header, req.body)
	if problem := judge(secret, status, answer, err); problem != "" {
		return field.Because(ErrNotVerified, "event_url",
			`must answer the challenge with HTTP 200 and {"challenge":"…"} within 1 s: %s`, problem)
	}
	return nil
}

// judge says what is wrong with the answer to a challenge, in words; nothing if it is right.
func judge(secret string, status int, answer []byte, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case status >= 300 && status < 400:
		return fmt.Sprintf("it redirects (HTTP %d), and redirects are not followed", status)
	case status != 200:
		return fmt.Sprintf("it answered HTTP %d%s", status, quoted(answer))
	}
	var got struct {
		Challenge *string `json:"challenge"`
		Encrypt   *string `json:"encrypt"`
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		return "its answer is not the JSON object that was expected" + quoted(answer)
	}
	switch {
	case got.Challenge == nil && got.Encrypt != nil:
		return "its answer is encrypted; the answer must be plain"
	case got.Challenge == nil:
		return `its answer has no field "challenge"` + quoted(answer)
	case *got.Challenge != secret:
		return "its answer has another challenge than it was sent" + quoted(answer)
	}
	return ""
}

// quoted shows the beginning of an answer on one line.
func quoted(answer []byte) string {
	text := strings.Join(strings.Fields(excerpt(answer, 200)), " ")
	if text == "" {
		return " with an empty body"
	}
	return ": " + text
}
