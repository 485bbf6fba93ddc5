package http1

import (
	"bytes"
)

var (
	errFolded = malformed("a line begins with white space")
	errName   = malformed("malformed field name")
	errValue  = malformed("malformed field value")
)

// SplitField cuts a field line, which is not empty, at its colon.
func SplitField(line []byte) (name, value []byte, err error) {
	if line[0] == ' ' || line[0] == '\t' {
		return nil, nil, errFolded
	}
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || !All(line[:colon], &Token) {
		return nil, nil, errName
	}
	if !All(line[colon+1:], &Value) {
		return nil, nil, errValue
	}
	return line[:colon], Trim(line[colon+1:]), nil
}

// MayTrail tells the fields that decide framing, routing or access and so come too late in a trailer
// section (RFC 9110, section 6.5.1).
func MayTrail(key string) bool {
	switch key {
	case "Authorization", "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type", "Cookie",
		"Expect", "Host", "Keep-Alive", "Max-Forwards", "Proxy-Authorization", "Proxy-Connection", "Range", "Te",
		"Trailer", "Transfer-Encoding", "Upgrade":
		return false
	}
	return true
}
