package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
)

var (
	// ErrRestarting is returned by Restart, and by Listen, while a Restart is under way.
	ErrRestarting = errors.New("listen: a restart is under way")
	// ErrHandedOver is returned when the sockets have been handed over.
	ErrHandedOver = errors.New("listen: the sockets belong to the next process")
	// ErrNotReady is returned by Restart before Ready.
	ErrNotReady = errors.New("listen: this process is not ready itself")
)

// Sockets are the listening sockets of a program: those that it was started with, by
// systemd or by the process that it replaces, and those that it opens itself. All that
// are open are handed over by Restart.
type Sockets struct {
	config   Config
	program  string        // what to start again
	draining chan struct{} // closed by the hand-over

	mu        sync.Mutex
	inherited []*inherited
	files     map[string][]*os.File // what systemd passed and is no listener
	open      []*socket
	previous  *previous // the process before, nil without one or when it has handed over
	ready     bool
	restart   bool // under way
	handed    bool
}

// spec is what a socket is known by.
type spec struct {
	Network string `json:"network"` // as given to Listen; of a socket of systemd's its own
	Address string `json:"address"`
	Name    string `json:"name,omitempty"`   // systemd's
	Unlink  bool   `json:"unlink,omitempty"` // the file goes with the listener
}

// inherited is a socket that the process was started with and nobody has asked for yet.
type inherited struct {
	spec
	net.Listener
}

// OpenSockets takes over what the process was started with: the sockets of the process
// that called Restart, or those of systemd (LISTEN_FDS, if LISTEN_PID is this process).
// It removes the environment variables, lest children believe them. Without either there
// are no sockets yet. c is for those that Listen opens.
func OpenSockets(c Config) (*Sockets, error) {
	s := &Sockets{config: c, program: programPath(), draining: make(chan struct{}), files: map[string][]*os.File{}}
	if err := s.inherit(); err != nil {
		s.dropInherited()
		return nil, err
	}
	return s, nil
}

// Listen gives a listener for an address: the one that the process before had for the
// same network and address, else one of systemd's that is bound to it, else a new one, as
// Config.Listen opens it. Called again for the same address, it gives the next of several
// listeners there (Config.ReusePort).
func (s *Sockets) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.handed:
		return nil, ErrHandedOver
	case s.restart:
		return nil, ErrRestarting
	}
	for i, in := range s.inherited {
		if in.Network == network && in.Address == address || in.Name != "" && boundTo(in.Addr(), network, address) {
			s.inherited = append(s.inherited[:i:i], s.inherited[i+1:]...)
			return s.add(in.spec, in.Listener, nil), nil
		}
	}
	l, file, err := s.config.open(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return s.add(spec{Network: network, Address: address, Unlink: file != nil}, l, file), nil
}

// Named gives the listeners that systemd passed under a name, the FileDescriptorName of
// the socket unit, which is the unit's own name by default; also if they came by way of
// the process before. There are none if nobody passed any, or at a second call.
func (s *Sockets) Named(name string) []net.Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []net.Listener
	var left []*inherited
	for _, in := range s.inherited {
		if in.Name == name && name != "" {
			found = append(found, s.add(in.spec, in.Listener, nil))
		} else {
			left = append(left, in)
		}
	}
	s.inherited = left
	return found
}

// Files gives what systemd passed under a name and is no listening socket: datagram
// sockets, FIFOs, accepted connections. They are the caller's to close, and not handed
// over.
func (s *Sockets) Files(name string) []*os.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.files[name]
	delete(s.files, name)
	return found
}

// Successor says whether the process before this one waits for its Ready.
func (s *Sockets) Successor() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.previous != nil
}

// Draining is closed when the sockets have been handed over: this process accepts nothing
// more, and should end when its connections have: see the function Drain. Accept of its listeners then
// waits for their Close.
func (s *Sockets) Draining() <-chan struct{} { return s.draining }

// add makes the listener of a socket; s.mu is held.
func (s *Sockets) add(as spec, l net.Listener, file *socketFile) net.Listener {
	k := &socket{Listener: l, spec: as, file: file, of: s, closed: make(chan struct{})}
	s.open = append(s.open, k)
	return k
}

func (s *Sockets) dropInherited() {
	for _, in := range s.inherited {
		_ = in.Close()
	}
	for _, files := range s.files {
		for _, f := range files {
			_ = f.Close()
		}
	}
	s.inherited, s.files = nil, map[string][]*os.File{}
}

// boundTo says whether an address of systemd's is the one that is asked for.
func boundTo(bound net.Addr, network, address string) bool {
	switch bound := bound.(type) {
	case *net.UnixAddr:
		return bound.Net == network && bound.Name == address
	case *net.TCPAddr:
		asked, err := net.ResolveTCPAddr(network, address)
		if err != nil || asked.Port != bound.Port {
			return false
		}
		anywhere := asked.IP == nil || asked.IP.IsUnspecified()
		if anywhere || bound.IP.IsUnspecified() {
			return anywhere && bound.IP.IsUnspecified()
		}
		return asked.IP.Equal(bound.IP)
	}
	return false
}

// socket is a listener of Sockets.
type socket struct {
	net.Listener
	spec spec
	file *socketFile // of an inherited unix socket; a listener of Config removes its own
	of   *Sockets

	once   sync.Once
	closed chan struct{}
}

// Accept gives nothing more after a hand-over, and returns when the listener is closed.
func (k *socket) Accept() (net.Conn, error) {
	c, err := k.Listener.Accept()
	if err == nil {
		return c, nil
	}
	select {
	case <-k.of.draining:
		// The server that serves this listener is to stop by its Shutdown alone.
		<-k.closed
		return nil, closedError(k.Listener)
	default:
		return nil, err
	}
}

func (k *socket) Close() error {
	err := fmt.Errorf("listen: close of %s: %w", k.Addr(), net.ErrClosed)
	k.once.Do(func() {
		close(k.closed)
		k.of.mu.Lock()
		defer k.of.mu.Unlock()
		for i, other := range k.of.open {
			if other == k {
				k.of.open = append(k.of.open[:i:i], k.of.open[i+1:]...)
			}
		}
		if err = nil; !k.of.handed {
			err = k.end()
		}
	})
	return err
}

// end closes the socket, and removes its file if that goes with it.
func (k *socket) end() error {
	if k.file != nil {
		k.file.remove()
	}
	return k.Listener.Close()
}
