package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
)

// clientConn is what a Link has in common with net/http's.
type clientConn interface {
	http.RoundTripper
	Reserve() error
	Release()
	Available() int
	InFlight() int
	Err() error
	Close() error
}

type connState = linkFacts

func stateOf(c clientConn) connState {
	return connState{c.Available(), c.InFlight(), c.Err() != nil}
}

// conversation is a connection and what is under way on it.
type conversation struct {
	t      *testing.T
	server *server
	conn   clientConn
	begun  chan struct{}
	gate   chan struct{}
	done   chan error
	beside chan error
	undo   context.CancelFunc
	told   chan struct{}
}

// gated starts a server whose /wait answers as the gate lets it.
func gated(t *testing.T, http2 bool, limit int) *conversation {
	c := &conversation{t: t, begun: make(chan struct{}, 8), gate: make(chan struct{}), done: make(chan error, 8), told: make(chan struct{}, 1)}
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			c.begun <- struct{}{}
			select {
			case <-c.gate:
			case <-r.Context().Done():
			}
		}
		_, _ = io.WriteString(w, r.RemoteAddr)
	}
	if http2 {
		c.server = secure(t, h, limit)
	} else {
		c.server = plain(t, h)
	}
	return c
}

func (c *conversation) ours(limit int) {
	m := openMap(c.t, trusting(), MaxStreams(limit))
	p, err := m.Get(c.server.URL)
	require.NoError(c.t, err)
	l, err := p.Link()
	require.NoError(c.t, err)
	l.SetStateHook(func(got *Link) {
		assert.Same(c.t, l, got)
		c.tell()
	})
	c.conn = l
}

func (c *conversation) netHTTP() {
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true} //nolint:gosec // a test's server
	c.t.Cleanup(tr.CloseIdleConnections)
	scheme, addr, _ := strings.Cut(c.server.URL, "://")
	conn, err := tr.NewClientConn(c.t.Context(), scheme, addr)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { _ = conn.Close() })
	conn.SetStateHook(func(*http.ClientConn) { c.tell() })
	c.conn = conn
}

func (c *conversation) tell() {
	select {
	case c.told <- struct{}{}:
	default:
	}
}

func (c *conversation) send(ctx context.Context, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server.URL+path, nil)
	require.NoError(c.t, err)
	resp, err := c.conn.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

func (c *conversation) get() error { return c.send(context.WithoutCancel(c.t.Context()), "/") }

func (c *conversation) start(ctx context.Context, done chan error) {
	go func() { done <- c.send(ctx, "/wait") }()
	await(c.t, c.begun)
}

func (c *conversation) begin() error {
	c.start(context.WithoutCancel(c.t.Context()), c.done)
	return nil
}

// aside begins what cancelled ends.
func (c *conversation) aside() error {
	c.beside = make(chan error, 1)
	ctx, undo := context.WithCancel(context.WithoutCancel(c.t.Context()))
	c.undo = undo
	c.start(ctx, c.beside)
	return nil
}

func (c *conversation) finish() error {
	c.gate <- struct{}{}
	return await(c.t, c.done)
}

// invalid has no host.
func (c *conversation) invalid() error {
	_, err := c.conn.RoundTrip(&http.Request{Header: http.Header{}}) //nolint:bodyclose // there is none
	return err
}

func (c *conversation) close() error   { return c.conn.Close() }
func (c *conversation) reserve() error { return c.conn.Reserve() }
func (c *conversation) release() error { c.conn.Release(); return nil }
func (c *conversation) broken() error  { c.server.breakAll(); return nil }

func (c *conversation) cancelled() error {
	c.undo()
	return await(c.t, c.beside)
}

// interrupted is the end of what runs when the connection is closed.
func (c *conversation) interrupted() error { return await(c.t, c.done) }

