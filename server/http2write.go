package server

import (
	"net/http"
	"sync"
	"time"
)

// streamPiece is how much of an answer is given to a stream at a time: what the client has taken shows in
// whole pieces.
const streamPiece = 16 << 10

// stream is the http.ResponseWriter of an HTTP/2 request where WriteRate is in force: what one of its
// client's windows holds up, its connection does not show.
type stream struct {
	http.ResponseWriter
	server  *Server
	control *http.ResponseController
	writing writing

	mu      sync.Mutex
	limited bool // the handler has set a deadline of its own
	ended   bool
}

var (
	_ http.Flusher = (*stream)(nil)
	_ http.Pusher  = (*stream)(nil)
)

// handleStream calls the handler, while the patrol looks after its writes.
func (s *Server) handleStream(w http.ResponseWriter, r *http.Request) {
	if s.limits.WriteRate == 0 {
		s.handle(w, r)
		return
	}
	st := &stream{ResponseWriter: w, server: s, control: http.NewResponseController(w)}
	s.mu.Lock()
	if s.streams == nil {
		s.streams = make(map[*stream]struct{})
	}
	s.streams[st] = struct{}{}
	s.mu.Unlock()
	defer st.end()
	s.handle(st, r)
}

// end leaves what net/http still has to write its time.
func (st *stream) end() {
	s := st.server
	s.mu.Lock()
	delete(s.streams, st)
	s.mu.Unlock()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.ended = true
	if !st.limited && s.WriteTimeout <= 0 {
		_ = st.control.SetWriteDeadline(time.Now().Add(s.limits.WriteGrace + timeFor(streamPiece, s.limits.WriteRate)))
	}
}

// cut resets the stream, whose handler's write then fails.
func (st *stream) cut() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.ended {
		_ = st.control.SetWriteDeadline(time.Unix(1, 0))
	}
}

// Write is http.ResponseWriter's.
func (st *stream) Write(p []byte) (n int, err error) {
	for {
		piece := p[n:min(len(p), n+streamPiece)]
		st.writing.piece.Store(int64(max(len(piece), 1)))
		m, e := st.ResponseWriter.Write(piece)
		st.writing.end(int64(m))
		n += m
		if e != nil || n == len(p) {
			return n, e
		}
	}
}

// WriteString is io.StringWriter's.
func (st *stream) WriteString(p string) (int, error) { return st.Write([]byte(p)) }

// Flush is http.Flusher's.
func (st *stream) Flush() { _ = st.FlushError() }

// FlushError is for http.ResponseController.
func (st *stream) FlushError() error {
	st.writing.piece.Store(1)
	defer st.writing.end(0)
	return st.control.Flush()
}

// SetWriteDeadline is for http.ResponseController.
func (st *stream) SetWriteDeadline(t time.Time) error {
	st.mu.Lock()
	st.limited = !t.IsZero()
	st.mu.Unlock()
	return st.control.SetWriteDeadline(t)
}

// Push is http.Pusher's.
func (st *stream) Push(target string, options *http.PushOptions) error {
	if p, ok := st.ResponseWriter.(http.Pusher); ok {
		return p.Push(target, options)
	}
	return http.ErrNotSupported
}

// CloseNotify is http.CloseNotifier's, for old handlers.
func (st *stream) CloseNotify() <-chan bool {
	return st.ResponseWriter.(http.CloseNotifier).CloseNotify() //nolint:staticcheck // see above
}

// Unwrap is for http.ResponseController: what is not here is net/http's.
func (st *stream) Unwrap() http.ResponseWriter { return st.ResponseWriter }
