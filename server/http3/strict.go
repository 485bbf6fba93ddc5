package http3

import (
	"net/http"
	"strings"
)

// plain reports whether the target and the host of a request could stand in a head of HTTP/1: what quic-go lets
// through, a program behind this one may write there, where a space ends the target.
func plain(r *http.Request) bool {
	return visible(r.RequestURI, "#") && visible(r.Host, "/?#@\\\"<>^`{|}")
}

// visible reports whether s has printable ASCII alone, without spaces and without some of it.
func visible(s, but string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte(but, s[i]) >= 0 {
			return false
		}
	}
	return true
}
