package grid_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid"
	"github.com/ratmom/ratmom/internal/testserver"
)

// journal is what was logged.
type journal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines chan string
}

func newJournal() *journal { return &journal{lines: make(chan string, 1000)} }

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	select {
	case j.lines <- string(p):
	default: // nobody waits for so many
	}
	return j.text.Write(p)
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (j *journal) all() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// waitFor waits for a line that has all of words.
func (j *journal) waitFor(t *testing.T, words ...string) {
	t.Helper()
	late := time.After(wirePatience)
	for {
		select {
		case line := <-j.lines:
			all := true
			for _, w := range words {
				all = all && bytes.Contains([]byte(line), []byte(w))
			}
			if all {
				return
			}
		case <-late:
			t.Fatalf("no line with %q in:\n%s", words, j.all())
		}
	}
}

// secured are two servers that may or may not come together.
type secured struct {
	a, b         *grid.Manager
	ofA, ofB     *journal
	addrA, addrB string
}

// secure starts node-a and node-b, each with its own configuration, under TLS if serverTLS is set.
func secure(t *testing.T, serverTLS func(name string) *tls.Config, change func(*grid.Config)) *secured {
	t.Helper()
	s := &secured{ofA: newJournal(), ofB: newJournal()}
	names := []string{"node-a", "node-b"}
	var servers []*httptest.Server
	for _, name := range names {
		h := httptest.NewUnstartedServer(nil)
		if serverTLS != nil {
			h.TLS = serverTLS(name)
		}
		servers = append(servers, h)
		t.Cleanup(h.Close)
	}
	var managers []*grid.Manager
	for i, name := range names {
		cfg := grid.Config{Self: name, Logger: []*journal{s.ofA, s.ofB}[i].logger()}
		for k, other := range names {
			if other != name {
				cfg.Peers = append(cfg.Peers, grid.Peer{Name: other, Addr: servers[k].Listener.Addr().String()})
			}
		}
		cfg.Timing.DialGrace = time.Millisecond
		change(&cfg)
		m, err := grid.NewManager(cfg)
		require.NoError(t, err)
		t.Cleanup(func() { _ = m.Close() })
		require.NoError(t, m.HandleSingle(handlerEcho, func(_ context.Context, c *grid.Call) ([]byte, error) {
			return c.Payload(), nil
		}))
		servers[i].Config.Handler = m.Handler()
		servers[i].Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		managers = append(managers, m)
	}
	for _, h := range servers {
		if h.TLS != nil {
			h.StartTLS()
		} else {
			h.Start()
		}
	}
	s.a, s.b = managers[0], managers[1]
	s.addrA, s.addrB = servers[0].Listener.Addr().String(), servers[1].Listener.Addr().String()
	return s
}

func (s *secured) works(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wirePatience)
	defer cancel()
	for _, c := range []*grid.Connection{s.a.Connection("node-b"), s.b.Connection("node-a")} {
		got, err := c.Request(ctx, handlerEcho, []byte("x"), grid.WaitForReady())
		for failed := (*grid.Error)(nil); errors.As(err, &failed) && failed.Sent == grid.NotSent && ctx.Err() == nil; {
			// Both have dialled, and one of the connections ends.
			got, err = c.Request(ctx, handlerEcho, []byte("x"), grid.WaitForReady())
		}
		require.NoError(t, err)
		assert.Equal(t, "x", string(got))
	}
}

// certificates gives each server one of its name, for both roles.
func certificates(t *testing.T, names map[string]string) (server func(string) *tls.Config, client func(string) *tls.Config) {
	ca := testserver.LocalAuthority(t)
	server = func(name string) *tls.Config {
		return &tls.Config{
			Certificates: []tls.Certificate{ca.Host(t, names[name], "127.0.0.1.test").TLS},
			ClientCAs:    ca.Pool, ClientAuth: tls.RequireAndVerifyClientCert,
		}
	}
	client = func(name string) *tls.Config {
		return &tls.Config{
			RootCAs: ca.Pool, ServerName: "127.0.0.1.test", Certificates: []tls.Certificate{ca.Client(t, names[name]).TLS},
		}
	}
	return server, client
}

