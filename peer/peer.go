package peer

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ratmom/ratmom/agent"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/usercall"
	"github.com/ratmom/ratmom/peer/health"
)

// Peer is a server, or a group of servers that stand for one name.
//
// Its scheduler is guarded by a lock that is held for a decision and never while
// anything else is done: what is decided is done after it. Agents tell it what happens by an inbox, and
// leave whatever costs time, or runs code of the user's, to a few workers.
type Peer struct {
	m      *Map
	id     ID
	agents []*agent.Handle // its own first: which that is depends on the identity
	plan   *handler.Plan
	given  []config.RequestOption // of which plan is

	resolver Resolver
	checker  *health.Checker // nil: there is none
	check    *Check          // of the endpoints; nil: there is none
	probe    func(*endpoint) health.Probe

	facts     atomic.Pointer[Facts] // changed under the lock; read without it
	inbox     inbox
	mu        sync.Mutex // never waited for by an agent
	s         *scheduler
	todo      actions
	timer     *time.Timer
	due       time.Time // when it fires; zero: it does not
	closed    bool
	resolving bool
	unchecked bool      // the checks rest
	noStar    bool      // it does not take OPTIONS *
	clock     time.Time // see now
	used      time.Time // when the last request came
	expires   time.Time // of the addresses; zero: never
	faults    faults
	pipes     map[*pipe]struct{}

	ownersMu sync.Mutex // before mu
	owners   map[string]*Pin
}

// ID is the peer's identity.
func (p *Peer) ID() ID { return p.id }

// action is what was decided under the lock and is done after it.
type action struct {
	kind actionKind
	f    *flight
	w    *wire
	c    *call
	h    *handler.Handler
	o    outcome
	p    *pin
	e    *endpoint
}

type actionKind uint8

const (
	doStart actionKind = iota
	doAbort
	doClose
	doDrop
	doFinish
	doTell
	doWarm
)

// decide runs f under the lock and then does what came of it. On an agent's goroutine, by
// tell, nothing is done that could wait, and no policy is asked, which may be the user's.
func (p *Peer) decide(f func(now time.Time)) {
	p.mu.Lock()
	p.decideLocked(false, f)
}

// wallEvery is how often it is asked what time it is on the wall, which may be set.
const wallEvery = time.Second

// now is the time. What time it is on the wall is mostly not asked for, which is half of what time.Now costs. The
// lock is held.
func (p *Peer) now() time.Time {
	d := time.Since(p.clock)
	if d >= wallEvery {
		p.clock = time.Now()
		return p.clock
	}
	return p.clock.Add(d)
}

func (p *Peer) catchUp() { p.decide(p.s.catchUp) }

// actions are some actions; mostly it is one.
type actions struct {
	n     int
	first action
	more  []action
}

func (s *actions) add(a action) {
	if s.n++; s.n == 1 {
		s.first = a
	} else {
		s.more = append(s.more, a)
	}
}

func (s *actions) join(o *actions) {
	if s.n == 0 {
		*s = *o
		return
	}
	if o.n > 0 {
		s.add(o.first)
	}
	for _, a := range o.more {
		s.add(a)
	}
}

func (p *Peer) perform(todo *actions, onAgent bool) {
	if todo.n > 0 {
		p.do(&todo.first, onAgent)
	}
	for i := range todo.more {
		p.do(&todo.more[i], onAgent)
	}
}

func (p *Peer) do(a *action, onAgent bool) {
	switch {
	case a.kind == doFinish:
		a.c.finish(a.o)
	case a.kind == doDrop:
		a.h.Drop(errSlower)
	case onAgent:
		later := *a
		p.m.work.Submit(func() { p.act(&later) })
	default:
		p.act(a)
	}
}

func (p *Peer) act(a *action) {
	switch a.kind {
	case doStart:
		a.f.launch()
	case doAbort:
		a.f.drop()
	case doClose:
		if a.w.link != nil {
			a.w.agent.CloseLink(a.w.link)
		}
	case doTell:
		if l := a.p.owner.Value(); l != nil {
			l.changed()
		}
	case doWarm:
		e := a.e
		p.m.work.Submit(func() { p.warmUp(e) })
	}
}

// arm sets the timer for what is next due by time; one that is set too early finds nothing to
// do and is set anew. The lock is held.
func (p *Peer) arm() {
	next := p.s.next()
	if p.closed || next.IsZero() || !p.due.IsZero() && !next.Before(p.due) {
		return
	}
	p.due = next
	if p.timer == nil {
		p.timer = time.AfterFunc(time.Until(next), p.tick)
	} else {
		p.timer.Reset(time.Until(next))
	}
}

func (p *Peer) tick() {
	p.decide(func(now time.Time) {
		p.due = time.Time{}
		p.s.tick(now)
		if p.s.queue.Len() > 0 {
			p.refresh(now)
		}
	})
}

// The peer is the transport of its scheduler: it notes what is to be done.

func (p *Peer) close(l *link) { p.todo.add(action{kind: doClose, w: &l.wire}) }

func (p *Peer) start(r *run) {
	c := r.tag.call
	c.runs++
	r.flight.r, r.flight.c = r, c
	p.todo.add(action{kind: doStart, f: &r.flight})
}

