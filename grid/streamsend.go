package grid

import (
	"context"
	"io"

	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/sched"
)

// send sends a message when there is credit for it. begun says that a part of the message was sent, and
// the rest never will be: the stream has to end.
func (st *streamCore) send(w waits, b []byte) (begun bool, err error) {
	if uint64(len(b)) > st.s.peer.message {
		return false, st.s.c.fail(TooLarge, NotSent, "longer than the peer takes")
	}
	spent, err := st.spend(w, len(b))
	if err != nil {
		return false, err
	}
	s := st.s
	h := frame.Header{Type: frame.Data, Flags: frame.First, ID: st.id}
	s.mu.Lock()
	if len(b) <= sched.Small && st.flow.Empty() {
		if st.mute() || !st.waitRoom(w) || st.mute() || !st.flow.Empty() {
			s.mu.Unlock()
			return false, st.unsent(w.ctx, spent)
		}
		s.q.Put(h, nil, b, 0, s.clock.now())
		s.unlockAndWake()
		return false, nil
	}
	if st.mute() || s.cause != nil || !st.flow.Empty() || !st.beginLarge() {
		s.mu.Unlock()
		return false, st.unsent(w.ctx, spent)
	}
	st.large.msg = sched.Message{Header: h, Payload: b, Taken: st.wasSent}
	s.q.Add(&st.flow, &st.large.msg)
	s.unlockAndWake()
	begun, err = st.waitSent(w, spent)
	st.large.busy.Store(false)
	return begun, err
}

// beginLarge reports whether there may be a large message: the sender of the last one may not have heard yet that it
// was sent. It is called under the session's lock.
func (st *streamCore) beginLarge() bool {
	if st.large == nil {
		st.large = &largeMessage{sent: make(chan bool, 1)}
	}
	if !st.large.busy.CompareAndSwap(false, true) {
		return false
	}
	select {
	case <-st.large.sent: // that the last one did not wait for
	default:
	}
	return true
}

// waitRoom is session.waitRoom, and ends with the stream too. That does not follow from the end of its context
// alone: the stream may end well.
func (st *streamCore) waitRoom(w waits) bool {
	s := st.s
	for s.cause == nil && s.full() {
		room := s.roomChannel()
		s.mu.Unlock()
		st.mu.Lock()
		closed := st.closed.wait()
		st.mu.Unlock()
		stopped := false
		select {
		case <-room:
		case <-w.ctx.Done():
			stopped = true
		case <-closed:
			stopped = true
		}
		s.mu.Lock()
		if stopped {
			return false
		}
	}
	return s.cause == nil
}

// mute reports whether no message may follow what is queued. It is called under the session's lock.
func (st *streamCore) mute() bool { return st.silent || st.endQueued }

func (st *streamCore) wasSent() { st.tellSender(true) }

// tellSender says whether the large message that waits was sent. It is called under the session's lock.
func (st *streamCore) tellSender(sent bool) {
	if st.large == nil {
		return
	}
	select {
	case st.large.sent <- sent:
	default: // nobody sends one, or it was said
	}
}

func (s *session) unlockAndWake() {
	wake := s.wakeWriter()
	s.mu.Unlock()
	if wake {
		s.kick()
	}
}

// waitSent waits until the large message was sent.
func (st *streamCore) waitSent(w waits, spent int64) (begun bool, err error) {
	s := st.s
	stop := w.done()
	st.mu.Lock()
	over := st.finished.wait()
	st.mu.Unlock()
	finished := over
	for {
		select {
		case sent := <-st.large.sent:
			if !sent {
				<-over // which knows why
				return false, st.unsent(w.ctx, 0)
			}
			return false, nil
		case <-s.gone:
			return false, st.unsent(w.ctx, 0)
		case <-finished:
			s.mu.Lock()
			if st.lasting && !st.flow.Empty() {
				s.mu.Unlock()
				finished, stop = nil, nil // the end may be behind it
				continue
			}
			s.q.Remove(&st.flow)
			s.mu.Unlock()
			return false, st.unsent(w.ctx, 0)
		case <-stop:
			s.mu.Lock()
			if st.lasting {
				s.mu.Unlock()
				stop = nil
				continue
			}
			if s.q.Withdraw(&st.flow, &st.large.msg) {
				s.mu.Unlock()
				return false, st.unsent(w.ctx, spent)
			}
			if len(st.large.sent) > 0 || st.flow.Empty() {
				s.mu.Unlock()
				continue // it was sent at the same moment, and the end may be behind it
			}
			st.broken = s.q.Remove(&st.flow)
			s.mu.Unlock()
			return true, s.c.ended(w.ctx, MaybeExecuted)
		}
	}
}

