package event

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"huilu/internal/ident"
	"huilu/internal/tenant"
)

// request is what is posted: header and body belong together, because the signature covers the body as sent.
type request struct {
	header map[string]string
	body   []byte
}

// seal makes the request for a plain body: encrypted when the app has an Encrypt
// Key, and signed always, with an empty key when there is none, because the
// Python SDK checks unconditionally (contract events.md §3).
func seal(sub tenant.Subscription, plain []byte, now time.Time) request {
	body := plain
	if sub.EncryptKey != "" {
		body = fmt.Appendf(nil, `{"encrypt":%q}`, Encrypt(sub.EncryptKey, plain)) // base64 has nothing to escape
	}
	timestamp, nonce := decimal(now.Unix()), ident.Secret(16)
	return request{body: body, header: map[string]string{
		"Content-Type":             "application/json;charset=utf-8",
		"X-Lark-Request-Timestamp": timestamp,
		"X-Lark-Request-Nonce":     nonce,
		"X-Lark-Signature":         Sign(timestamp, nonce, sub.EncryptKey, body),
	}}
}

// Sign returns the signature of a request body: lower-case hex of
// SHA-256(timestamp ‖ nonce ‖ key ‖ body). It is no HMAC: the contract says so.
func Sign(timestamp, nonce string, key tenant.Secret, body []byte) string {
	h := sha256.New()
	h.Write([]byte(timestamp + nonce + string(key)))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// Encrypt returns base64(IV ‖ AES-256-CBC(plain, PKCS#7)) under SHA-256(key), with a fresh random IV.
func Encrypt(key tenant.Secret, plain []byte) string {
	iv := make([]byte, aes.BlockSize)
	_, _ = rand.Read(iv) // never fails since Go 1.24
	return encrypt(key, iv, plain)
}

func encrypt(key tenant.Secret, iv, plain []byte) string {
	k := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic("event: " + err.Error()) // a hash always has 32 bytes
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize // a whole block when it fits already
	padded := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	return base64.StdEncoding.EncodeToString(append(bytes.Clone(iv), padded...))
}
