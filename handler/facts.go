package handler

import (
	"net/netip"

	"github.com/ratmom/ratmom/cgo"
)

// Err is why there is no response.
func (h *Handler) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// Status is the status of the final head, for decisions before it is parsed.
func (h *Handler) Status() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.status
}

// LocalAddr and RemoteAddr are those of the connection.
func (h *Handler) LocalAddr() netip.AddrPort {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.local
}

func (h *Handler) RemoteAddr() netip.AddrPort {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.remote
}

// Reused reports whether the connection was there before.
func (h *Handler) Reused() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reused
}

// Infos returns libcurl's figures of the transfer, once it has ended, if the
// plan asked for them.
func (h *Handler) Infos() (cgo.Infos, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.infos == nil {
		return cgo.Infos{}, false
	}
	return *h.infos, true
}

// Proxy is the URL of the proxy that the transfer goes through, without its secrets; ""
// if there is none.
func (h *Handler) Proxy() string {
	u, err := h.plan.Config.ProxyFor(h.url)
	if u == nil || err != nil {
		return ""
	}
	return u.String()
}
