package cgo_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

// overTLS makes a request for a server of the given mode.
func overTLS(mode testserver.Mode) func(*run, *cgo.Setup, *cgo.Options) {
	return func(_ *run, setup *cgo.Setup, o *cgo.Options) {
		setup.TLS = mode.TLS()
		o.Long(cgo.OptSSLVerifyPeer, 0)
		o.Long(cgo.OptSSLVerifyHost, 0)
		if mode.HTTP2() {
			o.Long(cgo.OptHTTPVersion, int64(cgo.HTTPVersion2TLS))
		}
	}
}

// wakeAt has the loop look again when n have come to the gate.
func (d *driver) wakeAt(gate *testserver.Gate, n int) {
	var wait sync.WaitGroup
	wait.Go(func() {
		if gate.WaitArrived(n, patience) {
			d.m.Wake()
		}
	})
	d.t.Cleanup(wait.Wait)
}

// spare is how much more a connection may take over TLS 1.3 than over TLS 1.2, which has no
// tickets behind the handshake: less than a buffer of OpenSSL's.
const spare = 8 << 10

// needsHeapInUse skips a test where C's allocator does not count, as under a sanitizer.
func needsHeapInUse(t *testing.T) {
	if cgo.HeapInUse() == 0 {
		t.Skip("nobody tells how much of C's heap is in use")
	}
}

func TestConnections_with_TLS_1_3_take_no_more_memory_than_with_TLS_1_2(t *testing.T) {
	needsHeapInUse(t)
	if testing.Short() || !cgo.Features().Backend("OpenSSL") {
		t.Skip("many handshakes, and the buffers are OpenSSL's")
	}
	const n = 200
	// growth is by how much the C library's heap grows for n connections: while all wait
	// for their answer, and when all have had it and are idle.
	growth := func(t *testing.T, version uint16, ok func(waiting int64) bool) (waiting, idle int64) {
		gate := testserver.NewGate()
		s := testserver.StartFunc(t, testserver.HTTPS1, func(w http.ResponseWriter, r *http.Request) {
			if gate.Wait(r.Context()) == nil {
				_, _ = io.WriteString(w, "hello")
			}
		}, testserver.WithTLSVersions(version, version))
		d := keeping(t, n)
		before := cgo.HeapInUse()
		for range n {
			d.begin(s.URL, overTLS(testserver.HTTPS1))
		}
		d.wakeAt(gate, n)
		d.until("all wait, in little memory", func() bool {
			waiting = cgo.HeapInUse() - before
			return gate.Arrived() == n && ok(waiting)
		})
		gate.Open()
		ended := func() bool {
			for _, r := range d.runs {
				if !r.done {
					return false
				}
			}
			return true
		}
		d.until("all have ended", ended)
		idle = cgo.HeapInUse() - before
		for _, r := range d.runs {
			require.Zero(t, r.Result().Code, r.Result().Text)
			assert.Equal(t, "hello", string(r.body))
			d.pool.Put(r.Transfer)
		}
		return waiting, idle
	}
	any := func(int64) bool { return true }
	var waiting, idle int64
	t.Run("1.2", func(t *testing.T) {
		growth(t, tls.VersionTLS12, any)
	})
	t.Run("1.2, with what is kept for later use", func(t *testing.T) {
		waiting, idle = growth(t, tls.VersionTLS12, any)
	})
	t.Run("1.3", func(t *testing.T) {
		w, i := growth(t, tls.VersionTLS13, func(w int64) bool { return w < waiting+n*spare })
		t.Logf("KiB each: waiting %d and %d, idle %d and %d", waiting/n>>10, w/n>>10, idle/n>>10, i/n>>10)
		assert.Less(t, i, idle+n*spare, "idle connections")
	})
}

// ticketsLate is a listener on whose connections the tickets come together with the first
// answer: they are what a server of Go's that has asked for a certificate writes second.
type ticketsLate struct{ net.Listener }

func (l ticketsLate) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &lateConn{Conn: c}, err
}

type lateConn struct {
	net.Conn
	writes int
	held   []byte
}

