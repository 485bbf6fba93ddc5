package peer

import (
	"sync/atomic"
	"time"
)

// inbox has what agents tell a peer. They never wait for its lock, which another agent may
// have, or a caller whose policy takes its time: what they tell is taken up by whoever has
// it, in the order in which it came.
type inbox struct{ last atomic.Pointer[note] }

// note is something that an agent tells. It is told once.
type note struct {
	before *note
	news   news
}

// news is what there is to tell; heed is called with the peer's lock held.
type news interface {
	heed(p *Peer, now time.Time)
}

func (b *inbox) put(n *note) {
	for {
		n.before = b.last.Load()
		if b.last.CompareAndSwap(n.before, n) {
			return
		}
	}
}

func (b *inbox) empty() bool { return b.last.Load() == nil }

// take gives all that is there, the first first.
func (b *inbox) take() (first *note) {
	if b.empty() {
		return nil
	}
	for n := b.last.Swap(nil); n != nil; {
		n.before, first, n = first, n, n.before
	}
	return first
}

// tell is how an agent tells something.
func (p *Peer) tell(n *note) {
	p.inbox.put(n)
	p.attend(true)
}

// attend takes up what has been told, unless somebody has the lock, who will. To look whether there is
// any is also what orders the putting before the look at the lock: that is no atomic one.
func (p *Peer) attend(onAgent bool) {
	if !p.inbox.empty() && p.mu.TryLock() {
		p.decideLocked(onAgent, nil)
	}
}

func (p *Peer) attendLater() { p.m.work.Submit(func() { p.attend(false) }) }

// heed takes up what agents have told. The lock is held.
func (p *Peer) heed(now time.Time) {
	for n := p.inbox.take(); n != nil; {
		next := n.before
		n.before = nil
		n.news.heed(p, now)
		n = next
	}
}

// maxRounds is how often whoever had the lock looks at what was told meanwhile, before it is a
// worker's turn.
const maxRounds = 4

// decideLocked is decide by who has the lock, and gives it back.
func (p *Peer) decideLocked(onAgent bool, f func(now time.Time)) {
	var todo actions
	owed := p.rounds(&todo, onAgent, f)
	p.perform(&todo, onAgent)
	if owed {
		p.m.work.Submit(p.catchUp)
	}
}

// rounds takes up what is told, and f at first, until there is nothing more. It gives the lock back, and reports whether something
// is owed. What is done afterwards needs a deep stack: it finds none of this one's on it.
func (p *Peer) rounds(todo *actions, onAgent bool, f func(now time.Time)) (owed bool) {
	for round := 0; ; round++ {
		p.s.quiet = onAgent
		now := p.now()
		p.heed(now)
		if f != nil {
			f(now)
			f = nil
		}
		p.s.quiet = false
		owed = owed || p.s.owed
		p.s.owed = false
		p.arm()
		p.lookAtTouched()
		todo.join(&p.todo)
		p.todo = actions{}
		p.mu.Unlock()
		if p.inbox.empty() {
			return owed
		}
		if round == maxRounds {
			p.attendLater()
			return owed
		}
		if !p.mu.TryLock() {
			return owed
		}
	}
}

// look runs f under the lock, with all that was told taken up. If that was nothing, nothing is
// decided either: a peer that rests goes on resting.
func (p *Peer) look(f func(now time.Time)) {
	p.mu.Lock()
	if !p.inbox.empty() {
		p.decideLocked(false, f)
		return
	}
	defer p.unlock()
	f(time.Now())
}

// unlock gives the lock back that was taken without a decision.
func (p *Peer) unlock() {
	p.mu.Unlock()
	if !p.inbox.empty() {
		p.attendLater()
	}
}
