package handler

import (
	"bytes"
	"strings"
)

// foldedFraming reports whether a field that says where the body ends is spread
// over lines. libcurl reads such a field line by line, our parser as one, and a
// body that the two see differently could be cut short in silence.
func foldedFraming(head []byte) bool {
	if !bytes.Contains(head, []byte("\n ")) && !bytes.Contains(head, []byte("\n\t")) {
		return false
	}
	framing := false
	for line := range bytes.Lines(head) {
		if line[0] == ' ' || line[0] == '\t' {
			if framing {
				return true
			}
			continue
		}
		name, _, _ := bytes.Cut(line, []byte(":"))
		framing = framingField(string(bytes.TrimSpace(name)))
	}
	return false
}

// framingField reports whether it is the name of a field that says where the body ends.
func framingField(name string) bool {
	return strings.EqualFold(name, "Transfer-Encoding") || strings.EqualFold(name, "Content-Length")
}
