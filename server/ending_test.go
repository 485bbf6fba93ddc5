package server

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// states notes what StateChange is told.
type states struct {
	mu   sync.Mutex
	seen []State
	each chan State
}

func newStates() *states { return &states{each: make(chan State, 100)} }

func (s *states) changed(_ net.Conn, state State) {
	s.mu.Lock()
	s.seen = append(s.seen, state)
	s.mu.Unlock()
	s.each <- state
}

func (s *states) all() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]State(nil), s.seen...)
}

func (s *states) await(t *testing.T, want State) {
	t.Helper()
	select {
	case got := <-s.each:
		require.Equal(t, want, got)
	case <-time.After(wait):
		require.Fail(t, "no change of state", want.String())
	}
}

// waiting enters and waits until its context ends, and then until it is let go.
type waiting struct {
	entered, ended chan string
	leave          chan struct{}
}

func newWaiting() *waiting {
	return &waiting{make(chan string, 100), make(chan string, 100), make(chan struct{})}
}

func (h *waiting) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	h.entered <- r.URL.Path
	<-r.Context().Done()
	h.ended <- r.URL.Path
	<-h.leave
}

func receive(t *testing.T, c chan string) string {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(wait):
		require.Fail(t, "nothing came")
		return ""
	}
}

// The reader is in turn: beside the handler, behind a full pipeline, behind an unread body, and behind
// the last request.
var resets = map[string]struct {
	pipeline int
	send     string
	enter    int
}{
	"one at a time":                {0, get1("/1"), 1},
	"with more to read":            {0, get1("/1") + get1("/2"), 1},
	"reading on":                   {3, get1("/1"), 1},
	"behind a full pipeline":       {1, get1("/1") + get1("/2") + get1("/3") + get1("/4"), 2},
	"behind an unread body":        {3, "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\nabc", 1},
	"behind an unsafe request":     {3, "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1},
	"behind the last":              {3, bye("/1"), 1},
	"behind a body beyond buffers": {0, "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n" + string(make([]byte, 100<<10)), 1},
}

func TestServer_aborts_the_handlers_of_a_client_that_resets(t *testing.T) {
	for name, c := range resets {
		t.Run(name, func(t *testing.T) {
			best := time.Hour
			for range 10 { // a busy machine may spoil a few
				h, s := newWaiting(), newStates()
				server := &Server{Handler: h, Pipeline: c.pipeline, StateChange: s.changed}
				addr := start(t, server)
				client := dial(t, addr)
				client.send(c.send)
				for range c.enter {
					receive(t, h.entered)
				}
				began := time.Now()
				client.reset()
				for range c.enter {
					receive(t, h.ended)
				}
				best = min(best, time.Since(began))
				s.await(t, Closed)
				assert.Equal(t, []State{Closed}, s.all(), "handlers are still at work")
				close(h.leave)
				s.await(t, Dead)
				assert.Empty(t, h.entered, "a request was begun on a dead connection")
				if best < 10*time.Millisecond {
					return
				}
			}
			assert.Less(t, best, 10*time.Millisecond)
		})
	}
}

// hidden is a connection that nobody can watch: only reads tell of its end.
type hidden struct{ net.Conn }

type hiding struct{ net.Listener }

func (l hiding) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return hidden{c}, nil
}

func TestServer_sees_the_end_of_what_it_cannot_watch(t *testing.T) {
	for _, send := range []string{
		get1("/1"), bye("/1"), "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
	} {
		for _, reset := range []bool{true, false} {
			h := newWaiting()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			serveOn(t, &Server{Handler: h}, hiding{l})
			client := dial(t, l.Addr().String())
			client.send(send)
			receive(t, h.entered)
			if reset {
				client.reset()
			} else {
				require.NoError(t, client.Close())
			}
			receive(t, h.ended)
			close(h.leave)
		}
	}
}

func TestServer_works_on_what_it_cannot_watch(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serveOn(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		_, _ = io.WriteString(w, r.URL.Path+string(b))
	})}, hiding{l})
	c := dial(t, l.Addr().String())
	for range 3 {
		c.send(get1("/1") + "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" + get1("/3"))
		for _, want := range []string{"/1", "/2x", "/3"} {
			body := c.body("GET")
			assert.Equal(t, want, body)
		}
	}
	assert.Contains(t, talk(t, l.Addr().String(), bye("/4")), "/4")
}

