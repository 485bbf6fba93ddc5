package config

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ratmom/ratmom/internal/valid"
)

// DefaultHeader adds a header field to all requests of a client that do not have
// a field of that name themselves. Several of the same name are sent in the order
// given.
//
// Name and value must be valid; fields that belong to one message or connection
// (Content-Length, Transfer-Encoding, Trailer, Connection, Upgrade, Expect) and
// Host (http.Request.Host) are errors.
func DefaultHeader(name, value string) ClientOption {
	return forClient(defaultHeaders{set: http.Header{http.CanonicalHeaderKey(name): {value}}})
}

// DefaultHeaders sets the header fields that all requests of a client get which
// do not have a field of that name themselves, in place of all given before. The
// rules are those of [DefaultHeader].
func DefaultHeaders(h http.Header) ClientOption {
	set := make(http.Header, len(h))
	for name, values := range h {
		key := http.CanonicalHeaderKey(name)
		set[key] = append(set[key], values...)
	}
	return forClient(defaultHeaders{set: set, all: true})
}

// DefaultHeaders returns the client's default header fields, nil if it has none.
// It is shared: do not change it.
func (c *ClientConfig) DefaultHeaders() http.Header {
	s, _ := lookupClient[defaultHeaders](c)
	return s.set
}

// DefaultHeaders returns those of the request's client. It is shared: do not
// change it.
func (r *RequestConfig) DefaultHeaders() http.Header { return r.client.DefaultHeaders() }

type defaultHeaders struct {
	set http.Header
	all bool // replaces what was there
}

// String gives the names only: a value may be a token.
func (s defaultHeaders) String() string {
	names := make([]string, 0, len(s.set))
	for name := range s.set {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func (s defaultHeaders) after(prev setting) setting {
	if s.all {
		return s
	}
	set := prev.(defaultHeaders).set.Clone()
	for name, values := range s.set {
		set[name] = append(set[name], values...)
	}
	s.set = set
	return s
}

func (s defaultHeaders) validate() error {
	for name, values := range s.set {
		switch name {
		case "Content-Length", "Transfer-Encoding", "Trailer", "Connection", "Upgrade", "Expect":
			return invalid("DefaultHeader", name, "belongs to a single message")
		case "Host":
			return invalid("DefaultHeader", name, "is set by http.Request.Host")
		}
		if err := valid.Header(http.Header{name: values}); err != nil {
			return invalid("DefaultHeader", name, "%v", err)
		}
	}
	return nil
}
