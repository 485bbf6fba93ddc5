package handler

import (
	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
)

// WebSocketSupported reports whether this libcurl can be used for WebSockets. Before
// 8.14.0 it answers a ping by itself, even in the midst of a frame that is being sent.
func WebSocketSupported(f *cgo.FeatureSet) bool { return f.WebSocket && f.AtLeast(8, 14, 0) }

// prepareWebSocket sets up a transfer that connects and upgrades.
func (h *Handler) prepareWebSocket() (err error) {
	h.upgrade = true // no body, no compression
	if h.source, err = body.FromRequest(h.spec.Request); err != nil {
		return err
	}
	h.target = h.url.RequestURI()
	if h.t, err = h.pool.Get(nil, nil); err != nil {
		return failure.Wrap(failure.Internal, err)
	}
	b := optionsPool.Get().(*optionBuffers)
	defer optionsPool.Put(b)
	b.reset()
	o := &b.all
	if err := h.plan.Config.Encode(o, h.url); err != nil {
		return err
	}
	if p, err := h.plan.Proxy(h.url); err != nil {
		return err
	} else if p != nil {
		h.plan.Config.EncodeProxyHeaders(o)
	}
	if err := h.encodeURL(o); err != nil {
		return err
	}
	if err := h.setDeadline(); err != nil {
		return err
	}
	h.conn.relayed = true
	setup := cgo.Setup{
		ID:        h.ID,
		HighWater: h.plan.HighWater,
		MaxHead:   h.plan.MaxHead,
		Infos:     h.plan.Infos,
		AuthArmed: h.plan.AuthArmed,
		Debug:     h.plan.Wire,
		Tunnel:    cgo.TunnelWebSocket,

		TLS:          h.url.Scheme == "https",
		TLSInTLS:     h.tlsInTLS(),
		Certificates: h.plan.Certificates && h.url.Scheme == "https",
	}
	o.String(cgo.OptProtocolsStr, "ws,wss")
	o.Long(cgo.OptConnectOnly, cgo.ConnectOnlyWebSocket)
	o.Long(cgo.OptWSOptions, cgo.WSNoAutoPong)
	o.Long(cgo.OptHTTPProxyTunnel, 1)
	if h.tlsToProxy() {
		// Over HTTP/2 libcurl takes bytes without telling when they are sent.
		o.Long(cgo.OptProxyType, cgo.ProxyTypeHTTPS)
	}
	o.Long(cgo.OptHTTPVersion, int64(cgo.HTTPVersion11))
	o.Long(cgo.OptFreshConnect, 1)
	o.Long(cgo.OptForbidReuse, 0) // it would close the connection at once
	if err := h.encodeHeaders(o, &setup); err != nil {
		return err
	}
	if err := h.t.Prepare(&setup, o); err != nil {
		return failure.Wrap(failure.InvalidOption, err)
	}
	return nil
}

// UpgradeHead is the head with which a WebSocket was opened.
func (h *Handler) UpgradeHead() (*Head, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return ParseHead(h.head)
}
