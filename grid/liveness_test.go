package grid

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// hang issues a request that only the end of the connection ends, and tells its error.
func hang(c *Connection) <-chan error {
	out := make(chan error, 1)
	go func() {
		_, err := c.Request(context.Background(), hangID, nil)
		out <- err
	}()
	return out
}

func TestConnection_to_a_silent_peer_is_given_up_after_twelve_seconds(t *testing.T) {
	for name, f := range map[string][2]gridtest.Path{
		"both ways": {gridtest.Vanishing, gridtest.Vanishing}, "one way": {gridtest.Open, gridtest.Vanishing},
		"stalled": {gridtest.Stalled, gridtest.Stalled},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := b.pair(nil)
				hung := hang(x.to(y))
				time.Sleep(20 * time.Second)
				require.Equal(b, Up, x.to(y).State(), "an idle connection lives")
				b.net.Set("a", "b", gridtest.Faults{Path: f[0]})
				b.net.Set("b", "a", gridtest.Faults{Path: f[1]})
				began := time.Now()
				require.ErrorIs(b, <-hung, ErrDisconnected)
				require.LessOrEqual(b, time.Since(began), 12*time.Second)
				require.Greater(b, time.Since(began), 6*time.Second)
				b.net.SetBoth("a", "b", gridtest.Faults{})
				_, err := x.to(y).Request(within(b), echoID, nil, WaitForReady())
				require.NoError(b, err)
			})
		})
	}
}

func TestConnection_whose_writes_block_is_given_up_after_four_seconds(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		hung := hang(x.to(y))
		synctest.Wait()
		b.net.Set("a", "b", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1000})
		began := time.Now()
		_, err := x.to(y).Request(context.Background(), echoID, make([]byte, 300_000))
		require.ErrorIs(b, err, ErrDisconnected)
		require.ErrorIs(b, <-hung, ErrDisconnected)
		require.LessOrEqual(b, time.Since(began), 6*time.Second)
	})
}

func TestDial_of_a_server_that_says_nothing_is_given_up_and_leaves_no_socket(t *testing.T) {
	inBubble(t, func(b *bubble) {
		l, err := b.net.Listen("b")
		require.NoError(b, err)
		var accepted []net.Conn
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				nc, err := l.Accept()
				if err != nil {
					return
				}
				accepted = append(accepted, nc)
			}
		}()
		x := b.start("a", nil)
		time.Sleep(60 * time.Second)
		require.ErrorContains(b, x.Connection("b").Snapshot().LastError, "e")
		_, err = x.Connection("b").Request(within(b), echoID, nil)
		require.ErrorIs(b, err, ErrDisconnected)
		require.LessOrEqual(b, b.net.Open("a"), 1)
		x.stop()
		require.Zero(b, b.net.Open("a"))
		require.NoError(b, l.Close())
		<-done
		require.Greater(b, len(accepted), 5)
		for _, nc := range accepted {
			_ = nc.Close()
		}
	})
}

func TestAccepted_connection_that_says_nothing_is_given_up(t *testing.T) {
	inBubble(t, func(b *bubble) {
		y := b.start("b", func(c *Config) { c.Peers = nil })
		nc, err := b.net.Dial(context.Background(), "a", "b")
		require.NoError(b, err)
		_, err = nc.Write([]byte("GET " + DefaultPath + " HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ratmom.grid.1\r\n\r\n"))
		require.NoError(b, err)
		time.Sleep(6 * time.Second)
		require.Zero(b, b.net.Open("b"))
		require.NoError(b, nc.Close())
		_ = y
	})
}

func TestEither_side_dials_when_the_other_cannot(t *testing.T) {
	for _, cannot := range []string{"a", "b"} {
		inBubble(t, func(b *bubble) {
			x, y := b.pair(func(c *Config) {
				if c.Self == cannot {
					c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }
				}
			})
			_, err := x.to(y).Request(within(b), echoID, nil)
			require.NoError(b, err)
			require.Equal(b, cannot != "a", x.Connection("b").Snapshot().Dialed)
		})
	}
}

// Both sides dial at once, again and again: they agree on one connection, and nothing is lost.
func TestConnections_dialled_by_both_sides_become_one(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.net.SetAll(gridtest.Faults{Latency: 10 * time.Millisecond, Jitter: 20 * time.Millisecond})
		for range 20 {
			x := b.start("a", func(c *Config) { c.Timing.DialGrace = time.Nanosecond })
			y := b.start("b", func(c *Config) { c.Timing.DialGrace = time.Nanosecond })
			ready(b, x, y)
			for range 100 {
				_, err := x.to(y).Request(within(b), echoID, make([]byte, 100))
				require.NoError(b, err)
				_, err = y.to(x).Request(within(b), echoID, make([]byte, 100))
				require.NoError(b, err)
			}
			time.Sleep(time.Minute)
			require.Equal(b, 1, alive(x.to(y)))
			require.Equal(b, 1, alive(y.to(x)))
			require.NotEqual(b, x.to(y).Snapshot().Dialed, y.to(x).Snapshot().Dialed)
			x.stop()
			y.stop()
		}
	})
}

func TestDials_decides_for_one_of_each_pair_and_for_each_as_often(t *testing.T) {
	const n = 448 // 100,128 pairs
	total := 0
	for i := range n {
		mine := 0
		for j := range n {
			if i == j {
				continue
			}
			x, y := name(i), name(j)
			require.NotEqual(t, dials(x, y), dials(y, x))
			if dials(x, y) {
				mine++
			}
		}
		require.Greater(t, mine, 10)
		total += func() (lower int) {
			for j := i + 1; j < n; j++ {
				if dials(name(i), name(j)) {
					lower++
				}
			}
			return lower
		}()
	}
	pairs := n * (n - 1) / 2
	require.InDelta(t, 0.5, float64(total)/float64(pairs), 0.02)
}

// alive is how many sessions a connection has.
func alive(c *Connection) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sessions)
}

func name(i int) string {
	return "https://server-" + string(rune('a'+i%26)) + string(rune('0'+i/26)) + ":9000"
}
