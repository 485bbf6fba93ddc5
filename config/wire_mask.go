package config

import (
	"bytes"
	"regexp"
)

// WireMasker makes events of the records of one request, in their order. A head
// that libcurl had to send in parts is cut anywhere, also within a secret; the
// masker remembers where it was.
type WireMasker struct {
	// For received and sent: the start of an unfinished line, and whether the rest
	// of it is a secret.
	partial [2][]byte
	hiding  [2]bool
}

const maskText = "xxxxx"

// secretField finds the fields whose values are secrets, wherever they stand in a
// line: libcurl's remarks show HTTP/2 fields in brackets.
var secretField = regexp.MustCompile(`(?i)(authorization|cookie|[-_](key|token|secret)):`)

// Others that appear in remarks and in request lines.
var (
	userinfo  = regexp.MustCompile(`(://)[^/@\s?#]+@`)
	authUser  = regexp.MustCompile(`(with user )'[^']*'`)
	maskUser  = []byte("${1}" + maskText + "@")
	maskNamed = []byte("${1}'" + maskText + "'")
)

// maxPartial bounds what is remembered of an unfinished line, in bytes; the name
// of a field is shorter.
const maxPartial = 256

// Event makes an event of the next piece, which it copies.
func (m *WireMasker) Event(kind WireKind, data []byte) WireEvent {
	e := WireEvent{Kind: kind}
	switch kind {
	case WireInfo:
		e.Data = new(WireMasker).mask(0, data) // a remark is one piece always
	case WireHeaderReceived:
		e.Data = m.mask(0, data)
	case WireHeaderSent:
		e.Data = m.mask(1, data)
	default:
		e.Data = bytes.Clone(data)
	}
	return e
}

func (m *WireMasker) mask(way int, data []byte) []byte {
	out := make([]byte, 0, len(data)+16)
	for line := range bytes.Lines(data) {
		end := []byte(nil)
		if line[len(line)-1] == '\n' { // a CR alone ends nothing
			n := len(bytes.TrimRight(line, "\r\n"))
			line, end = line[:n], line[n:]
		}
		if !m.hiding[way] {
			before := m.partial[way]
			whole := append(bytes.Clone(before), line...)
			shown := line
			if at := secretField.FindIndex(whole); at != nil {
				m.hiding[way] = true
				shown = append(bytes.Clone(whole[min(len(before), at[1]):at[1]]), " "+maskText...)
			}
			shown = userinfo.ReplaceAll(shown, maskUser)
			out = append(out, authUser.ReplaceAll(shown, maskNamed)...)
			m.partial[way] = append(before[:0], whole[max(0, len(whole)-maxPartial):]...)
		}
		if end != nil {
			out = append(out, end...)
			m.hiding[way] = false
			m.partial[way] = m.partial[way][:0]
		}
	}
	return out
}
