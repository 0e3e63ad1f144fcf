// Package config is every setting of huilu in one table.
//
// A setting has a name (sfu.udp_port), a variable (HUILU_SFU_UDP_PORT), a default and a sentence. It is
// taken from, later ones winning: default, file (YAML, nested or dotted), environment, command line. A secret may come from a
// file by appending _FILE to its variable. `huilu doctor` prints what is in force and where it came from.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Config is what is in force.
type Config struct {
	Data      string // folder of everything that is kept
	Listen    string // host:port of HTTP
	PublicURL string // how people and apps reach it, without a trailing slash
	Roles     []string

	Database  string // sqlite:PATH or postgres://…
	Blobs     string // file:///… or s3://…
	MasterKey string // 64 hex digits; empty: Data/master.key

	SFU    SFU
	Events Events
	TLS    TLS

	EmptyAfter    time.Duration // how long an empty meeting waits before it ends
	MaxInside     int
	Composers     int // recordings composed at once
	FFmpeg        string
	FFprobe       string
	RateLimits    bool
	LogLevel      string
	LogFormat     string
	TrustForwards bool // believe X-Forwarded-For: behind a proxy

	strays  []string          // variables that begin like settings and are none
	origins map[string]string // setting → where its value came from
	values  map[string]string
}

// SFU is the media part.
type SFU struct {
	NodeIP      string
	UDPPort     int
	TCPPort     int
	RedisURL    string
	STUNServers []string
}

// Events is the delivery of events.
type Events struct {
	Audience      string         // reserving-app or every-app
	AllowNetworks []netip.Prefix // private ranges that webhooks may reach
}

// TLS is how the server itself speaks https. Empty: it does not; a proxy does.
type TLS struct {
	Domain    string // certificate by ACME
	Cert, Key string // files
}

// On reports whether the server itself speaks https.
func (t TLS) On() bool { return t.Domain != "" || t.Cert != "" }

// Setting is one row of the table.
type Setting struct {
	Name    string
	Default string
	Secret  bool
	Text    string
	set     func(*Config, string) error
}

// Variable is the environment variable of the setting.
func (s Setting) Variable() string {
	return "HUILU_" + strings.ToUpper(strings.ReplaceAll(s.Name, ".", "_"))
}

// Table returns every setting, in the order people should read them.
func Table() []Setting { return slices.Clone(table) }

