package grid

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

func TestShutdown_lets_requests_end_and_refuses_new_ones(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		release := make(chan struct{})
		require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) {
			<-release
			return []byte("done"), nil
		}))
		require.NoError(b, y.HandleStream(firstFree+1, func(ctx context.Context, s *ServerStream) error {
			<-release
			return s.Send(ctx, []byte("done"))
		}))
		type outcome struct {
			got []byte
			err error
		}
		call := make(chan outcome, 1)
		go func() {
			got, err := x.to(y).Request(context.Background(), firstFree, nil)
			call <- outcome{got, err}
		}()
		st, err := x.to(y).OpenStream(context.Background(), firstFree+1, nil)
		require.NoError(b, err)
		synctest.Wait()
		down := make(chan error, 1)
		go func() { down <- y.Shutdown(context.Background()) }()
		synctest.Wait()
		for _, c := range []*Connection{x.to(y), y.to(x)} {
			_, err := c.Request(within(b), echoID, nil)
			var e *Error
			require.ErrorAs(b, err, &e)
			require.ErrorIs(b, err, ErrDraining)
			require.Equal(b, NotSent, e.Sent)
		}
		require.Equal(b, Leaving, x.to(y).State())
		close(release)
		got := <-call
		require.NoError(b, got.err)
		require.Equal(b, "done", string(got.got))
		m, err := st.Recv(within(b))
		require.NoError(b, err)
		require.Equal(b, "done", string(m.Bytes()))
		_, err = st.Recv(within(b))
		require.ErrorIs(b, err, io.EOF)
		require.NoError(b, <-down)
		_, err = y.to(x).Request(within(b), echoID, nil, WaitForReady())
		require.ErrorIs(b, err, ErrDisconnected)
		require.Error(b, y.AddPeer(Peer{Name: "c"}))
		require.NoError(b, y.Shutdown(within(b)))
	})
}

func TestShutdown_ends_what_runs_when_its_context_ends(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		hung := hang(x.to(y))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(b, y.Shutdown(ctx), context.DeadlineExceeded)
		require.Equal(b, time.Second, time.Since(began))
		require.ErrorIs(b, <-hung, ErrDisconnected)
	})
}

func TestShutdown_beside_a_peer_that_is_gone_ends(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, _ := b.pair(nil)
		b.net.SetBoth("a", "b", gridtest.Faults{Path: gridtest.Vanishing})
		began := time.Now()
		require.NoError(b, x.Shutdown(context.Background()))
		require.LessOrEqual(b, time.Since(began), 13*time.Second)
	})
}

func TestPeers_can_be_added_and_removed(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x := b.start("a", func(c *Config) { c.Peers = nil })
		y := b.start("b", nil)
		require.Nil(b, x.Connection("b"))
		require.Error(b, x.AddPeer(Peer{Name: "a"}))
		require.Error(b, x.AddPeer(Peer{}))
		time.Sleep(20 * time.Second)
		why := y.Connection("a").Snapshot().LastError
		require.ErrorContains(b, why, "is not known to", "an unknown peer is told so")
		require.NoError(b, x.AddPeer(Peer{Name: "b"}))
		require.NoError(b, x.AddPeer(Peer{Name: "b", Addr: "b"}))
		ready(b, x, y)
		hung := hang(x.to(y))
		synctest.Wait()
		gone := x.Connection("b")
		require.True(b, x.RemovePeer("b"))
		require.False(b, x.RemovePeer("b"))
		require.ErrorIs(b, <-hung, ErrDisconnected)
		require.Nil(b, x.Connection("b"))
		_, err := gone.Request(within(b), echoID, nil)
		require.ErrorIs(b, err, ErrDisconnected)
		require.Equal(b, Closed, gone.State())
	})
}

func TestNewManager_refuses_what_cannot_be(t *testing.T) {
	for _, cfg := range []Config{
		{},
		{Self: "a\n"},
		{Self: "a", Peers: []Peer{{Name: "b"}, {Name: "b"}}},
		{Self: "a", Peers: []Peer{{}}},
		{Self: "a", Timing: Timing{Ping: -1}},
		{Self: "a", Timing: Timing{Ping: 20 * time.Second}},
		{Self: "a", Limits: Limits{Calls: -1}},
		{Self: "a", Limits: Limits{Calls: 1 << 20}},
		{Self: "a", Limits: Limits{Message: 1}},
		{Self: "a", Limits: Limits{Large: 1}},
	} {
		_, err := NewManager(cfg)
		require.Error(t, err)
		require.False(t, errors.Is(err, ErrDisconnected))
	}
}

