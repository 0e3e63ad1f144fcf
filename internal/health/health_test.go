package health

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"huilu/internal/config"
)

// load makes settings in a temporary folder that exists.
func load(t *testing.T, flags map[string]string) config.Config {
	t.Helper()
	all := map[string]string{"data": t.TempDir(), "listen": "127.0.0.1:0"}
	for k, v := range flags {
		all[k] = v
	}
	c, err := config.Load(config.Source{Flags: all})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func codes(ps []Problem) []string {
	list := []string{}
	for _, p := range ps {
		list = append(list, p.Code)
	}
	return list
}

// told fails unless exactly these problems were found, each said in both languages, with what to do.
func told(t *testing.T, ps []Problem, want ...string) {
	t.Helper()
	if got := codes(ps); !slices.Equal(got, want) && len(got)+len(want) > 0 {
		t.Errorf("problems %v, want %v", got, want)
	}
	for _, p := range ps {
		if p.EN == "" || !strings.HasSuffix(p.EN, ".") || strings.ContainsFunc(p.EN, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s in English: %q", p.Code, p.EN)
		}
		if !strings.ContainsFunc(p.ZH, func(r rune) bool { return unicode.Is(unicode.Han, r) }) || !strings.HasSuffix(p.ZH, "。") {
			t.Errorf("%s in Chinese: %q", p.Code, p.ZH)
		}
	}
}

type database struct {
	err   error
	asked atomic.Int32
}

func (d *database) Healthy(context.Context) error { d.asked.Add(1); return d.err }

func TestAHealthyServerHasNothingToMend(t *testing.T) {
	t.Parallel()
	ps := New(load(t, nil), &database{}).Problems(t.Context())
	ps = slices.DeleteFunc(ps, func(p Problem) bool { return p.Code == "disk_low" }) // of the machine that tests
	told(t, ps)
	if !Ready(ps) {
		t.Error("not ready")
	}
}

func TestADeadDatabaseIsFatal(t *testing.T) {
	t.Parallel()
	c := New(load(t, map[string]string{"roles": "api"}), &database{err: errors.New("connection refused")})
	ps := slices.DeleteFunc(c.Problems(t.Context()), func(p Problem) bool { return p.Code == "disk_low" })
	told(t, ps, "database")
	if Ready(ps) || !strings.Contains(ps[0].EN, "connection refused") {
		t.Errorf("%+v", ps)
	}
}

func TestAskingOftenLooksOnce(t *testing.T) {
	t.Parallel()
	d := &database{err: errors.New("gone")}
	c := New(load(t, map[string]string{"roles": "api"}), d)
	gone, stop := context.WithCancel(t.Context())
	stop() // the first one who asks hangs up
	c.Problems(gone)[0].Code = "changed by the caller"
	for range 100 {
		if got := codes(c.Problems(t.Context())); got[0] != "database" {
			t.Fatalf("problems %v", got)
		}
	}
	if n := d.asked.Load(); n > 2 { // twice when the hundred took longer than an answer is good for
		t.Errorf("the database was asked %d times", n)
	}
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := func(name, script string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	missing, poor, broken := filepath.Join(dir, "missing"), program("poor", "echo ' V..... mpeg4 '; echo ' A..... aac '"), program("broken", "exit 1")
	for name, c := range map[string]struct {
		flags map[string]string
		want  []string
	}{
		"as Debian installs it":        {nil, nil},
		"no ffmpeg":                    {map[string]string{"composer.ffmpeg": missing}, []string{"ffmpeg"}},
		"no ffprobe":                   {map[string]string{"composer.ffprobe": missing}, []string{"ffmpeg"}},
		"without H.264":                {map[string]string{"composer.ffmpeg": poor}, []string{"ffmpeg_encoders"}},
		"does not run":                 {map[string]string{"composer.ffmpeg": broken}, []string{"ffmpeg_encoders"}},
		"another machine composes":     {map[string]string{"composer.ffmpeg": missing, "roles": "api,sfu"}, nil},
		"not a file but a folder":      {map[string]string{"composer.ffmpeg": dir}, []string{"ffmpeg"}},
		"a file that cannot be run":    {map[string]string{"composer.ffmpeg": filepath.Join(dir, "poor.txt")}, []string{"ffmpeg"}},
		"a name that is not in $PATH":  {map[string]string{"composer.ffmpeg": "huilu-no-such-program"}, []string{"ffmpeg"}},
		"a name that looks like flags": {map[string]string{"composer.ffmpeg": "-version"}, []string{"ffmpeg"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := load(t, c.flags)
			ps := Programs(t.Context(), cfg)
			told(t, ps, c.want...)
			if err := Composing(t.Context(), cfg); (err == nil) != Ready(ps) {
				t.Errorf("Composing: %v", err)
			}
		})
	}
	if err := os.WriteFile(filepath.Join(dir, "poor.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestADataFolderThatIsGoneIsFatal(t *testing.T) {
	t.Parallel()
	ps := Disk(filepath.Join(t.TempDir(), "nothing"))
	told(t, ps, "data_folder")
	if Ready(ps) {
		t.Error("ready")
	}
}

func TestBrowsersGiveCamerasToSafePagesOnly(t *testing.T) {
	t.Parallel()
	for address, safe := range map[string]bool{
		"https://meet.example.org": true, "http://127.0.0.1:8080": true, "http://localhost:8080": true, "http://[::1]:8080": true,
		"http://meet.example.org": false, "http://192.168.1.5:8080": false, "http://127.0.0.1.example.org": false,
	} {
		ps := Camera(config.Config{PublicURL: address})
		if safe {
			told(t, ps)
		} else {
			told(t, ps, "no_https")
		}
		if !Ready(ps) {
			t.Errorf("%s: a page without camera is no reason to be taken out of service", address)
		}
	}
}

func TestPortsThatAreTakenAreNamed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	_, udp, _ := net.SplitHostPort(u.LocalAddr().String())
	ps := Ports(load(t, map[string]string{"listen": l.Addr().String(), "sfu.udp_port": udp, "sfu.tcp_port": "0"}))
	told(t, ps, "port", "port")
	if len(ps) == 2 && (!strings.Contains(ps[0].EN, "change listen") || !strings.Contains(ps[1].EN, "change sfu.udp_port")) {
		t.Errorf("%+v", ps)
	}
	told(t, Ports(load(t, map[string]string{"sfu.udp_port": "0", "sfu.tcp_port": "0"})))
}

func TestAClockThatWentBackIsTold(t *testing.T) {
	t.Parallel()
	cfg := load(t, nil)
	told(t, Clock(cfg, time.Now())) // nothing was written yet
	if err := os.WriteFile(filepath.Join(cfg.Data, "master.key"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	told(t, Clock(cfg, time.Now()))
	told(t, Clock(cfg, time.Now().Add(-time.Hour)), "clock")
}

func TestAFolderThatCannotBeMadeIsToldBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	told(t, Folder(filepath.Join(dir, "a", "b")))
	told(t, Folder(filepath.Join(file, "below")), "data_folder")
	told(t, Folder("/proc/huilu/data"), "data_folder") // nobody makes folders there, not even root
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestACertificateThatEndsIsToldInTime(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	cert, key := certificate(t, end)
	cfg := load(t, map[string]string{"tls.cert": cert, "tls.key": key})
	told(t, Certificate(load(t, nil), end))
	told(t, Certificate(cfg, end.Add(-15*24*time.Hour)))
	told(t, Certificate(cfg, end.Add(-13*24*time.Hour)), "certificate_ends")
	told(t, Certificate(cfg, end), "certificate")
	for name, c := range map[string][2]string{"no files": {"/none", "/none"}, "the key's place taken by the certificate": {cert, cert}} {
		t.Log(name)
		told(t, Certificate(load(t, map[string]string{"tls.cert": c[0], "tls.key": c[1]}), end.Add(-time.Hour)), "certificate")
	}
}

// certificate writes one that is good until end.
func certificate(t *testing.T, end time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.Add(-90 * 24 * time.Hour), NotAfter: end, DNSNames: []string{"meet.example.org"}}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", signed), write("key.pem", "PRIVATE KEY", secret)
}

func TestStrayVariablesAreAWarning(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Source{Environ: []string{"HUILU_LISTN=x"}})
	if err != nil {
		t.Fatal(err)
	}
	ps := Strays(c)
	told(t, ps, "stray_variables")
	if !Ready(ps) || !strings.Contains(ps[0].EN, "HUILU_LISTN") {
		t.Errorf("%+v", ps)
	}
	told(t, Strays(load(t, nil)))
}
