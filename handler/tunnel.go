package handler

import (
	"os"
	"strings"
	"time"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
)

// lingerTime is how long the bytes that were written before a tunnel was closed may
// take to leave.
const lingerTime = 5 * time.Second

// tunnel is what becomes of a handler that makes a connection. One without TLS on the
// way is over when the connection is there: the caller has the socket. Otherwise the
// transfer runs as long as the tunnel is open.
type tunnel struct {
	file    *os.File // the caller's end, until it is taken
	err     error    // why it ended, if not by itself
	proxied bool     // there is a proxy on the way
	open    bool     // it has been handed over; agent only
	relayed bool     // the transfer runs as long as it is open
}

// prepareTunnel sets up a transfer that only connects.
func (h *Handler) prepareTunnel() error {
	host, err := asciiHost(h.url.Host)
	if err != nil {
		return err
	}
	// A tunnel goes through the proxies that https URLs go through.
	target := h.proxiedURL()
	if h.t, err = h.pool.Get(nil, nil); err != nil {
		return failure.Wrap(failure.Internal, err)
	}
	b := optionsPool.Get().(*optionBuffers)
	defer optionsPool.Put(b)
	b.reset()
	o := &b.all
	if err := h.plan.Config.Encode(o, target); err != nil {
		return err
	}
	if err := h.setDeadline(); err != nil {
		return err
	}
	setup := cgo.Setup{ID: h.ID, Infos: h.plan.Infos, Debug: h.plan.Wire, Tunnel: cgo.TunnelSocket}
	if p, err := h.plan.Proxy(target); err != nil {
		return err
	} else if p != nil {
		h.conn.proxied = true
		h.conn.relayed = strings.HasPrefix(p.Scheme, "https")
	}
	secured := h.conn.relayed
	// To libcurl it is an http URL if no TLS is spoken with the host.
	scheme := "http://"
	if h.spec.Straight && h.url.Scheme == "https" {
		scheme, h.conn.relayed, setup.TLS = "https://", true, true
	}
	if h.conn.relayed {
		setup.Tunnel = cgo.TunnelRelay
	}
	o.String(cgo.OptURL, scheme, host, "/")
	o.Long(cgo.OptConnectOnly, 1)
	o.Long(cgo.OptHTTPProxyTunnel, 1)
	if secured {
		// Over HTTP/2 libcurl takes bytes without telling when they are sent.
		o.Long(cgo.OptProxyType, cgo.ProxyTypeHTTPS)
	}
	o.Long(cgo.OptHTTPVersion, int64(cgo.HTTPVersion11))
	o.Long(cgo.OptForbidReuse, 0) // it would close the connection at once
	if err := h.t.Prepare(&setup, o); err != nil {
		return failure.Wrap(failure.InvalidOption, err)
	}
	return nil
}

// openTunnel hands the connection over. Agent only.
func (h *Handler) openTunnel() {
	if h.unctx != nil {
		h.unctx() // the context was for connecting
	}
	h.deadline, h.conn.open = 0, true
	file := h.t.TakeTunnel()
	h.mu.Lock()
	h.conn.file = file
	h.local, h.remote = h.t.LocalAddr(), h.t.RemoteAddr()
	h.head = append([]byte(nil), h.t.Head()...) // of a WebSocket
	h.mu.Unlock()
	if !h.complete(nil) { // given up at the last moment
		_ = file.Close()
	}
}

// endTunnel settles a tunnel whose transfer is over; err is nil if it was good. Agent
// only.
func (h *Handler) endTunnel(err error) {
	if err == nil && !h.conn.relayed && !h.Canceled() {
		h.openTunnel()
	}
	h.mu.Lock()
	h.conn.err = err
	h.mu.Unlock()
	h.complete(err)
}

// brokenProxy reports whether a tunnel was not made because its proxy hung up: who else
// might have sent something.
func (h *Handler) brokenProxy(k failure.Kind) bool {
	return h.conn.proxied && (k == failure.Receive || k == failure.Send)
}

// TakeTunnel returns the caller's end of the tunnel, once.
func (h *Handler) TakeTunnel() *os.File {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.conn.file
	h.conn.file = nil
	return f
}

// TunnelErr is why the tunnel has ended, nil if by itself or not at all.
func (h *Handler) TunnelErr() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.conn.err
}

// CloseTunnel says that the caller has closed its end.
func (h *Handler) CloseTunnel() {
	if h.conn.relayed {
		h.spec.Driver.Abandon(h)
	}
}
