package grid

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// A peer that says that it closes, and then does not read what was on its way, is not waited for longer than for any write.
func TestClose_frame_is_not_answered_for_ever(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(func(c *Config) {
			if c.Self == "a" {
				c.Timing.Write = time.Hour // it is not the one that loses its patience
			}
		})
		b.net.Set("b", "a", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1000})
		asked := make(chan error, 1)
		go func() {
			_, err := x.to(y).Request(context.Background(), echoID, make([]byte, 10_000))
			asked <- err
		}()
		synctest.Wait() // y's writer waits
		s := y.to(x).current.Load()
		hung := hang(y.to(x))
		synctest.Wait()
		began := time.Now()
		x.to(y).current.Load().close()
		<-s.gone
		require.LessOrEqual(b, time.Since(began), 6*time.Second)
		require.ErrorIs(b, <-hung, ErrDisconnected)
		require.ErrorIs(b, <-asked, ErrDisconnected)
		b.net.SetBoth("a", "b", gridtest.Faults{})
		_, err := x.to(y).Request(within(b), echoID, nil, WaitForReady())
		require.NoError(b, err)
	})
}

// Both may say at the same time that they close.
func TestClose_frames_that_cross_end_the_session_well(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		b.net.SetBoth("a", "b", gridtest.Faults{Latency: 100 * time.Millisecond})
		sx, sy := x.to(y).current.Load(), y.to(x).current.Load()
		sx.close()
		sy.close()
		<-sx.gone
		<-sy.gone
		require.Equal(b, errGoodbye.Error(), sx.cause.Message)
		require.Equal(b, errGoodbye.Error(), sy.cause.Message)
	})
}

// However seldom the peer is asked for signs of life, a write has its time, and so has the answer to a close frame.
func TestWrite_and_close_are_not_waited_for_until_the_next_ping(t *testing.T) {
	for name, begin := range map[string]func(x, y *node){
		"a write": func(x, y *node) {
			go func() { _, _ = x.to(y).Request(context.Background(), echoID, make([]byte, 100_000)) }()
		},
		"a close frame": func(x, y *node) { x.to(y).current.Load().close() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := b.pair(func(c *Config) {
					c.Timing.Ping, c.Timing.Dead = time.Hour, 2*time.Hour
					if c.Self == "b" {
						c.Timing.Write = time.Hour
					}
				})
				time.Sleep(time.Minute)
				s := x.to(y).current.Load()
				b.net.SetBoth("a", "b", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1000})
				began := time.Now()
				begin(x, y)
				<-s.gone
				require.LessOrEqual(b, time.Since(began), 8*time.Second)
			})
		})
	}
}