var table = []Setting{
	{"data", "./data", false, "folder of database, keys, captured and finished recordings", text(func(c *Config) *string { return &c.Data })},
	{"listen", "127.0.0.1:8080", false, "address of HTTP, host:port; port 0 picks a free one", text(func(c *Config) *string { return &c.Listen })},
	{"public_url", "", false, "how people and apps reach the server, such as https://meet.example.org; default: made from listen", address(func(c *Config) *string { return &c.PublicURL }, "http", "https")},
	{"roles", "api,sfu,recorder,composer", false, "what this process does", oneOfList(func(c *Config) *[]string { return &c.Roles }, "api", "sfu", "recorder", "composer")},
	{"database", "", true, "sqlite:PATH or postgres://user:password@host/name; default: sqlite in the data folder", text(func(c *Config) *string { return &c.Database })},
	{"blobs", "", false, "where finished files go: file:///folder or s3://bucket?region=…; default: blobs in the data folder", text(func(c *Config) *string { return &c.Blobs })},
	{"master_key", "", true, "64 hex digits; default: master.key in the data folder, made on first start", text(func(c *Config) *string { return &c.MasterKey })},
	{"tls.domain", "", false, "get a certificate for this name by ACME and serve https on listen", text(func(c *Config) *string { return &c.TLS.Domain })},
	{"tls.cert", "", false, "certificate file (PEM); with tls.key", text(func(c *Config) *string { return &c.TLS.Cert })},
	{"tls.key", "", false, "key file (PEM)", text(func(c *Config) *string { return &c.TLS.Key })},
	{"trust_forwards", "false", false, "believe X-Forwarded-For; only behind a proxy that sets it", boolean(func(c *Config) *bool { return &c.TrustForwards })},
	{"sfu.node_ip", "", false, "address browsers send media to; default: the listen address, or this machine's", ip(func(c *Config) *string { return &c.SFU.NodeIP })},
	{"sfu.udp_port", "7882", false, "media, UDP", port(func(c *Config) *int { return &c.SFU.UDPPort })},
	{"sfu.tcp_port", "7881", false, "media over TCP where UDP is blocked; 0 for none", port(func(c *Config) *int { return &c.SFU.TCPPort })},
	{"sfu.redis_url", "", true, "redis://… spreads rooms over several nodes", text(func(c *Config) *string { return &c.SFU.RedisURL })},
	{"sfu.stun_servers", "", false, "host:port, comma separated, told to browsers; default: this server only, so no third party learns of meetings", list(func(c *Config) *[]string { return &c.SFU.STUNServers })},
	{"meeting.empty_after", "10s", false, "an empty meeting ends after this", duration(func(c *Config) *time.Duration { return &c.EmptyAfter })},
	{"meeting.max_participants", "100", false, "people in one meeting", positive(func(c *Config) *int { return &c.MaxInside })},
	{"composer.workers", "1", false, "recordings composed at once", positive(func(c *Config) *int { return &c.Composers })},
	{"composer.ffmpeg", "ffmpeg", false, "program", text(func(c *Config) *string { return &c.FFmpeg })},
	{"composer.ffprobe", "ffprobe", false, "program", text(func(c *Config) *string { return &c.FFprobe })},
	{"events.audience", "reserving-app", false, "who receives the events of a meeting: reserving-app (as the original) or every-app of the tenant that subscribed", oneOf(func(c *Config) *string { return &c.Events.Audience }, "reserving-app", "every-app")},
	{"events.allow_networks", "", false, "private ranges webhooks may reach, such as 10.1.0.0/16,127.0.0.0/8; default: none", prefixes(func(c *Config) *[]netip.Prefix { return &c.Events.AllowNetworks })},
	{"api.rate_limits", "true", false, "enforce the contract's rate limits; false only for measuring", boolean(func(c *Config) *bool { return &c.RateLimits })},
	{"log.level", "info", false, "debug, info, warn or error", oneOf(func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error")},
	{"log.format", "text", false, "text or json", oneOf(func(c *Config) *string { return &c.LogFormat }, "text", "json")},
}

// Source is what a process was given.
type Source struct {
	File    string            // path; empty for none
	Environ []string          // as os.Environ returns it
	Flags   map[string]string // setting → value, from the command line
}

// Load puts the settings together and checks them. The error names every setting that is wrong.
func Load(src Source) (Config, error) {
	c := Config{origins: map[string]string{}, values: map[string]string{}}
	file, err := readFile(src.File)
	if err != nil {
		return c, err
	}
	env, strays, err := readEnvironment(src.Environ)
	if err != nil {
		return c, err
	}
	c.strays = strays
	for _, name := range slices.Sorted(maps.Keys(src.Flags)) {
		if !known(name) {
			return c, fmt.Errorf("there is no setting %q; `huilu doctor` lists them", name)
		}
	}
	layers := []struct {
		origin string
		values map[string]string
	}{{src.File, file}, {"environment", env}, {"command line", src.Flags}}
	var errs error
	for _, s := range table {
		value, origin := s.Default, "default"
		for _, l := range layers {
			if v, ok := l.values[s.Name]; ok {
				value, origin = v, l.origin
			}
		}
		c.values[s.Name], c.origins[s.Name] = value, origin
		if err := s.set(&c, strings.TrimSpace(value)); err != nil {
			errs = errors.Join(errs, fmt.Errorf("setting %s (from %s): %w", s.Name, origin, err))
		}
	}
	if errs != nil {
		return c, errs
	}
	return c, c.complete()
}

// complete fills in what depends on other settings.
func (c *Config) complete() error {
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return fmt.Errorf("setting data: %w", err)
	}
	c.Data = data
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("setting listen: must be host:port: %w", err)
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		return errors.New("settings tls.cert and tls.key belong together")
	}
	if c.Database == "" {
		c.Database = "sqlite:" + filepath.Join(data, "huilu.db")
	}
	if c.Blobs == "" {
		c.Blobs = (&url.URL{Scheme: "file", Path: filepath.Join(data, "blobs")}).String()
	}
	if c.PublicURL == "" {
		c.PublicURL = c.defaultURL()
	}
	if c.SFU.NodeIP == "" {
		c.SFU.NodeIP = nodeIP(host)
	}
	return nil
}

