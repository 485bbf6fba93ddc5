package grid

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// The connection is lost amid many calls and streams, of which some are read and some are not. All of them end,
// on both sides, and none is in the way of what comes next.
func TestConnection_that_is_lost_ends_all_calls_and_streams_on_both_sides(t *testing.T) {
	for how, c := range map[string]struct {
		each int // of four kinds
		lose func(b *bubble, x, y *node)
	}{
		"a reset": {250, func(b *bubble, _, _ *node) { b.net.Reset("a", "b") }},
		"a close": {25, func(_ *bubble, x, y *node) { _ = x.to(y).current.Load().conn.Close() }},
		"a close by the other side": {25, func(_ *bubble, x, y *node) {
			_ = y.to(x).current.Load().conn.Close()
		}},
	} {
		t.Run(how, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				each := c.each
				x, y := b.pair(nil)
				var running, lost atomic.Int64
				waits := func(ctx context.Context) error {
					running.Add(1)
					defer running.Add(-1)
					<-ctx.Done()
					if assert.ErrorIs(b, context.Cause(ctx), ErrDisconnected) {
						lost.Add(1)
					}
					return ctx.Err()
				}
				for _, n := range []*node{x, y} {
					require.NoError(b, n.HandleSingle(firstFree, func(ctx context.Context, _ *Call) ([]byte, error) { return nil, waits(ctx) }))
					require.NoError(b, n.HandleStream(firstFree+1, func(ctx context.Context, s *ServerStream) error {
						for { // until the caller does not read any more
							if err := s.Send(ctx, make([]byte, 1000)); err != nil {
								return waits(ctx)
							}
						}
					}, InCapacity(4), OutCapacity(4)))
				}
				outcomes := make(chan error, 4*each)
				for i := range each {
					from, to := x, y
					if i%2 == 1 {
						from, to = to, from
					}
					c := from.to(to)
					go func() {
						_, err := c.Request(context.Background(), firstFree, make([]byte, i*10))
						outcomes <- err
					}()
					go func() { // reads a little and then no more, until the end
						st, err := c.OpenStream(context.Background(), firstFree+1, nil)
						for range 10 {
							if err == nil {
								_, err = st.Recv(context.Background())
							}
						}
						var e *Error
						if errors.As(err, &e) {
							outcomes <- err
							return
						}
						<-c.current.Load().gone
						for err == nil {
							_, err = st.Recv(context.Background())
						}
						outcomes <- err
					}()
					go func() { // sends until the handler, which does not read, takes no more
						st, err := c.OpenStream(context.Background(), firstFree+1, nil)
						for err == nil {
							err = st.Send(context.Background(), make([]byte, 1000))
						}
						outcomes <- err
					}()
					go func() { // with channels that nobody reads
						st, err := c.NewStream(context.Background(), firstFree+1, nil)
						if err != nil {
							outcomes <- err
							return
						}
						<-c.current.Load().gone
						for r := range st.Responses {
							err = r.Err
						}
						close(st.Requests)
						outcomes <- err
					}()
				}
				synctest.Wait()
				require.Empty(b, outcomes)
				c.lose(b, x, y)
				for range cap(outcomes) {
					err := <-outcomes
					var e *Error
					require.ErrorAs(b, err, &e)
					require.ErrorIs(b, err, ErrDisconnected)
					require.False(b, e.Remote)
					require.Equal(b, MaybeExecuted, e.Sent)
				}
				for _, c := range []*Connection{x.to(y), y.to(x)} {
					_, err := c.Request(within(b), echoID, nil, WaitForReady())
					require.NoError(b, err)
				}
				synctest.Wait()
				require.Zero(b, running.Load())
				require.EqualValues(b, 4*each, lost.Load())
				require.Empty(b, x.to(y).Snapshot().Active)
				require.Empty(b, y.to(x).Snapshot().Active)
			})
		})
	}
}

// Both directions are stuck, both queues full, and senders wait for room in them, when the connection is lost.
func TestConnection_with_full_queues_is_lost_and_comes_back_at_once(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) { c.Limits.SendQueue = 16 << 10 })
		time.Sleep(11 * time.Second) // it counts as one that works
		b.net.SetBoth("a", "b", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1 << 10})
		outcomes := make(chan error, 400)
		for i := range cap(outcomes) {
			from, to := x, y
			if i%2 == 1 {
				from, to = to, from
			}
			go func() {
				_, err := from.to(to).Request(context.Background(), echoID, make([]byte, 1<<10))
				outcomes <- err
			}()
		}
		synctest.Wait()
		require.Empty(b, outcomes)
		for _, c := range []*Connection{x.to(y), y.to(x)} {
			require.NotZero(b, c.Snapshot().Traffic.QueueStalls)
		}
		b.net.SetBoth("a", "b", gridtest.Faults{})
		b.net.Reset("a", "b")
		began := time.Now()
		executed := uint64(0)
		for range cap(outcomes) {
			err := <-outcomes
			if err == nil { // it waited until there was another connection
				executed++
				continue
			}
			var e *Error
			require.ErrorAs(b, err, &e)
			require.Equal(b, Disconnected, e.Code)
			if e.Sent == MaybeExecuted {
				executed++
			}
		}
		require.Less(b, executed, uint64(cap(outcomes)))
		require.LessOrEqual(b, handlerSnapshot(x, echoID).Started+handlerSnapshot(y, echoID).Started, executed)
		for _, c := range []*Connection{x.to(y), y.to(x)} {
			_, err := c.Request(within(b), echoID, nil, WaitForReady())
			require.NoError(b, err)
		}
		require.LessOrEqual(b, time.Since(began), 50*time.Millisecond)
	})
}

// A connection that has worked for a while is there again within 50 ms of its reset, whichever side asks.
func TestConnection_is_back_within_fifty_milliseconds_of_a_reset(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		b.net.SetBoth("a", "b", gridtest.Faults{Latency: time.Millisecond})
		for range 20 {
			time.Sleep(11 * time.Second)
			olds := []*session{x.to(y).current.Load(), y.to(x).current.Load()}
			b.net.Reset("a", "b")
			began := time.Now()
			for _, s := range olds {
				<-s.gone
			}
			var both sync.WaitGroup
			for _, c := range []*Connection{x.to(y), y.to(x)} {
				both.Go(func() {
					_, err := c.Request(within(b), echoID, nil, WaitForReady())
					assert.NoError(b, err)
				})
			}
			both.Wait()
			require.LessOrEqual(b, time.Since(began), 50*time.Millisecond)
		}
	})
}

// A dial that is refused leaves nothing open on either side.
func TestConnections_that_are_refused_leave_no_socket(t *testing.T) {
	for why, change := range map[string]func(*Config){
		"another secret":      func(c *Config) { c.Secret = []byte(c.Self) },
		"no certificate":      func(c *Config) { c.CertificateNames = true },
		"another path":        func(c *Config) { c.Path = "/" + c.Self },
		"another name":        func(c *Config) { c.Self = "another " + c.Self },
		"a name nobody knows": func(c *Config) { c.Peers = map[string][]Peer{"a": c.Peers}[c.Self] },
	} {
		t.Run(why, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				var dials atomic.Int64
				counted := func(c *Config) {
					change(c)
					dial := c.Dial
					c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
						dials.Add(1)
						return dial(ctx, network, addr)
					}
				}
				b.start("a", counted)
				b.start("b", counted)
				for dials.Load() < 20 {
					time.Sleep(time.Second)
				}
				synctest.Wait()
				require.Zero(b, b.net.Open("a"))
				require.Zero(b, b.net.Open("b"))
			})
		})
	}
}