func TestLink_behaves_as_the_ClientConn_of_net_http(t *testing.T) {
	type C = conversation
	const limit = 3
	type step struct {
		do    func(*C) error
		fails bool
		want  connState
		tells bool // the hook is called
	}
	over := connState{0, 0, true}
	for _, tc := range []struct {
		name  string
		http2 bool
		steps []step
	}{
		{"HTTP/1: one at a time", false, []step{
			{do: (*C).get, want: connState{1, 0, false}},
			{do: (*C).begin, want: connState{0, 1, false}},
			{do: (*C).reserve, fails: true, want: connState{0, 1, false}},
			{do: (*C).finish, want: connState{1, 0, false}, tells: true},
			{do: (*C).get, want: connState{1, 0, false}},
		}},
		{"HTTP/1: a reservation is used up", false, []step{
			{do: (*C).get, want: connState{1, 0, false}},
			{do: (*C).reserve, want: connState{0, 1, false}},
			{do: (*C).reserve, fails: true, want: connState{0, 1, false}},
			{do: (*C).begin, want: connState{0, 1, false}},
			{do: (*C).release, want: connState{0, 1, false}},
			{do: (*C).finish, want: connState{1, 0, false}, tells: true},
		}},
		{"HTTP/1: a reservation is given back", false, []step{
			{do: (*C).get, want: connState{1, 0, false}},
			{do: (*C).release, want: connState{1, 0, false}},
			{do: (*C).reserve, want: connState{0, 1, false}},
			{do: (*C).release, want: connState{1, 0, false}, tells: true},
			{do: (*C).release, want: connState{1, 0, false}},
			{do: (*C).reserve, want: connState{0, 1, false}},
			{do: (*C).invalid, fails: true, want: connState{1, 0, false}, tells: true},
			{do: (*C).get, want: connState{1, 0, false}},
		}},
		{"HTTP/1: the server closes", false, []step{
			{do: (*C).get, want: connState{1, 0, false}},
			{do: (*C).broken, want: over, tells: true},
			{do: (*C).get, fails: true, want: over},
			{do: (*C).reserve, fails: true, want: over},
			{do: (*C).release, want: over},
		}},
		{"HTTP/1: a reserved one is closed by the server", false, []step{
			{do: (*C).get, want: connState{1, 0, false}},
			{do: (*C).reserve, want: connState{0, 1, false}},
			{do: (*C).broken, want: over, tells: true},
			{do: (*C).get, fails: true, want: over},
		}},
		{"HTTP/1: Close", false, []step{
			{do: (*C).get, want: connState{1, 0, false}},
			{do: (*C).close, want: over, tells: true},
			{do: (*C).close, want: over},
			{do: (*C).get, fails: true, want: over},
		}},
		{"HTTP/1: Close interrupts", false, []step{
			{do: (*C).get, want: connState{1, 0, false}},
			{do: (*C).begin, want: connState{0, 1, false}},
			{do: (*C).close, want: over, tells: true},
			{do: (*C).interrupted, fails: true, want: over},
		}},
		{"HTTP/1: a cancelled request ends it", false, []step{
			{do: (*C).get, want: connState{1, 0, false}},
			{do: (*C).aside, want: connState{0, 1, false}},
			{do: (*C).cancelled, fails: true, want: over, tells: true},
		}},
		{"HTTP/2: as many as the limit", true, []step{
			{do: (*C).get, want: connState{3, 0, false}},
			{do: (*C).begin, want: connState{2, 1, false}},
			{do: (*C).begin, want: connState{1, 2, false}},
			{do: (*C).reserve, want: connState{0, 3, false}},
			{do: (*C).reserve, fails: true, want: connState{0, 3, false}},
			{do: (*C).begin, want: connState{0, 3, false}},
			{do: (*C).finish, want: connState{1, 2, false}, tells: true},
			{do: (*C).finish, want: connState{2, 1, false}, tells: true},
			{do: (*C).finish, want: connState{3, 0, false}, tells: true},
		}},
		{"HTTP/2: reservations are given back", true, []step{
			{do: (*C).get, want: connState{3, 0, false}},
			{do: (*C).reserve, want: connState{2, 1, false}},
			{do: (*C).reserve, want: connState{1, 2, false}},
			{do: (*C).release, want: connState{2, 1, false}, tells: true},
			{do: (*C).invalid, fails: true, want: connState{3, 0, false}, tells: true},
		}},
		{"HTTP/2: a cancelled request leaves the others", true, []step{
			{do: (*C).get, want: connState{3, 0, false}},
			{do: (*C).begin, want: connState{2, 1, false}},
			{do: (*C).aside, want: connState{1, 2, false}},
			{do: (*C).cancelled, fails: true, want: connState{2, 1, false}, tells: true},
			{do: (*C).get, want: connState{2, 1, false}},
			{do: (*C).finish, want: connState{3, 0, false}, tells: true},
		}},
		{"HTTP/2: the server closes", true, []step{
			{do: (*C).get, want: connState{3, 0, false}},
			{do: (*C).broken, want: over, tells: true},
			{do: (*C).get, fails: true, want: over},
			{do: (*C).reserve, fails: true, want: over},
		}},
		{"HTTP/2: Close interrupts", true, []step{
			{do: (*C).get, want: connState{3, 0, false}},
			{do: (*C).begin, want: connState{2, 1, false}},
			{do: (*C).close, want: over, tells: true},
			{do: (*C).interrupted, fails: true, want: over},
			{do: (*C).get, fails: true, want: over},
		}},
	} {
		for who, connect := range map[string]func(*C){
			"ours": func(c *C) { c.ours(limit) }, "net/http": (*C).netHTTP,
		} {
			t.Run(tc.name+"/"+who, func(t *testing.T) {
				c := gated(t, tc.http2, limit)
				connect(c)
				if tc.http2 && who == "net/http" {
					eventually(t, "the limit is known", func() bool { return c.conn.Available() == limit })
				}
				for i, s := range tc.steps {
					select {
					case <-c.told:
					default:
					}
					err := s.do(c)
					if s.fails {
						require.Error(t, err, "step %d", i)
					} else {
						require.NoError(t, err, "step %d", i)
					}
					// net/http does not notice what has shrunk and grown again before it has looked.
					if s.tells && (who == "ours" || s.want.over) {
						await(t, c.told)
					}
					var got connState
					require.Eventually(t, func() bool {
						got = stateOf(c.conn)
						if got.over && who != "ours" {
							got.inFlight = 0 // as it says, but over HTTP/2 it counts on
						}
						return got == s.want
					}, patience, time.Millisecond, "step %d: %+v", i, &got)
				}
				assert.EqualValues(t, 1, c.server.conns.Load())
			})
		}
	}
}

