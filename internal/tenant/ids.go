package tenant

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"

	"huilu/internal/keys"
)

// IDs makes and reads the open_id and union_id of people.
//
// Both are one AES block under a key of this installation: the person's number
// and the number of the app (open_id) or of the app's developer (union_id). So
// an id needs no table, tells nothing about the person, differs per app as the
// contract asks, and an id of another app is recognised as such.
type IDs struct{ open, union cipher.Block }

// NewIDs derives the two ciphers from the master key.
func NewIDs(m keys.Master) IDs {
	return IDs{open: block(m.Derive("open_id")), union: block(m.Derive("union_id"))}
}

// IDType is the query parameter user_id_type.
type IDType string

// The three kinds of person ids; OpenID is the default everywhere.
const (
	OpenID  IDType = "open_id"
	UnionID IDType = "union_id"
	UserID  IDType = "user_id"
)

// Why an id given from outside was refused.
var (
	ErrIDUnknown   = errors.New("no such person")
	ErrIDCrossApp  = errors.New("the open_id belongs to another app")
	ErrIDOtherKind = errors.New("the id is not of the kind user_id_type says")
)

// Open returns the open_id of user n for app a.
func (i IDs) Open(a App, n UserNum) string { return "ou_" + encode(i.open, int64(n), a.Num) }

// Union returns the union_id of user n for the developer of app a.
func (i IDs) Union(a App, n UserNum) string {
	return "on_" + encode(i.union, int64(n), a.DeveloperNum)
}

// FromOpen reads an open_id that app a presented.
func (i IDs) FromOpen(a App, id string) (UserNum, error) {
	user, owner, err := decode(i.open, "ou_", id)
	switch {
	case err != nil:
		return 0, err
	case owner != a.Num:
		return 0, ErrIDCrossApp // a made-up id decodes to some other number too
	}
	return UserNum(user), nil
}

// FromUnion reads a union_id that app a presented.
func (i IDs) FromUnion(a App, id string) (UserNum, error) {
	user, owner, err := decode(i.union, "on_", id)
	switch {
	case err != nil:
		return 0, err
	case owner != a.DeveloperNum:
		return 0, ErrIDUnknown
	}
	return UserNum(user), nil
}

func block(key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic("tenant: " + err.Error()) // derived keys always have 32 bytes
	}
	return b
}

func encode(b cipher.Block, user, owner int64) string {
	var x [aes.BlockSize]byte
	binary.BigEndian.PutUint64(x[:8], uint64(user))
	binary.BigEndian.PutUint64(x[8:], uint64(owner))
	b.Encrypt(x[:], x[:])
	return hex.EncodeToString(x[:])
}

func decode(b cipher.Block, prefix, id string) (user, owner int64, err error) {
	text, ok := strings.CutPrefix(id, prefix)
	if !ok {
		return 0, 0, ErrIDOtherKind
	}
	x, err := hex.DecodeString(text)
	if err != nil || len(x) != aes.BlockSize || text != strings.ToLower(text) { // one id, one spelling
		return 0, 0, ErrIDUnknown
	}
	b.Decrypt(x, x)
	return int64(binary.BigEndian.Uint64(x[:8])), int64(binary.BigEndian.Uint64(x[8:])), nil
}
