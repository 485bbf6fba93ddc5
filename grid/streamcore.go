package grid

import (
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"

	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/sched"
)

// streamCore is what both ends of a stream have in common. Its lock is taken
// before that of the session, never after it.
type streamCore struct {
	s  *session
	id uint32

	mu   sync.Mutex
	over bool // neither direction goes on

	// Receiving. What has arrived is handed out before the end is.
	queue    inbox
	window   int  // bytes that the sender may send
	capacity int  // messages that the sender may send
	held     int  // bytes that were received and for which no credit was given again
	heldN    int  // messages
	taken    int  // of held, what was handed out
	takenN   int  // messages
	awaited  bool // somebody waits for the next message
	readers  int  // those who wait
	ended    bool // err is what comes after the queue
	err      error
	arrived  chan struct{} // wakes one of the readers, who wakes the next; made by those who wait

	abandoned bool // its caller has given it up, or its context has ended, after its end was decided

	// Sending.
	sendWindow int64 // the whole credit
	credit     int64
	messages   int64
	capacities int64 // the whole credit in messages
	accepted   bool
	ready      chan struct{} // closed once accepted or over; made by those who wait
	sendClosed bool
	spenders   int           // those who wait for credit
	changed    chan struct{} // wakes one of them, who wakes the next; made by those who wait
	closed     latch         // sendClosed or over
	finished   latch         // over

	asm assembly

	// Under the session's lock.
	silent    bool // nothing is said any more
	endQueued bool // the end of this direction
	lasting   bool // the handler has returned: what is queued is sent before the end
	broken    bool // a message was begun, and not sent to its end
	flow      sched.Flow
	opening   *sched.Flow   // of a first message that is not small; nil else
	large     *largeMessage // made for the first one
	mark      sched.Mark
	give      uint32 // credit to be given, in bytes
	giveN     uint32 // in messages
	welcome   bool   // the stream is to be accepted
}

// largeMessage is the one that is sent.
type largeMessage struct {
	msg  sched.Message
	sent chan bool   // it was sent, or never will be
	busy atomic.Bool // its sender has not heard of it yet: what comes over sent is for no other
}

func (st *streamCore) init(s *session, id uint32) {
	st.s, st.id = s, id
	st.mark.Of = (*streamControl)(st)
}

// signal wakes one who waits for ch, which is nil if nobody has yet. It is called under the lock under which ch is made.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// leastCost is what a message takes of a window at least. Otherwise the window would not bound what many tiny
// messages cost: each has a buffer, and a place in the queue.
const leastCost = 64

// cost is how much of a window a message takes: one that is longer than the window takes all of it.
func cost(length, window int) int { return min(max(length, leastCost), window) }

// data takes a fragment. code says why the message cannot be taken, if it cannot.
func (st *streamCore) data(h frame.Header, ext *frame.Extensions, payload []byte) (code Code, err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended {
		return 0, nil // here, while it was on its way
	}
	if !st.asm.active {
		total := len(payload)
		if h.Flags&frame.More != 0 {
			total = int(min(ext.Total, 1<<40))
		}
		st.held += cost(total, st.window)
		st.heldN++
		overrun := st.held > st.window || st.heldN > st.capacity
		st.asm.free = uint64(st.window)
		if overrun {
			return 0, protocolError("a message beyond the credit of its stream")
		}
	}
	m, done, code, err := st.s.add(&st.asm, h, ext, payload)
	if err != nil || code != 0 {
		return code, err
	}
	if !done {
		st.giveAhead()
		return 0, nil
	}
	st.awaited = false
	st.queue.push(m)
	signal(st.arrived)
	return 0, nil
}

// recv hands out the next message.
func (st *streamCore) recv(w waits) (Buf, error) {
	stopped, waited := false, false
	for {
		st.mu.Lock()
		if waited {
			st.readers--
		}
		if st.queue.len() > 0 {
			m := st.queue.pop()
			if st.readers > 0 && st.queue.len() > 0 {
				signal(st.arrived) // for another who waits
			}
			if !m.reserved.ahead {
				st.count(len(m.buf.p))
			}
			if st.taken*2 >= st.window || st.takenN*2 >= st.capacity {
				st.giveBack()
			}
			st.mu.Unlock()
			st.s.release(m.reserved)
			return m.buf, nil
		}
		if st.ended {
			err := st.err
			st.queue.close()
			signal(st.arrived) // for another who waits
			st.mu.Unlock()
			return Buf{}, err
		}
		st.awaited = !stopped || st.readers > 0
		st.giveAhead()
		st.giveBack()
		waited = !stopped
		if waited {
			st.readers++
		}
		if st.arrived == nil {
			st.arrived = make(chan struct{}, 1)
		}
		arrived := st.arrived
		st.mu.Unlock()
		if stopped {
			return Buf{}, st.s.c.ended(w.ctx, MaybeExecuted)
		}
		select {
		case <-arrived:
		case <-w.done():
			stopped = true
		}
	}
}

