package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/ratmom/ratmom/internal/testserver"
)

// endless answers until a write fails, and tells how long that took.
func endless(failed *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		began := time.Now()
		for {
			if _, err := w.Write(make([]byte, 10_000)); err != nil {
				failed.Store(int64(time.Since(began)))
				return
			}
		}
	}
}

func TestServer_cuts_off_who_takes_nothing_of_an_answer(t *testing.T) {
	var failed atomic.Int64
	s := &Server{Handler: endless(&failed), Limits: Limits{WriteRate: 10_000, WriteGrace: 4 * time.Second}}
	inTime(t, s, func(c *pipeClient) {
		c.send(get1("/1"))
		time.Sleep(time.Minute)
		assert.Greater(t, time.Duration(failed.Load()), 4*time.Second)
		assert.Less(t, time.Duration(failed.Load()), 8*time.Second)
	})
}

func TestServer_cuts_off_who_takes_nothing_after_a_minute_by_default(t *testing.T) {
	var failed atomic.Int64
	inTime(t, &Server{Handler: endless(&failed)}, func(c *pipeClient) {
		c.send(get1("/1"))
		time.Sleep(time.Hour)
		assert.Greater(t, time.Duration(failed.Load()), time.Minute)
		assert.Less(t, time.Duration(failed.Load()), 3*time.Minute)
	})
}

// A client at the rate may take all day; one at half of it may not.
func TestServer_lets_a_client_be_as_slow_as_the_least_rate(t *testing.T) {
	for _, c := range []struct {
		each time.Duration // for 1000 bytes
		cut  bool
	}{{500 * time.Millisecond, false}, {950 * time.Millisecond, false}, {2 * time.Second, true}} {
		var failed atomic.Int64
		s := &Server{Handler: endless(&failed), Limits: Limits{WriteRate: 1000, WriteGrace: 30 * time.Second}}
		inTime(t, s, func(p *pipeClient) {
			p.send(get1("/1"))
			var err error
			for began := time.Now(); err == nil && time.Since(began) < time.Hour; time.Sleep(c.each) {
				_, err = io.ReadFull(p.Conn, make([]byte, 1000))
			}
			assert.Equal(t, c.cut, err != nil, "%v: %v", c.each, err)
		})
	}
}

// The clock runs only while a write waits.
func TestServer_does_not_hold_a_handler_s_pauses_against_its_client(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 20 {
			_, err := io.WriteString(w, "a little")
			assert.NoError(t, err)
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Minute)
		}
	})
	inTime(t, &Server{Handler: h}, func(c *pipeClient) {
		c.send(get1("/1"))
		assert.Equal(t, strings.Repeat("a little", 20), c.answer())
	})
}

func TestServer_waits_for_ever_for_a_slow_client_if_it_is_told_to(t *testing.T) {
	var failed atomic.Int64
	inTime(t, &Server{Handler: endless(&failed), Limits: Limits{WriteRate: -1}}, func(c *pipeClient) {
		c.send(get1("/1"))
		time.Sleep(24 * time.Hour)
		assert.Zero(t, failed.Load())
	})
}