func TestSecurity_lets_servers_together_that_prove_who_they_are(t *testing.T) {
	server, client := certificates(t, map[string]string{"node-a": "node-a", "node-b": "node-b"})
	for name, c := range map[string]struct {
		secret    string
		tls, mTLS bool
	}{
		"a secret":                           {secret: "the secret"},
		"a secret under TLS":                 {secret: "the secret", tls: true},
		"certificates":                       {tls: true, mTLS: true},
		"a secret and certificates together": {secret: "the secret", tls: true, mTLS: true},
	} {
		t.Run(name, func(t *testing.T) {
			var serverTLS func(string) *tls.Config
			if c.tls {
				serverTLS = server
			}
			secure(t, serverTLS, func(cfg *grid.Config) {
				cfg.Secret, cfg.CertificateNames = []byte(c.secret), c.mTLS
				if c.tls {
					cfg.TLS = client(cfg.Self)
				}
			}).works(t)
		})
	}
}

func TestSecurity_tells_both_sides_why_a_server_is_refused(t *testing.T) {
	t.Run("another secret", func(t *testing.T) {
		s := secure(t, nil, func(cfg *grid.Config) { cfg.Secret = []byte("the secret of " + cfg.Self) })
		for _, j := range []*journal{s.ofA, s.ofB} {
			j.waitFor(t, "cannot connect", "refused by the other side", "proof of the shared secret is wrong")
			j.waitFor(t, "a connection was refused", "proof of the shared secret is wrong")
			assert.NotContains(t, j.all(), "the secret of")
		}
		_, err := s.a.Connection("node-b").Request(context.Background(), handlerEcho, nil)
		assert.ErrorIs(t, err, grid.ErrDisconnected)
		assert.ErrorContains(t, err, "proof of the shared secret is wrong", "the caller is told, too")
	})
	t.Run("a certificate of another name", func(t *testing.T) {
		server, client := certificates(t, map[string]string{"node-a": "node-x", "node-b": "node-b"})
		s := secure(t, server, func(cfg *grid.Config) { cfg.CertificateNames, cfg.TLS = true, client(cfg.Self) })
		s.ofA.waitFor(t, "cannot connect", "refused by the other side", `not that of`, "node-x")
		s.ofB.waitFor(t, "a connection was refused", "node-x")
		s.ofB.waitFor(t, "cannot connect", "node-x")
	})
	t.Run("no certificate where one is asked for", func(t *testing.T) {
		s := secure(t, nil, func(cfg *grid.Config) { cfg.CertificateNames = cfg.Self == "node-b" })
		s.ofA.waitFor(t, "cannot connect", "a TLS connection is required")
		s.ofB.waitFor(t, "a connection was refused", "a TLS connection is required")
	})
	t.Run("an unknown name", func(t *testing.T) {
		_, addr := serveGrid(t, "", nil)
		f := dialForeign(t, addr)
		f.readFields(wireHello)
		f.send(wireFrame{kind: wireHello, payload: fields(wireVersions, []byte("node-z"), random(16), random(32), nil, f.params())})
		code, words := f.goaway()
		assert.EqualValues(t, 0x103, code)
		assertWords(t, words, `"node-z" is not known to "node-b"`)
	})
	t.Run("no version", func(t *testing.T) {
		_, addr := serveGrid(t, "", nil)
		f := dialForeign(t, addr)
		f.readFields(wireHello)
		f.send(wireFrame{kind: wireHello, payload: fields([]byte{2, 9}, []byte("node-a"), random(16), random(32), nil, f.params())})
		code, words := f.goaway()
		assert.EqualValues(t, 0x102, code)
		assertWords(t, words, "2 to 9")
	})
	t.Run("something that is no grid", func(t *testing.T) {
		_, addr := serveGrid(t, "", nil)
		f := dialForeign(t, addr)
		f.readFields(wireHello)
		f.raw(2, []byte("hello, is anybody there?"))
		code, _ := f.goaway()
		assert.EqualValues(t, 0x101, code)
	})
}

