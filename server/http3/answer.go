package http3

import (
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	h3 "github.com/quic-go/quic-go/http3"
)

// pieceSize is how much of an answer is given to a stream at a time: what the client has taken shows in whole pieces.
const pieceSize = 16 << 10

// answer is the http.ResponseWriter of a request where WriteRate is in force: what the window of its stream
// holds up is ended by a deadline.
type answer struct {
	http.ResponseWriter
	control *http.ResponseController
	pace    pace

	mu  sync.Mutex
	own bool // the handler has set a deadline, or has the stream

	failed error // sticky: the client is too slow
}

var (
	_ http.Flusher    = (*answer)(nil)
	_ h3.HTTPStreamer = (*answer)(nil)
	_ h3.Settingser   = (*answer)(nil)
)

// handle calls the handler, with an eye on its writes. A stream that is cut off is reset: its end would
// be that of an answer.
func (s *Server) handle(handler http.Handler, w http.ResponseWriter, r *http.Request) {
	rate, grace := s.writeRate()
	if rate == 0 {
		handler.ServeHTTP(w, r)
		return
	}
	a := &answer{ResponseWriter: w, control: http.NewResponseController(w), pace: pace{rate: rate, grace: grace}}
	handler.ServeHTTP(a, r)
	if a.failed != nil {
		panic(http.ErrAbortHandler)
	}
	a.arm(pieceSize) // for what quic-go has kept back
}

// writeRate is no rate where there is none.
func (s *Server) writeRate() (rate int, grace time.Duration) {
	rate, grace = s.WriteRate, s.WriteGrace
	if rate < 0 || grace < 0 {
		return 0, 0
	}
	if rate == 0 {
		rate = DefaultWriteRate
	}
	if grace == 0 {
		grace = DefaultWriteGrace
	}
	return rate, grace
}

// arm gives a write of n bytes its time, unless the handler does that.
func (a *answer) arm(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.own {
		_ = a.control.SetWriteDeadline(time.Now().Add(a.pace.left(n)))
	}
}

// timed does a write of n bytes.
func (a *answer) timed(n int, write func() error) error {
	if a.failed != nil {
		return a.failed
	}
	a.arm(n)
	begun := time.Now()
	err := write()
	a.pace.took(n, time.Since(begun))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if !a.own {
			a.failed = err
		}
	}
	return err
}

// Write is http.ResponseWriter's.
func (a *answer) Write(p []byte) (n int, err error) {
	for {
		piece := p[n:min(len(p), n+pieceSize)]
		err = a.timed(len(piece), func() error {
			m, err := a.ResponseWriter.Write(piece)
			n += m
			return err
		})
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// WriteHeader is http.ResponseWriter's. Informational answers leave at once.
func (a *answer) WriteHeader(status int) {
	if a.failed == nil {
		a.arm(0)
		a.ResponseWriter.WriteHeader(status)
	}
}

// Flush is http.Flusher's.
func (a *answer) Flush() { _ = a.FlushError() }

// FlushError is for http.ResponseController.
func (a *answer) FlushError() error { return a.timed(0, a.control.Flush) }

// SetWriteDeadline is for http.ResponseController. The handler's own takes the place of WriteRate.
func (a *answer) SetWriteDeadline(t time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.own = !t.IsZero()
	return a.control.SetWriteDeadline(t)
}

// HTTPStream gives the stream to the handler, and nobody looks after it any more.
func (a *answer) HTTPStream() (*h3.Stream, error) {
	if a.failed != nil {
		return nil, a.failed
	}
	a.arm(0)
	stream, err := a.ResponseWriter.(h3.HTTPStreamer).HTTPStream()
	if err == nil {
		err = a.SetWriteDeadline(time.Time{})
		a.mu.Lock()
		defer a.mu.Unlock()
		a.own = true // the end of the handler is not that of the stream
	}
	return stream, err
}

// ReceivedSettings is h3.Settingser's.
func (a *answer) ReceivedSettings() <-chan struct{} {
	return a.ResponseWriter.(h3.Settingser).ReceivedSettings()
}

// Settings is h3.Settingser's.
func (a *answer) Settings() *h3.Settings { return a.ResponseWriter.(h3.Settingser).Settings() }

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