func TestLink_waits_where_the_server_takes_fewer_than_it_thought(t *testing.T) {
	c := gated(t, true, 3)
	c.ours(100)
	require.NoError(t, c.get())
	for range 8 {
		go func() { c.done <- c.send(context.WithoutCancel(t.Context()), "/wait") }()
	}
	for range 3 {
		await(t, c.begun)
	}
	eventually(t, "the limit was met", func() bool { return c.conn.Available() == 0 && c.conn.InFlight() == 3 })
	require.Error(t, c.conn.Reserve())
	for i := range 8 {
		c.gate <- struct{}{}
		require.NoError(t, await(t, c.done))
		if i < 5 {
			await(t, c.begun)
		}
	}
	eventually(t, "all have ended", func() bool { return stateOf(c.conn) == connState{3, 0, false} })
	assert.EqualValues(t, 1, c.server.conns.Load())
	assert.EqualValues(t, 9, c.server.hits.Load())
}

func TestLink_can_be_tried_again_when_it_could_not_be_made(t *testing.T) {
	m := openMap(t, MaxPins(1))
	p, err := m.Get("http://127.0.0.1:1")
	require.NoError(t, err)
	l, err := p.Link()
	require.NoError(t, err)
	for range 2 {
		_, err = l.RoundTrip(request(t, http.MethodGet, "http://127.0.0.1:1")) //nolint:bodyclose // there is none
		require.ErrorIs(t, err, ratmom.ErrConnect)
		require.Equal(t, connState{1, 0, false}, stateOf(l))
	}
	_, err = l.RoundTrip(request(t, http.MethodGet, "http://127.0.0.2:1")) //nolint:bodyclose // there is none
	require.ErrorIs(t, err, errOtherPeer)
	_, err = p.Link()
	require.ErrorIs(t, err, ErrTooManyPins)
	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Err(), ErrPinReleased)
	require.ErrorIs(t, l.Reserve(), ErrPinReleased)
	l, err = p.Link()
	require.NoError(t, err)
	m.Close()
	require.ErrorIs(t, l.Err(), ErrClosed)
	_, err = l.RoundTrip(request(t, http.MethodGet, "http://127.0.0.1:1")) //nolint:bodyclose // there is none
	require.ErrorIs(t, err, ErrClosed)
}

