package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/http2"
)

// http2Side is what HTTP/2 takes: golang.org/x/net/http2 on the same handler, contexts and hooks.
type http2Side struct {
	base      *http.Server // what http2 takes for its settings, and the value of http.ServerContextKey
	server    *http2.Server
	tlsConfig *tls.Config
	http1     bool
	clear     bool // without TLS, by prior knowledge
}

func (h *http2Side) prepare(s *Server) {
	protocols := s.Protocols
	if protocols == nil {
		protocols = new(http.Protocols)
		protocols.SetHTTP1(true)
		protocols.SetHTTP2(true)
	}
	h.http1, h.clear = protocols.HTTP1(), protocols.UnencryptedHTTP2()
	h.tlsConfig = s.TLSConfig.Clone()
	if h.tlsConfig == nil {
		h.tlsConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	h.base = &http.Server{
		Addr: s.Addr, Handler: http.HandlerFunc(s.handle), ErrorLog: s.ErrorLog,
		ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout, IdleTimeout: s.idleTimeout(),
		MaxHeaderBytes: min(s.limits.HeadBytes, 1<<30), TLSConfig: h.tlsConfig,
	}
	if s.ConnState != nil {
		h.base.ConnState = func(nc net.Conn, state http.ConnState) {
			if p, ok := nc.(*prefixed); ok {
				nc = p.Conn
			}
			s.ConnState(nc, state)
		}
	}
	if protocols.HTTP2() || h.clear {
		h.server = &http2.Server{}
		if err := http2.ConfigureServer(h.base, h.server); err != nil {
			s.logf("server: HTTP/2 is left out: %v", err)
			h.server, h.clear = nil, false
		}
	}
	offer := h.tlsConfig.NextProtos
	offer = slices.DeleteFunc(slices.Clone(offer), func(p string) bool { return p == "h2" || p == "http/1.1" || p == "http/1.0" })
	if h.http1 {
		offer = slices.Insert(offer, 0, "http/1.1")
	}
	if h.server != nil && protocols.HTTP2() {
		offer = slices.Insert(offer, 0, "h2")
	}
	h.tlsConfig.NextProtos = offer
}

// wants reports whether a connection speaks HTTP/2: TLS has agreed on it, or the preface of prior
// knowledge is what comes first.
func (h *http2Side) wants(c *conn) bool {
	if c.tls != nil {
		return c.tls.NegotiatedProtocol == "h2" && h.server != nil
	}
	if !h.clear {
		return false
	}
	preface := []byte(http2.ClientPreface)
	for {
		got := c.in.pending()
		got = got[:min(len(got), len(preface))]
		if !bytes.HasPrefix(preface, got) {
			return false
		}
		if len(got) == len(preface) {
			return true
		}
		// What fails here, fails the HTTP/1 reader too, which knows what to say.
		if c.awaitBytes() != nil {
			return false
		}
	}
}

// serve runs an HTTP/2 connection to its end.
func (h *http2Side) serve(c *conn) {
	c.mu.Lock()
	c.fresh, c.headBegun = false, true // GOAWAY ends it, not closeIfIdle
	c.mu.Unlock()
	c.setReadDeadline(time.Time{})
	rwc := c.rwc
	if pending := c.in.pending(); len(pending) > 0 {
		rwc = &prefixed{slices.Clone(pending), c.rwc}
		c.in.drop()
	}
	h.server.ServeConn(rwc, &http2.ServeConnOpts{Context: c.ctx, BaseConfig: h.base, Handler: h.base.Handler})
}

// shutdown has all HTTP/2 connections say GOAWAY.
func (h *http2Side) shutdown() {
	if h.server != nil {
		_ = h.base.Shutdown(context.Background()) // it has no connections to wait for
	}
}
