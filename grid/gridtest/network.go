package gridtest

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Network connects nodes by name. Its methods may be called at any time.
type Network struct {
	seed uint64

	mu        sync.Mutex
	faults    Faults
	links     map[route]*link
	listeners map[string]*listener
	// off are nodes that went Silent: nothing answers for them.
	off   map[string]bool
	conns map[*Conn]struct{}
	ports int
	// changed is closed, and another made, when a dial may go on.
	changed chan struct{}
	closed  bool
}

// route is a direction.
type route struct{ from, to string }

// link is what all connections of one direction share.
type link struct {
	traffic atomic.Int64
	faults  Faults // guarded by Network.mu
	dials   uint64 // guarded by Network.mu

	mu sync.Mutex
	// free is when the line has sent what was given to it.
	free time.Time
}

// depart says when the last of n bytes is on its way.
func (l *link) depart(n, bandwidth int) time.Time {
	now := time.Now()
	if bandwidth <= 0 {
		return now
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(float64(n) / float64(bandwidth) * float64(time.Second)))
	return l.free
}

// New makes a network without faults. The seed decides what is random.
func New(seed uint64) *Network {
	return &Network{
		seed:      seed,
		links:     map[route]*link{},
		listeners: map[string]*listener{},
		off:       map[string]bool{},
		conns:     map[*Conn]struct{}{},
		changed:   make(chan struct{}),
	}
}

// link gives the state of a direction, with mu held.
func (n *Network) link(from, to string) *link {
	r := route{from, to}
	l := n.links[r]
	if l == nil {
		l = &link{faults: n.faults}
		n.links[r] = l
	}
	return l
}

// Set changes what happens from one node to another, on open connections and later ones.
func (n *Network) Set(from, to string, f Faults) {
	n.mu.Lock()
	l := n.link(from, to)
	n.change(f, func(x *link) bool { return x == l })
}

// SetBoth changes both directions between two nodes.
func (n *Network) SetBoth(a, b string, f Faults) {
	n.mu.Lock()
	x, y := n.link(a, b), n.link(b, a)
	n.change(f, func(l *link) bool { return l == x || l == y })
}

// SetAll changes every direction, those of nodes that are still to come included.
func (n *Network) SetAll(f Faults) {
	n.mu.Lock()
	n.faults = f
	n.change(f, func(*link) bool { return true })
}

// Faults are those of one direction as they were set.
func (n *Network) Faults(from, to string) Faults {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link(from, to).faults
}

// Partition gives every direction between a node of one side and one of the other this
// path, and keeps the other faults. Partition(Open, …) heals.
func (n *Network) Partition(p Path, one, other []string) {
	for _, a := range one {
		for _, b := range other {
			n.setPath(a, b, p)
			n.setPath(b, a, p)
		}
	}
}

func (n *Network) setPath(from, to string, p Path) {
	n.mu.Lock()
	l := n.link(from, to)
	f := l.faults
	f.Path = p
	n.change(f, func(x *link) bool { return x == l })
}

// change sets the faults of some links, with mu held, which it gives back.
func (n *Network) change(f Faults, which func(*link) bool) {
	for _, l := range n.links {
		if which(l) {
			l.faults = f
		}
	}
	var pipes []*pipe
	for c := range n.conns {
		// The writing end of a pipe may be closed while its bytes are on their way.
		for _, p := range []*pipe{c.out, c.in} {
			if which(p.link) {
				pipes = append(pipes, p)
			}
		}
	}
	n.mu.Unlock()
	for _, p := range pipes {
		p.set(f)
	}
	n.announce()
}

// announce lets dials look again.
func (n *Network) announce() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.changed)
	n.changed = make(chan struct{})
}

// Listen makes a node reachable, or reachable again. One listener a node.
func (n *Network) Listen(name string) (net.Listener, error) {
	l := newListener(n, name)
	n.mu.Lock()
	switch {
	case n.closed:
		n.mu.Unlock()
		return nil, opError("listen", nil, l.addr, net.ErrClosed)
	case n.listeners[name] != nil:
		n.mu.Unlock()
		return nil, opError("listen", nil, l.addr, syscall.EADDRINUSE)
	}
	n.listeners[name] = l
	delete(n.off, name)
	n.mu.Unlock()
	n.announce()
	return l, nil
}

func (n *Network) unlisten(l *listener) {
	n.mu.Lock()
	if n.listeners[l.addr.Node] == l {
		delete(n.listeners, l.addr.Node)
	}
	n.mu.Unlock()
	n.announce()
}

// Dial connects two nodes. It waits while a direction is not Open or the node is Silent,
// until ctx ends, and fails with ECONNREFUSED if nobody listens.
func (n *Network) Dial(ctx context.Context, from, to string) (net.Conn, error) {
	c, err := n.dial(ctx, from, to)
	if err != nil {
		return nil, opError("dial", Addr{Node: from}, Addr{Node: to}, err)
	}
	return c, nil
}

