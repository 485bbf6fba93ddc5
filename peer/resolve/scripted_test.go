package resolve

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// scripted is a name server that says what the test wants.
type scripted struct {
	addr netip.AddrPort

	mu   sync.Mutex
	zone map[string]zoneSet // "name TYPE"
	// hook, if it is set, sees every query first; what it returns is sent as it
	// is, and nil leaves the answer to the zone.
	hook  func(q asked) [][]byte
	asked []asked
}

// asked is a query that came.
type asked struct {
	id      uint16
	key     string // "name TYPE"
	network string
	edns    bool
	port    uint16 // of the sender
	query   []byte
}

// zoneSet is what is said to a question.
type zoneSet struct {
	rcode     dnsmessage.RCode
	records   []dnsmessage.Resource
	authority []dnsmessage.Resource
	truncated bool // over UDP
	referral  bool // RA is not set
}

func newScripted(t *testing.T) *scripted {
	t.Helper()
	// The same number for both: again, if the other is taken.
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		addr := l.Addr().(*net.TCPAddr).AddrPort()
		u, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
		if err != nil {
			require.NoError(t, l.Close())
			continue
		}
		s := &scripted{addr: addr, zone: make(map[string]zoneSet)}
		var wg sync.WaitGroup
		wg.Go(func() { s.serveUDP(u) })
		wg.Go(func() { s.serveTCP(l) })
		t.Cleanup(func() {
			_ = l.Close()
			_ = u.Close()
			wg.Wait()
		})
		return s
	}
}

// dns asks only this server.
func (s *scripted) dns() *DNS {
	return &DNS{Servers: []netip.AddrPort{s.addr}, Timeout: 5 * time.Second, Attempts: 1}
}

func (s *scripted) serveUDP(u *net.UDPConn) {
	buf := make([]byte, 4096)
	for {
		n, from, err := u.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		for _, msg := range s.answer(buf[:n], "udp", from.Port()) {
			_, _ = u.WriteToUDPAddrPort(msg, from)
		}
	}
}

func (s *scripted) serveTCP(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		func() {
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			var length [2]byte
			if _, err := io.ReadFull(conn, length[:]); err != nil {
				return
			}
			query := make([]byte, binary.BigEndian.Uint16(length[:]))
			if _, err := io.ReadFull(conn, query); err != nil {
				return
			}
			for _, msg := range s.answer(query, "tcp", 0) {
				_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...))
			}
		}()
	}
}

func (s *scripted) answer(query []byte, network string, port uint16) [][]byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil
	}
	q := asked{id: m.ID, network: network, port: port, edns: len(m.Additionals) == 1, query: append([]byte(nil), query...)}
	q.key = key(m.Questions[0].Name.String(), m.Questions[0].Type)
	s.mu.Lock()
	s.asked = append(s.asked, q)
	hook, set := s.hook, s.said(q.key)
	s.mu.Unlock()
	if hook != nil {
		if out := hook(q); out != nil {
			return out
		}
	}
	return [][]byte{q.reply(set)}
}

// said is what the zone has; the name exists if it has anything.
func (s *scripted) said(k string) zoneSet {
	if set, ok := s.zone[k]; ok {
		return set
	}
	name, _, _ := strings.Cut(k, " ")
	if set, ok := s.zone[name+" CNAME"]; ok {
		return set
	}
	for other := range s.zone {
		if strings.HasPrefix(other, name+" ") {
			return zoneSet{}
		}
	}
	return zoneSet{rcode: dnsmessage.RCodeNameError}
}

// reply is the message that says set to the query.
func (q asked) reply(set zoneSet) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(q.query); err != nil {
		panic(err)
	}
	m.Response, m.RecursionAvailable, m.RCode, m.Additionals = true, !set.referral, set.rcode, nil
	m.Answers, m.Authorities = slices.Clone(set.records), slices.Clone(set.authority) // Pack writes to them
	if set.truncated && q.network == "udp" {
		m.Truncated, m.Answers, m.Authorities = true, nil, nil
	}
	out, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return out
}

func key(name string, typ dnsmessage.Type) string {
	return strings.TrimSuffix(name, ".") + " " + strings.TrimPrefix(typ.String(), "Type")
}

// add puts records into the zone: "name TTL" and bodies.
func (s *scripted) add(name string, ttl uint32, bodies ...dnsmessage.ResourceBody) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, body := range bodies {
		r := resource(name, ttl, body)
		k := key(name, r.Header.Type)
		set := s.zone[k]
		set.records = append(set.records, r)
		s.zone[k] = set
	}
}

func (s *scripted) set(k string, set zoneSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zone[k] = set
}

func (s *scripted) script(hook func(q asked) [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
}

func (s *scripted) queries() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]asked(nil), s.asked...)
}

// count is how often a question came.
func (s *scripted) count(k string) (n int) {
	for _, q := range s.queries() {
		if q.key == k {
			n++
		}
	}
	return n
}

func resource(name string, ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: dnsName(name), Type: typeOf(body), Class: dnsmessage.ClassINET, TTL: ttl},
		Body:   body,
	}
}

func typeOf(body dnsmessage.ResourceBody) dnsmessage.Type {
	switch body.(type) {
	case *dnsmessage.AResource:
		return dnsmessage.TypeA
	case *dnsmessage.AAAAResource:
		return dnsmessage.TypeAAAA
	case *dnsmessage.CNAMEResource:
		return dnsmessage.TypeCNAME
	case *dnsmessage.SRVResource:
		return dnsmessage.TypeSRV
	case *dnsmessage.HTTPSResource:
		return dnsmessage.TypeHTTPS
	case *dnsmessage.SOAResource:
		return dnsmessage.TypeSOA
	case *dnsmessage.NSResource:
		return dnsmessage.TypeNS
	}
	panic(errors.ErrUnsupported)
}

func dnsName(s string) dnsmessage.Name {
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return dnsmessage.MustNewName(s)
}

func ipv4(s string) *dnsmessage.AResource {
	return &dnsmessage.AResource{A: netip.MustParseAddr(s).As4()}
}

func ipv6(s string) *dnsmessage.AAAAResource {
	return &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(s).As16()}
}

func cname(s string) *dnsmessage.CNAMEResource {
	return &dnsmessage.CNAMEResource{CNAME: dnsName(s)}
}

func srvRecord(priority, weight, port uint16, target string) *dnsmessage.SRVResource {
	return &dnsmessage.SRVResource{Priority: priority, Weight: weight, Port: port, Target: dnsName(target)}
}

func soa(ttl, minimum uint32) dnsmessage.Resource {
	return resource("test", ttl, &dnsmessage.SOAResource{NS: dnsName("ns.test"), MBox: dnsName("root.test"), MinTTL: minimum})
}

// at resolves with a limit that only a bug reaches.
func at(t *testing.T, r Resolver, name Name) (Answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return r.Resolve(ctx, name)
}

// addrsOf are the addresses with ports of an answer, in its order.
func addrsOf(a Answer) (all []string) {
	for _, e := range a.Endpoints {
		all = append(all, e.Addr.String())
	}
	return all
}
