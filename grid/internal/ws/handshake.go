package ws

import (
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it; nothing secret depends on it
	"encoding/base64"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

const version = "13"

// acceptFor is the answer to a client's key (RFC 6455, section 4.2.2).
func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// upgrades says whether h asks for, or grants, the upgrade to a WebSocket.
func upgrades(h http.Header) bool {
	return httpguts.HeaderValuesContainsToken(h["Connection"], "upgrade") &&
		httpguts.HeaderValuesContainsToken(h["Upgrade"], "websocket")
}

// only is the value of a field that must be there once.
func only(h http.Header, name string) (string, bool) {
	v := h[name]
	if len(v) != 1 {
		return "", false
	}
	return strings.Trim(v[0], " \t"), true
}
