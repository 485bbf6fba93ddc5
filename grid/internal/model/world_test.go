package model

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid"
	"github.com/ratmom/ratmom/grid/gridtest"
)

// The handlers of every node.
const (
	idCall grid.HandlerID = iota + 1
	idDown
	idUp
	idBoth
	idInline // calls that are answered by the reader
	idTight  // calls of which few are served at a time, and none for long
)

var errAsked = errors.New("the error that was asked for")

func init() { grid.RegisterError(7, errAsked) }

// world is a few nodes that call each other.
type world struct {
	t      *testing.T
	net    *gridtest.Network
	ledger *ledger
	peers  []grid.Peer
	config func(*grid.Config)

	mu    sync.Mutex
	nodes map[string]*node
}

// node is one life of a node.
type node struct {
	m      *grid.Manager
	server *http.Server
	served chan struct{}
}

// dead is after how long a silent connection has ended on both sides, at the latest: the
// default of Timing.Dead, and a write that waits.
const dead = 12*time.Second + 4*time.Second

func newWorld(t *testing.T, seed uint64, names ...string) *world {
	w := &world{t: t, net: gridtest.New(seed), ledger: newLedger(t, dead+time.Second), nodes: map[string]*node{}}
	for _, name := range names {
		w.peers = append(w.peers, grid.Peer{Name: name})
	}
	return w
}

func (w *world) names() []string {
	var names []string
	for _, p := range w.peers {
		names = append(names, p.Name)
	}
	return names
}

// start begins a life.
func (w *world) start(name string) {
	w.t.Helper()
	l, err := w.net.Listen(name)
	require.NoError(w.t, err)
	cfg := grid.Config{Self: name, Dial: w.net.Dialer(name)}
	if w.config != nil {
		w.config(&cfg)
	}
	m, err := grid.NewManager(cfg)
	require.NoError(w.t, err)
	// Peers come when the handlers are there, so that none is unknown to them.
	w.register(m)
	for _, p := range w.peers {
		if p.Name != name {
			require.NoError(w.t, m.AddPeer(p))
		}
	}
	n := &node{m: m, server: &http.Server{Handler: m.Handler()}, served: make(chan struct{})}
	go func() {
		defer close(n.served)
		_ = n.server.Serve(l)
	}()
	w.mu.Lock()
	w.nodes[name] = n
	w.mu.Unlock()
}

// node is the present life, nil between two of them.
func (w *world) node(name string) *node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nodes[name]
}

// kill ends a life as the network sees it, and then what is left of it.
func (w *world) kill(name string, how gridtest.Death) {
	w.mu.Lock()
	n := w.nodes[name]
	delete(w.nodes, name)
	w.mu.Unlock()
	if n == nil {
		return
	}
	w.net.Kill(name, how)
	n.close()
}

func (n *node) close() {
	_ = n.m.Close()
	_ = n.server.Close()
	<-n.served
}

// end ends all lives.
func (w *world) end() {
	for _, name := range w.names() {
		w.kill(name, gridtest.WithEnd)
	}
	w.net.Close()
}

