package resolve

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// question is what a query asks. The name is canonical.
type question struct {
	name string
	typ  dnsmessage.Type
}

// typeName is the type as zone files have it.
func (q question) typeName() string { return strings.TrimPrefix(q.typ.String(), "Type") }

// root is the name of the DNS root, which some records have in place of a host.
const root = "."

// record is a record of a reply, of a type that means something here. Names are
// as hostOf gives them.
type record struct {
	owner string
	typ   dnsmessage.Type
	ttl   time.Duration

	addr     netip.Addr // A, AAAA
	target   string     // CNAME, SRV, HTTPS
	priority uint16     // SRV, HTTPS
	weight   uint16     // SRV
	port     uint16     // SRV
	params   []dnsmessage.SVCParam
	damaged  bool // an HTTPS record that is not one
}

// reply is what a server said.
type reply struct {
	rcode       dnsmessage.RCode
	truncated   bool
	referral    bool // neither an answer nor a "no": the server does not resolve
	records     []record
	no          bool          // there is an SOA record, as comes with a "no"
	negativeTTL time.Duration // what that allows
}

// maxRecords is how many records of a reply are looked at. Address sets have a few;
// the rest of a message of 64 KiB is somebody's joke.
const maxRecords = 256

// udpSize is the size of datagrams that go through every network unfragmented
// (the DNS flag day of 2020).
const udpSize = 1232

// maxTTL is the longest TTL that is believed; RFC 8767 section 4 has a week.
const maxTTL = 7 * 24 * time.Hour

// errNotOurs is a message that answers another query than ours: a late one, or a
// forged one.
var errNotOurs = errors.New("not a reply to this query")

// pack makes the query of a question. edns announces udpSize (RFC 6891).
func (q question) pack(id uint16, edns bool) ([]byte, error) {
	name, err := dnsmessage.NewName(q.name + ".")
	if err != nil {
		return nil, err
	}
	b := dnsmessage.NewBuilder(make([]byte, 0, 512), dnsmessage.Header{ID: id, RecursionDesired: true})
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	if err := b.Question(dnsmessage.Question{Name: name, Type: q.typ, Class: dnsmessage.ClassINET}); err != nil {
		return nil, err
	}
	if edns {
		if err := b.StartAdditionals(); err != nil {
			return nil, err
		}
		var h dnsmessage.ResourceHeader
		if err := h.SetEDNS0(udpSize, dnsmessage.RCodeSuccess, false); err != nil {
			return nil, err
		}
		if err := b.OPTResource(h, dnsmessage.OPTResource{}); err != nil {
			return nil, err
		}
	}
	return b.Finish()
}

// parse reads the reply to the question. errNotOurs is the error of a message that
// must be passed over; any other says that our server sent what cannot be read.
func (q question) parse(msg []byte, id uint16) (reply, error) {
	var p dnsmessage.Parser
	h, err := p.Start(msg)
	if err != nil || h.ID != id || !h.Response || h.OpCode != 0 {
		return reply{}, errNotOurs
	}
	if err := q.echoed(&p, h); err != nil {
		return reply{}, err
	}
	r := reply{rcode: h.RCode, truncated: h.Truncated}
	if r.truncated {
		return r, nil // what there is of it need not be whole
	}
	if err := r.answers(&p); err != nil {
		return reply{}, fmt.Errorf("answer section: %w", err)
	}
	delegated, err := r.authorities(&p)
	if err != nil {
		return reply{}, fmt.Errorf("authority section: %w", err)
	}
	if err := r.additionals(&p); err != nil {
		return reply{}, fmt.Errorf("additional section: %w", err)
	}
	r.referral = r.rcode == dnsmessage.RCodeSuccess && len(r.records) == 0 &&
		!h.Authoritative && (delegated || !h.RecursionAvailable)
	return r, nil
}

// echoed checks that the message repeats the question. A server that could not read
// the query may leave it out.
func (q question) echoed(p *dnsmessage.Parser, h dnsmessage.Header) error {
	got, err := p.Question()
	if errors.Is(err, dnsmessage.ErrSectionDone) && (h.RCode == dnsmessage.RCodeFormatError || h.RCode == dnsmessage.RCodeNotImplemented) {
		return nil
	}
	if err != nil || got.Type != q.typ || got.Class != dnsmessage.ClassINET || !strings.EqualFold(got.Name.String(), q.name+".") {
		return errNotOurs
	}
	if err := p.SkipQuestion(); !errors.Is(err, dnsmessage.ErrSectionDone) {
		return errNotOurs
	}
	return nil
}