// spend waits for the credit of a message of n bytes and takes it.
func (st *streamCore) spend(w waits, n int) (spent int64, err error) {
	stalled := false
	st.mu.Lock()
	for {
		spent, err = st.trySpend(n)
		if spent > 0 || err != nil {
			st.wakeSpender()
			st.mu.Unlock()
			return spent, err
		}
		if !stalled {
			stalled = true
			st.s.stats.creditStalls.Add(1)
		}
		st.spenders++
		if st.changed == nil {
			st.changed = make(chan struct{}, 1)
		}
		changed := st.changed
		st.mu.Unlock()
		stopped := false
		select {
		case <-changed:
		case <-w.done():
			stopped = true
		}
		st.mu.Lock()
		st.spenders--
		if stopped {
			st.wakeSpender()
			st.mu.Unlock()
			return 0, st.s.c.ended(w.ctx, NotSent)
		}
	}
}

// trySpend takes the credit of a message of n bytes, if there is as much, or says why there never will be. It is
// called under the lock.
func (st *streamCore) trySpend(n int) (spent int64, err error) {
	switch {
	case st.over:
		if st.err == nil {
			return 0, io.EOF
		}
		return 0, st.err
	case st.sendClosed:
		return 0, st.s.c.fail(InvalidMessage, NotSent, "a message after CloseSend")
	case st.accepted && st.capacities == 0:
		return 0, st.s.c.fail(InvalidMessage, NotSent, "the handler takes no messages")
	}
	spent = int64(cost(n, int(st.sendWindow)))
	if st.messages == 0 || st.credit < spent {
		return 0, nil
	}
	st.messages--
	st.credit -= spent
	return spent, nil
}

// wakeSpender wakes the next who waits for credit, if it is worth a look. It is called under the lock.
func (st *streamCore) wakeSpender() {
	if st.spenders > 0 && (st.messages > 0 || st.over || st.sendClosed || st.accepted && st.capacities == 0) {
		signal(st.changed)
	}
}

// unsent gives the credit of a message back that was not sent, and says why it was not.
func (st *streamCore) unsent(ctx context.Context, spent int64) error {
	st.mu.Lock()
	over, closed, err := st.over, st.sendClosed, st.err
	if !over {
		st.credit += spent
		st.messages++
		st.wakeSpender()
	}
	st.mu.Unlock()
	switch {
	case over && err != nil:
		return err
	case over:
		return io.EOF
	case ctx.Err() != nil:
		return st.s.c.ended(ctx, NotSent)
	}
	if closed {
		return st.s.c.fail(InvalidMessage, NotSent, "a message after CloseSend")
	}
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	if st.s.cause == nil && !st.silent {
		return st.s.c.fail(InvalidMessage, NotSent, "another goroutine sends a message of the stream")
	}
	return st.s.c.fail(Disconnected, NotSent, "the stream has ended")
}

// closeSend sends the end of this direction, after what is queued.
func (st *streamCore) closeSend() {
	st.mu.Lock()
	done := st.sendClosed || st.over
	st.sendClosed = true
	st.closed.open()
	if !done {
		signal(st.changed)
	}
	st.mu.Unlock()
	if done {
		return
	}
	s := st.s
	s.mu.Lock()
	if st.silent || s.cause != nil {
		s.mu.Unlock()
		return
	}
	st.endQueued = true
	st.queueEnd(frame.Header{Type: frame.End, Flags: frame.First, ID: st.id}, nil, nil)
	s.unlockAndWake()
}

// queueEnd queues END behind all that was sent. It is called under the session's
// lock. in, if set, is gone when it is on its way.
func (st *streamCore) queueEnd(h frame.Header, payload []byte, in *incoming) {
	s := st.s
	flow := &st.flow
	if st.opening != nil && !st.opening.Empty() {
		flow = st.opening // the stream is not known to the peer before that
	}
	if !flow.Empty() {
		m := &sched.Message{Header: h, Payload: payload}
		if in != nil {
			m.Taken = in.gone
		}
		s.q.Add(flow, m)
		return
	}
	s.q.Put(h, nil, payload, 0, s.clock.now())
	if in != nil {
		in.gone()
	}
}
