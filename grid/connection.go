package grid

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Connection is the way to another server. It lasts as long as the manager knows
// that server, whether there is a connection at the moment or not.
type Connection struct {
	m       *Manager
	name    string
	prefers bool // this side dials
	current atomic.Pointer[session]
	ctx     context.Context // ends when the peer is removed
	remove  context.CancelFunc
	changed chan struct{} // wakes the loop
	labels  sync.Map      // of goroutines, by *handler

	mu       sync.Mutex
	addr     string
	state    State
	lastErr  error
	ready    chan struct{} // closed when there is a session; then replaced
	sessions map[*session]struct{}
	opened   uint64
	past     Traffic // of sessions that have ended
	closed   bool
}

// State is how a [Connection] is doing.
type State uint8

// The states.
const (
	Idle    State = iota // not connected, and waiting for the other side to dial
	Dialing              // connecting, handshake included
	Up                   // connected
	Leaving              // connected, but one of the two is shutting down: what runs is finished
	Backoff              // the last dial failed, the next one is due after a pause
	Closed               // the manager was shut down, or the peer removed
)

func (s State) String() string {
	return [...]string{"idle", "dialing", "up", "leaving", "backoff", "closed"}[min(s, Closed)]
}

func newConnection(m *Manager, p Peer) *Connection {
	c := &Connection{
		m: m, name: p.Name, addr: p.address(), prefers: dials(m.cfg.Self, p.Name),
		changed: make(chan struct{}, 1), ready: make(chan struct{}), sessions: make(map[*session]struct{}),
	}
	c.ctx, c.remove = context.WithCancel(m.ctx)
	return c
}

// Name is the name of the peer.
func (c *Connection) Name() string { return c.name }

// State says how the connection is doing.
func (c *Connection) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// WaitReady waits until the connection is [Up]. If ctx ends first, the error says why it is not, and wraps that
// beside the context's.
func (c *Connection) WaitReady(ctx context.Context) error {
	if c == nil {
		return unknownPeer()
	}
	_, err := c.waitSession(ctx)
	return err
}

func (c *Connection) waitSession(ctx context.Context) (*session, error) {
	for {
		c.mu.Lock()
		s, ready, state := c.current.Load(), c.ready, c.state
		c.mu.Unlock()
		switch {
		case state == Closed:
			return nil, c.notConnected()
		case s != nil && state != Leaving:
			return s, nil
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return nil, c.endedUnready(ctx)
		}
	}
}

// endedUnready is the error of a request whose context ended while there was no connection for it. It says why, and
// wraps both.
func (c *Connection) endedUnready(ctx context.Context) *Error {
	e := c.ended(ctx, NotSent)
	c.mu.Lock()
	state, last := c.state, c.lastErr
	c.mu.Unlock()
	why := "not connected"
	switch {
	case state == Leaving:
		why = "the connection is about to end"
	case last != nil:
		why += ": " + last.Error()
		e.cause = errors.Join(e.cause, last)
	}
	if e.Message != "" {
		why = e.Message + ": " + why
	}
	e.Message = why
	return e
}

func (c *Connection) notConnected() *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.fail(Disconnected, NotSent, "not connected")
	switch {
	case c.closed:
		e.Message = "the connection was closed for good"
	case c.lastErr != nil:
		e.Message += ": " + c.lastErr.Error()
	}
	return e
}

// install makes a session the current one, unless the one that there is has to
// stay: then the new one ends when it has answered what was asked on it. The error says
// why it must not even do that.
func (c *Connection) install(s *session) error {
	c.mu.Lock()
	if err := c.admits(s.peer, s.instance, s.dialed); err != nil {
		if errors.Is(err, errDuplicate) {
			// The peer may have begun to use it: what it has asked for is answered.
			c.sessions[s] = struct{}{}
			s.run()
		}
		surplus := c.surplus(s)
		c.mu.Unlock()
		if surplus != nil {
			surplus.end(errReplacedOften)
		}
		if errors.Is(err, errDuplicate) {
			c.m.retire(s, err.Error())
			return nil
		}
		return err
	}
	old := c.current.Load()
	c.current.Store(s)
	c.sessions[s] = struct{}{}
	c.opened++
	c.state, c.lastErr = Up, nil
	close(c.ready)
	c.ready = make(chan struct{})
	s.run()
	surplus := c.surplus(s)
	c.mu.Unlock()
	if surplus != nil {
		surplus.end(errReplacedOften)
	}
	signal(c.changed)
	c.m.log.LogAttrs(c.m.ctx, slog.LevelInfo, "grid: connected", slog.String("peer", c.name), slog.Bool("dialed", s.dialed))
	if old != nil {
		if old.instance != s.instance {
			old.end(errReplaced) // its process has died
		} else {
			c.m.retire(old, "replaced by another connection")
		}
	}
	return nil
}

// maxSessions is how many may live at a time, those included that finish what they run: each has bounds of its own.
const maxSessions = 8

// surplus is the oldest session, beside the current one and s, if there are too many. It is called under the lock.
func (c *Connection) surplus(s *session) (oldest *session) {
	if len(c.sessions) <= maxSessions {
		return nil
	}
	for x := range c.sessions {
		if x != s && x != c.current.Load() && (oldest == nil || x.since < oldest.since) {
			oldest = x
		}
	}
	return oldest
}

// admits says why a session with such a peer would not be installed, nil if it would. It
// is called under the lock.
func (c *Connection) admits(peer params, instance instance, dialed bool) error {
	if c.closed {
		return errShutDown
	}
	old := c.current.Load()
	switch {
	case old == nil:
	case old.instance == instance && old.dialed == c.prefers && dialed != c.prefers:
		return errDuplicate
	case old.instance != instance && peer.started < old.peer.started:
		return errStale
	}
	return nil
}

// sessionEnded takes note of the end of s.
func (c *Connection) sessionEnded(s *session, why error) {
	c.mu.Lock()
	delete(c.sessions, s)
	s.stats.addTo(&c.past)
	if c.current.CompareAndSwap(s, nil) {
		c.lastErr = why
		if !c.closed {
			c.state = Idle
		}
	}
	c.mu.Unlock()
	signal(c.changed)
}

// leaving takes note that the peer of s goes away.
func (c *Connection) leaving(s *session, why *Error) {
	c.mu.Lock()
	if c.current.Load() == s && c.state == Up {
		c.state = Leaving
	}
	c.mu.Unlock()
	c.m.log.LogAttrs(c.m.ctx, slog.LevelInfo, "grid: the peer says goodbye", slog.String("peer", c.name), slog.String("why", why.Message))
}

func (c *Connection) setState(state State, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed && c.current.Load() == nil {
		c.state = state
		if err != nil {
			c.lastErr = err
		}
	}
}

// shut refuses sessions from now on, and returns those that live.
func (c *Connection) shut() (alive []*session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed, c.state = true, Closed
		close(c.ready)
		c.ready = make(chan struct{})
	}
	for s := range c.sessions {
		alive = append(alive, s)
	}
	return alive
}

// upLongEnough is after how long a connection counts as one that worked.
const upLongEnough = 10 * time.Second
