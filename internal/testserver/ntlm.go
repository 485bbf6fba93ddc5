package testserver

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"unicode/utf16"
)

// NTLMHandler asks for credentials by NTLM: the client says hello (a message of
// type 1), gets a challenge (type 2) and answers it (type 3), all on one
// connection, which is then open to it. Any response of User is taken, since it
// would need MD4 to check one.
type NTLMHandler struct {
	asker
	next  http.Handler
	watch watch
	// Connections by connKey: true when authenticated, false when challenged.
	states     map[any]bool
	handshakes int
}

// NTLM lets connections whose client has shown credentials by NTLM through to
// next and answers all others with 401. It works with HTTP/1.1 only.
func NTLM(next http.Handler) *NTLMHandler { return ntlm(serverAsks, next) }

func ntlm(a asker, next http.Handler) *NTLMHandler {
	return &NTLMHandler{asker: a, next: next, states: map[any]bool{}}
}

// Handshakes is how many connections were opened by a good answer.
func (n *NTLMHandler) Handshakes() (count int) {
	n.watch.read(func() { count = n.handshakes })
	return count
}

// ServeHTTP implements http.Handler.
func (n *NTLMHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := connKey(r)
	var challenged, open bool
	n.watch.read(func() { open, challenged = n.states[key] })
	sent, ok := n.given(r, "NTLM")
	message, err := base64.StdEncoding.DecodeString(sent)
	switch {
	case ok && err == nil && messageType(message) == 1:
		n.watch.change(func() { n.states[key] = false })
		n.ask(w, "NTLM "+base64.StdEncoding.EncodeToString(ntlmChallenge()))
	case ok && err == nil && messageType(message) == 3 && challenged && !open && goodAnswer(message):
		n.watch.change(func() { n.states[key], n.handshakes = true, n.handshakes+1 })
		n.next.ServeHTTP(w, r)
	case !ok && open:
		n.next.ServeHTTP(w, r)
	default:
		n.watch.change(func() { delete(n.states, key) })
		n.ask(w, "NTLM")
	}
}

// Messages as in MS-NLMP section 2.2.1.
const ntlmSignature = "NTLMSSP\x00"

func messageType(m []byte) uint32 {
	if len(m) < 12 || string(m[:8]) != ntlmSignature {
		return 0
	}
	return binary.LittleEndian.Uint32(m[8:])
}

const (
	ntlmUnicode    = 1 << 0
	ntlmTarget     = 1 << 2
	ntlmNTLM       = 1 << 9
	ntlmServer     = 1 << 17
	ntlmSession2   = 1 << 19
	ntlmTargetInfo = 1 << 23
)

// ntlmChallenge is a message of type 2 from the domain TESTS.
func ntlmChallenge() []byte {
	domain := utf16le("TESTS")
	var info []byte
	info = binary.LittleEndian.AppendUint16(info, 2) // NetBIOS name of the domain
	info = binary.LittleEndian.AppendUint16(info, uint16(len(domain)))
	info = append(info, domain...)
	info = append(info, 0, 0, 0, 0) // the end

	const head = 48
	var m bytes.Buffer
	m.WriteString(ntlmSignature)
	le := func(v any) { _ = binary.Write(&m, binary.LittleEndian, v) } // into memory
	le(uint32(2))
	le([]uint16{uint16(len(domain)), uint16(len(domain))})
	le(uint32(head))
	le(uint32(ntlmUnicode | ntlmTarget | ntlmNTLM | ntlmServer | ntlmSession2 | ntlmTargetInfo))
	m.WriteString("\x01\x23\x45\x67\x89\xab\xcd\xef") // the challenge
	le(uint64(0))
	le([]uint16{uint16(len(info)), uint16(len(info))})
	le(uint32(head + len(domain)))
	m.Write(domain)
	m.Write(info)
	return m.Bytes()
}

// goodAnswer wants a response of 24 bytes or more, and User, in a message of type 3.
func goodAnswer(m []byte) bool {
	const ntResponse, user, flags = 20, 36, 60
	if len(m) < flags+4 || len(securityBuffer(m, ntResponse)) < 24 {
		return false
	}
	name := securityBuffer(m, user)
	if binary.LittleEndian.Uint32(m[flags:])&ntlmUnicode != 0 {
		return bytes.Equal(name, utf16le(User))
	}
	return strings.EqualFold(string(name), User)
}

// securityBuffer reads the part of a message that the 8 bytes at position describe.
func securityBuffer(m []byte, position int) []byte {
	length := int(binary.LittleEndian.Uint16(m[position:]))
	offset := int(binary.LittleEndian.Uint32(m[position+4:]))
	if offset+length > len(m) {
		return nil
	}
	return m[offset : offset+length]
}

func utf16le(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}
