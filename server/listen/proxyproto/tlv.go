package proxyproto

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// Type says what a TLV holds.
type Type byte

// The types that the protocol names.
const (
	TypeALPN      Type = 0x01 // the application protocol, as in ALPN: "h2"
	TypeAuthority Type = 0x02 // the host name that the client asked for, as in SNI
	TypeCRC32C    Type = 0x03 // a checksum of the header, which Parse checks
	TypeNoop      Type = 0x04 // padding, which Parse leaves out
	TypeUniqueID  Type = 0x05 // an opaque number of the connection, at most 128 bytes
	TypeSSL       Type = 0x20 // of the client's TLS: see Header.SSL
	TypeNetNS     Type = 0x30 // the name of a network namespace
)

// TLV is one further value of a header of version 2.
type TLV struct {
	Type  Type
	Value []byte
}

// TLV gives the first value of a type, and whether there is one.
func (h *Header) TLV(t Type) ([]byte, bool) {
	for _, v := range h.TLVs {
		if v.Type == t {
			return v.Value, true
		}
	}
	return nil, false
}

func parseTLVs(b []byte) ([]TLV, error) {
	var all []TLV
	for len(b) > 0 {
		if len(b) < 3 {
			return nil, malformed("a value is cut short")
		}
		size := int(binary.BigEndian.Uint16(b[1:]))
		if len(b) < 3+size {
			return nil, malformed("a value is cut short")
		}
		v := TLV{Type: Type(b[0]), Value: bytes.Clone(b[3 : 3+size])}
		b = b[3+size:]
		switch {
		case v.Type == TypeNoop:
			continue
		case v.Type == TypeUniqueID && size > 128, v.Type == TypeCRC32C && size != 4:
			return nil, malformed("a value of type %#02x with %d bytes", byte(v.Type), size)
		}
		all = append(all, v)
	}
	return all, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkSum checks the checksum of a header whose values begin at from, if it has one.
// It was made with zeros in its own place.
func checkSum(header []byte, from int) error {
	for at := from; at < len(header); {
		size := int(binary.BigEndian.Uint16(header[at+1:]))
		if value := header[at+3 : at+3+size]; Type(header[at]) == TypeCRC32C {
			sum := crc32.Update(0, castagnoli, header[:at+3])
			sum = crc32.Update(sum, castagnoli, make([]byte, 4))
			sum = crc32.Update(sum, castagnoli, header[at+7:])
			if sum != binary.BigEndian.Uint32(value) {
				return malformed("its checksum is wrong")
			}
		}
		at += 3 + size
	}
	return nil
}

// SSL is what a proxy says of the client's TLS connection to it.
type SSL struct {
	// Client is set if the client connected over TLS. CertConn and CertSess say that it
	// presented a certificate over this connection, and in the session of it.
	Client, CertConn, CertSess bool
	// Verified is set if the client presented a certificate that passed.
	Verified bool
	// Version is the version as in "TLSv1.3", CommonName that of the certificate; Cipher,
	// SigAlg and KeyAlg are as OpenSSL calls them. What was not said is empty.
	Version, CommonName, Cipher, SigAlg, KeyAlg string
}

// SSL gives what the header says of the client's TLS, and whether it does.
func (h *Header) SSL() (SSL, bool) {
	b, ok := h.TLV(TypeSSL)
	if !ok || len(b) < 5 {
		return SSL{}, false
	}
	inner, err := parseTLVs(b[5:])
	if err != nil {
		return SSL{}, false
	}
	s := SSL{Client: b[0]&1 != 0, CertConn: b[0]&2 != 0, CertSess: b[0]&4 != 0}
	s.Verified = (s.CertConn || s.CertSess) && binary.BigEndian.Uint32(b[1:]) == 0
	for _, v := range inner {
		switch v.Type {
		case 0x21:
			s.Version = string(v.Value)
		case 0x22:
			s.CommonName = string(v.Value)
		case 0x23:
			s.Cipher = string(v.Value)
		case 0x24:
			s.SigAlg = string(v.Value)
		case 0x25:
			s.KeyAlg = string(v.Value)
		}
	}
	return s, true
}
