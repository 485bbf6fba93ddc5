package frame

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Failure is the payload of a frame with the flag Err: what went wrong, beside
// the status.
type Failure struct {
	App     uint16
	Never   bool // the request was not executed
	Message string
	Details []byte
}

const (
	maxMessage = 4 << 10
	maxDetails = 8 << 10
)

// Append appends the failure to b. Words beyond 4 KiB and details beyond 8 are
// left out, and what is not UTF-8 in the words is replaced.
func (f *Failure) Append(b []byte) []byte {
	message, details := words(f.Message), f.Details
	if len(details) > maxDetails {
		details = nil
	}
	var never byte
	if f.Never {
		never = 1
	}
	b = append(b, byte(f.App>>8), byte(f.App), never, byte(len(message)>>8), byte(len(message)))
	return append(append(b, message...), details...)
}

// words is as much of s as an error may say. It ends with a whole rune.
func words(s string) string {
	if len(s) > maxMessage {
		n := maxMessage
		for n > maxMessage-utf8.UTFMax && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "?")
}

// Parse reads a failure. What it keeps is a copy.
func (f *Failure) Parse(b []byte) error {
	if len(b) < 5 {
		return ErrShort
	}
	n := int(binary.BigEndian.Uint16(b[3:]))
	if n > len(b)-5 {
		return ErrShort
	}
	*f = Failure{App: binary.BigEndian.Uint16(b), Never: b[2] == 1, Message: string(b[5 : 5+n])}
	if rest := b[5+n:]; len(rest) > 0 {
		f.Details = append([]byte(nil), rest...)
	}
	return nil
}
