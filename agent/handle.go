package agent

import (
	"errors"
	"runtime"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
)

// Handle is the way to an agent. When the last reference to it is dropped
// without Close, the agent ends by itself, and what is pending fails.
type Handle struct{ a *agent }

// errHandleDropped is why an agent ends whose handle was collected.
var errHandleDropped = errors.New("its handle was dropped")

// Start makes an agent with the given options of its multi handle.
func Start(o *cgo.MultiOptions) (*Handle, error) {
	m, err := cgo.NewMulti(o)
	if err != nil {
		return nil, failure.Wrap(failure.Internal, err)
	}
	a := &agent{
		mailbox: make(chan message, mailboxSize),
		stopped: make(chan struct{}),
		m:       m,
		pool:    &cgo.Pool{},
	}
	go a.run()
	h := &Handle{a}
	runtime.AddCleanup(h, func(a *agent) { a.stop(errHandleDropped) }, a)
	return h, nil
}

// Driver is the agent as its handlers see it.
func (h *Handle) Driver() handler.Driver { return h.a }

// Pool is where transfers for this agent come from.
func (h *Handle) Pool() *cgo.Pool { return h.a.pool }

// Load is the number of requests given to the agent that have not ended.
func (h *Handle) Load() int64 { return h.a.load.Load() }

// Execute gives the agent a request.
func (h *Handle) Execute(r *handler.Handler) {
	defer runtime.KeepAlive(h)
	r.Watch()
	h.a.load.Add(1)
	if !h.a.post(message{kind: execute, h: r}) {
		<-h.a.stopped
		r.End(h.a.stopError())
		h.a.load.Add(-1)
	}
}

// CloseIdle closes the connections that no request uses.
func (h *Handle) CloseIdle() {
	done := make(chan struct{})
	if h.a.post(message{kind: closeIdle, reply: func(*agent) { close(done) }}) {
		select {
		case <-done:
		case <-h.a.stopped:
		}
	}
}

// Stats is a snapshot of an agent.
type Stats struct {
	cgo.LoopStats
	Requests int // in the multi handle
}

// Stats asks the agent for its counters; zero when it has ended.
func (h *Handle) Stats() Stats {
	c := make(chan Stats, 1)
	if h.a.post(message{kind: stats, reply: func(a *agent) { c <- Stats{a.m.Stats(), a.live} }}) {
		select {
		case s := <-c:
			return s
		case <-h.a.stopped:
		}
	}
	return Stats{}
}

// Close refuses new work, ends what runs and waits until the agent has ended. It
// may be called more than once and from any goroutine.
func (h *Handle) Close() {
	h.a.stop(nil)
	<-h.a.stopped
	runtime.KeepAlive(h)
}

// errClosed is the cause of an orderly end.
var errClosed = failure.New(failure.Closed, "")

func (a *agent) stop(cause error) {
	a.post(message{kind: closeNow, reply: func(a *agent) {
		a.closing = true
		a.cause = cause
	}})
}
