package handler

import (
	"hash/maphash"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

var originSeed = maphash.MakeSeed()

// serial reports whether the request must have a connection for itself while it runs:
// it goes over HTTP/1, or by prior knowledge before libcurl 8.0.0.
func (h *Handler) serial() bool {
	if h.plan.PriorKnowledge {
		return !cgo.Features().AtLeast(8, 0, 0)
	}
	return h.url.Scheme != "https" || h.plan.HTTP1 || h.asksHTTP1()
}

// origin is a hash of where the request goes: of the server, and of whether it is shared
// with others at once, never 0.
func (h *Handler) origin(serial bool) uint64 {
	host, port := strings.ToLower(h.url.Host), ":443"
	if h.url.Scheme == "http" {
		port = ":80"
	}
	key := maphash.String(originSeed, strings.TrimSuffix(host, port))<<3 | 1
	if serial {
		key |= 2
	}
	if h.url.Scheme == "http" {
		key |= 4
	}
	return key
}
