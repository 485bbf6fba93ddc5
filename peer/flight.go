package peer

import (
	"net/http"
	"sync"
	"time"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// flight is a run as its agent knows it: one handler.
type flight struct {
	r *run
	c *call

	mu        sync.Mutex
	h         *handler.Handler // the agent, and whoever it tells, read it without mu
	withdrawn bool

	unheard bool // agent only: see unheard

	head headNews
	end  endNews
}

// launch makes the handler and gives it to the agent.
func (f *flight) launch() {
	h, err := f.prepare()
	if err != nil {
		f.c.peer.decide(func(now time.Time) {
			f.c.peer.s.ended(f.r, outcome{err: err, unsent: true, hopeless: true}, now)
		})
		return
	}
	if h != nil {
		f.r.link.wire.agent.Execute(h)
	}
}

// prepare makes the handler; nil if the run was withdrawn meanwhile.
func (f *flight) prepare() (*handler.Handler, error) {
	c := f.c
	c.launching.Lock()
	defer c.launching.Unlock()
	f.mu.Lock()
	gone := f.withdrawn
	f.mu.Unlock()
	if gone {
		return nil, nil
	}
	if err := f.r.link.wire.err; err != nil {
		return nil, err
	}
	req, err := c.next()
	if err != nil {
		return nil, err
	}
	h := f.make(req)
	if err := h.Prepare(); err != nil {
		c.last = nil
		return nil, err
	}
	c.former, c.last = c.last, h
	f.mu.Lock()
	f.h = h
	gone = f.withdrawn
	f.mu.Unlock()
	if gone {
		h.Withdraw() // the agent ends it as it comes
	}
	return h, nil
}

// make makes the handler. It is apart from prepare because its frame is large, and a goroutine that waits keeps the
// stack that it needed to start.
//
//go:noinline
func (f *flight) make(req *http.Request) *handler.Handler {
	c, w := f.c, &f.r.link.wire
	return handler.Make(w.agent.Pool(), &handler.Spec{
		Request: f.r.link.ep.dress(req), Plan: c.plan, Driver: w.agent.Driver(), Done: f, Watcher: f,
		Link: w.link, Bound: f.r.bound, Owner: c.peer.m.client, TryTime: f.tryTime(), Sent: c.sentFunc(),
	})
}

// tryTime is how long the head may take; 0: any time.
func (f *flight) tryTime() time.Duration {
	if f.r.until.IsZero() {
		return 0
	}
	return max(time.Until(f.r.until), 1)
}

// withdraw takes the run back if it was not sent.
func (f *flight) withdraw() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.h == nil {
		f.withdrawn = true
		return true
	}
	f.withdrawn = f.h.Withdraw()
	return f.withdrawn
}

// revealed reports whether something of the run may have left.
func (f *flight) revealed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.h != nil && f.h.Committed()
}

// drop ends a run whose answer nobody wants.
func (f *flight) drop() {
	f.mu.Lock()
	h := f.h
	f.mu.Unlock()
	if h == nil {
		return
	}
	f.c.mu.Lock()
	why, answers := f.c.why, f.c.h == h
	f.c.mu.Unlock()
	if why == nil {
		why = errSlower
	}
	if f.c.stream && answers {
		h.Cancel(why) // whoever reads the body is told
	} else {
		h.Drop(why)
	}
}

// errUnheard is the end of a sending that crossed the word of the server that it has waited
// long enough: a 408 on a connection that was used before. It has not had the
// request, and it may be sent again whatever it is, over another connection (RFC
// 9110, section 15.5.9).
var errUnheard = failure.New(failure.ConnectionClosed, "the server had waited too long for a request")

// Completed implements handler.Waiter.
func (f *flight) Completed(h *handler.Handler) {
	if h.Err() != nil {
		return // the end is told as well
	}
	many, status := h.Multiplexes(), h.Status()
	if status == http.StatusRequestTimeout && f.r.bound && !many && (!f.c.tag.once() || f.c.tag.pin != nil) {
		f.unheard = true
		h.Drop(errUnheard)
		return
	}
	f.head = headNews{f: f, many: many, status: status, header: f.c.tellingHeader(h, status)}
	f.head.news = &f.head
	if h.Ending() {
		f.end.head = &f.head // Ended tells of both
		return
	}
	f.c.peer.tell(&f.head.note)
}

// headNews is the head of a response.
type headNews struct {
	note
	f      *flight
	many   bool
	status int
	header http.Header
}

func (n *headNews) heed(p *Peer, now time.Time) {
	if n.header != nil {
		now = time.Now() // it may have a date
	}
	p.faults.answered(n.f.c.ticket)
	p.noStar = p.noStar || n.f.c.eager && n.status == http.StatusBadRequest
	p.leaveAlone(n.f.r.link.ep, n.status, n.header, now)
	if p.s.head(n.f.r, n.many, n.status, n.header, now) {
		n.f.c.begun(n.f.h)
	} else {
		p.todo.add(action{kind: doDrop, h: n.f.h})
	}
}

// errSlower is the end of a sending whose answer is not that of the request.
var errSlower = failure.New(failure.Canceled, "another try is the answer")

// Arrived implements handler.Watcher.
func (f *flight) Arrived(h *handler.Handler) { f.c.arrived(h) }

// Ended implements handler.Watcher.
func (f *flight) Ended(h *handler.Handler, err error) {
	o := outcome{err: err}
	if f.unheard {
		o = outcome{err: errUnheard, unsent: true, worn: true, class: retry.NeverSent}
	} else if err != nil {
		o.unsent, o.lost, o.class, o.kept = h.Unsent(), h.LinkLost(), h.Class(), h.KeptBody()
		o.ours = health.OfCaller(err)
	}
	o.revealed = err == nil || h.Committed()
	f.end.f, f.end.o = f, o
	f.end.news = &f.end
	f.c.peer.tell(&f.end.note)
}

// endNews is the end of a run.
type endNews struct {
	note
	f    *flight
	o    outcome
	head *headNews // what is to be told before; nil: nothing
}

func (n *endNews) heed(p *Peer, now time.Time) {
	if n.head != nil {
		n.head.heed(p, now)
	}
	n.f.c.whole(n.f.h)
	p.s.ended(n.f.r, n.o, now)
}

// next is the request for the next sending, its body at the beginning.
func (c *call) next() (*http.Request, error) {
	h := c.last
	c.shown = c.shown || h != nil && h.Committed() || c.former != nil && c.former.Committed()
	if h != nil && c.req.Body != nil && c.req.Body != http.NoBody {
		h.ReturnBody() // one that is only drained may still read it
	}
	if h == nil && !c.launched {
		c.launched = true
		return c.req, nil
	}
	if c.req.Body == nil || c.req.Body == http.NoBody || h != nil && h.KeptBody() {
		return c.req, nil
	}
	again := body.GetBody(c.req)
	if again == nil {
		return nil, failure.New(failure.BodyNotRewindable, "the request has no GetBody")
	}
	b, err := again()
	if err != nil {
		return nil, failure.Wrap(failure.BodyNotRewindable, err)
	}
	r := *c.req
	r.Body = b
	c.req = &r
	return c.req, nil
}