func TestSecurity_takes_a_proof_once(t *testing.T) {
	m, addr := serveGrid(t, "", func(c *grid.Config) { c.Secret = []byte("the secret") })
	f := dialForeign(t, addr)
	theirs := f.readFields(wireHello)
	nonce := random(32)
	proof := wireProof("the secret", "D", nonce, theirs[4], "node-a", "node-b")
	hello := wireFrame{kind: wireHello, payload: fields(wireVersions, []byte("node-a"), random(16), nonce, proof, f.params())}
	f.send(hello)
	welcome := f.readFields(wireWelcome)
	require.Equal(t, "node-b", m.Self())

	for name, replayed := range map[string]wireFrame{
		"the same bytes": hello,
		"the acceptor's own proof": {kind: wireHello, payload: fields(
			wireVersions, []byte("node-a"), random(16), nonce, welcome[5], f.params())},
		"none": {kind: wireHello, payload: fields(wireVersions, []byte("node-a"), random(16), nonce, nil, f.params())},
	} {
		again := dialForeign(t, addr)
		again.readFields(wireHello)
		again.send(replayed)
		code, words := again.goaway()
		assert.EqualValues(t, 0x104, code, name)
		assertWords(t, words, "proof of the shared secret")
	}
}

func TestSecurity_gives_up_on_a_silent_peer(t *testing.T) {
	brief := func(j *journal) func(*grid.Config) {
		return func(c *grid.Config) {
			c.Timing.Handshake = 50 * time.Millisecond
			c.Timing.DialGrace = time.Millisecond
			c.Logger = j.logger()
		}
	}
	t.Run("that dialled", func(t *testing.T) {
		j := newJournal()
		_, addr := serveGrid(t, "", brief(j))
		f := dialForeign(t, addr)
		f.readFields(wireHello)
		_, _, err := f.readRaw()
		assert.ErrorIs(t, err, io.EOF, "the socket is closed")
		j.waitFor(t, "a connection was refused")
	})
	for name, answer := range map[string]string{
		"that is dialled":                    "",
		"that has answered the upgrade half": "HTTP/1.1 101 Switching",
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { _ = l.Close() })
			j := newJournal()
			serveGrid(t, l.Addr().String(), brief(j))
			nc, err := l.Accept()
			require.NoError(t, err)
			defer func() { _ = nc.Close() }()
			require.NoError(t, nc.SetDeadline(time.Now().Add(wirePatience)))
			_, err = io.WriteString(nc, answer)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, nc)
			assert.NoError(t, err, "the socket is closed")
			j.waitFor(t, "cannot connect")
		})
	}
}

func TestSecurity_spends_nothing_on_a_header_that_announces_64_GiB(t *testing.T) {
	j := newJournal()
	m, addr := serveGrid(t, "", func(c *grid.Config) { c.Logger = j.logger() })
	hostile := binary.BigEndian.AppendUint64([]byte{0x82, 0x80 | 127}, 64<<30)
	hostile = append(hostile, 1, 2, 3, 4)
	require.Len(t, hostile, 14)
	for _, inSession := range []bool{false, true} {
		f := dialForeign(t, addr)
		if inSession {
			f.hello("node-a", "node-b", "")
			ctx, cancel := context.WithTimeout(context.Background(), wirePatience)
			require.NoError(t, m.Connection("node-a").WaitReady(ctx))
			cancel()
		} else {
			f.readFields(wireHello)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := f.nc.Write(hostile)
		require.NoError(t, err)
		for err == nil {
			_, _, err = f.readRaw()
		}
		assert.ErrorIs(t, err, io.EOF, "the socket is closed")
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20))
		j.waitFor(t, "beyond the limit")
	}
}
