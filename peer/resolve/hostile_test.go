package resolve

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// forged is a reply with evil addresses that the change makes not ours.
func forged(q asked, change func(m *dnsmessage.Message)) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(q.reply(zoneSet{records: []dnsmessage.Resource{resource("host.test", 9, ipv4("203.0.113.66"))}})); err != nil {
		panic(err)
	}
	change(&m)
	out, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return out
}

func TestDNS_passes_over_replies_that_are_not_to_its_query(t *testing.T) {
	s := newScripted(t)
	s.add("host.test", 300, ipv4("192.0.2.1"))
	d := s.dns()
	d.Family = IPv4
	s.script(func(q asked) [][]byte {
		if q.network != "udp" {
			t.Error("too many strays")
		}
		return [][]byte{
			nil, {1, 2, 3}, bytes.Repeat([]byte{0xff}, 100),
			forged(q, func(m *dnsmessage.Message) { m.ID++ }),
			forged(q, func(m *dnsmessage.Message) { m.Response = false }),
			forged(q, func(m *dnsmessage.Message) { m.OpCode = 4 }),
			forged(q, func(m *dnsmessage.Message) { m.Questions = nil }),
			forged(q, func(m *dnsmessage.Message) { m.Questions[0].Name = dnsName("other.test") }),
			forged(q, func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeAAAA }),
			forged(q, func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassCHAOS }),
			forged(q, func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }),
			q.reply(s.zone["host.test A"]),
		}
	})
	a, err := at(t, d, Name{Host: "host.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:443"}, addrsOf(a))
}

func TestDNS_goes_to_TCP_when_somebody_guesses(t *testing.T) {
	s := newScripted(t)
	s.add("host.test", 300, ipv4("192.0.2.1"))
	d := s.dns()
	d.Family = IPv4
	s.script(func(q asked) (out [][]byte) {
		for i := range 2 * maxStrays {
			if q.network == "udp" {
				out = append(out, forged(q, func(m *dnsmessage.Message) { m.ID += uint16(1 + i) }))
			}
		}
		return out
	})
	a, err := at(t, d, Name{Host: "host.test"})
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:443"}, addrsOf(a))
}

func TestDNS_sends_every_query_with_another_number_from_another_port(t *testing.T) {
	s := newScripted(t)
	s.add("host.test", 300, ipv4("192.0.2.1"))
	d := s.dns()
	d.Family = IPv4
	const n = 50
	for range n {
		_, err := at(t, d, Name{Host: "host.test"})
		require.NoError(t, err)
	}
	ids, ports, steps := map[uint16]bool{}, map[uint16]bool{}, map[uint16]int{}
	last := uint16(0)
	for _, q := range s.queries() {
		ids[q.id], ports[q.port] = true, true
		steps[q.id-last]++
		last = q.id
	}
	assert.Greater(t, len(ids), n-5)
	assert.Greater(t, len(ports), n/2)
	for step, times := range steps {
		assert.Less(t, times, 5, "the numbers go in steps of %d", step)
	}
}

func TestDNS_takes_what_does_not_fit_into_a_datagram_over_TCP(t *testing.T) {
	s := newScripted(t)
	many := func(n int, name string) (all []dnsmessage.Resource) {
		for i := range n {
			all = append(all, resource(name, 60, ipv4(fmt.Sprintf("198.51.%d.%d", i/250, i%250))))
		}
		return all
	}
	s.set("many.test A", zoneSet{records: many(2000, "many.test"), truncated: true})
	d := s.dns()
	d.Family = IPv4
	a, err := at(t, d, Name{Host: "many.test"})
	require.NoError(t, err)
	assert.Len(t, a.Endpoints, MaxEndpoints)
	queries := s.queries()
	require.Len(t, queries, 2)
	assert.Equal(t, []string{"udp", "tcp"}, []string{queries[0].network, queries[1].network})
	assert.NotEqual(t, queries[0].id, queries[1].id)

	// Longer than was announced, and without the mark of a truncated one.
	s.set("huge.test A", zoneSet{records: many(300, "huge.test")})
	a, err = at(t, d, Name{Host: "huge.test"})
	require.NoError(t, err)
	assert.Len(t, a.Endpoints, MaxEndpoints)
}

func TestDNS_does_not_go_in_circles(t *testing.T) {
	s := newScripted(t)
	s.add("a.test", 60, cname("b.test"))
	s.add("b.test", 60, cname("a.test"))
	s.add("self.test", 60, cname("self.test"))
	s.set("inside.test A", zoneSet{records: []dnsmessage.Resource{
		resource("inside.test", 60, cname("x.test")), resource("x.test", 60, cname("inside.test")),
	}})
	for i := range 30 {
		s.add(fmt.Sprintf("long%d.test", i), 60, cname(fmt.Sprintf("long%d.test", i+1)))
	}
	s.add("long30.test", 60, ipv4("192.0.2.1"))
	s.add("strange.test", 60, cname("not/a/host.test"))
	s.add("root.test", 60, cname("."))
	d := s.dns()
	d.Family = IPv4
	for _, host := range []string{"a.test", "self.test", "inside.test", "long0.test", "strange.test", "root.test"} {
		before := len(s.queries())
		_, err := at(t, d, Name{Host: host})
		require.ErrorIs(t, err, Malformed, host)
		assert.LessOrEqual(t, len(s.queries())-before, maxChain+1, host)
	}
	_, err := at(t, d, Name{Host: fmt.Sprintf("long%d.test", 30-maxChain)})
	require.NoError(t, err, "as many links as are allowed")
}

