package handler

import (
	"hash/maphash"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

var originSeed = maphash.MakeSeed()

// origin is a hash of where the request goes if it may share a connection there with
// others at once, 0 if not: before libcurl 8.0.0 none can by prior knowledge.
func (h *Handler) origin() uint64 {
	shares := h.plan.PriorKnowledge && cgo.Features().AtLeast(8, 0, 0)
	if h.url.Scheme == "https" && !h.plan.HTTP1 {
		shares = true
	}
	if !shares {
		return 0
	}
	return maphash.String(originSeed, strings.TrimSuffix(strings.ToLower(h.url.Host), ":443")) | 1
}
