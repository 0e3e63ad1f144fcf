package egress

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
)

// notPublic lists what a webhook has no business with unless the administrator
// says so (IANA special-purpose registries; cloud metadata services live in
// link-local, private and shared space, and so fall under these).
var notPublic = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared (carrier or cloud internal)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local (cloud metadata)"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "reserved"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved or broadcast"},
	{netip.MustParsePrefix("::/128"), "unspecified"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("::/96"), "reserved"},          // old IPv4-compatible form
	{netip.MustParsePrefix("64:ff9b::/96"), "translated"}, // NAT64: an IPv4 address inside
	{netip.MustParsePrefix("64:ff9b:1::/48"), "translated"},
	{netip.MustParsePrefix("100::/64"), "reserved"},
	{netip.MustParsePrefix("2001::/23"), "reserved or tunnelled"}, // Teredo and others
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("2002::/16"), "tunnelled"}, // 6to4: an IPv4 address inside
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
	{netip.MustParsePrefix("5f00::/16"), "reserved"},
	{netip.MustParsePrefix("fc00::/7"), "private"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("fec0::/10"), "private"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

// RefusedError is a connection that was not made because of where it led.
type RefusedError struct {
	Addr netip.Addr
	What string // "loopback", "private", …
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s is a %s address, which webhooks may not reach; an administrator can allow its range in the setting events.allow_networks", e.Addr, e.What)
}

// guard decides which addresses may be connected to.
type guard struct{ allow []netip.Prefix }

// check returns a *RefusedError unless addr is public or allowed.
func (g guard) check(addr netip.Addr) error {
	addr = addr.Unmap().WithZone("") // ::ffff:127.0.0.1 is 127.0.0.1
	for _, p := range g.allow {
		if p.Contains(addr) {
			return nil
		}
	}
	for _, n := range notPublic {
		if n.prefix.Contains(addr) {
			return &RefusedError{Addr: addr, What: n.what}
		}
	}
	return nil
}

// control runs between the creation of a socket and its connect, once for each
// address a name has, with the address that will be connected to.
func (g guard) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return fmt.Errorf("connections over %s are not made", network)
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address of a connection: %w", err)
	}
	return g.check(ap.Addr())
}
