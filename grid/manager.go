package grid

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ratmom/ratmom/grid/internal/hello"
)

// instance tells apart the lives of a server.
type instance hello.Instance

// Manager knows the other servers of the grid and has a [Connection] to each.
type Manager struct {
	cfg      Config
	timing   Timing
	limits   Limits
	log      *slog.Logger
	clock    clock
	instance instance
	started  uint64
	ctx      context.Context // ends with the manager
	cancel   context.CancelFunc
	handlers registry
	workers  workers
	requests sync.Pool      // of *request
	tasks    sync.WaitGroup // loops, handshakes, sessions, and those who wait for them

	connections atomic.Pointer[map[string]*Connection]

	mu     sync.Mutex // for changes of the above
	closed bool
}

// NewManager makes a manager and begins to connect to the peers. A server that wants its handlers
// to be there before any peer asks for them registers them before it adds the peers, with AddPeer.
func NewManager(cfg Config) (*Manager, error) {
	if err := hello.CheckName(cfg.Self); err != nil {
		return nil, fmt.Errorf("grid: Config.Self: %w", err)
	}
	timing, err := cfg.Timing.filled()
	if err != nil {
		return nil, err
	}
	limits, err := cfg.Limits.filled()
	if err != nil {
		return nil, err
	}
	if cfg.Path == "" {
		cfg.Path = DefaultPath
	}
	if err := checkPath(cfg.Path); err != nil {
		return nil, fmt.Errorf("grid: Config.Path is %q: %w", cfg.Path, err)
	}
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	m := &Manager{cfg: cfg, timing: timing, limits: limits, log: cfg.Logger, clock: newClock(), started: uint64(time.Now().UnixNano())}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	_, _ = rand.Read(m.instance[:])
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.connections.Store(&map[string]*Connection{})
	for _, p := range cfg.Peers {
		if p.Name == cfg.Self {
			continue
		}
		if m.Connection(p.Name) != nil {
			_ = m.Close()
			return nil, fmt.Errorf("grid: the peer %q is there twice", p.Name)
		}
		if err := m.AddPeer(p); err != nil {
			_ = m.Close()
			return nil, err
		}
	}
	return m, nil
}

// Self is the name of this server.
func (m *Manager) Self() string { return m.cfg.Self }

// Connection returns the connection to a peer, by its name; nil if it is not
// known. Requests on nil fail with Disconnected, and were not sent.
func (m *Manager) Connection(host string) *Connection { return (*m.connections.Load())[host] }

// Connections returns all connections, in the order of their names.
func (m *Manager) Connections() []*Connection {
	known := *m.connections.Load()
	all := make([]*Connection, 0, len(known))
	for _, c := range known {
		all = append(all, c)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].name < all[j].name })
	return all
}

func (p Peer) address() string {
	if p.Addr != "" {
		return p.Addr
	}
	return p.Name
}

// AddPeer makes a further server known. If it is known already, its address is
// replaced, from the next dial on.
func (m *Manager) AddPeer(p Peer) error {
	if err := hello.CheckName(p.Name); err != nil {
		return fmt.Errorf("grid: the name of a peer: %w", err)
	}
	if p.Name == m.cfg.Self {
		return fmt.Errorf("grid: %q is this server itself", p.Name)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errors.New("grid: the manager was shut down")
	}
	if c := m.Connection(p.Name); c != nil {
		c.mu.Lock()
		c.addr = p.address()
		c.mu.Unlock()
		return nil
	}
	c := newConnection(m, p)
	m.change(func(all map[string]*Connection) { all[p.Name] = c })
	m.tasks.Go(c.loop)
	return nil
}

// change replaces the map, which others read without a lock.
func (m *Manager) change(f func(map[string]*Connection)) {
	next := make(map[string]*Connection)
	for k, v := range *m.connections.Load() {
		next[k] = v
	}
	f(next)
	m.connections.Store(&next)
}

// RemovePeer forgets a server. Its calls and streams end with Disconnected. It
// reports whether the server was known.
func (m *Manager) RemovePeer(name string) bool {
	m.mu.Lock()
	c := m.Connection(name)
	if c == nil {
		m.mu.Unlock()
		return false
	}
	m.change(func(all map[string]*Connection) { delete(all, name) })
	m.mu.Unlock()
	c.remove()
	for _, s := range c.shut() {
		s.end(errRemoved)
	}
	for _, h := range m.handlers.list() {
		if h.memory != nil {
			h.memory.forgetPeer(name)
		}
	}
	return true
}

var errRemoved = errors.New("the peer was removed")

// HandleSingle registers a handler of single requests, before or after
// connections are made. The error is [ErrHandlerExists] or about an option.
func (m *Manager) HandleSingle(id HandlerID, h SingleHandler, opts ...HandlerOption) error {
	entry := newHandler(id, opts)
	entry.single = h
	return m.handlers.add(entry)
}

// HandleStream registers a handler of streaming requests.
func (m *Manager) HandleStream(id HandlerID, h StreamHandler, opts ...HandlerOption) error {
	entry := newHandler(id, opts)
	entry.stream = h
	return m.handlers.add(entry)
}

// local is this side of a handshake.
func (m *Manager) local() hello.Local {
	return hello.Local{
		Name: m.cfg.Self, Instance: hello.Instance(m.instance),
		Secret: m.cfg.Secret, CertificateNames: m.cfg.CertificateNames,
	}
}

func (m *Manager) params(encrypted bool) params {
	p := params{started: m.started, calls: uint32(m.limits.Calls), streams: uint32(m.limits.Streams), message: uint64(m.limits.Message)}
	if !encrypted {
		p.flags = wantsSum
	}
	return p
}
