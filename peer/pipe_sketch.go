package peer

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// PipelineSnapshot is a [Pipeline].
type PipelineSnapshot struct {
	ID       uint64 `json:"id"`
	Endpoint string `json:"endpoint,omitempty"`
	Local    string `json:"local,omitempty"`
	Remote   string `json:"remote,omitempty"`
	// Depth is how many requests can be on their way, Running how many are, or are about to be; Queued wait until there
	// is room.
	Depth   int `json:"depth"`
	Running int `json:"running"`
	Queued  int `json:"queued"`
	// Served is how many answers have come.
	Served int     `json:"served"`
	Age    Seconds `json:"age_seconds"`
	// Requests are in the order of their answers; behind them is what is queued.
	Requests []RequestSnapshot `json:"requests"`
}

// sketchPipes chooses the pipelines that there is room for. The peer's lock is held.
func (p *Peer) sketchPipes(d *PeerSnapshot, r *room) []*pipe {
	all := slices.SortedFunc(maps.Keys(p.pipes), func(a, b *pipe) int { return cmp.Compare(a.id, b.id) })
	n := min(len(all), r.links)
	r.links -= n
	d.MorePipelines = len(all) - n
	return all[:n]
}

// draw adds a pipeline, unless it is over.
func (c *pipe) draw(d *PeerSnapshot, r *room, now time.Time) {
	show := PipelineSnapshot{ID: c.id, Endpoint: c.addr, Depth: cap(c.places), Age: seconds(now.Sub(c.born))}
	show.Local, show.Remote = c.conn.LocalAddr().String(), c.conn.RemoteAddr().String()
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	show.Served, show.Queued = c.served, len(c.waiting)
	show.Running = len(c.sent) + len(c.queue)
	var seen []glimpse
	look := func(r *piped) { seen = append(seen, r.glimpse()) }
	for _, ahead := range [][]*piped{c.sent, c.queue} {
		for _, r := range ahead[:min(len(ahead), r.requests-len(seen))] {
			look(r)
		}
	}
	running := len(seen)
	for w := range c.waiting {
		if len(seen) == r.requests {
			break
		}
		look(w)
	}
	c.mu.Unlock()
	slices.SortFunc(seen[running:], func(a, b glimpse) int { return a.born.Compare(b.born) })
	r.requests -= len(seen)
	d.MoreRequests += show.Running + show.Queued - len(seen)
	show.Requests = make([]RequestSnapshot, 0, len(seen))
	for _, g := range seen {
		show.Requests = append(show.Requests, g.show(now))
	}
	d.Pipelines = append(d.Pipelines, show)
}

// glimpse notes what a snapshot shows. The pipe's lock is held.
func (r *piped) glimpse() glimpse {
	g := glimpse{method: r.method, path: r.path, query: r.rawQuery, born: r.born, revealed: r.state != pipedQueued}
	switch {
	case r.cancelled:
		g.dropped = true
	case r.state == pipedSent:
		g.state = tagCommitted
	case r.state == pipedAnswering:
		g.state = tagHead
	}
	return g
}
