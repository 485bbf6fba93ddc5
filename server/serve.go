package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// ListenAndServe listens on Addr and serves; it returns as Serve does.
func (s *Server) ListenAndServe() error {
	l, err := s.listen(":http")
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// ListenAndServeTLS is ListenAndServe with TLS. The files may be empty if TLSConfig has certificates.
func (s *Server) ListenAndServeTLS(certFile, keyFile string) error {
	l, err := s.listen(":https")
	if err != nil {
		return err
	}
	return s.ServeTLS(l, certFile, keyFile)
}

func (s *Server) listen(otherwise string) (net.Listener, error) {
	if s.ending.Load() {
		return nil, http.ErrServerClosed
	}
	addr := s.Addr
	if addr == "" {
		addr = otherwise
	}
	return net.Listen("tcp", addr)
}

// ServeTLS serves TLS on the listener, which it closes.
func (s *Server) ServeTLS(l net.Listener, certFile, keyFile string) error {
	s.prepare()
	config := s.http2.tlsConfig.Clone()
	if len(config.Certificates) == 0 && config.GetCertificate == nil && config.GetConfigForClient == nil ||
		certFile != "" || keyFile != "" {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			_ = l.Close()
			return err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return s.Serve(tls.NewListener(l, config))
}

// Serve accepts connections and serves them, until the listener fails; it closes the listener. After
// Shutdown or Close the error is http.ErrServerClosed, at once: wait for Shutdown to return.
func (s *Server) Serve(l net.Listener) error {
	s.prepare()
	if !s.trackListener(&l) {
		_ = l.Close()
		return http.ErrServerClosed
	}
	defer s.dropListener(&l)
	watcher := newWatcher()
	defer watcher.release()

	base := s.baseContext(l)
	if base == nil {
		return errors.New("server: BaseContext gave no context")
	}
	base = context.WithValue(base, http.ServerContextKey, s.http2.base)
	for delay := time.Duration(0); ; {
		rwc, err := s.accept(l)
		if err == nil {
			delay = 0
			s.accepted(base, rwc, watcher)
			continue
		}
		if s.ending.Load() {
			return http.ErrServerClosed
		}
		if t, ok := err.(interface{ Temporary() bool }); !ok || !t.Temporary() {
			return err
		}
		// No files are left, most likely: others must end first.
		delay = min(max(2*delay, 5*time.Millisecond), time.Second)
		s.logf("server: accepting: %v; again in %v", err, delay)
		time.Sleep(delay)
	}
}

// accepted starts the goroutine of a new connection.
func (s *Server) accepted(base context.Context, rwc net.Conn, watcher *watcher) {
	var c *conn
	defer func() { //nolint:contextcheck // the connection has its context
		if c == nil {
			_ = rwc.Close()
			return
		}
		go c.serve(watcher)
	}()
	ctx := s.connContext(base, rwc)
	if ctx == nil {
		return
	}
	if c = newConn(s, rwc, ctx); !s.track(c) {
		c.cancel()
		c = nil
		return
	}
	c.connState(http.StateNew)
}

// baseContext is nil if the hook gave none.
func (s *Server) baseContext(l net.Listener) context.Context {
	if s.BaseContext == nil {
		return context.Background()
	}
	defer s.recovered("in BaseContext")
	return s.BaseContext(l)
}

// connContext is nil if the hook panicked: what it was to put into the context may be what protects.
func (s *Server) connContext(base context.Context, rwc net.Conn) context.Context {
	if s.ConnContext == nil {
		return base
	}
	defer s.recovered("in ConnContext")
	ctx := s.ConnContext(base, rwc)
	if ctx == nil {
		s.logf("server: ConnContext returned nil")
		return base
	}
	return ctx
}

var errAcceptPanicked = errors.New("server: the listener's Accept panicked")

func (s *Server) accept(l net.Listener) (rwc net.Conn, err error) {
	err = errAcceptPanicked
	defer s.recovered("in Accept")
	return l.Accept()
}

// serve is the first goroutine of a connection: TLS, the protocol, and then the reader's role.
func (c *conn) serve(watcher *watcher) {
	if c.begins(watcher) {
		c.read()
	}
}

// begins does what comes before the reader's role, and reports whether there is one.
func (c *conn) begins(watcher *watcher) (reads bool) {
	defer func() {
		if reads {
			return
		}
		if v := recover(); v != nil {
			c.server.logPanic("serving "+c.remote, v)
			c.abort()
		}
		c.leave()
	}()
	c.identify()
	if t, ok := c.rwc.(*tls.Conn); ok && !c.handshake(t) {
		return false
	}
	if c.server.http2.wants(c) {
		c.server.http2.serve(c)
		return false
	}
	if c.server.http2.alone {
		return false
	}
	if t, ok := c.rwc.(interface{ ConnectionState() tls.ConnectionState }); ok && c.tls == nil {
		state := t.ConnectionState() // TLS by somebody else, or wrapped
		c.tls = &state
	}
	h := watcher.add(c)
	c.watched = h != nil
	c.mu.Lock()
	open := c.state == Open
	if open {
		c.watch = h
	}
	c.mu.Unlock()
	if !open {
		h.remove()
	}
	c.in.wait = newWaiter(c)
	return true
}

// handshake has calls of the user's in it, as GetCertificate; a panic of theirs fails it.
func (c *conn) handshake(t *tls.Conn) (ok bool) {
	defer c.server.recovered("in the TLS handshake with " + c.remote)
	limit := c.server.headTimeout()
	ctx, cancel := context.WithTimeout(c.ctx, limit)
	defer cancel()
	_ = t.SetDeadline(time.Now().Add(limit))
	if err := t.HandshakeContext(ctx); err != nil {
		var record tls.RecordHeaderError
		if errors.As(err, &record) && record.Conn != nil && looksLikeHTTP(record.RecordHeader) {
			_, _ = io.WriteString(record.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nThis port speaks HTTPS, not HTTP.\n")
			err = errors.New("the client speaks HTTP")
		}
		c.server.logf("server: TLS handshake with %s: %v", c.remote, err)
		return false
	}
	_ = t.SetDeadline(time.Time{})
	c.mu.Lock()
	c.since = time.Now()
	c.mu.Unlock()
	state := t.ConnectionState()
	c.tls = &state
	return true
}

func looksLikeHTTP(b [5]byte) bool {
	for _, method := range []string{"GET /", "HEAD ", "POST ", "PUT /", "OPTIO"} {
		if strings.HasPrefix(string(b[:]), method) {
			return true
		}
	}
	return false
}

func (s *Server) trackListener(l *net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending.Load() {
		return false
	}
	if s.listeners == nil {
		s.listeners = make(map[*net.Listener]struct{})
	}
	s.listeners[l] = struct{}{}
	s.serving++
	return true
}

func (s *Server) dropListener(l *net.Listener) {
	s.mu.Lock()
	s.serving--
	_, there := s.listeners[l]
	delete(s.listeners, l)
	s.mu.Unlock()
	if there {
		_ = (*l).Close()
	}
}