// count notes that a message was handed out.
func (st *streamCore) count(length int) {
	st.taken += cost(length, st.window)
	st.takenN++
}

// giveAhead gives credit for the message that is arriving, since nothing is before it and somebody waits for
// it. So the next one can follow it at once: a message that takes all of a window does not have the
// sender wait until word of it has come back. It is called under the lock.
func (st *streamCore) giveAhead() {
	a := &st.asm
	if !st.awaited || !a.active || a.reserved.ahead || st.ended || !st.s.moveAhead(a) {
		return
	}
	st.count(len(a.buf.p))
	st.giveBack()
}

// giveBack gives credit for all that was handed out. It is called under the lock.
func (st *streamCore) giveBack() {
	if st.takenN == 0 || st.ended {
		return
	}
	bytes, n := st.taken, st.takenN
	st.held -= bytes
	st.heldN -= n
	st.taken, st.takenN = 0, 0
	s := st.s
	s.mu.Lock()
	wake := false
	if !st.silent && s.cause == nil {
		st.give += uint32(bytes)
		st.giveN += uint32(n)
		s.q.Set(&st.mark)
		wake = s.wakeWriter()
	}
	s.mu.Unlock()
	if wake {
		s.kick()
	}
}

// onCredit takes credit from the peer, and on the issuer's side the acceptance.
func (st *streamCore) onCredit(h frame.Header, payload []byte) error {
	accept := h.Flags&frame.First != 0
	if accept && len(payload) != 12 || !accept && len(payload) != 8 {
		return protocolError("CREDIT of a wrong length")
	}
	bytes, n := int64(binary.BigEndian.Uint32(payload)), int64(binary.BigEndian.Uint32(payload[4:]))
	st.mu.Lock()
	defer st.mu.Unlock()
	if accept {
		if st.accepted || bytes > maxWindow || n > maxCapacity || n > 0 && bytes < minWindow {
			return protocolError("an acceptance that is not due or not valid")
		}
		st.accepted = true
		st.sendWindow, st.capacities = bytes, n
		st.capacity = int(min(binary.BigEndian.Uint32(payload[8:]), maxCapacity))
		if st.ready != nil {
			close(st.ready)
			st.ready = nil
		}
	}
	st.credit += bytes
	st.messages += n
	if st.credit > st.sendWindow || st.messages > st.capacities {
		return protocolError("more credit than was used")
	}
	signal(st.changed)
	return nil
}

// finish ends both directions. What has arrived is kept unless discard.
func (st *streamCore) finish(err error, discard bool) {
	st.mu.Lock()
	st.over = true
	st.s.drop(&st.asm)
	if !st.ended {
		st.ended, st.err = true, err
	}
	var dropped []message
	if discard {
		dropped = st.queue.drain()
		st.err = err
	}
	if st.ready != nil {
		close(st.ready)
		st.ready = nil
	}
	st.closed.open()
	st.finished.open()
	if st.abandoned {
		st.releaseQueue()
	}
	signal(st.arrived)
	signal(st.changed)
	st.mu.Unlock()
	for _, m := range dropped {
		st.s.release(m.reserved)
		m.buf.Release()
	}
}

// abandon notes that its caller wants no more of a stream that ends well. It may never receive what is in the queue,
// which is no longer memory of the session then.
func (st *streamCore) abandon() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.abandoned = true
	if st.over {
		st.releaseQueue()
	}
}

// releaseQueue gives back what the messages that wait have of the session's budgets. It is called under the lock.
func (st *streamCore) releaseQueue() {
	left := st.queue.left()
	for i := range left {
		st.s.release(left[i].reserved)
		left[i].reserved = reservation{}
	}
}

const errAmid = protocolError("END amid a message")

// amid reports whether the last message is incomplete.
func (st *streamCore) amid() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.asm.active
}

// endOfInput notes that the peer sends nothing more.
func (st *streamCore) endOfInput() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended {
		return nil
	}
	if st.asm.active {
		return errAmid
	}
	st.ended, st.err = true, io.EOF
	signal(st.arrived)
	return nil
}

// streamControl says what credit there is.
type streamControl streamCore

func (c *streamControl) AppendControl(b []byte) []byte {
	st := (*streamCore)(c)
	if st.welcome {
		st.welcome = false
		b = frame.Header{Type: frame.Credit, Flags: frame.First, ID: st.id, Length: 12}.Append(b)
		b = binary.BigEndian.AppendUint32(b, uint32(st.window))
		b = binary.BigEndian.AppendUint32(b, uint32(st.capacity))
		b = binary.BigEndian.AppendUint32(b, uint32(st.capacities))
	}
	if !st.silent && (st.give > 0 || st.giveN > 0) {
		b = frame.Header{Type: frame.Credit, ID: st.id, Length: 8}.Append(b)
		b = binary.BigEndian.AppendUint32(b, st.give)
		b = binary.BigEndian.AppendUint32(b, st.giveN)
		st.give, st.giveN = 0, 0
	}
	return b
}
