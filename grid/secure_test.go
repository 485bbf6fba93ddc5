package grid

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/server"
)

// mutual makes configurations with which both sides show certificates of their names.
func mutual(t testing.TB, ca *testserver.Authority, name string) (dialer, acceptor *tls.Config) {
	cert := ca.Host(t, name).TLS
	acceptor = &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: ca.Pool, ClientAuth: tls.RequireAndVerifyClientCert}
	return &tls.Config{RootCAs: ca.Pool, Certificates: []tls.Certificate{ca.Client(t, name).TLS}}, acceptor
}

func TestGrid_works_under_every_server_with_TLS_and_without(t *testing.T) {
	ca := testserver.NewAuthority(t)
	for _, encrypted := range []bool{false, true} {
		for _, ours := range []bool{false, true} {
			var nodes [2]*Manager
			var ls [2]net.Listener
			names := [2]string{"node-a", "node-b"}
			var peers []Peer
			for i := range ls {
				var err error
				ls[i], err = net.Listen("tcp", "127.0.0.1:0")
				require.NoError(t, err)
				peers = append(peers, Peer{names[i], ls[i].Addr().String()})
			}
			for i := range nodes {
				cfg := Config{Self: names[i], Peers: peers, Secret: []byte("known to both")}
				l := ls[i]
				if encrypted {
					other, acceptor := mutual(t, ca, names[i])
					cfg.TLS, cfg.CertificateNames = other, true
					l = tls.NewListener(l, acceptor)
				}
				m, err := NewManager(cfg)
				require.NoError(t, err)
				handlers(t, m)
				nodes[i] = m
				var srv interface {
					Serve(net.Listener) error
					Close() error
				} = &http.Server{Handler: m.Handler()}
				if ours {
					srv = &server.Server{Handler: m.Handler()}
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					_ = srv.Serve(l)
				}()
				t.Cleanup(func() {
					_ = m.Close()
					_ = srv.Close()
					<-done
				})
			}
			for i, m := range nodes {
				c := m.Connection(names[1-i])
				require.NoError(t, c.WaitReady(within(t)))
				for _, size := range []int{100, 100_000} {
					got, err := c.Request(within(t), echoID, make([]byte, size))
					require.NoError(t, err)
					require.Len(t, got, size)
				}
				assert.Equal(t, encrypted, !c.current.Load().sum, "TLS has its own checksums")
			}
		}
	}
}

// What names a server is its certificate, wherever it is: more than two cannot be told apart by one ServerName.
func TestCertificates_of_names_alone_let_three_servers_together(t *testing.T) {
	ca := testserver.NewAuthority(t)
	names := []string{"node-a", "node-b", "node-c:9000"}
	var ls []net.Listener
	var peers []Peer
	for _, name := range names {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		ls, peers = append(ls, l), append(peers, Peer{name, l.Addr().String()})
	}
	var nodes []*node
	for i, name := range names {
		host, _, _ := strings.Cut(name, ":")
		dialer, acceptor := mutual(t, ca, host)
		nodes = append(nodes, start(t, tls.NewListener(ls[i], acceptor), Config{Self: name, Peers: peers, TLS: dialer, CertificateNames: true}))
	}
	for _, x := range nodes {
		for _, y := range nodes {
			if x != y {
				require.NoError(t, x.to(y).WaitReady(within(t)))
			}
		}
	}
	// And a server of another name is none of them, at whatever address.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	dialer, acceptor := mutual(t, ca, "node-d")
	start(t, tls.NewListener(l, acceptor), Config{Self: "node-e", TLS: dialer, CertificateNames: true})
	require.NoError(t, nodes[0].AddPeer(Peer{"node-e", l.Addr().String()}))
	require.Eventually(t, func() bool {
		err := nodes[0].Connection("node-e").Snapshot().LastError
		return err != nil && strings.Contains(err.Error(), "valid for node-d, not node-e")
	}, patience, time.Millisecond)
}

func TestConnection_is_refused_with_the_reason(t *testing.T) {
	for why, change := range map[string]func(*Config){
		"the proof of the shared secret is wrong": func(c *Config) { c.Secret = []byte(c.Self) },
		"a TLS connection is required":            func(c *Config) { c.CertificateNames = true },
		"is not known to":                         func(c *Config) { c.Peers = c.Peers[:1]; c.Timing.DialGrace = 1 }, // b does not know b, a does not know b
	} {
		inBubble(t, func(b *bubble) {
			x, y := b.start("a", change), b.start("b", change)
			for _, n := range []*node{x, y} {
				for _, c := range n.Connections() {
					for c.Snapshot().LastError == nil {
						changed(b)
					}
					assert.ErrorContains(b, c.Snapshot().LastError, why)
					assert.NotEqual(b, Up, c.State())
				}
			}
		})
	}
}

var errNoSuchKey = errors.New("no such key")