func TestServer_cancels_at_FIN_and_still_answers(t *testing.T) {
	for _, pipeline := range []int{0, 3} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
				_, _ = io.WriteString(w, "cancelled")
			case <-time.After(wait):
			}
		})
		addr := start(t, &Server{Handler: h, Pipeline: pipeline})
		c := dial(t, addr)
		c.send(get1("/1"))
		require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
		body := c.body("GET")
		assert.Equal(t, "cancelled", body)
		assert.Empty(t, c.rest())
	}
}

func TestServer_takes_FIN_for_a_half_close_when_told_so(t *testing.T) {
	for _, pipeline := range []int{0, 3} {
		g := newGate()
		cancelled := make(chan struct{}, 10)
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer context.AfterFunc(r.Context(), func() { cancelled <- struct{}{} })()
			g.ServeHTTP(w, r)
		})
		addr := start(t, &Server{Handler: h, Pipeline: pipeline, HalfClose: true})
		c := dial(t, addr)
		c.send(get1("/1") + get1("/2"))
		require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
		g.await(t, []string{"/1", "/2"}[:min(2, 1+pipeline)]...)
		assert.Never(t, func() bool { return len(cancelled) > 0 }, 50*time.Millisecond, 5*time.Millisecond)
		g.let("/1")
		g.let("/2")
		for _, want := range []string{"/1", "/2"} {
			body := c.body("GET")
			assert.Equal(t, want, body)
		}
		assert.Empty(t, c.rest())
	}
}

func TestServer_serves_what_was_sent_before_FIN(t *testing.T) {
	addr := start(t, &Server{Handler: echo, Pipeline: 3})
	c := dial(t, addr)
	c.send(get1("/1") + get1("/2") + get1("/3"))
	require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
	for _, want := range []string{"/1", "/2", "/3"} {
		body := c.body("GET")
		assert.Equal(t, want, body)
	}
	assert.Empty(t, c.rest())
}

func TestServer_shutdown_waits_for_answers_and_closes_what_is_idle(t *testing.T) {
	g := newGate()
	s := &Server{Handler: g, Pipeline: 3}
	addr := start(t, s)
	idle, busy := dial(t, addr), dial(t, addr)
	idle.send(get1("/0"))
	g.await(t, "/0")
	g.let("/0")
	idle.answer("GET")
	busy.send(get1("/1") + get1("/2"))
	g.await(t, "/1", "/2")
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(context.Background()) }()
	assert.Empty(t, idle.rest())
	_, err := net.Dial("tcp", addr)
	assert.Error(t, err, "the listener is open")
	assert.Empty(t, ended)
	g.let("/2")
	g.let("/1")
	resp, body := busy.answer("GET")
	assert.Equal(t, "/1", body)
	assert.True(t, resp.Close)
	assert.Empty(t, busy.rest(), "the first answer said close")
	require.NoError(t, <-ended)
	assert.ErrorIs(t, s.ListenAndServe(), http.ErrServerClosed)
}

func TestServer_shutdown_gives_up_with_its_context(t *testing.T) {
	h := newWaiting()
	s := &Server{Handler: h}
	addr := start(t, s)
	c := dial(t, addr)
	c.send(get1("/1"))
	receive(t, h.entered)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	assert.ErrorIs(t, s.Shutdown(ctx), context.DeadlineExceeded)
	assert.Empty(t, h.ended)
	require.NoError(t, s.Close())
	receive(t, h.ended)
	close(h.leave)
}

func TestServer_tells_the_states_of_net_http_in_order(t *testing.T) {
	var mu sync.Mutex
	var seen []http.ConnState
	dead := make(chan struct{})
	s := &Server{Handler: echo, Pipeline: 3, ConnState: func(_ net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, state)
		if state == http.StateClosed {
			close(dead)
		}
	}}
	c := dial(t, start(t, s))
	for range 2 {
		c.send(get1("/1"))
		c.answer("GET")
		require.Eventually(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return seen[len(seen)-1] == http.StateIdle
		}, wait, time.Millisecond)
	}
	require.NoError(t, c.Close())
	<-dead
	assert.Equal(t, []http.ConnState{http.StateNew, http.StateActive, http.StateIdle, http.StateActive, http.StateIdle, http.StateClosed}, seen)
}

