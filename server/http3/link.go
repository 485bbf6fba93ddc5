package http3

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	h3 "github.com/quic-go/quic-go/http3"
)

// settle is how long a connection must be without a request, after GOAWAY, to be closed:
// one that was under way when GOAWAY left is still to be answered.
const settle = 250 * time.Millisecond

// link is one connection.
type link struct {
	conn     *quic.Conn
	complete <-chan struct{} // closed when the handshake is

	mu     sync.Mutex
	active int       // requests at work
	since  time.Time // when the last one ended
}

type linkKey struct{}

// connect is the inner server's ConnContext.
func (s *Server) connect(ctx context.Context, c *quic.Conn) context.Context {
	l := &link{conn: c, complete: c.HandshakeComplete(), since: time.Now()}
	s.mu.Lock()
	s.links[l] = struct{}{}
	s.mu.Unlock()
	context.AfterFunc(c.Context(), func() {
		s.mu.Lock()
		delete(s.links, l)
		s.mu.Unlock()
	})
	if s.ConnContext != nil {
		ctx = s.ConnContext(ctx, c)
	}
	return context.WithValue(ctx, linkKey{}, l)
}

// serve is the inner server's handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	handler := s.Handler
	if handler == nil {
		handler = http.DefaultServeMux
	}
	if l, ok := r.Context().Value(linkKey{}).(*link); ok {
		l.begin()
		defer l.end()
		if !l.settled(r) {
			return
		}
	}
	if !plain(r) {
		http.Error(w, "400 Bad Request: malformed request target or Host", http.StatusBadRequest)
		return
	}
	s.handle(handler, w, r)
}

func (l *link) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active++
}

func (l *link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.active--; l.active == 0 {
		l.since = time.Now()
	}
}

// idle says whether there has been no request for a while.
func (l *link) idle(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.active == 0 && now.Sub(l.since) >= settle
}

// settled marks a request that may be a repetition, and waits until it is none if that
// matters; false if the client has gone before.
func (l *link) settled(r *http.Request) bool {
	select {
	case <-l.complete:
		return true
	default:
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		r.Header.Set("Early-Data", "1")
		return true
	}
	select {
	case <-l.complete:
		return true
	case <-r.Context().Done():
		return false
	}
}

// closeIdle closes connections that have nothing to do until done is closed. Clients
// should do so when they get GOAWAY; those that wait for their next request do not.
func (s *Server) closeIdle(done <-chan struct{}) {
	// For those that were idle before, the time begins with GOAWAY.
	begin := time.Now()
	tick := time.NewTicker(settle / 5)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			if now.Sub(begin) < settle {
				continue
			}
			s.closeLinks(func(l *link) bool { return l.idle(now) })
		case <-done:
			return
		}
	}
}

// closeLinks closes those connections that want says.
func (s *Server) closeLinks(want func(*link) bool) {
	s.mu.Lock()
	var links []*link
	for l := range s.links {
		if want(l) {
			links = append(links, l)
		}
	}
	s.mu.Unlock()
	for _, l := range links {
		_ = l.conn.CloseWithError(quic.ApplicationErrorCode(h3.ErrCodeNoError), "")
	}
}
