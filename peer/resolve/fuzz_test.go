package resolve

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// parrot is a name server that says the same to every question, with the question's own
// number and words before it.
type parrot struct {
	net.Conn        // not there
	network  string // of this connection
	flags    [2]byte
	counts   [6]byte // of the sections after the question
	sections []byte
	asked    *int

	out []byte
}

func (p *parrot) Write(query []byte) (int, error) {
	n := len(query)
	if p.network == "tcp" {
		query = query[2:]
	}
	*p.asked++
	end := 12
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	msg := append([]byte{query[0], query[1], p.flags[0] | 0x80, p.flags[1], 0, 1}, p.counts[:]...)
	msg = append(append(msg, query[12:end+5]...), p.sections...)
	if p.network == "tcp" {
		msg = append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...)
	}
	p.out = msg
	return n, nil
}

func (p *parrot) Read(b []byte) (int, error) {
	if len(p.out) == 0 && p.network == "udp" {
		return 0, os.ErrDeadlineExceeded // it says nothing more
	}
	if len(p.out) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.out)
	p.out = p.out[n:]
	if p.network == "udp" {
		p.out = nil
	}
	return n, nil
}

func (p *parrot) Close() error                { return nil }
func (p *parrot) SetDeadline(time.Time) error { return nil }

// FuzzResolve has a server say what it likes. Whatever that is, the questions end, and what
// comes is an answer with endpoints or an error.
func FuzzResolve(f *testing.F) {
	query, err := question{"host.test", dnsmessage.TypeHTTPS}.pack(7, false)
	if err != nil {
		f.Fatal(err)
	}
	start := len(query)
	for _, set := range []zoneSet{
		{records: []dnsmessage.Resource{resource("host.test", 1, cname("host.test"))}},
		{records: []dnsmessage.Resource{resource("host.test", 1, httpsRecord(0, "host.test")), resource("host.test", 9, ipv4("192.0.2.1"))}},
		{records: []dnsmessage.Resource{resource("host.test", 1, httpsRecord(1, "other.test", kALPN, "\x02h2", kHint4, "\xc0\x00\x02\x01"))}},
		{records: []dnsmessage.Resource{resource("host.test", 1, srvRecord(1, 2, 3, "host.test")), resource("host.test", 9, ipv6("2001:db8::1"))}},
		{rcode: dnsmessage.RCodeNameError, authority: []dnsmessage.Resource{soa(1, 2)}},
		{truncated: true},
	} {
		b := asked{network: "udp", query: query}.reply(set)
		f.Add(b[2], b[3], b[6:12], b[start:])
	}
	f.Fuzz(func(t *testing.T, flags, rcode byte, counts, sections []byte) {
		if len(sections) > 60_000 {
			return
		}
		questions := 0
		d := &DNS{
			Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")}, Timeout: time.Minute, Attempts: 1, Family: IPv4,
		}
		d.Dial = func(_ context.Context, network, _ string) (net.Conn, error) {
			p := &parrot{network: network, flags: [2]byte{flags, rcode}, sections: sections, asked: &questions}
			copy(p.counts[:], counts)
			return p, nil
		}
		l := newLookup(t.Context(), d)
		for _, typ := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeSRV, dnsmessage.TypeHTTPS} {
			before := questions
			s, err := l.follow(question{"host.test", typ})
			if most := 3 * (maxChain + 1); questions-before > most {
				t.Fatalf("%d questions", questions-before)
			}
			if (err == nil) != (len(s.records) > 0) {
				t.Fatalf("%v, %v", s, err)
			}
			if err != nil && KindOf(err) == Unknown {
				t.Fatalf("a failure of no kind: %v", err)
			}
		}
		b := l.bind("host.test", 443)
		l.slots = make(chan struct{}, 1) // one after the other: the counter is not locked
		eps, ttl := l.endpoints(b, 443)
		if len(eps) > maxTargets*maxRecords || ttl < 0 || ttl > maxTTL {
			t.Fatalf("%d endpoints for %v", len(eps), ttl)
		}
		for _, e := range newAnswer(eps, ttl).Endpoints {
			if !e.Addr.IsValid() || e.Addr.Port() == 0 || e.Addr.Addr().Is4In6() {
				t.Fatalf("%+v", e)
			}
		}
	})
}
