package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLaterSourcesWin(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "huilu.yaml")
	if err := os.WriteFile(file, []byte("listen: 127.0.0.1:1\nsfu:\n  udp_port: 2\n  stun_servers: [a:1, b:2]\nmeeting.empty_after: 3s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Source{File: file, Environ: []string{"HUILU_SFU_UDP_PORT=4", "HUILU_MEETING_EMPTY_AFTER=5s"}, Flags: map[string]string{"meeting.empty_after": "6s"}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:1" || c.SFU.UDPPort != 4 || c.EmptyAfter != 6*time.Second || len(c.SFU.STUNServers) != 2 {
		t.Errorf("got listen %s, udp %d, empty %s, stun %v", c.Listen, c.SFU.UDPPort, c.EmptyAfter, c.SFU.STUNServers)
	}
	for _, e := range c.Entries() {
		want := map[string]string{"listen": file, "sfu.udp_port": "environment", "meeting.empty_after": "command line", "log.level": "default"}[e.Name]
		if want != "" && e.Origin != want {
			t.Errorf("%s comes from %s, want %s", e.Name, e.Origin, want)
		}
	}
}

func TestWrongValuesNameTheSettingAndWhatWouldBeRight(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, want string }{
		{"sfu.udp_port", "70000", "must be a port"},
		{"sfu.node_ip", "home", "must be an IP address"},
		{"public_url", "meet.example.org", "must be an address with http:// or https://"},
		{"public_url", "https://meet.example.org/x", "without a path"},
		{"roles", "api,cook", `"cook" must be one of`},
		{"roles", "", "at least one of"},
		{"meeting.empty_after", "ten", "must be a duration"},
		{"events.allow_networks", "10.0.0.1", "must be a range"},
		{"composer.workers", "0", "above 0"},
		{"log.level", "loud", "must be one of debug"},
		{"api.rate_limits", "maybe", "true or false"},
		{"listen", "8080", "must be host:port"},
		{"tls.cert", "x.pem", "belong together"},
	} {
		_, err := Load(Source{Flags: map[string]string{tt.name: tt.value}})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.name) {
			t.Errorf("%s=%s: got %v, want it to name the setting and say %q", tt.name, tt.value, err, tt.want)
		}
	}
}

func TestAnUnknownSettingInTheFileIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "huilu.yaml")
	if err := os.WriteFile(file, []byte("listne: 127.0.0.1:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Source{File: file}); err == nil || !strings.Contains(err.Error(), `no setting "listne"`) {
		t.Errorf("got %v", err)
	}
}

func TestSecretsComeFromFilesAndAreNotShown(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(strings.Repeat("ab", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Source{Environ: []string{"HUILU_MASTER_KEY_FILE=" + file}})
	if err != nil {
		t.Fatal(err)
	}
	if c.MasterKey != strings.Repeat("ab", 32) {
		t.Errorf("master key is %q", c.MasterKey)
	}
	for _, e := range c.Entries() {
		if strings.Contains(e.Value, "abab") {
			t.Errorf("%s shows its secret", e.Name)
		}
	}
}

func TestMisspeltVariablesAreTold(t *testing.T) {
	t.Parallel()
	c, err := Load(Source{Environ: []string{"HUILU_SFU_UDPPORT=1", "HUILU_LISTEN=127.0.0.1:1", "HUILU_CONFIG=x", "HUILU_LISTEN_FILE=/none", "PATH=/bin", "HUILU_PORT=tcp://10.0.0.1:80"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"HUILU_LISTEN_FILE", "HUILU_PORT", "HUILU_SFU_UDPPORT"}; !slices.Equal(c.Strays(), want) {
		t.Errorf("strays %v, want %v", c.Strays(), want)
	}
}
