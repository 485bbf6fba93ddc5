package peer

import (
	"net/url"
	"strings"

	"github.com/ratmom/ratmom/internal/failure"
)

// ID names a peer. It can be compared.
type ID struct {
	Scheme string // "http" or "https"
	Host   string // without brackets, in lower case
	Port   string // never empty
	// Proxy is the URL of the proxy that is between, without its secrets; empty if there
	// is none.
	Proxy string
	// Profile is the set of options that [Profile] has named; empty for the map's own.
	Profile string
}

// String returns the peer as an origin, such as "https://example.org:443".
func (id ID) String() string {
	host := id.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	s := id.Scheme + "://" + host + ":" + id.Port
	if id.Profile != "" {
		s += " (" + id.Profile + ")"
	}
	return s
}

var schemePorts = map[string]string{"http": "80", "https": "443"}

// idOf is the identity of who u is for, but for the proxy.
func idOf(u *url.URL, profile string) (ID, error) {
	id := ID{Scheme: strings.ToLower(u.Scheme), Host: strings.ToLower(u.Hostname()), Port: u.Port(), Profile: profile}
	if id.Port == "" {
		id.Port = schemePorts[id.Scheme]
	}
	if id.Port == "" || id.Host == "" {
		return ID{}, failure.Newf(failure.InvalidRequest, "the URL %q names no HTTP server", failure.Mask(u))
	}
	return id, nil
}
