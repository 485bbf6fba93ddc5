package listen

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/ratmom/ratmom/internal/usercall"
)

// The pauses of Patient.
const (
	shortestPause = 5 * time.Millisecond
	longestPause  = time.Second
)

// transient are the errors of accept after which it may well succeed: a want that lasts
// until somebody gives something back, and connections that failed before they were
// accepted.
var transient = []error{
	syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
	syscall.ECONNABORTED, syscall.EPROTO, syscall.EPERM,
}

// Patient makes a listener whose Accept waits out a want of file descriptors or memory
// (EMFILE, ENFILE, ENOBUFS, ENOMEM), in pauses that grow from 5 ms to a second, and
// passes over connections that failed before they were accepted. Others wait in the
// kernel meanwhile. report, unless nil, is told of every such error and of the pause that
// follows; it is called by Accept.
func Patient(l net.Listener, report func(err error, pause time.Duration)) net.Listener {
	return &patient{Listener: l, report: report, closed: make(chan struct{})}
}

type patient struct {
	net.Listener
	report func(error, time.Duration)
	once   sync.Once
	closed chan struct{}
}

func (p *patient) Accept() (net.Conn, error) {
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		c, err := p.Listener.Accept()
		if err == nil || !among(err, transient) {
			return c, err
		}
		if p.report != nil {
			usercall.Run("the report of Patient", func() { p.report(err, pause) })
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-p.closed:
			timer.Stop()
			return nil, closedError(p.Listener)
		}
	}
}

func (p *patient) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.Listener.Close()
}

func among(err error, list []error) bool {
	for _, e := range list {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// closedError is what Accept of a closed listener gives.
func closedError(l net.Listener) error {
	return &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
}
