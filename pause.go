package ratmom

import (
	"net/http"
	"sync"
	"time"

	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
)

// pause is the wait before a repeat. It is a timer and costs no goroutine; the request's
// context, its future's Cancel and the client's Close end it early.
type pause struct {
	req  *http.Request // to send behind it
	wake func()        // called once, at its end

	mu    sync.Mutex
	ended bool
	err   error // why it was given up; read after wake was called
	timer *time.Timer
	unctx func() bool
	over  chan struct{}
	set   *pauses
}

// wait sends req after d.
func (x *exchange) wait(req *http.Request, d time.Duration) {
	p := &pause{req: req, wake: x.wake, set: &x.client.pauses}
	x.tries.pause = p
	p.begin(d)
	if x.fut != nil {
		x.fut.pausing(p)
	}
}

// ended takes the wait that is over, if there was one.
func (t *tries) ended() (p *pause) {
	if t != nil {
		p, t.pause = t.pause, nil
	}
	return p
}

func (p *pause) begin(d time.Duration) {
	p.mu.Lock()
	open := p.set.add(p)
	p.timer = time.AfterFunc(d, func() { p.end(nil) })
	p.unctx, p.over = handler.Watch(p.req, p.end)
	p.mu.Unlock()
	if !open {
		p.end(failure.New(failure.Closed, ""))
	}
}

// end ends the wait, with the reason if that is not its time.
func (p *pause) end(err error) {
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return
	}
	p.ended, p.err = true, err
	p.timer.Stop()
	if p.unctx != nil {
		p.unctx()
	}
	if p.over != nil {
		close(p.over)
	}
	p.mu.Unlock()
	p.set.remove(p)
	p.wake()
}

// giveUp returns the error of an exchange whose wait was ended early.
func (x *exchange) giveUp(p *pause) error {
	if p.req.Body != nil {
		go p.req.Body.Close() // user code that may block
	}
	return handler.GivenUp(p.req, x.plan, p.err)
}

// pauses are those of a client.
type pauses struct {
	mu     sync.Mutex
	set    map[*pause]struct{}
	closed bool
}

func (s *pauses) add(p *pause) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.set == nil {
		s.set = map[*pause]struct{}{}
	}
	s.set[p] = struct{}{}
	return true
}

func (s *pauses) remove(p *pause) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.set, p)
}

func (s *pauses) close() {
	s.mu.Lock()
	s.closed = true
	var all []*pause
	for p := range s.set {
		all = append(all, p)
	}
	s.mu.Unlock()
	for _, p := range all {
		p.end(failure.New(failure.Closed, ""))
	}
}