// Dialer is Dial for places that know hosts and ports: a port is cut off.
func (n *Network) Dialer(from string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		if host, _, err := net.SplitHostPort(address); err == nil {
			address = host
		}
		return n.Dial(ctx, from, address)
	}
}

func (n *Network) dial(ctx context.Context, from, to string) (*Conn, error) {
	for traveled := false; ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n.mu.Lock()
		changed := n.changed
		there, back := n.link(from, to), n.link(to, from)
		open := there.faults.Path == Open && back.faults.Path == Open && !n.off[to]
		travel := there.faults.Latency + back.faults.Latency
		switch {
		case n.closed:
			n.mu.Unlock()
			return nil, net.ErrClosed
		case !open:
			n.mu.Unlock()
			if err := wait(ctx, changed, 0); err != nil {
				return nil, err
			}
			continue
		case travel > 0 && !traveled:
			n.mu.Unlock()
			traveled = true
			if err := wait(ctx, nil, travel); err != nil {
				return nil, err
			}
			continue
		case n.listeners[to] == nil:
			n.mu.Unlock()
			return nil, syscall.ECONNREFUSED
		}
		l := n.listeners[to]
		near, far := n.connect(from, to, there, back)
		n.mu.Unlock()
		if l.offer(far) {
			return near, nil
		}
		near.end(nil)
		far.end(nil)
		if err := wait(ctx, changed, 0); err != nil {
			return nil, err
		}
	}
}

// wait ends with a change, after d if it is not 0, or with ctx.
func wait(ctx context.Context, changed <-chan struct{}, d time.Duration) error {
	var over <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-changed:
	case <-over:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// connect makes the two ends of a connection, with mu held.
func (n *Network) connect(from, to string, there, back *link) (near, far *Conn) {
	there.dials++
	h := fnv.New64a()
	_, _ = h.Write([]byte(from + "\x00" + to))
	out := newPipe(there, there.faults, rand.New(rand.NewPCG(n.seed^h.Sum64(), 2*there.dials)))
	in := newPipe(back, back.faults, rand.New(rand.NewPCG(n.seed^h.Sum64(), 2*there.dials+1)))
	out.back, in.back = in, out
	n.ports++
	dialler, door := Addr{Node: from, Port: n.ports}, Addr{Node: to}
	near = &Conn{network: n, in: in, out: out, local: dialler, remote: door}
	far = &Conn{network: n, in: out, out: in, local: door, remote: dialler}
	n.conns[near], n.conns[far] = struct{}{}, struct{}{}
	return near, far
}

func (n *Network) forget(c *Conn) {
	n.mu.Lock()
	delete(n.conns, c)
	n.mu.Unlock()
}

// Death is how a node ends.
type Death int

const (
	// WithReset is a killed process: the other ends see a reset, dials are refused.
	WithReset Death = iota
	// WithEnd is a process that exits: the other ends see io.EOF, dials are refused.
	WithEnd
	// Silent is a machine without power: the other ends see nothing at all, and
	// dials wait until the node listens again.
	Silent
)

// Kill ends a node: its listener, and its end of all its connections, which fail with
// net.ErrClosed. Listen brings the name back, as a restarted process would.
func (n *Network) Kill(name string, how Death) {
	n.mu.Lock()
	l := n.listeners[name]
	if how == Silent {
		n.off[name] = true
	}
	n.mu.Unlock()
	if l != nil {
		_ = l.Close()
	}
	for _, c := range n.ends(name) {
		switch how {
		case WithReset:
			c.end(syscall.ECONNRESET)
		case WithEnd:
			c.Close()
		case Silent:
			// What was on its way still comes; nothing answers after that.
			c.in.blackout()
			c.end(nil)
		}
	}
}

// Reset resets every connection between two nodes.
func (n *Network) Reset(a, b string) {
	for _, c := range n.ends(a) {
		if c.remote.Node == b {
			c.Reset()
		}
	}
}

// ends are the open ends of a node.
func (n *Network) ends(name string) []*Conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	var ends []*Conn
	for c := range n.conns {
		if c.local.Node == name {
			ends = append(ends, c)
		}
	}
	return ends
}

// Open is the number of connection ends that the node has not closed.
func (n *Network) Open(node string) int { return len(n.ends(node)) }

// Traffic is the number of bytes written from one node to another.
func (n *Network) Traffic(from, to string) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link(from, to).traffic.Load()
}

// Close ends all nodes with a reset, and refuses new ones.
func (n *Network) Close() {
	n.mu.Lock()
	n.closed = true
	names := map[string]bool{}
	for name := range n.listeners {
		names[name] = true
	}
	for c := range n.conns {
		names[c.local.Node] = true
	}
	n.mu.Unlock()
	for name := range names {
		n.Kill(name, WithReset)
	}
	n.announce()
}
