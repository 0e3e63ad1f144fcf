// Package minute is the playable thing a recording becomes: page, file, picture.
//
// A minute has a token of 24 lower-case letters and digits and lives at /minutes/<token> (contract minutes.md).
// The owner of the meeting may watch and download it; everybody else gets a refusal that tells nothing about its
// content. A program gets a signed link that is good for one day and needs no login.
package minute

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"huilu/internal/keys"
	"huilu/internal/tenant"
)

// Minute is one finished recording as people see it.
type Minute struct {
	Token     string
	Tenant    tenant.Key
	Meeting   int64
	Owner     tenant.UserNum
	Title     string
	StartedAt time.Time
	Duration  time.Duration
	File      string // key in the blob store
	Poster    string // key in the blob store, empty for none
	Size      int64
	Defects   []string
	CreatedAt time.Time
	DeletedAt time.Time
}

// Stay is one person's time in the meeting.
type Stay struct {
	Name             string
	JoinedAt, LeftAt time.Time
}

// Why a minute is not shown.
var (
	ErrNotFound     = errors.New("no such minute")
	ErrNotPermitted = errors.New("this minute was not shared with you")
	ErrDeleted      = errors.New("this minute was deleted")
	ErrLinkInvalid  = errors.New("this download link is not valid or has expired")
)

// LinkLife is how long a download link is good for (contract minutes.md, media).
const LinkLife = 24 * time.Hour

// Piece is what a download link opens. A link to the one does not open the other: whoever may see a minute's title and
// picture may not therefore take its film away.
type Piece string

// The pieces of a minute.
const (
	Film  Piece = "film"
	Cover Piece = "cover"
)

// TokenLength is the length of every minute token.
const TokenLength = 24

// Store is what this package needs of the database.
type Store interface {
	// MinuteByToken returns ErrNotFound when there is none in tenant t.
	MinuteByToken(ctx context.Context, t tenant.Key, token string) (Minute, error)
	// MinuteForLink finds a minute for a link whose signature was checked.
	MinuteForLink(ctx context.Context, token string) (Minute, error)
	Stays(ctx context.Context, t tenant.Key, meeting int64) ([]Stay, error)
}

// Service decides who sees a minute, and signs links. It is safe for concurrent use.
type Service struct {
	store Store
	key   []byte
	now   func() time.Time
}

// NewService returns a Service that signs links with a key derived from m.
func NewService(store Store, m keys.Master, now func() time.Time) *Service {
	return &Service{store: store, key: m.Derive("minute link"), now: now}
}

// Get returns a minute to somebody who may watch it: its owner, or an app in
// its own name in the tenant. ErrNotFound, ErrNotPermitted, ErrDeleted otherwise.
func (s *Service) Get(ctx context.Context, a tenant.Actor, token string) (Minute, error) {
	if !isToken(token) {
		return Minute{}, ErrNotFound
	}
	m, err := s.store.MinuteByToken(ctx, a.Tenant, token)
	switch {
	case err != nil:
		return Minute{}, err
	case !a.IsApp() && a.User != m.Owner:
		return Minute{}, ErrNotPermitted
	case !m.DeletedAt.IsZero():
		return Minute{}, ErrDeleted
	}
	return m, nil
}

// Stays lists who was in the meeting of m, by time of joining.
func (s *Service) Stays(ctx context.Context, m Minute) ([]Stay, error) {
	return s.store.Stays(ctx, m.Tenant, m.Meeting)
}

// A link's signature is the end of its life, eight bytes of unix seconds, and an
// HMAC-SHA256. It has one spelling: no spare bits, and no line breaks, which the decoder would skip.
const linkSize = 8 + sha256.Size

var linkText = base64.RawURLEncoding.Strict()

// Link returns a signature for a piece of m that is good for one day: the
// surface puts it into a URL and hands it back to ByLink.
func (s *Service) Link(m Minute, p Piece) string {
	var b [linkSize]byte
	binary.BigEndian.PutUint64(b[:8], uint64(s.now().Add(LinkLife).Unix()))
	copy(b[8:], s.mac(m.Token, p, b[:8]))
	return linkText.EncodeToString(b[:])
}

// ByLink returns the minute when signature was made by Link for this piece of it less than a day ago.
func (s *Service) ByLink(ctx context.Context, token string, p Piece, signature string) (Minute, error) {
	b, err := linkText.DecodeString(signature)
	if err != nil || len(signature) != linkText.EncodedLen(linkSize) || len(b) != linkSize || !hmac.Equal(b[8:], s.mac(token, p, b[:8])) {
		return Minute{}, ErrLinkInvalid
	}
	if s.now().After(time.Unix(int64(binary.BigEndian.Uint64(b[:8])), 0)) {
		return Minute{}, ErrLinkInvalid
	}
	m, err := s.store.MinuteForLink(ctx, token)
	if err == nil && !m.DeletedAt.IsZero() {
		return Minute{}, ErrDeleted
	}
	return m, err
}

func (s *Service) mac(token string, p Piece, expiry []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(string(p) + "\x00" + token + "\x00"))
	h.Write(expiry)
	return h.Sum(nil)
}

// isToken reports whether s has the form of a minute token. What has another is
// nobody's, and the database need not hold it.
func isToken(s string) bool {
	other := func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') }
	return len(s) == TokenLength && strings.IndexFunc(s, other) < 0
}