func TestRegisterError_gives_an_error_its_identity_over_the_wire(t *testing.T) {
	sentinel, wrapped := errNoSuchKey, errors.New("another")
	RegisterError(7001, sentinel)
	RegisterError(7001, sentinel)
	assert.Panics(t, func() { RegisterError(7001, wrapped) })
	assert.Panics(t, func() { RegisterError(0, wrapped) })
	assert.Panics(t, func() { RegisterError(7002, nil) })
	a, b := tcpPair(t, nil)
	for id, err := range map[HandlerID]error{
		firstFree:     sentinel,
		firstFree + 1: errors.Join(errors.New("while reading"), sentinel),
		firstFree + 2: &Error{Code: Overloaded, Message: "try later", Details: []byte("in 5 s")},
		firstFree + 3: context.DeadlineExceeded,
		firstFree + 4: wrapped,
		firstFree + 5: context.Canceled,
	} {
		require.NoError(t, b.HandleSingle(id, func(context.Context, *Call) ([]byte, error) { return nil, err }))
	}
	ask := func(id HandlerID) *Error {
		_, err := a.to(b).Request(within(t), id, nil)
		var e *Error
		require.ErrorAs(t, err, &e)
		assert.True(t, e.Remote)
		assert.Equal(t, MaybeExecuted, e.Sent)
		return e
	}
	assert.ErrorIs(t, ask(firstFree), sentinel)
	e := ask(firstFree + 1)
	assert.ErrorIs(t, e, sentinel)
	assert.Equal(t, "grid: b: while reading\nno such key", e.Error())
	e = ask(firstFree + 2)
	assert.ErrorIs(t, e, ErrOverloaded)
	assert.Equal(t, "in 5 s", string(e.Details))
	e = ask(firstFree + 3)
	assert.ErrorIs(t, e, context.DeadlineExceeded)
	assert.True(t, e.Timeout())
	e = ask(firstFree + 4)
	assert.NotErrorIs(t, e, sentinel)
	assert.NotErrorIs(t, e, ErrDisconnected)
	assert.Equal(t, "another", e.Message)
	assert.ErrorIs(t, ask(firstFree+5), context.Canceled)
}

func TestSubroutes_and_traces_reach_the_handler(t *testing.T) {
	type key struct{}
	a, b := tcpPair(t, func(c *Config) {
		c.Trace = func(ctx context.Context) (TraceContext, bool) {
			x, ok := ctx.Value(key{}).(TraceContext)
			return x, ok
		}
		c.ContextWithTrace = func(ctx context.Context, x TraceContext) context.Context { return context.WithValue(ctx, key{}, x) }
	})
	for _, sub := range []SubrouteOption{"one", "two"} {
		require.NoError(t, b.HandleSingle(firstFree, func(ctx context.Context, c *Call) ([]byte, error) {
			x, _ := ctx.Value(key{}).(TraceContext)
			y, ok := c.Trace()
			assert.Equal(t, x, y)
			assert.Equal(t, x != TraceContext{}, ok)
			assert.Equal(t, "a", c.Peer())
			assert.Same(t, b.to(a), c.Connection())
			assert.Equal(t, firstFree, c.Handler())
			return append([]byte(sub), x[:]...), nil
		}, sub))
		require.NoError(t, b.HandleStream(firstFree+1, func(ctx context.Context, s *ServerStream) error {
			assert.Equal(t, "a", s.Peer())
			return s.Send(ctx, []byte(sub))
		}, sub))
	}
	require.ErrorIs(t, b.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) { return nil, nil }, Subroute("one")), ErrHandlerExists)
	trace := TraceContext{0: 1, 24: 2}
	ctx := context.WithValue(within(t), key{}, trace)
	got, err := a.to(b).Request(ctx, firstFree, nil, Subroute("two"))
	require.NoError(t, err)
	assert.Equal(t, append([]byte("two"), trace[:]...), got)
	st, err := a.to(b).OpenStream(within(t), firstFree+1, nil, Subroute("one"))
	require.NoError(t, err)
	m, err := st.Recv(within(t))
	require.NoError(t, err)
	assert.Equal(t, "one", string(m.Bytes()))
	_, err = a.to(b).Request(within(t), firstFree, nil, Subroute("three"))
	assert.ErrorIs(t, err, ErrUnknownHandler)
	_, err = a.to(b).Request(within(t), firstFree, nil)
	assert.ErrorIs(t, err, ErrUnknownHandler)
}

func TestHandlers_with_options_that_cannot_be_are_refused(t *testing.T) {
	m, err := NewManager(Config{Self: "a"})
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	single := func(context.Context, *Call) ([]byte, error) { return nil, nil }
	stream := func(context.Context, *ServerStream) error { return nil }
	require.Error(t, m.HandleSingle(1, nil))
	require.Error(t, m.HandleStream(1, nil))
	for _, o := range []HandlerOption{MaxConcurrent(0), MaxWaiting(-1), Timeout(-1), Window(1), Window(1 << 30), InCapacity(-1), OutCapacity(0), OutCapacity(1 << 20)} {
		require.Error(t, m.HandleSingle(1, single, o))
	}
	require.Error(t, m.HandleStream(1, stream, Inline()))
	require.NoError(t, m.HandleStream(1, stream))
	require.ErrorIs(t, m.HandleSingle(1, single), ErrHandlerExists)
}