func (c *Config) defaultURL() string {
	switch {
	case c.TLS.Domain != "":
		return "https://" + c.TLS.Domain
	case c.TLS.Cert != "":
		return "https://" + c.Listen
	}
	return "http://" + c.Listen
}

// OnLoopback reports whether media stay on this machine.
func (c Config) OnLoopback() bool {
	ip := net.ParseIP(c.SFU.NodeIP)
	return ip != nil && ip.IsLoopback()
}

// Has reports whether this process has a role.
func (c Config) Has(role string) bool { return slices.Contains(c.Roles, role) }

// Entry is a setting in force, for people. Secrets are ***.
type Entry struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
	Text   string `json:"text"`
}

// Entries lists the settings in force.
func (c Config) Entries() []Entry {
	var es []Entry
	for _, s := range table {
		v := c.values[s.Name]
		if s.Secret && v != "" {
			v = "***"
		}
		es = append(es, Entry{Name: s.Name, Value: v, Origin: c.origins[s.Name], Text: s.Text})
	}
	return es
}

// nodeIP guesses where browsers reach the media ports: the listen address, or the
// address this machine uses towards the outside.
func nodeIP(host string) string {
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
		return ip.String()
	}
	if host == "localhost" {
		return "127.0.0.1"
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	return "127.0.0.1"
}

func readFile(path string) (map[string]string, error) {
	flat := map[string]string{}
	if path == "" {
		return flat, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(b, &tree); err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", path, err)
	}
	flatten("", tree, flat)
	for _, name := range slices.Sorted(maps.Keys(flat)) {
		if !known(name) {
			return nil, fmt.Errorf("configuration file %s: there is no setting %q; `huilu doctor` lists them", path, name)
		}
	}
	return flat, nil
}

func flatten(prefix string, tree map[string]any, into map[string]string) {
	for k, v := range tree {
		switch v := v.(type) {
		case map[string]any:
			flatten(prefix+k+".", v, into)
		case []any:
			var items []string
			for _, i := range v {
				items = append(items, fmt.Sprint(i))
			}
			into[prefix+k] = strings.Join(items, ",")
		case nil:
			into[prefix+k] = ""
		default:
			into[prefix+k] = fmt.Sprint(v)
		}
	}
}

// Strays lists variables that begin with HUILU_ and are no settings. They are not refused: Kubernetes makes some for a
// service of this name.
func (c Config) Strays() []string { return slices.Clone(c.strays) }

func readEnvironment(environ []string) (values map[string]string, strays []string, err error) {
	byVariable := map[string]Setting{}
	for _, s := range table {
		byVariable[s.Variable()] = s
	}
	values = map[string]string{}
	for _, kv := range environ {
		k, v, _ := strings.Cut(kv, "=")
		if s, ok := byVariable[k]; ok {
			values[s.Name] = v
		} else if s, ok := byVariable[strings.TrimSuffix(k, "_FILE")]; ok && s.Secret {
			b, err := os.ReadFile(v)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", k, err)
			}
			values[s.Name] = strings.TrimSpace(string(b))
		} else if strings.HasPrefix(k, "HUILU_") && k != "HUILU_CONFIG" { // that one names the file
			strays = append(strays, k)
		}
	}
	slices.Sort(strays)
	return values, strays, nil
}

func known(name string) bool {
	return slices.ContainsFunc(table, func(s Setting) bool { return s.Name == name })
}

// EnsureData makes the data folder, for its owner only.
func (c Config) EnsureData() error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("data folder: %w", err)
	}
	return nil
}

func positiveInt(v string) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		return 0, errors.New("must be a whole number above 0")
	}
	return n, nil
}
