package peer

import (
	"net/http"
	"time"

	"github.com/ratmom/ratmom/peer/balance"
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// scheduler decides which request of one peer runs on which connection. It is a pure
// state machine: whoever drives it holds the peer's lock and says what time it is; what
// it wants done it tells its transport, which must not call back. There is no
// goroutine in it, and none waits for it: an agent that tells of an event goes on as
// soon as the decision is made.
type scheduler struct {
	limits    limits
	policy    Policy
	do        transport
	endpoints []*endpoint // gone ones stay until their links are closed
	links     []*link     // all that are not closed
	queue     tagQueue
	pins      map[*pin]struct{}
	http2     bool // the last link spoke it, or the first ones are said to, so that one opening link is enough
	told      bool // a link has shown what it speaks
	streams   int  // that an HTTP/2 link was found to take at once; 0: not known
	lastID    uint64
	seq       uint64
	among     balance.Usable
	outliers  health.Outliers
	breaker   health.Breaker
	dues      dues
	linkDue   time.Time      // when the first of the links is due, or earlier; zero: none is
	recount   bool           // one may be due before that
	restEnd   time.Time      // when the first endpoint that rests does not any more; zero: none rests
	pace      *retry.Latency // of answers; nil: nobody asks
	eps       []*Endpoint    // memory of pick, as the next ones are
	all       []*Endpoint
	usable    []*Endpoint
	aside     []*tag // memory of fill
	cands     []*endpoint
	placing   bool
	cuts      bool // what waits for an answer of an endpoint that checks find down
	heldPins  bool // the breaker has kept something from a pin
	closed    bool
	quiet     bool // no policy may be asked now: what it is wanted for is owed
	owed      bool
	asked     time.Time // when the last request came that standby links are for
	standing  bool      // there are to be some
	spareDue  time.Time // when the next one may be made; zero: not by time alone
	touched   []*pin    // their owners are to look
	count     counts
}

// transport does what a scheduler decides.
type transport interface {
	// open makes a link, which has no connection yet.
	open(*link)
	// close closes a link that nothing runs on.
	close(*link)
	// start sends the request of r.tag on r.link. The first one makes the connection; a
	// bound one must not. Its end is told by ended, unless it is withdrawn.
	start(r *run)
	// withdraw takes a run back and reports whether that was in time: then not a
	// byte of it leaves, and its end does not matter any more.
	withdraw(*run) bool
	// abort ends a run whose answer nobody wants; its end is told by ended.
	abort(*run)
	// warm asks for a request that makes a standby link: standby is to be called with it.
	warm(*endpoint)
	// suspect tells that something has failed at an endpoint: it is checked soon.
	suspect(*endpoint)
	// finish ends a tag, once.
	finish(*tag, outcome)
}

// limits are the bounds of a peer's links.
type limits struct {
	minLinks, maxLinks int           // of an endpoint, without pinned ones
	standby            int           // of them, that are to be free
	standFor           time.Duration // after a request they are; 0: for ever
	maxPins            int           // pinned links of the peer
	maxRequests        int           // of a link in its life; 0: any number
	maxStreams         int           // of an HTTP/2 link at once
	probeAfter         int           // answers at the limit that it was found to have
	maxQueue           int           // tags that wait for a link
	maxAttempts        int           // of a tag whose connections fail
	maxAge, idle       time.Duration // of a link; 0: for ever
	stealAfter         time.Duration // the age of an opening link whose tag others may take
	stallAfter         time.Duration // and the age at which it is put elsewhere
}

// outcome is how a tag or a run ended.
type outcome struct {
	err error
	// unsent tells that the server has done nothing for the request: it may be sent
	// again whatever it is.
	unsent bool
	// lost tells that a bound run was refused the connection of its link.
	lost bool
	// worn tells, with unsent, that other old connections are no better.
	worn bool
	// hopeless tells that it would fail anywhere.
	hopeless bool
	// ours tells that the endpoint is not to blame.
	ours bool
	// revealed tells that something of it may have left.
	revealed bool
	// cancelled tells that nobody wants it any more.
	cancelled bool
	// class is how the try has ended, for the rule.
	class retry.Class
	// kept tells that nothing of the body was read.
	kept bool
}

func newScheduler(l limits, p Policy, t transport) *scheduler {
	return &scheduler{limits: l, policy: p, do: t, pins: make(map[*pin]struct{})}
}

// submit places a new tag or queues it.
func (s *scheduler) submit(t *tag, now time.Time) {
	if t.state == tagDone { // its time was over before it came here
		return
	}
	t.state = tagQueued
	if s.closed {
		s.finish(t, outcome{err: ErrClosed, unsent: true, hopeless: true})
		return
	}
	s.rested(now) // the peer may have been left alone until now
	s.seq++
	t.seq = s.seq
	if t.pin != nil {
		s.submitPinned(t, now)
		return
	}
	if s.queue.Len() >= s.limits.maxQueue {
		s.finish(t, outcome{err: ErrQueueFull, unsent: true})
		return
	}
	if err := s.hold(t); err != nil {
		s.finish(t, outcome{err: err, unsent: true, hopeless: true})
		return
	}
	s.asked = now
	s.queue.add(t)
	s.place(now)
}

// up notes that a link has a connection.
func (s *scheduler) up(l *link, now time.Time) {
	if l.state == linkClosed {
		return
	}
	if l.connected {
		// Another one than it was: that was one of the last request's rounds.
		l.because(EndDown)
		s.drain(l)
		return
	}
	l.connected = true
	s.count.LinksConnected++
	l.ep.failed = 0
	if l.pin != nil {
		l.pin.had = true
	}
	s.settle(l, now)
}

// up1 is up for a connection of which nothing was told: some on unix sockets.
func (s *scheduler) up1(l *link, now time.Time) {
	if !l.connected {
		s.up(l, now)
	}
}

// down notes that a link's connection is over.
func (s *scheduler) down(l *link, now time.Time) {
	if l.state == linkClosed {
		return
	}
	l.because(EndDown)
	l.down = true
	s.drain(l)
	s.serve(l.pin, now)
	s.place(now)
}

// head notes that the head of a response is there, and reports whether it is the answer;
// if not, the transport is to drop the run. header is that of a status that may be
// repeated.
func (s *scheduler) head(r *run, http2 bool, status int, header http.Header, now time.Time) (answer bool) {
	l := r.link
	if r.over {
		return false
	}
	s.up1(l, now)
	if s.taken(l, now) {
		defer s.place(now)
	}
	if t := r.tag; t != nil {
		t.revealed = true
		r.way.Head(now)
		changed := s.report(l.ep, status < 500, now) || r.rival() != nil
		answer = !s.unanswered(r, status, header, now)
		if changed || !answer {
			defer s.place(now)
		}
		if answer {
			if s.pace != nil {
				s.pace.Observe(now.Sub(r.began), now)
			}
			s.win(r, now)
			s.dues.remove(t)
			t.state = tagHead
		}
	}
	s.tellHead(l, http2, now)
	return answer
}

// tellHead notes what the first head on a link tells of it.
func (s *scheduler) tellHead(l *link, http2 bool, now time.Time) {
	if l.told {
		return
	}
	s.http2, s.told = http2, true
	if http2 {
		l.limit = s.limits.maxStreams
	}
	l.tell()
	s.settle(l, now)
	s.serve(l.pin, now)
	s.place(now)
}

// ended notes the end of a run.
func (s *scheduler) ended(r *run, o outcome, now time.Time) {
	if r.over {
		return
	}
	l, t := r.link, r.tag
	if o.err == nil {
		s.up1(l, now)
	}
	opened := l.connected
	if t != nil {
		t.revealed = t.revealed || o.revealed
	}
	blamed := o.err != nil && t != nil && !o.lost && !o.hopeless && !o.ours
	if blamed {
		r.way.Fail(now)
	}
	s.leave(r, now)
	if o.lost && !l.down && l.state != linkClosed && !r.alone {
		// It has a connection, which does not take as many at once, or, if that was a
		// GOAWAY, none any more: then each next one is lost as well, until one is alone.
		s.lower(l, now)
	} else if o.lost || !opened {
		l.because(endOf(t, opened, o))
		s.drain(l)
	}
	if !opened && o.err != nil && !o.hopeless && t != nil {
		l.ep.failed++
	}
	if blamed {
		s.report(l.ep, false, now)
	}
	if t != nil {
		s.judge(t, r, o, opened, now)
	}
	s.serve(l.pin, now)
	s.place(now)
}