func TestDNS_says_Malformed_for_replies_that_cannot_be_read(t *testing.T) {
	s := newScripted(t)
	d := s.dns()
	d.Family = IPv4
	good := func(q asked) []byte {
		return q.reply(zoneSet{records: []dnsmessage.Resource{resource("host.test", 9, ipv4("192.0.2.1"))}})
	}
	for name, damage := range map[string]func(b []byte) []byte{
		"cut":        func(b []byte) []byte { return b[:len(b)-2] },
		"more":       func(b []byte) []byte { b[7] = 200; return b },
		"length":     func(b []byte) []byte { b[len(b)-5] = 3; return b },
		"long":       func(b []byte) []byte { b[len(b)-5] = 200; return b },
		"self-point": func(b []byte) []byte { b[len(b)-15] = byte(len(b) - 16); return b },
	} {
		s.script(func(q asked) [][]byte { return [][]byte{damage(good(q))} })
		_, err := at(t, d, Name{Host: "host.test"})
		require.ErrorIs(t, err, Malformed, name)
	}
}

func TestDNS_says_Malformed_for_TCP_streams_that_are_not_replies(t *testing.T) {
	s := newScripted(t)
	d := s.dns()
	d.Family = IPv4
	for name, answer := range map[string]func(q asked) [][]byte{
		"nothing":   func(asked) [][]byte { return [][]byte{} },
		"empty":     func(asked) [][]byte { return [][]byte{nil} },
		"garbage":   func(asked) [][]byte { return [][]byte{bytes.Repeat([]byte{7}, 60_000)} },
		"other id":  func(q asked) [][]byte { return [][]byte{forged(q, func(m *dnsmessage.Message) { m.ID++ })} },
		"truncated": func(q asked) [][]byte { return [][]byte{forged(q, func(m *dnsmessage.Message) { m.Truncated = true })} },
	} {
		s.script(func(q asked) [][]byte {
			if q.network == "udp" {
				return [][]byte{q.reply(zoneSet{truncated: true})}
			}
			return answer(q)
		})
		_, err := at(t, d, Name{Host: "host.test"})
		require.ErrorIs(t, err, Malformed, name)
	}
}

func TestParse_believes_no_TTL_beyond_a_week_and_none_that_is_negative(t *testing.T) {
	assert.Equal(t, maxTTL, ttlOf(1<<31-1))
	assert.Zero(t, ttlOf(1<<31))
	assert.Zero(t, ttlOf(1<<32-1))
	assert.Equal(t, 90*time.Second, ttlOf(90))
}

func TestParse_looks_at_the_upper_bits_of_the_response_code(t *testing.T) {
	q := question{"host.test", dnsmessage.TypeA}
	var h dnsmessage.ResourceHeader
	require.NoError(t, h.SetEDNS0(1232, dnsmessage.RCode(16), false))
	m := dnsmessage.Message{
		Header:      dnsmessage.Header{ID: 7, Response: true, RecursionAvailable: true},
		Questions:   []dnsmessage.Question{{Name: dnsName("host.test"), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		Additionals: []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{}}},
	}
	b, err := m.Pack()
	require.NoError(t, err)
	r, err := q.parse(b, 7)
	require.NoError(t, err)
	kind, _ := verdict(r, nil)
	assert.Equal(t, ServerFailure, kind, "BADVERS is not an empty answer")
}

func FuzzParse(f *testing.F) {
	q := question{"host.test", dnsmessage.TypeHTTPS}
	query, err := q.pack(7, true)
	require.NoError(f, err)
	a := asked{query: query}
	https := &dnsmessage.HTTPSResource{SVCBResource: dnsmessage.SVCBResource{Priority: 1, Target: dnsName("."), Params: params(
		dnsmessage.SVCParamMandatory, "\x00\x01", dnsmessage.SVCParamALPN, "\x02h2", dnsmessage.SVCParamPort, "\x01\xbb",
		dnsmessage.SVCParamIPv4Hint, "\xc0\x00\x02\x01", dnsmessage.SVCParamECH, "ech")}}
	f.Add(a.reply(zoneSet{records: []dnsmessage.Resource{
		resource("host.test", 1, cname("other.test")), resource("other.test", 1, https),
		resource("other.test", 1, ipv4("192.0.2.1")), resource("other.test", 1, ipv6("2001:db8::1")),
		resource("other.test", 1, srvRecord(1, 2, 3, "x.test")),
	}, authority: []dnsmessage.Resource{soa(1, 2)}}))
	f.Add(a.reply(zoneSet{rcode: dnsmessage.RCodeNameError}))
	f.Fuzz(func(t *testing.T, msg []byte) {
		if len(msg) >= 2 {
			binary.BigEndian.PutUint16(msg, 7)
		}
		r, err := q.parse(msg, 7)
		if err != nil {
			if len(r.records) > 0 {
				t.Fatal("records beside an error")
			}
			return
		}
		if len(r.records) > maxRecords {
			t.Fatalf("%d records", len(r.records))
		}
		for _, rec := range r.records {
			if rec.ttl < 0 || rec.ttl > maxTTL {
				t.Fatalf("TTL %v", rec.ttl)
			}
			for _, name := range []string{rec.owner, rec.target} {
				if name != "" && name != root && !validLabels(name) || name != strings.ToLower(name) {
					t.Fatalf("name %q", name)
				}
			}
			if rec.addr.Is4In6() {
				t.Fatalf("address %v", rec.addr)
			}
			if svc, ok := readService(rec); ok && (len(svc.alpn) == 0 || svc.priority != rec.priority) {
				t.Fatalf("%+v", svc)
			}
		}
	})
}