func TestLink_that_is_closed_ends_the_body_that_is_read(t *testing.T) {
	gate := make(chan struct{})
	s := plain(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "part")
		_ = http.NewResponseController(w).Flush()
		<-gate
	})
	defer close(gate)
	p, err := openMap(t).Get(s.URL)
	require.NoError(t, err)
	l, err := p.Link()
	require.NoError(t, err)
	resp, err := l.RoundTrip(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.ReadFull(resp.Body, make([]byte, 4))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = resp.Body.Read(make([]byte, 4))
	require.ErrorIs(t, err, ErrPinReleased)
}

func TestLink_that_nobody_holds_is_closed(t *testing.T) {
	s := plain(t, nil)
	p, err := openMap(t).Get(s.URL)
	require.NoError(t, err)
	func() {
		l, err := p.Link()
		require.NoError(t, err)
		l.SetStateHook(func(*Link) { _ = l.Err() })
		resp, err := l.RoundTrip(request(t, http.MethodGet, s.URL))
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, resp.Body)
		require.NoError(t, resp.Body.Close())
	}()
	eventually(t, "it is closed", func() bool { runtime.GC(); return len(states(p)) == 0 })
}

func TestLinks_hook_is_called_once_at_a_time_and_not_after_it_was_replaced(t *testing.T) {
	s := plain(t, nil)
	p, err := openMap(t).Get(s.URL)
	require.NoError(t, err)
	l, err := p.Link()
	require.NoError(t, err)
	var running, most atomic.Int32
	in, out := make(chan struct{}, 1), make(chan struct{})
	first := func(*Link) {
		if n := running.Add(1); n > most.Load() {
			most.Store(n)
		}
		select {
		case in <- struct{}{}:
		default:
		}
		<-out
		running.Add(-1)
	}
	l.SetStateHook(first)
	require.NoError(t, l.Reserve())
	l.Release()
	await(t, in)
	second := make(chan linkFacts, 1)
	l.SetStateHook(func(l *Link) { second <- linkFacts{l.Available(), l.InFlight(), l.Err() != nil} })
	require.NoError(t, l.Reserve())
	require.NoError(t, l.Close())
	close(out)
	assert.Equal(t, linkFacts{0, 0, true}, await(t, second))
	assert.EqualValues(t, 1, most.Load())
	eventually(t, "it has ended", func() bool { l.hook.mu.Lock(); defer l.hook.mu.Unlock(); return !l.hook.running })
	l.SetStateHook(nil)
	assert.Empty(t, second)
}

func TestLinks_hook_misses_nothing_that_shrinks_and_grows_again_before_it_looks(t *testing.T) {
	m := openMap(t)
	p, err := m.Get("http://127.0.0.1:1")
	require.NoError(t, err)
	l, err := p.Link()
	require.NoError(t, err)
	told := make(chan struct{}, 1)
	l.SetStateHook(func(*Link) { told <- struct{}{} })
	l.hook.mu.Lock() // nobody looks meanwhile
	var both sync.WaitGroup
	both.Go(func() { assert.NoError(t, l.Reserve()) })
	eventually(t, "it is reserved", func() bool { return l.InFlight() == 1 })
	both.Go(l.Release)
	eventually(t, "it is given back", func() bool { return l.InFlight() == 0 })
	l.hook.mu.Unlock()
	await(t, told)
	both.Wait()
}

func TestLink_knows_what_was_told_before_it_is_asked(t *testing.T) {
	more := make(chan struct{})
	s := plain(t, func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-more
	})
	p, err := openMap(t).Get(s.URL)
	require.NoError(t, err)
	l, err := p.Link()
	require.NoError(t, err)
	resp, err := l.RoundTrip(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	require.Equal(t, 1, l.InFlight())
	p.mu.Lock()
	close(more)
	_, err = io.Copy(io.Discard, resp.Body)
	got := make(chan int, 1)
	go func() { got <- l.InFlight() }()
	p.mu.Unlock() // by whoever takes its time to look again
	require.NoError(t, err)
	assert.Equal(t, 0, await(t, got), "the response has been read to its end")
	require.NoError(t, resp.Body.Close())
}