// A request that gets its place too late to be sent must not keep the connection from ending.
func TestShutdown_does_not_wait_for_requests_that_it_refuses(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) { c.Limits.Calls = 1 })
		release := make(chan struct{})
		require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) {
			<-release
			return nil, nil
		}))
		var outcomes [2]chan error
		for i := range outcomes {
			outcomes[i] = make(chan error, 1)
			go func() {
				_, err := x.to(y).Request(context.Background(), firstFree, nil)
				outcomes[i] <- err
			}()
			synctest.Wait()
		}
		done := make(chan error, 1)
		go func() { done <- x.Shutdown(within(b)) }()
		synctest.Wait()
		close(release)
		require.NoError(b, <-done)
		require.NoError(b, <-outcomes[0])
		require.ErrorIs(b, <-outcomes[1], ErrDraining)
	})
}

// A logger may ask how the connection is doing that it is told of.
func TestLogger_may_look_at_the_connection(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var x *node
		lines := make(chan string, 100)
		x = b.start("a", func(c *Config) {
			c.Logger = slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
				if strings.Contains(string(p), "goodbye") {
					lines <- x.Connection("b").State().String()
				}
				return len(p), nil
			}), nil))
		})
		y := b.start("b", nil)
		ready(b, x, y)
		require.NoError(b, y.Shutdown(within(b)))
		require.Equal(b, "leaving", <-lines)
	})
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A request that waits for a connection is for the peer's next life.
func TestWaitForReady_waits_while_the_peer_says_goodbye(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		c := x.to(y)
		hung, cancel := context.WithCancel(context.Background())
		go func() { _, _ = c.Request(hung, hangID, nil) }()
		synctest.Wait()
		stopped := make(chan error, 1)
		go func() { stopped <- y.Shutdown(within(b)) }()
		synctest.Wait()
		require.Equal(b, Leaving, c.State())
		_, err := c.Request(within(b), echoID, nil)
		require.ErrorIs(b, err, ErrDraining)
		short, end := context.WithTimeout(context.Background(), time.Second)
		defer end()
		_, err = c.Request(short, echoID, nil, WaitForReady())
		require.ErrorIs(b, err, ErrDeadlineExceeded)
		require.ErrorIs(b, c.WaitReady(short), ErrDeadlineExceeded)
		outcomes := make(chan error, 3)
		go func() {
			_, err := c.Request(within(b), echoID, nil, WaitForReady())
			outcomes <- err
		}()
		go func() {
			st, err := c.OpenStream(within(b), countID, []byte("1"), WaitForReady())
			if err == nil {
				_, err = st.Recv(within(b))
			}
			outcomes <- err
		}()
		go func() { outcomes <- c.WaitReady(within(b)) }()
		synctest.Wait()
		require.Empty(b, outcomes)
		cancel()
		require.NoError(b, <-stopped)
		y.stop()
		b.start("b", nil)
		for range cap(outcomes) {
			require.NoError(b, <-outcomes)
		}
		require.NoError(b, x.Close())
		require.ErrorIs(b, c.WaitReady(context.Background()), ErrDisconnected)
		_, err = c.Request(within(b), echoID, nil, WaitForReady())
		require.ErrorIs(b, err, ErrDisconnected)
	})
}

func TestShutdown_waits_for_the_sessions_of_peers_that_were_removed(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		release := make(chan struct{})
		require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) {
			<-release
			return nil, nil
		}, Inline()))
		go func() { _, _ = x.to(y).Request(within(b), firstFree, nil) }()
		synctest.Wait()
		s := y.to(x).current.Load()
		require.True(b, y.RemovePeer("a"))
		closed := make(chan error, 1)
		go func() { closed <- y.Close() }()
		synctest.Wait()
		require.Empty(b, closed)
		close(release)
		require.NoError(b, <-closed)
		<-s.finished
	})
}
