package grid

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what has to happen.
const patience = 30 * time.Second

// Handlers that every server of the tests has.
const (
	echoID HandlerID = iota + 1
	inlineEchoID
	failID
	hangID // until its context ends
	panicID
	pingPongID // a stream that sends back what it gets
	countID    // a stream of as many messages as the payload says
	sinkID     // a stream that takes all and sends how much it was at the end
	firstFree
)

// node is a server of the tests.
type node struct {
	*Manager
	server *http.Server
	l      net.Listener
	served chan struct{}
}

// stop ends the server, and all its connections.
func (n *node) stop() {
	_ = n.Close()
	_ = n.server.Close()
	<-n.served
}

// start makes a server that listens on l.
func start(t testing.TB, l net.Listener, cfg Config) *node {
	t.Helper()
	if os.Getenv("GRID_LOG") != "" {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil)).With("self", cfg.Self)
	}
	peers := cfg.Peers
	cfg.Peers = nil // they are dialled at once, and may ask before there are handlers
	m, err := NewManager(cfg)
	require.NoError(t, err)
	handlers(t, m)
	mux := http.NewServeMux()
	mux.Handle(m.cfg.Path, m.Handler())
	n := &node{m, &http.Server{Handler: mux}, l, make(chan struct{})}
	go func() {
		defer close(n.served)
		_ = n.server.Serve(l)
	}()
	t.Cleanup(n.stop)
	for _, p := range peers {
		if p.Name != cfg.Self {
			require.NoError(t, m.AddPeer(p))
		}
	}
	return n
}

// tcpPair makes two servers on the loopback, connected.
func tcpPair(t testing.TB, change func(*Config)) (a, b *node) {
	t.Helper()
	var ls [2]net.Listener
	for i := range ls {
		var err error
		ls[i], err = net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
	}
	peers := []Peer{{"a", ls[0].Addr().String()}, {"b", ls[1].Addr().String()}}
	nodes := [2]*node{}
	for i, name := range []string{"a", "b"} {
		cfg := Config{Self: name, Peers: peers}
		if change != nil {
			change(&cfg)
		}
		nodes[i] = start(t, ls[i], cfg)
	}
	a, b = nodes[0], nodes[1]
	ready(t, a, b)
	return a, b
}

// ready waits until both know of the connection.
func ready(t testing.TB, a, b *node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, a.Connection(b.Self()).WaitReady(ctx))
	require.NoError(t, b.Connection(a.Self()).WaitReady(ctx))
}

func (n *node) to(other *node) *Connection { return n.Connection(other.Self()) }
