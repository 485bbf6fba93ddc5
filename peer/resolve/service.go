package resolve

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"golang.org/x/net/dns/dnsmessage"
)

// service is an HTTPS record in service mode (RFC 9460 section 2.4.3).
type service struct {
	priority uint16
	target   string
	port     uint16
	alpn     []string
	hints    []netip.Addr
	ech      []byte
	// foreign is true if the record must not be used by who does not know one of
	// its keys.
	foreign bool
}

// readService reads the parameters of a record. A false ok says that one is
// malformed, which makes the whole record set void.
func readService(rec record) (s service, ok bool) {
	s = service{priority: rec.priority, target: rec.target}
	defaultALPN := true
	var mandatory []byte
	present := make(map[uint16]bool, len(rec.params))
	for _, p := range rec.params {
		present[uint16(p.Key)] = true
		ok := true
		switch p.Key {
		case dnsmessage.SVCParamMandatory:
			mandatory = p.Value
			ok = len(mandatory) > 0 && len(mandatory)%2 == 0
		case dnsmessage.SVCParamALPN:
			s.alpn, ok = readALPN(p.Value)
		case dnsmessage.SVCParamNoDefaultALPN:
			defaultALPN, ok = false, len(p.Value) == 0
		case dnsmessage.SVCParamPort:
			if ok = len(p.Value) == 2; ok {
				s.port = binary.BigEndian.Uint16(p.Value)
				ok = s.port != 0
			}
		case dnsmessage.SVCParamIPv4Hint:
			ok = s.hint(p.Value, 4)
		case dnsmessage.SVCParamIPv6Hint:
			ok = s.hint(p.Value, 16)
		case dnsmessage.SVCParamECH:
			s.ech, ok = p.Value, len(p.Value) > 0
		}
		if !ok {
			return service{}, false
		}
	}
	if s.foreign, ok = readMandatory(mandatory, present); !ok {
		return service{}, false
	}
	if !defaultALPN && !present[uint16(dnsmessage.SVCParamALPN)] {
		return service{}, false
	}
	if defaultALPN && !slices.Contains(s.alpn, "http/1.1") {
		s.alpn = append(s.alpn, "http/1.1")
	}
	return s, true
}

// readALPN reads protocol identifiers, each after its length, none empty.
func readALPN(b []byte) (ids []string, ok bool) {
	for len(b) > 0 {
		n := int(b[0])
		if n == 0 || n >= len(b) {
			return nil, false
		}
		ids = append(ids, string(b[1:1+n]))
		b = b[1+n:]
	}
	return ids, len(ids) > 0
}

func (s *service) hint(b []byte, size int) bool {
	if len(b) == 0 || len(b)%size != 0 {
		return false
	}
	for a := range slices.Chunk(b, size) {
		addr, _ := netip.AddrFromSlice(a)
		s.hints = append(s.hints, addr.Unmap())
	}
	return true
}

// readMandatory reads the keys that must be understood: in order, without itself,
// each there (RFC 9460 section 8).
func readMandatory(b []byte, present map[uint16]bool) (foreign, ok bool) {
	last := uint16(dnsmessage.SVCParamMandatory)
	for pair := range slices.Chunk(b, 2) {
		key := binary.BigEndian.Uint16(pair)
		if key <= last || !present[key] {
			return false, false
		}
		last = key
		foreign = foreign || key > uint16(dnsmessage.SVCParamIPv6Hint)
	}
	return foreign, true
}