// A handler that returns while a goroutine of its own still reads the body, as that of a proxy whose
// upstream answers early.
func TestServer_interrupts_who_still_reads_when_the_handler_returns(t *testing.T) {
	failed := make(chan string, 1)
	addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, http.NewResponseController(w).EnableFullDuplex())
		begun := make(chan struct{})
		go func() {
			_, _ = io.ReadFull(r.Body, make([]byte, 3))
			close(begun)
			_, err := io.ReadAll(r.Body)
			failed <- err.Error()
		}()
		<-begun
		assert.Eventually(t, r.Body.(*body).reading.Load, wait, time.Millisecond)
	})})
	c := dial(t, addr)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
	resp, _ := c.answer("POST")
	assert.Equal(t, 200, resp.StatusCode)
	receive(t, failed)
	require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
	assert.Empty(t, c.rest())
}

// The same when it begins to read only when the handler has returned, and the answer waits for its turn.
func TestServer_lets_nobody_read_on_when_the_handler_has_returned(t *testing.T) {
	read := make(chan string, 1)
	addr := start(t, &Server{Pipeline: 1, Limits: Limits{PipelineBuffer: 4 << 10}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			read <- receive(t, read)
			return
		}
		w.WriteHeader(http.StatusOK) // the body is not wanted
		_, _ = w.Write(make([]byte, 3500))
		_, _ = w.Write(make([]byte, 1500))
		go func() {
			<-r.Context().Done()
			_, err := r.Body.Read(make([]byte, 10))
			read <- err.Error()
		}()
	})})
	c := dial(t, addr)
	c.send(get1("/first") + "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	assert.Empty(t, c.body("GET"))
	assert.Len(t, c.body("GET"), 5000)
	assert.Equal(t, http.ErrBodyReadAfterClose.Error(), receive(t, read))
}

func TestServer_shutdown_does_not_wait_for_what_was_hijacked(t *testing.T) {
	entered, leave := make(chan string, 1), make(chan struct{})
	s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		assert.NoError(t, err)
		defer func() { _ = nc.Close() }()
		entered <- ""
		<-leave
	})}
	c := dial(t, start(t, s))
	c.send(get1("/"))
	receive(t, entered)
	require.NoError(t, s.Shutdown(t.Context()))
	close(leave)
	assert.Empty(t, c.rest())
}

// Clients that die at random leave nothing behind: the end of the test waits for all connections to
// be dead, the end of the package for all goroutines and files to be gone.
func TestServer_ends_the_context_of_what_was_hijacked(t *testing.T) {
	contexts := make(chan context.Context, 1)
	addr := start(t, &Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			contexts <- w.(*exchange).conn.ctx
			c, _, err := http.NewResponseController(w).Hijack()
			assert.NoError(t, err)
			assert.NoError(t, c.Close())
		}),
	})
	c := dial(t, addr)
	c.send(get1("/"))
	assert.Empty(t, c.rest())
	select {
	case <-(<-contexts).Done():
	case <-time.After(wait):
		assert.Fail(t, "the context goes on")
	}
}

func TestServer_outlives_clients_that_die_at_random(t *testing.T) {
	clients := 1000
	if testing.Short() {
		clients = 100
	}
	for _, pipeline := range []int{0, 5} {
		addr := start(t, &Server{Pipeline: pipeline, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-r.Context().Done():
			case <-time.After(time.Duration(rand.IntN(2000)) * time.Microsecond):
			}
			_, _ = w.Write(make([]byte, rand.IntN(20000)))
		})})
		text := strings.Repeat(get1("/")+"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"+get1("/"), 5)
		var done sync.WaitGroup
		for range 20 {
			done.Go(func() {
				for range clients / 20 {
					nc, err := net.Dial("tcp", addr)
					if !assert.NoError(t, err) {
						return
					}
					cut := rand.IntN(len(text))
					_, _ = io.WriteString(nc, text[:cut])
					if cut >= len(get1("/")) && rand.IntN(2) == 0 {
						_, _ = io.CopyN(io.Discard, nc, int64(1+rand.IntN(10)))
					}
					if rand.IntN(2) == 0 {
						_ = nc.(*net.TCPConn).SetLinger(0)
					}
					_ = nc.Close()
				}
			})
		}
		done.Wait()
	}
}
