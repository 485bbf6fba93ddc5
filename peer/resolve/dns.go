package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// DNS is a resolver that asks name servers itself, and so knows how long an answer
// may be kept. The zero value asks the servers of /etc/resolv.conf. A DNS must not be
// changed or copied once it is in use.
//
// Every name is absolute: no search list is tried, whatever the file says. No hosts
// file is read; [System] does both. Answers are believed as they come: DNSSEC is
// the servers' business. Names under localhost are this machine, and those under
// invalid and onion do not exist, without a question to anybody.
//
// A question goes over UDP with an unguessable number from a port of its own; the
// reply must repeat the question. It goes over TCP if the reply does not fit, or if too
// many others come in its place. A chain of aliases (CNAME, or HTTPS records) has at most
// 8 links.
//
// An answer whose addresses of one family are there waits half a second for those of the
// other, and for HTTPS records; what is then missing is asked for again after 30 seconds.
type DNS struct {
	// Servers are asked in turn: the next one if one fails, refuses or is silent.
	// None are those of ResolvConf.
	Servers []netip.AddrPort
	// ResolvConf is the file with servers, timeout, attempts and "rotate", see
	// resolv.conf(5); empty is /etc/resolv.conf. It is read again when it
	// has changed. Without a file or a server in it, this machine is asked.
	ResolvConf string
	// Timeout is for one question to one server; 0 is what the file says, or 5
	// seconds.
	Timeout time.Duration
	// Attempts is how many times each server is asked; 0 is what the file says,
	// or 2.
	Attempts int
	// Family is which addresses are looked for; the zero value is both.
	Family Family
	// NoHTTPS is true if HTTPS records (RFC 9460) are not to be asked for.
	NoHTTPS bool
	// ALPN is what the caller speaks; an HTTPS record for none of it is passed
	// over. None is "h2" and "http/1.1".
	ALPN []string
	// Dial makes the connections to servers, over "udp" and "tcp"; nil is a
	// [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	file confFile
}

// Family is a choice of addresses.
type Family uint8

const (
	// AnyFamily is IPv4 and IPv6.
	AnyFamily Family = iota
	// IPv4 is IPv4 only.
	IPv4
	// IPv6 is IPv6 only.
	IPv6
)

func (f Family) types() []dnsmessage.Type {
	switch f {
	case IPv4:
		return []dnsmessage.Type{dnsmessage.TypeA}
	case IPv6:
		return []dnsmessage.Type{dnsmessage.TypeAAAA}
	}
	return []dnsmessage.Type{dnsmessage.TypeAAAA, dnsmessage.TypeA}
}

var _ Resolver = (*DNS)(nil)

// unsureTTL is how long an answer may be kept from which something may be missing:
// one of its questions failed.
const unsureTTL = 30 * time.Second

// Resolve asks for the endpoints of a name: by SRV records if it has a Service (RFC
// 2782), else by HTTPS records if its Scheme is "https" (RFC 9460), else by its
// addresses. What has no SRV or HTTPS records has its addresses. The TTL is the shortest
// of the records that the answer was made of.
//
// Behind what HTTPS records name come the host's own addresses, for when no other can be
// reached, unless all records have ECH.
func (d *DNS) Resolve(ctx context.Context, name Name) (Answer, error) {
	if d.Timeout < 0 || d.Attempts < 0 {
		return Answer{}, fmt.Errorf("dns resolver: timeout %v or attempts %d below zero", d.Timeout, d.Attempts)
	}
	a, host, prefixes, err := begin(name)
	if err != nil || host == "" {
		return a, err
	}
	if addrs, known, err := special(host); known {
		if err != nil {
			return Answer{}, err
		}
		return newAnswer(plain(d.ofFamily(addrs), host, name.port()), Forever), nil
	}
	l := newLookup(ctx, d)
	for _, prefix := range prefixes {
		eps, ttl, err := l.srv(prefix + "." + host)
		if err == nil {
			return newAnswer(eps, ttl), nil
		}
		if !errors.Is(err, errNoSRV) {
			return Answer{}, err
		}
	}
	if name.Scheme == "https" && !d.NoHTTPS {
		return l.https(host, name.port())
	}
	set := l.addresses(host)
	if set.err != nil {
		return Answer{}, set.err
	}
	return newAnswer(plain(set.addrs, host, name.port()), set.ttl), nil
}

func (d *DNS) ofFamily(addrs []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(addrs, func(a netip.Addr) bool {
		return d.Family == IPv4 && !a.Is4() || d.Family == IPv6 && a.Is4()
	})
}

// plain are the endpoints of addresses without more.
func plain(addrs []netip.Addr, host string, port uint16) []Endpoint {
	eps := make([]Endpoint, 0, len(addrs))
	for _, a := range addrs {
		eps = append(eps, Endpoint{Addr: netip.AddrPortFrom(a, port), Weight: 1, Target: host})
	}
	return eps
}
