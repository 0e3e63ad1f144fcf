package event

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	larkevent "github.com/larksuite/oapi-sdk-go/v3/event"

	"huilu/internal/tenant"
)

// The test vector of contract events.md §3: our encryption with its IV must give its text.
func TestEncryptionGivesTheContractsVector(t *testing.T) {
	t.Parallel()
	const vector = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="
	raw, err := base64.StdEncoding.DecodeString(vector)
	if err != nil {
		t.Fatal(err)
	}
	if got := encrypt("test key", raw[:16], []byte("hello world")); got != vector {
		t.Errorf("encrypted to %s, want %s", got, vector)
	}
}

func TestOfficialSDKDecryptsEveryLength(t *testing.T) {
	t.Parallel()
	for n := range 70 { // across several block borders
		plain := []byte(`{"a":"` + strings.Repeat("会", n/3) + strings.Repeat("x", n%3) + `"}`)
		got, err := larkevent.EventDecrypt(Encrypt("k", plain), "k")
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d: %q, %v; want %q", n, got, err, plain)
		}
	}
}

func TestEqualBodiesEncryptDifferently(t *testing.T) {
	t.Parallel()
	if Encrypt("k", []byte("{}")) == Encrypt("k", []byte("{}")) {
		t.Error("the IV repeats")
	}
}

func TestSignatureIsMadeOverTheBodyAsSent(t *testing.T) {
	t.Parallel()
	for _, key := range []tenant.Secret{"", "encrypt key"} {
		req := seal(tenant.Subscription{EncryptKey: key}, []byte(`{"a":1}`), time.Unix(1608725989, 999))
		if req.header["X-Lark-Request-Timestamp"] != "1608725989" || req.header["X-Lark-Request-Nonce"] == "" || req.header["Content-Type"] != "application/json;charset=utf-8" {
			t.Errorf("headers %v", req.header)
		}
		want := larkevent.Signature(req.header["X-Lark-Request-Timestamp"], req.header["X-Lark-Request-Nonce"], string(key), string(req.body))
		if got := req.header["X-Lark-Signature"]; got != want {
			t.Errorf("with key %q: signature %s, the SDK wants %s", string(key), got, want)
		}
		if encrypted := bytes.HasPrefix(req.body, []byte(`{"encrypt":"`)); encrypted != (key != "") {
			t.Errorf("with key %q: body %s", string(key), req.body)
		}
	}
}
