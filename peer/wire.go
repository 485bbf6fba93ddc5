package peer

import (
	"time"

	"github.com/ratmom/ratmom/agent"
	"github.com/ratmom/ratmom/handler"
)

// wire is a link as its agent knows it, which is the same for all its life.
type wire struct {
	p     *Peer
	l     *link
	agent *agent.Handle
	link  *handler.Link
	err   error
	info  handler.LinkInfo
}

// open gives a link to the agent that has the fewest of the peer's; of these to that which
// has the least to do, the first from the peer's own on.
func (p *Peer) open(l *link) {
	l.wire.p, l.wire.l = p, l
	if len(p.agents) == 1 {
		l.wire.agent = p.agents[0]
	} else {
		l.wire.agent = p.spread()
	}
	l.wire.link, l.wire.err = handler.NewLink(l.ep.Address, &l.wire)
}

func (p *Peer) spread() (best *agent.Handle) {
	fewest, least := 0, int64(0)
	for _, a := range p.agents {
		n, load := 0, a.Load()
		for _, l := range p.s.links {
			if l.wire.agent == a {
				n++
			}
		}
		if best == nil || n < fewest || n == fewest && load < least {
			best, fewest, least = a, n, load
		}
	}
	return best
}

// linkNews is what happened to a link's connection.
type linkNews struct {
	note
	w    *wire
	up   bool
	info handler.LinkInfo
}

// LinkUp implements handler.LinkWatcher.
func (w *wire) LinkUp(i handler.LinkInfo) {
	n := &linkNews{w: w, up: true, info: i}
	n.news = n
	w.p.tell(&n.note)
}

// LinkDown implements handler.LinkWatcher.
func (w *wire) LinkDown() {
	n := &linkNews{w: w}
	n.news = n
	w.p.tell(&n.note)
}

func (n *linkNews) heed(p *Peer, now time.Time) {
	if !n.up {
		p.s.down(n.w.l, now)
		return
	}
	n.w.info = n.info
	if n.info.RTT > 0 {
		f := *p.facts.Load()
		f.RTT = n.info.RTT
		p.facts.Store(&f)
	}
	p.s.up(n.w.l, now)
}