func (c *lateConn) Write(p []byte) (int, error) {
	if c.writes++; c.writes == 2 {
		c.held = bytes.Clone(p)
		return len(p), nil
	}
	_, err := c.Conn.Write(append(c.held, p...))
	c.held = nil
	return len(p), err
}

func TestIdle_connections_whose_tickets_came_with_the_answer_take_no_more_memory(t *testing.T) {
	needsHeapInUse(t)
	if testing.Short() || !cgo.Features().Backend("OpenSSL") {
		t.Skip("many handshakes, and the buffers are OpenSSL's")
	}
	const n = 200
	idle := func(t *testing.T, version uint16) (each int64) {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "hello")
		}))
		s.TLS = &tls.Config{MaxVersion: version, ClientAuth: tls.RequestClientCert}
		if version == tls.VersionTLS13 {
			s.Listener = ticketsLate{s.Listener}
		}
		s.StartTLS()
		t.Cleanup(s.Close)
		d := keeping(t, n)
		before := cgo.HeapInUse()
		for range n {
			d.begin(s.URL, func(r *run, setup *cgo.Setup, o *cgo.Options) {
				overTLS(testserver.HTTPS1)(r, setup, o)
				o.Long(cgo.OptSSLSessionIDCache, 0) // no certificate is asked for when a session goes on
			})
		}
		for _, r := range d.runs {
			require.Zero(t, d.finish(r).Code)
		}
		return (cgo.HeapInUse() - before) / n
	}
	t.Run("1.2", func(t *testing.T) { idle(t, tls.VersionTLS12) })
	var each int64
	t.Run("1.2, with what is kept for later use", func(t *testing.T) { each = idle(t, tls.VersionTLS12) })
	t.Run("1.3", func(t *testing.T) {
		assert.Less(t, idle(t, tls.VersionTLS13), each+spare)
	})
}

func TestConnections_with_TLS_go_on_whole_after_they_have_waited(t *testing.T) {
	const size = 1 << 20
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		gate := testserver.NewGate()
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			if r.Method == http.MethodPut {
				n, err := testserver.CheckPattern(r.Body)
				assert.NoError(t, err)
				assert.EqualValues(t, size, n)
			}
			if gate.Wait(r.Context()) == nil {
				_, _ = testserver.Pattern(size).WriteTo(w)
			}
		})
		whole := func(r *run, res cgo.Result) {
			t.Helper()
			require.Zero(t, res.Code, res.Text)
			n, err := testserver.CheckPattern(bytes.NewReader(r.body))
			assert.NoError(t, err)
			assert.EqualValues(t, size, n)
		}

		t.Run("download", func(t *testing.T) {
			d := newDriver(t)
			for range 3 { // on a new connection and on an old one
				r := d.begin(s.URL, overTLS(mode))
				n := gate.Arrived() + 1
				d.wakeAt(gate, n)
				d.until("it waits", func() bool { return gate.Arrived() == n })
				gate.Let(1)
				whole(r, d.finish(r))
			}
		})

		t.Run("upload", func(t *testing.T) {
			d := newDriver(t)
			for range 3 {
				r := d.begin(s.URL, func(r *run, setup *cgo.Setup, o *cgo.Options) {
					overTLS(mode)(r, setup, o)
					require.NoError(t, r.BodyRing(64<<10, size, false))
					o.Long(cgo.OptUpload, 1)
					o.OffT(cgo.OptInFileSizeLarge, size)
					o.List(cgo.OptHTTPHeader, []string{"Expect:"})
				})
				ring, body := r.Ring(), testserver.Pattern(size)
				d.until("libcurl asks for the body", func() bool { return r.all&cgo.EventWant != 0 })
				d.until("all is sent", func() bool {
					if n, _ := body.Read(ring.Space()); n > 0 && ring.Commit(n) {
						d.m.Unpause(r.Transfer, false, true)
					}
					return body.Len() == 0
				})
				if ring.End() {
					d.m.Unpause(r.Transfer, false, true)
				}
				gate.Let(1)
				whole(r, d.finish(r))
			}
		})
	}, testserver.HTTPS1, testserver.H2)
}