func (r *reply) answers(p *dnsmessage.Parser) error {
	for range maxRecords {
		h, err := p.AnswerHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Class != dnsmessage.ClassINET {
			if err := p.SkipAnswer(); err != nil {
				return err
			}
			continue
		}
		rec, known, err := parseRecord(p, h)
		if err != nil {
			return err
		}
		if known {
			r.records = append(r.records, rec)
		}
	}
	return skipAll(p.SkipAnswer)
}

// parseRecord reads the record whose header is h; known is false for one of a type
// without meaning here.
func parseRecord(p *dnsmessage.Parser, h dnsmessage.ResourceHeader) (rec record, known bool, err error) {
	rec = record{owner: hostOf(h.Name), typ: h.Type, ttl: ttlOf(h.TTL)}
	switch h.Type {
	case dnsmessage.TypeA, dnsmessage.TypeAAAA:
		return parseAddress(p, h, rec)
	case dnsmessage.TypeCNAME:
		body, err := p.CNAMEResource()
		rec.target = hostOf(body.CNAME)
		return rec, true, err
	case dnsmessage.TypeSRV:
		body, err := p.SRVResource()
		rec.target, rec.port, rec.priority, rec.weight = hostOf(body.Target), body.Port, body.Priority, body.Weight
		return rec, true, err
	case dnsmessage.TypeHTTPS:
		body, err := p.HTTPSResource()
		if err != nil {
			// One bad record makes the whole set void, and only the set (RFC 9460
			// section 2.2).
			rec.damaged = true
			return rec, true, p.SkipAnswer()
		}
		rec.target, rec.priority, rec.params = hostOf(body.Target), body.Priority, body.Params
		rec.damaged = rec.target == ""
		return rec, true, nil
	}
	return rec, false, p.SkipAnswer()
}

var errAddressLength = errors.New("an address of another length")

func parseAddress(p *dnsmessage.Parser, h dnsmessage.ResourceHeader, rec record) (record, bool, error) {
	if h.Type == dnsmessage.TypeA {
		if h.Length != 4 {
			return rec, false, errAddressLength
		}
		body, err := p.AResource()
		rec.addr = netip.AddrFrom4(body.A)
		return rec, true, err
	}
	if h.Length != 16 {
		return rec, false, errAddressLength
	}
	body, err := p.AAAAResource()
	rec.addr = netip.AddrFrom16(body.AAAA).Unmap()
	return rec, true, err
}

// authorities finds the SOA record of a "no" (RFC 2308 section 5), and whether
// there are name servers in its place.
func (r *reply) authorities(p *dnsmessage.Parser) (delegated bool, err error) {
	for range maxRecords {
		h, err := p.AuthorityHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return delegated && !r.no, nil
		}
		if err != nil {
			return false, err
		}
		if h.Type == dnsmessage.TypeSOA && h.Class == dnsmessage.ClassINET && !r.no {
			body, err := p.SOAResource()
			if err != nil {
				return false, err
			}
			r.no, r.negativeTTL = true, min(ttlOf(h.TTL), ttlOf(body.MinTTL))
			continue
		}
		delegated = delegated || h.Type == dnsmessage.TypeNS
		if err := p.SkipAuthority(); err != nil {
			return false, err
		}
	}
	return delegated && !r.no, skipAll(p.SkipAuthority)
}

// additionals looks for the upper bits of the response code.
func (r *reply) additionals(p *dnsmessage.Parser) error {
	for range maxRecords {
		h, err := p.AdditionalHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Type == dnsmessage.TypeOPT {
			r.rcode = h.ExtendedRCode(r.rcode)
		}
		if err := p.SkipAdditional(); err != nil {
			return err
		}
	}
	return nil
}

func skipAll(skip func() error) error {
	for {
		if err := skip(); errors.Is(err, dnsmessage.ErrSectionDone) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// hostOf is a name in canonical form, root for that of the root, and empty if it is
// not a host name.
func hostOf(n dnsmessage.Name) string {
	if n.Length == 1 && n.Data[0] == '.' {
		return root
	}
	s, err := canonical(n.String())
	if err != nil {
		return ""
	}
	return s
}

// ttlOf reads a TTL; one with the highest bit set is 0 (RFC 2181 section 8).
func ttlOf(seconds uint32) time.Duration {
	if seconds > 1<<31-1 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxTTL)
}