func (p *Peer) withdraw(r *run) bool { return r.flight.withdraw() }

func (p *Peer) abort(r *run) { p.todo.add(action{kind: doAbort, f: &r.flight}) }

func (p *Peer) suspect(e *endpoint) {
	if e.check != 0 {
		p.checker.Suspect(e.check)
	}
}

func (p *Peer) finish(t *tag, o outcome) {
	var now time.Time
	if o.err != nil {
		now = time.Now()
	}
	if t.spare == nil { // else it says nothing of the other endpoints
		p.faults.settle(t.call.ticket, o, now)
	}
	p.todo.add(action{kind: doFinish, c: t.call, o: o})
}

// submit gives the scheduler a request.
func (p *Peer) submit(c *call) {
	p.decide(func(now time.Time) {
		p.s.count.Requests++
		c.tag.born = now
		if e := c.tag.spare; e != nil {
			p.s.standby(&c.tag, e, now)
			return
		}
		p.used = now
		if p.closed {
			p.s.finish(&c.tag, outcome{err: ErrClosed, unsent: true, hopeless: true})
			return
		}
		if c.tag.pin == nil {
			ticket, err := p.faults.ask(now)
			if err != nil {
				if p.faults.allRest(now) {
					p.refresh(now) // there may be others by now
				}
				p.s.count.Refused++
				p.s.finish(&c.tag, outcome{err: err, unsent: true, hopeless: true})
				return
			}
			c.ticket = ticket
		}
		p.refresh(now)
		p.s.submit(&c.tag, now)
	})
}

// cancel ends a request.
func (p *Peer) cancel(c *call, why error) {
	p.decide(func(now time.Time) { p.s.cancel(&c.tag, why, now) })
}

// refresh has the addresses looked up when there are none yet or their time is over.
// The lock is held.
func (p *Peer) refresh(now time.Time) {
	if p.unchecked {
		p.watchEndpoints(nil)
	}
	known := len(p.s.endpoints) > 0
	if p.resolving || known && (p.expires.IsZero() || now.Before(p.expires)) {
		return
	}
	if p.id.Proxy != "" || p.plan.Elsewhere { // libcurl knows where
		p.update([]Address{{}}, now)
		return
	}
	if _, ok := p.resolver.(system); ok {
		if addrs, ok := literal(p.id.Host, p.id.Port); ok {
			p.update(addrs, now)
			return
		}
	}
	p.resolving = true
	p.m.lookups.Submit(func() { _ = p.resolve() })
}

// resolve looks the addresses up. What is there is used meanwhile, and after a failure.
func (p *Peer) resolve() error {
	addrs, ttl, err := p.ask()
	addrs = slices.Clone(addrs) // they may be what the resolver gives to others as well
	if err == nil && len(addrs) == 0 {
		err = errors.New("no address was found")
	}
	p.decide(func(now time.Time) {
		p.resolving = false
		if p.closed || p.m.closed.Load() { // the lookup may have failed by that; shut tells
			return
		}
		if err == nil {
			p.expires = time.Time{}
			if ttl > 0 {
				p.expires = now.Add(min(max(ttl, minTTL), maxTTL))
			}
			if p.plan.HTTP1 {
				for i := range addrs {
					addrs[i].HTTP2 = false
				}
			}
			p.update(addrs, now)
			return
		}
		p.expires = now.Add(minTTL)
		if len(p.s.endpoints) > 0 && !errors.Is(err, context.Canceled) {
			return
		}
		err = failure.Wrap(failure.NameResolution, err)
		p.s.failQueue(err, now)
	})
	return err
}

// ask asks the resolver. A panic of it, which is the user's, goes to the standard logger and is an error.
func (p *Peer) ask() (addrs []Address, ttl time.Duration, err error) {
	err = errors.New("the resolver has panicked")
	usercall.Run("Resolver.Resolve", func() {
		addrs, ttl, err = p.resolver.Resolve(p.m.ctx, p.id.Scheme, p.id.Host, p.id.Port)
	})
	return addrs, ttl, err
}

// What a resolver says of an answer's time is clamped to these.
const (
	minTTL = time.Second
	maxTTL = 24 * time.Hour
)

func (p *Peer) shut() {
	var pipes []*pipe
	p.decide(func(now time.Time) {
		p.closed = true
		pipes = slices.Collect(maps.Keys(p.pipes))
		p.s.close(ErrClosed, now)
		if p.timer != nil {
			p.timer.Stop()
		}
	})
	for _, c := range pipes {
		c.end(ErrClosed)
	}
}

// CloseIdle closes the connections that nothing runs on, but for pinned ones.
func (p *Peer) CloseIdle() { p.decide(p.s.closeIdle) }

// ClearError forgets that the peer has failed, or that one of its endpoints has asked to be left alone. It
// reports whether there was anything to forget.
func (p *Peer) ClearError() (had bool) {
	var resting bool
	p.look(func(time.Time) { had, resting = p.faults.clear(), !p.s.restEnd.IsZero() })
	if resting {
		p.decide(p.s.awaken)
	}
	return had || resting
}

// Err is the failure for which the peer is left alone, nil if there is none.
func (p *Peer) Err() (err error) {
	p.look(func(now time.Time) { err = p.faults.err(now) })
	return err
}
