package peer

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// sketch is what is noted for a snapshot under the lock; text is made of it after.
type sketch struct {
	addrs   [][2]netip.AddrPort // local and remote, of each link
	running []glimpse
	of      []int // how many of running are on each link
	waiting []glimpse
	checks  []uint64 // of each endpoint, as the checker knows them
}

// glimpse is a request as the scheduler has it.
type glimpse struct {
	method, path, query string
	state               tagState
	priority, retries   int
	seq                 uint64
	dropped, revealed   bool
	born                time.Time
}

// maxTarget is how much of a path and its query is shown, in bytes.
const maxTarget = 256

// sketch notes as much as there is room for. The lock is held.
func (s *scheduler) sketch(d *PeerSnapshot, q *sketch, r *room, now time.Time) {
	d.Endpoints = make([]EndpointSnapshot, 0, min(r.endpoints, len(s.endpoints)))
	for _, e := range s.endpoints {
		if r.endpoints == 0 {
			d.MoreEndpoints++
			continue
		}
		r.endpoints--
		d.Endpoints = append(d.Endpoints, EndpointSnapshot{
			Address: e.Address, Authority: e.authority, Zone: e.Zone, Priority: e.Priority, Weight: e.Weight,
			Ejected: e.ejected, Gone: e.gone, Rests: e.rest(now),
			InFlight: e.InFlight, Links: e.links, Latency: seconds(e.Latency.At(now)),
		})
		q.checks = append(q.checks, e.check)
	}
	d.Links = make([]LinkSnapshot, 0, min(r.links, len(s.links)))
	for _, l := range s.links {
		d.Running += l.runs
		if r.links == 0 {
			d.MoreLinks++
			d.MoreRequests += l.runs
			continue
		}
		r.links--
		show := LinkSnapshot{
			ID: l.id, State: l.state.String(), Endpoint: l.ep.Address, Pinned: l.pin != nil,
			Limit: l.limit, Served: l.served, Running: l.runs, Age: seconds(now.Sub(l.born)),
		}
		if l.runs == 0 {
			show.Idle = seconds(now.Sub(l.used))
		}
		d.Links = append(d.Links, show)
		q.addrs = append(q.addrs, [2]netip.AddrPort{l.wire.info.Local, l.wire.info.Remote})
		n := min(len(l.running), r.requests)
		r.requests -= n
		d.MoreRequests += len(l.running) - n
		q.of = append(q.of, n)
		for _, run := range l.running[:n] {
			q.running = append(q.running, glimpseOf(run.tag, run))
		}
	}
	s.sketchQueue(d, q, r)
}

// sketchQueue notes what waits.
func (s *scheduler) sketchQueue(d *PeerSnapshot, q *sketch, r *room) {
	add := func(tags []*tag) {
		d.Queued += len(tags)
		n := min(len(tags), r.requests)
		r.requests -= n
		d.MoreRequests += len(tags) - n
		for _, t := range tags[:n] {
			q.waiting = append(q.waiting, glimpseOf(t, nil))
		}
	}
	add(s.queue)
	for p := range s.pins {
		if len(p.waiting) > 0 {
			add(p.waiting)
		}
	}
}

func glimpseOf(t *tag, r *run) glimpse {
	if t == nil {
		return glimpse{dropped: true, revealed: true}
	}
	g := glimpse{state: t.state, priority: t.priority, retries: len(t.failed) + t.attempts, seq: t.seq, revealed: t.revealed, born: t.born}
	if c := t.call; c != nil {
		g.method, g.path, g.query = c.tag.ask.Method, c.path, c.query
	}
	if r != nil && !g.revealed && r.flight.revealed() {
		g.revealed = true
	}
	if g.revealed && g.state == tagAssigned {
		g.state = tagCommitted
	}
	return g
}

// finish makes text of what was noted.
func (q *sketch) finish(d *PeerSnapshot, now time.Time) {
	for i := range d.Links {
		l := &d.Links[i]
		for j, to := range []*string{&l.Local, &l.Remote} {
			if a := q.addrs[i][j]; a.IsValid() {
				*to = a.String()
			}
		}
		l.Requests = make([]RequestSnapshot, 0, q.of[i])
		for _, g := range q.running[:q.of[i]] {
			l.Requests = append(l.Requests, g.show(now))
		}
		q.running = q.running[q.of[i]:]
	}
	slices.SortFunc(q.waiting, func(a, b glimpse) int {
		if a.priority != b.priority {
			return b.priority - a.priority
		}
		return int(int64(a.seq - b.seq))
	})
	d.Waiting = make([]RequestSnapshot, 0, len(q.waiting))
	for _, g := range q.waiting {
		d.Waiting = append(d.Waiting, g.show(now))
	}
}

func (g glimpse) show(now time.Time) RequestSnapshot {
	if g.dropped {
		return RequestSnapshot{State: "cancelled", Revealed: true}
	}
	return RequestSnapshot{
		Method: g.method, Target: target(g.path, g.query), State: g.state.String(), Priority: g.priority,
		Retries: g.retries, Revealed: g.revealed, Age: seconds(now.Sub(g.born)),
	}
}

// target is a path with its query, whose values are masked: tokens are given there.
func target(path, query string) string {
	path = path[:min(len(path), maxTarget)]
	s := "/"
	if path != "" {
		s = (&url.URL{Path: path}).EscapedPath()
	}
	if query != "" {
		s += "?" + maskQuery(query[:min(len(query), maxTarget)])
	}
	if len(s) > maxTarget {
		s = s[:maxTarget] + "..."
	}
	return s
}

// maskQuery keeps the names of a query. What has no name is a value.
func maskQuery(query string) string {
	var b strings.Builder
	for i, part := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		if i > 0 {
			b.WriteByte('&')
		}
		if name, _, ok := strings.Cut(part, "="); ok {
			b.WriteString(name)
			b.WriteByte('=')
		}
		b.WriteString("xxxxx")
	}
	return b.String()
}
