package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"huilu/internal/tenant"
)

const tenantPrefix = "t-"

// sealer writes and reads tenant tokens:
//
//	"t-" base64url( 8 app id | 8 tenant key | 4 unix seconds of issue | 16 HMAC-SHA256 )
//
// Forty-eight characters that fit every place SDKs and people keep tokens in.
type sealer struct{ key []byte }

const (
	bodySize = 8 + 8 + 4
	macSize  = 16
)

var encoding = base64.RawURLEncoding.Strict()

// seal expects ids made by package ident; others would not survive the round trip.
func (s sealer) seal(app string, t tenant.Key, issued time.Time) string {
	var b [bodySize + macSize]byte
	_, _ = hex.Decode(b[0:8], []byte(strings.TrimPrefix(app, "cli_")))
	_, _ = hex.Decode(b[8:16], []byte(t))
	binary.BigEndian.PutUint32(b[16:20], uint32(issued.Unix()))
	copy(b[bodySize:], s.mac(b[:bodySize]))
	return tenantPrefix + encoding.EncodeToString(b[:])
}

// open reads what seal wrote, and nothing else: no two texts are the same token.
func (s sealer) open(raw string) (app string, t tenant.Key, issued time.Time, ok bool) {
	text, ok := strings.CutPrefix(raw, tenantPrefix)
	if !ok || len(text) != encoding.EncodedLen(bodySize+macSize) { // the decoder skips line breaks
		return "", "", time.Time{}, false
	}
	b, err := encoding.DecodeString(text)
	if err != nil || len(b) != bodySize+macSize || !hmac.Equal(b[bodySize:], s.mac(b[:bodySize])) {
		return "", "", time.Time{}, false
	}
	issued = time.Unix(int64(binary.BigEndian.Uint32(b[16:20])), 0)
	return "cli_" + hex.EncodeToString(b[0:8]), tenant.Key(hex.EncodeToString(b[8:16])), issued, true
}

func (s sealer) mac(b []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(b)
	return h.Sum(nil)[:macSize]
}