// Each is a way of an answer to the socket.
func TestServer_cuts_off_slow_readers_of_every_kind(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Truncate(file, 64<<20))
	page := bytes.Repeat([]byte("x"), 8<<20)
	certificate := testserver.LocalAuthority(t).Localhost(t).TLS
	dialTCP := func(addr string) (net.Conn, error) { return net.Dial("tcp", addr) }
	dialTLS := func(addr string) (net.Conn, error) {
		return tls.Dial("tcp", addr, &tls.Config{RootCAs: testserver.LocalAuthority(t).Pool, ServerName: "localhost"})
	}
	listenTCP := func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
	for name, c := range map[string]struct {
		listen func() (net.Listener, error)
		dial   func(addr string) (net.Conn, error)
		path   string
		asks   int
	}{
		"one big write":   {listenTCP, dialTCP, "/big", 1},
		"many writes":     {listenTCP, dialTCP, "/many", 1},
		"a file":          {listenTCP, dialTCP, "/file", 1},
		"a pipeline":      {listenTCP, dialTCP, "/big", 5},
		"a pipe's buffer": {listenTCP, dialTCP, "/middle", 2000},
		"TLS": {func() (net.Listener, error) {
			l, err := listenTCP()
			return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}}), err
		}, dialTLS, "/big", 1},
		"wrapped": {func() (net.Listener, error) {
			l, err := listenTCP()
			return wrappingListener{l}, err
		}, dialTCP, "/file", 1},
		"a unix socket": {
			func() (net.Listener, error) { return net.Listen("unix", filepath.Join(t.TempDir(), "s")) },
			func(addr string) (net.Conn, error) { return net.Dial("unix", addr) }, "/many", 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dead := make(chan struct{})
			l, err := c.listen()
			require.NoError(t, err)
			serveOn(t, &Server{
				Pipeline: 3,
				Limits:   Limits{WriteRate: 1 << 20, WriteGrace: 100 * time.Millisecond},
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch r.URL.Path {
					case "/big":
						_, _ = w.Write(page)
					case "/middle":
						_, _ = w.Write(page[:100_000])
					case "/file":
						http.ServeFile(w, r, file)
					case "/many":
						for r.Context().Err() == nil {
							if _, err := w.Write(page[:3000]); err != nil {
								return
							}
						}
					}
				}),
				StateChange: func(_ net.Conn, state State) {
					if state == Dead {
						close(dead)
					}
				},
			}, l)
			nc, err := c.dial(l.Addr().String())
			require.NoError(t, err)
			defer func() { _ = nc.Close() }()
			go func() { _, _ = io.WriteString(nc, strings.Repeat(get1(c.path), c.asks)) }()
			select {
			case <-dead:
			case <-time.After(3 * wait):
				assert.Fail(t, "it still waits")
			}
		})
	}
}

// pausing takes its time after its first bytes, as a socket behind this server may.
type pausing struct {
	left  int
	begun bool
	pause time.Duration
}

func (p *pausing) Read(b []byte) (int, error) {
	switch {
	case p.left == 0:
		return 0, io.EOF
	case p.begun:
		time.Sleep(p.pause)
	}
	p.begun = true
	n := min(len(b), (p.left+1)/2)
	p.left -= n
	return n, nil
}

func TestServer_does_not_hold_against_its_client_what_an_answer_is_copied_from(t *testing.T) {
	const size = 100_000
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serveOn(t, &Server{
		Limits: Limits{WriteRate: 1 << 20, WriteGrace: 50 * time.Millisecond},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(size))
			_, _ = io.Copy(w, &pausing{left: size, pause: 30 * time.Millisecond})
		}),
	}, l)
	resp, err := http.Get("http://" + l.Addr().String())
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Len(t, b, size)
}

// wrappingListener's connections are of no kind that is known.
type wrappingListener struct{ net.Listener }

func (l wrappingListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	return struct{ net.Conn }{nc}, err
}

