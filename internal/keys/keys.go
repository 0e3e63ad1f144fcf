// Package keys holds the master key and what is derived from it.
//
// One file, master.key in the data folder (mode 0600, made on first start) or the setting
// master_key, is all the key material of an installation. From it every purpose gets a key of its
// own by HKDF-SHA256, so a key that leaks through one use opens nothing else:
//
//	ids      the three ids of a person (package tenant)
//	tokens   access tokens, signed links (packages token and minute)
//	seal     secrets that have to be sent again: encrypt keys, verification tokens
//
// Losing the file makes sealed secrets unreadable and changes every open_id: it belongs into the
// backup, apart from the database. It never appears in a log or an answer.
package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// Size is the length of the master key and of derived keys in bytes.
const Size = 32

// Master is the master key. It prints as ***.
type Master struct{ key [Size]byte }

// Format hides the key whatever the verb: %d of its bytes would show it.
func (Master) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "***") }

// LogValue hides the key in logs.
func (Master) LogValue() slog.Value { return slog.StringValue("***") }

// New returns a fresh random master key.
func New() Master {
	var m Master
	_, _ = rand.Read(m.key[:]) // never fails since Go 1.24
	return m
}

// Parse reads a key written as 64 hex digits. The error does not repeat them.
func Parse(text string) (Master, error) {
	var m Master
	b, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(b) != Size {
		return m, fmt.Errorf("master key must be %d hex digits", 2*Size)
	}
	copy(m.key[:], b)
	return m, nil
}

// Load reads the key from path and makes the file, mode 0600, when there is none.
// A file that others may read is refused: the key would have to be replaced anyway.
func Load(path string) (Master, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return Master{}, fmt.Errorf("make master key: %w", err)
		}
		info, err = os.Stat(path)
	}
	if err != nil {
		return Master{}, fmt.Errorf("master key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Master{}, fmt.Errorf("master key %s may be read by others (mode %04o); run chmod 600 on it", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Master{}, fmt.Errorf("master key: %w", err)
	}
	return Parse(string(text))
}

// create makes a key file that is there as a whole or not at all, whenever the
// power goes. When another process is faster, its key stays: keys that were derived from it are in use.
func create(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".master.key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	m := New()
	_, err = f.WriteString(hex.EncodeToString(m.key[:]) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes names in a folder outlive a power cut.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Derive returns the key for one purpose.
func (m Master) Derive(purpose string) []byte {
	k, err := hkdf.Key(sha256.New, m.key[:], nil, "huilu "+purpose, Size)
	if err != nil {
		panic("keys: " + err.Error()) // only for lengths beyond 255 hashes
	}
	return k
}

// Fingerprint tells keys apart without saying anything about them.
func (m Master) Fingerprint() string { return hex.EncodeToString(m.Derive("fingerprint")[:8]) }

// Seal encrypts text so that only Open with the same purpose reads it. The
// result is printable. Empty text stays empty: there is nothing to hide.
func (m Master) Seal(purpose, text string) string {
	if text == "" {
		return ""
	}
	aead := m.aead(purpose)
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce)
	return base64.RawStdEncoding.EncodeToString(aead.Seal(nonce, nonce, []byte(text), nil))
}

// ErrSealed means a sealed value was made with another master key or was changed.
var ErrSealed = errors.New("sealed value does not open with this master key")

// Open reverses Seal.
func (m Master) Open(purpose, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	aead := m.aead(purpose)
	b, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil || len(b) < aead.NonceSize() {
		return "", ErrSealed
	}
	text, err := aead.Open(nil, b[:aead.NonceSize()], b[aead.NonceSize():], nil)
	if err != nil {
		return "", ErrSealed
	}
	return string(text), nil
}

func (m Master) aead(purpose string) cipher.AEAD {
	block, err := aes.NewCipher(m.Derive("seal " + purpose))
	if err != nil {
		panic("keys: " + err.Error()) // the key always has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("keys: " + err.Error())
	}
	return aead
}
