package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// http2Side is what HTTP/2 takes: net/http's, on the same handler, contexts and hooks. Connections
// that have agreed on it are handed to an http.Server that speaks nothing else.
type http2Side struct {
	base      *http.Server // and the value of http.ServerContextKey
	tlsConfig *tls.Config
	tls       bool // over TLS
	clear     bool // without, by prior knowledge
	alone     bool // there is no HTTP/1 beside it

	mu    sync.Mutex
	conns map[net.Conn]*handedConn
}

// handedConn is a connection that the http.Server has.
type handedConn struct {
	conn  *conn
	ended chan struct{}
}

const (
	protoHTTP1 = "http/1.1"
	protoHTTP2 = "h2"
	preface    = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" // RFC 9113, section 3.4
)

func (h *http2Side) prepare(s *Server) {
	protocols := s.Protocols
	if protocols == nil {
		protocols = new(http.Protocols)
		protocols.SetHTTP1(true)
		protocols.SetHTTP2(true)
	}
	h.tls, h.clear, h.alone = protocols.HTTP2(), protocols.UnencryptedHTTP2(), !protocols.HTTP1()
	h.tlsConfig = s.TLSConfig.Clone()
	if h.tlsConfig == nil {
		h.tlsConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	offer := slices.DeleteFunc(slices.Clone(h.tlsConfig.NextProtos), func(p string) bool {
		return p == protoHTTP2 || p == protoHTTP1
	})
	if protocols.HTTP1() {
		offer = slices.Insert(offer, 0, protoHTTP1)
	}
	if h.tls {
		offer = slices.Insert(offer, 0, protoHTTP2)
	}
	h.tlsConfig.NextProtos = offer

	only := new(http.Protocols)
	only.SetHTTP2(true)
	only.SetUnencryptedHTTP2(true)
	h.base = &http.Server{
		Addr: s.Addr, Handler: http.HandlerFunc(s.handleHTTP2), ErrorLog: log.New(logWriter{s}, "", 0), Protocols: only,
		TLSConfig: h.tlsConfig.Clone(), MaxHeaderBytes: min(s.limits.HeadBytes, 1<<30),
		ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout, IdleTimeout: s.idleTimeout(),
		ConnContext: func(_ context.Context, nc net.Conn) context.Context { return h.find(nc).conn.ctx },
		ConnState:   h.connState,
	}
	// The frames of RFC 9113's default, as with other servers: a connection may hold one, and net/http's
	// own limit is a megabyte.
	h.base.HTTP2 = &http.HTTP2Config{MaxReadFrameSize: 16 << 10}
	if s.limits.WriteRate > 0 {
		h.base.HTTP2.WriteByteTimeout = s.limits.WriteGrace
	}
	h.conns = make(map[net.Conn]*handedConn)
}

// handleHTTP2 is handle behind what net/http does not look at: the strict profile, and some limits.
func (s *Server) handleHTTP2(w http.ResponseWriter, r *http.Request) {
	fields := 0
	for _, values := range r.Header {
		fields += len(values)
	}
	refused := s.checkHTTP2(r)
	switch most := s.limits.BodyBytes; {
	case refused != nil:
	case len(r.RequestURI) > s.limits.URIBytes:
		refused = errURITooLong
	case fields > s.limits.HeadLines:
		refused = errTooManyFields
	case r.ContentLength > most:
		refused = errBodyTooLarge
	case r.ContentLength < 0 && most < noLimit:
		r.Body = http.MaxBytesReader(w, r.Body, most)
	}
	if refused != nil {
		http.Error(w, refused.Error(), refused.status)
		return
	}
	s.handleStream(w, r)
}

// wants reports whether a connection speaks HTTP/2: TLS has agreed on it, or the preface of prior
// knowledge is what comes first.
func (h *http2Side) wants(c *conn) bool {
	if c.tls != nil {
		return h.tls && c.tls.NegotiatedProtocol == protoHTTP2
	}
	for h.clear {
		got := c.in.pending()
		got = got[:min(len(got), len(preface))]
		switch {
		case !bytes.HasPrefix([]byte(preface), got):
			return false
		case len(got) == len(preface):
			return true
		}
		// What fails here, fails the HTTP/1 reader too, which knows what to say.
		if c.awaitPreface() != nil {
			return false
		}
	}
	return false
}

// awaitPreface waits for more of what may be the preface or a head: the time of both is one.
func (c *conn) awaitPreface() error {
	got := len(c.in.pending())
	if got == 0 {
		err := c.awaitBytes()
		c.firstByte = time.Now()
		return err
	}
	if !c.setReadDeadline(c.headDeadline(c.since, c.firstByte, got)) {
		return errStopped
	}
	return c.in.fill()
}

// serve hands the connection over, and waits for its end.
func (h *http2Side) serve(c *conn) {
	c.mu.Lock()
	c.fresh, c.headBegun = false, true // GOAWAY ends it, not closeIfIdle
	c.mu.Unlock()
	c.setReadDeadline(time.Time{})
	nc := c.rwc
	if pending := c.in.pending(); len(pending) > 0 {
		nc = &prefixed{slices.Clone(pending), c.rwc}
		c.in.drop()
	}
	handed := &handedConn{c, make(chan struct{})}
	h.mu.Lock()
	h.conns[nc] = handed
	h.mu.Unlock()
	l := &oneConn{nc}
	_ = h.base.Serve(l) // until there is no second one, or it is shutting down
	if l.conn == nil {
		<-handed.ended
	}
	h.mu.Lock()
	delete(h.conns, nc)
	h.mu.Unlock()
}

func (h *http2Side) find(nc net.Conn) *handedConn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.conns[nc]
}

// connState passes the states on that the connection itself does not tell of.
func (h *http2Side) connState(nc net.Conn, state http.ConnState) {
	handed := h.find(nc)
	switch state {
	case http.StateActive, http.StateIdle:
		handed.conn.connState(state)
	case http.StateClosed:
		close(handed.ended)
	}
}

// shutdown has all HTTP/2 connections say GOAWAY. Its Shutdown begins that and then would wait, which
// is not wanted: ours waits.
func (h *http2Side) shutdown(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	_ = h.base.Shutdown(ctx)
}

// close ends what shutdown would wait for.
func (h *http2Side) close() { _ = h.base.Close() }

// oneConn is a listener with one connection, so that no goroutine waits where none comes.
type oneConn struct{ conn net.Conn }

// Accept gives the connection.
func (l *oneConn) Accept() (net.Conn, error) {
	nc := l.conn
	if nc == nil {
		return nil, io.EOF
	}
	l.conn = nil
	return nc, nil
}

// Close does nothing: the connection is not the listener's any more.
func (*oneConn) Close() error { return nil }

// Addr is of no use to anybody.
func (*oneConn) Addr() net.Addr { return &net.TCPAddr{} }
