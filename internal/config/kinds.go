package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Each function here makes the setter of one kind of setting.

func text(at func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error { *at(c) = v; return nil }
}

func boolean(at func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, v string) (err error) {
		if *at(c), err = strconv.ParseBool(v); err != nil {
			err = errors.New("must be true or false")
		}
		return err
	}
}

func positive(at func(*Config) *int) func(*Config, string) error {
	return func(c *Config, v string) (err error) { *at(c), err = positiveInt(v); return err }
}

func port(at func(*Config) *int) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.ParseUint(v, 10, 16)
		if err != nil {
			return errors.New("must be a port, 0 to 65535")
		}
		*at(c) = int(n)
		return nil
	}
}

func duration(at func(*Config) *time.Duration) func(*Config, string) error {
	return func(c *Config, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d < 0 {
			return errors.New("must be a duration such as 10s or 5m")
		}
		*at(c) = d
		return nil
	}
}

func ip(at func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		if v != "" && net.ParseIP(v) == nil {
			return errors.New("must be an IP address")
		}
		*at(c) = v
		return nil
	}
}

func address(at func(*Config) *string, schemes ...string) func(*Config, string) error {
	return func(c *Config, v string) error {
		u, err := url.Parse(v)
		if v != "" && (err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) || (u.Path != "" && u.Path != "/")) {
			return fmt.Errorf("must be an address with %s:// and without a path", strings.Join(schemes, ":// or "))
		}
		*at(c) = strings.TrimSuffix(v, "/")
		return nil
	}
}

func list(at func(*Config) *[]string) func(*Config, string) error {
	return func(c *Config, v string) error { *at(c) = split(v); return nil }
}

func oneOf(at func(*Config) *string, allowed ...string) func(*Config, string) error {
	return func(c *Config, v string) error {
		if !slices.Contains(allowed, v) {
			return fmt.Errorf("must be one of %s", strings.Join(allowed, ", "))
		}
		*at(c) = v
		return nil
	}
}

func oneOfList(at func(*Config) *[]string, allowed ...string) func(*Config, string) error {
	return func(c *Config, v string) error {
		items := split(v)
		for _, i := range items {
			if !slices.Contains(allowed, i) {
				return fmt.Errorf("%q must be one of %s", i, strings.Join(allowed, ", "))
			}
		}
		if len(items) == 0 {
			return fmt.Errorf("must name at least one of %s", strings.Join(allowed, ", "))
		}
		*at(c) = items
		return nil
	}
}

func prefixes(at func(*Config) *[]netip.Prefix) func(*Config, string) error {
	return func(c *Config, v string) error {
		*at(c) = nil
		for _, i := range split(v) {
			p, err := netip.ParsePrefix(i)
			if err != nil {
				return fmt.Errorf("%q must be a range such as 10.1.0.0/16", i)
			}
			*at(c) = append(*at(c), p)
		}
		return nil
	}
}

func split(v string) []string {
	var items []string
	for i := range strings.SplitSeq(v, ",") {
		if i = strings.TrimSpace(i); i != "" {
			items = append(items, i)
		}
	}
	return items
}