// ready waits until all nodes are connected with each other.
func (w *world) ready(ctx context.Context) error {
	for _, name := range w.names() {
		for _, c := range w.node(name).m.Connections() {
			if err := c.WaitReady(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) register(m *grid.Manager) {
	require.NoError(w.t, m.HandleSingle(idCall, w.call))
	require.NoError(w.t, m.HandleSingle(idInline, w.call, grid.Inline()))
	require.NoError(w.t, m.HandleSingle(idTight, w.call, grid.MaxConcurrent(2), grid.MaxWaiting(2), grid.Timeout(100*time.Millisecond)))
	require.NoError(w.t, m.HandleStream(idDown, w.stream, grid.OutCapacity(4)))
	require.NoError(w.t, m.HandleStream(idUp, w.stream, grid.InCapacity(4)))
	require.NoError(w.t, m.HandleStream(idBoth, w.stream, grid.InCapacity(4), grid.OutCapacity(4)))
}

// call is the handler of single requests.
func (w *world) call(ctx context.Context, c *grid.Call) ([]byte, error) {
	o, err := parseOrder(c.Payload())
	if err != nil {
		w.wrong(c.Peer(), "a call: %v", err)
		return nil, err
	}
	w.ledger.start(o.id)
	defer w.ledger.stop()
	if err := obey(ctx, o); err != nil {
		return nil, err
	}
	return message{id: o.id, answer: true}.bytes(int(o.size)), nil
}

// wrong is what an honest peer must not do.
func (w *world) wrong(peer, format string, args ...any) {
	if peer != villainName {
		w.t.Helper()
		w.t.Errorf(format, args...)
	}
}

// villainName is the name of the peer that may say anything.
const villainName = "z"

// obey does what all handlers may be asked for.
func obey(ctx context.Context, o order) error {
	if err := pause(ctx, time.Duration(o.delay)*time.Millisecond); err != nil {
		return err
	}
	switch o.do {
	case fail:
		return errAsked
	case panics:
		panic("the panic that was asked for")
	case forever:
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stream is the handler of all streams.
func (w *world) stream(ctx context.Context, s *grid.ServerStream) error {
	o, err := parseOrder(s.Payload())
	if err != nil {
		w.wrong(s.Peer(), "a stream: %v", err)
		return err
	}
	w.ledger.start(o.id)
	defer w.ledger.stop()
	switch s.Handler() {
	case idDown:
		err = w.sendAll(ctx, o, true, s.Send)
	case idUp:
		err = w.recvAll(ctx, s.Peer(), o, false, s.Recv)
		if err == nil {
			err = w.sendAll(ctx, order{id: o.id, count: 1}, true, s.Send)
		}
	case idBoth:
		for i := uint32(0); ; i++ {
			b, e := s.Recv(ctx)
			if e == io.EOF {
				if i != o.count {
					w.wrong(s.Peer(), "stream %d: the handler got %d of %d messages", o.id, i, o.count)
				}
				break
			}
			if err = e; err != nil {
				break
			}
			if err := (message{id: o.id, index: i}).check(b.Bytes()); err != nil {
				w.wrong(s.Peer(), "stream %d: %v", o.id, err)
			}
			b.Release()
			if err = s.Send(ctx, message{id: o.id, index: i, answer: true}.bytes(int(o.size))); err != nil {
				break
			}
		}
	}
	if err != nil {
		return err
	}
	return obey(ctx, o)
}

// sendAll sends all messages of one direction.
func (w *world) sendAll(ctx context.Context, o order, answer bool, send func(context.Context, []byte) error) error {
	for i := range o.count {
		if err := send(ctx, message{id: o.id, index: i, answer: answer}.bytes(int(o.size))); err != nil {
			return err
		}
	}
	return nil
}

// recvAll wants all messages of one direction in their order, and then io.EOF.
func (w *world) recvAll(ctx context.Context, peer string, o order, answer bool, recv func(context.Context) (grid.Buf, error)) error {
	for i := uint32(0); ; i++ {
		b, err := recv(ctx)
		if err == io.EOF {
			if i != o.count {
				w.wrong(peer, "stream %d ended well after %d of %d messages", o.id, i, o.count)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if err := (message{id: o.id, index: i, answer: answer}).check(b.Bytes()); err != nil {
			w.wrong(peer, "stream %d: %v", o.id, err)
		}
		b.Release()
	}
}

// load makes requests from one node to others until ctx ends, one after the other.
func (w *world) load(ctx context.Context, name string, random *rand.Rand) {
	for ctx.Err() == nil {
		n := w.node(name)
		to := w.peers[random.IntN(len(w.peers))].Name
		if n != nil && to != name {
			if c := n.m.Connection(to); c != nil { // nil while it is removed
				w.request(context.WithoutCancel(ctx), c, random)
			}
		}
		_ = pause(ctx, time.Duration(random.IntN(20))*time.Millisecond)
	}
}

// request makes one request of any kind.
func (w *world) request(all context.Context, c *grid.Connection, random *rand.Rand) {
	o := order{id: w.ledger.begin(), size: uint32(random.IntN(600))}
	if random.IntN(20) == 0 {
		o.size = uint32(random.IntN(300_000))
	}
	if random.IntN(3) == 0 {
		o.delay = uint32(random.IntN(300))
	}
	may := []grid.Code{grid.Disconnected, grid.Draining, grid.DeadlineExceeded}
	switch random.IntN(12) {
	case 0:
		o.do = fail
		may = append(may, grid.Application)
	case 1:
		o.do = panics
		may = append(may, grid.Internal)
	case 2:
		o.do = forever
	}
	ctx, cancel := context.WithTimeout(all, time.Minute)
	defer cancel()
	if random.IntN(3) == 0 || o.do == forever {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(1+random.IntN(2000))*time.Millisecond)
		defer cancel()
	}
	if random.IntN(4) == 0 {
		defer time.AfterFunc(time.Duration(random.IntN(500))*time.Millisecond, cancel).Stop()
		may = append(may, grid.Canceled)
	}
	var opts []grid.CallOption
	if random.IntN(4) == 0 {
		opts = append(opts, grid.WaitForReady())
	}
	id := grid.HandlerID(1 + random.IntN(6))
	switch id {
	case idInline: // never waits
		o.delay = 0
		if o.do == forever {
			o.do = answer
		}
	case idTight:
		may = append(may, grid.Overloaded)
	}
	switch id {
	case idCall, idInline, idTight:
		b, err := c.Request(ctx, id, o.bytes(), opts...)
		if err == nil {
			if o.do != answer {
				w.t.Errorf("request %d came back though it was not to: %d", o.id, o.do)
			}
			err := message{id: o.id, answer: true}.check(b)
			if err != nil {
				w.t.Errorf("request %d: %v", o.id, err)
			}
		}
		w.ledger.end(o.id, err, may...)
	default:
		o.size %= 100_000
		o.count = uint32(random.IntN(30))
		w.ledger.end(o.id, w.streaming(ctx, c, id, o, opts), may...)
	}
}

// streaming makes one stream and gives its end.
func (w *world) streaming(ctx context.Context, c *grid.Connection, id grid.HandlerID, o order, opts []grid.CallOption) error {
	s, err := c.OpenStream(ctx, id, o.bytes(), opts...)
	if err != nil {
		return err
	}
	want := o
	var sent chan struct{}
	if id != idDown {
		sent = make(chan struct{})
		go func() {
			defer close(sent)
			if err := w.sendAll(ctx, o, false, s.Send); err == nil {
				_ = s.CloseSend()
			}
		}()
	}
	if id == idUp {
		want = order{id: o.id, count: 1}
	}
	err = w.recvAll(ctx, c.Name(), want, true, s.Recv)
	if sent != nil {
		<-sent
	}
	if err == nil && o.do != answer {
		w.t.Errorf("stream %d ended well though it was not to: %d", o.id, o.do)
	}
	_, again := s.Recv(ctx)
	if (err == nil) != (again == io.EOF) {
		w.t.Errorf("stream %d ended with %v, and then with %v", o.id, err, again)
	}
	return err
}