// What the kernel has taken is not yet what the client has taken.
func TestServer_asks_the_kernel_what_a_client_has_taken(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	ours, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer func() { _ = ours.Close() }()
	theirs, err := l.Accept()
	require.NoError(t, err)
	defer func() { _ = theirs.Close() }()

	s := &Server{}
	s.prepare()
	c := newConn(s, ours, context.Background())
	defer c.cancel()
	sent := int64(0)
	require.NoError(t, ours.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
	for err = nil; err == nil; {
		var n int
		n, err = c.write(make([]byte, 1<<20))
		sent += int64(n)
	}
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	taken, ok := c.acknowledged()
	require.True(t, ok)
	assert.Less(t, taken, sent, "all of it, though nobody reads")
	_, err = io.CopyN(io.Discard, theirs, sent)
	require.NoError(t, err)
	assert.Eventually(t, func() bool {
		taken, _ := c.acknowledged()
		return taken >= sent
	}, wait, time.Millisecond)
	assert.Equal(t, sent, c.writing.sent.Load())
	assert.Zero(t, c.writing.piece.Load())
}

// On one HTTP/2 connection are a stream whose window never opens, one whose handler has written all and
// returned, and one that is read.
func TestServer_resets_streams_that_are_not_read(t *testing.T) {
	results := make(chan error, 1)
	addr := start(t, &Server{
		Protocols: bothProtocols(),
		Limits:    Limits{WriteRate: 1 << 20, WriteGrace: 100 * time.Millisecond},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/endless" {
				_, _ = io.WriteString(w, "little")
				return
			}
			_, err := w.Write(make([]byte, 1<<20))
			results <- err
		}),
	})
	c := dial(t, addr)
	require.NoError(t, c.SetDeadline(time.Now().Add(3*wait)))
	c.send(preface)
	f := http2.NewFramer(c, c.r)
	require.NoError(t, f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
	for i, path := range []string{"/endless", "/stuck", "/read"} {
		var block bytes.Buffer
		e := hpack.NewEncoder(&block)
		for _, h := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", path}} {
			require.NoError(t, e.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}))
		}
		id := uint32(2*i + 1) //nolint:gosec // it is small
		require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}))
	}
	require.NoError(t, f.WriteWindowUpdate(5, 1000))
	reset, data := map[uint32]http2.ErrCode{}, map[uint32]string{}
	for len(reset) < 2 {
		frame, err := f.ReadFrame()
		require.NoError(t, err)
		switch frame := frame.(type) {
		case *http2.RSTStreamFrame:
			reset[frame.StreamID] = frame.ErrCode
		case *http2.DataFrame:
			data[frame.StreamID] += string(frame.Data())
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				require.NoError(t, f.WriteSettingsAck())
			}
		case *http2.GoAwayFrame:
			require.Fail(t, "the connection ends", "%v", frame)
		}
	}
	assert.Equal(t, map[uint32]http2.ErrCode{1: http2.ErrCodeInternal, 3: http2.ErrCodeInternal}, reset)
	assert.Equal(t, map[uint32]string{5: "little"}, data)
	assert.Error(t, <-results)
}

// An HTTP/2 answer has all that net/http's own has.
func TestServer_gives_HTTP2_handlers_what_net_http_gives_them(t *testing.T) {
	addr := start(t, &Server{Protocols: bothProtocols(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Implements(t, (*http.Pusher)(nil), w)
		assert.Implements(t, (*http.Flusher)(nil), w)
		assert.Implements(t, (*http.CloseNotifier)(nil), w) //nolint:staticcheck // old handlers ask for it
		assert.Implements(t, (*io.StringWriter)(nil), w)
		control := http.NewResponseController(w)
		assert.NoError(t, control.SetReadDeadline(time.Now().Add(wait)))
		assert.NoError(t, control.SetWriteDeadline(time.Now().Add(wait)))
		assert.NoError(t, control.EnableFullDuplex())
		assert.NoError(t, control.Flush())
		assert.ErrorIs(t, w.(http.Pusher).Push("/y", nil), http.ErrNotSupported) // the client has turned it off
		_, err := io.WriteString(w, r.URL.Path)
		assert.NoError(t, err)
	})})
	assert.NoError(t, askAndLeave(t, addr, true))
}

// Whoever comes back in time is still there, however often.
func TestServer_forgets_a_pause_that_has_ended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := &writing{}, Limits{}.withDefaults()
		inexact := func() (int64, bool) { return 0, false }
		for range 100 {
			w.piece.Store(100)
			for range 3 {
				assert.False(t, w.tooSlow(time.Now(), &l, inexact))
				time.Sleep(15 * time.Second)
			}
			w.end(100)
			assert.False(t, w.tooSlow(time.Now(), &l, inexact))
			time.Sleep(15 * time.Second)
		}
	})
}
