package grid

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// A farewell that overtook requests in the queue would have the peer close before it has answered them.
func TestShutdown_loses_no_request_of_the_other_side(t *testing.T) {
	for range 2 {
		a, b := tcpPair(t, nil)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		var callers sync.WaitGroup
		var answered, refused atomic.Int64
		enough := make(chan struct{})
		var once sync.Once
		for range 150 {
			callers.Go(func() {
				for {
					_, err := a.to(b).Request(ctx, echoID, make([]byte, 8<<10))
					if err == nil {
						if answered.Add(1) == 300 {
							once.Do(func() { close(enough) })
						}
						continue
					}
					refused.Add(1)
					var e *Error
					if assert.True(t, errors.As(err, &e)) {
						assert.Equal(t, NotSent, e.Sent, "%v", err)
					}
					return
				}
			})
		}
		<-enough
		assert.NoError(t, b.Shutdown(ctx))
		callers.Wait()
		assert.EqualValues(t, 150, refused.Load())
		cancel()
		a.stop()
		b.stop()
	}
}

// The farewell is behind long requests, too, which are sent by turns.
func TestShutdown_loses_no_long_request_of_the_other_side(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		b.net.Set("a", "b", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1 << 10})
		outcomes := make(chan error, 50)
		for i := range cap(outcomes) {
			go func() {
				_, err := x.to(y).Request(within(b), echoID, make([]byte, 8<<10+i%2*52<<10))
				outcomes <- err
			}()
		}
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- y.Shutdown(within(b)) }()
		synctest.Wait()
		b.net.Set("a", "b", gridtest.Faults{Bandwidth: 10 << 20, Latency: time.Millisecond})
		require.NoError(b, <-done)
		for range cap(outcomes) {
			var e *Error
			if err := <-outcomes; err != nil && assert.ErrorAs(b, err, &e) {
				assert.Equal(b, NotSent, e.Sent, "%v", err)
				assert.Equal(b, Draining, e.Code, "%v", err)
			}
		}
	})
}

func TestConnection_loses_no_request_when_both_dial_at_once(t *testing.T) {
	for range 5 {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		a, b := tcpPair(t, func(c *Config) { c.Timing.DialGrace = 1 })
		var callers sync.WaitGroup
		for _, c := range []*Connection{a.to(b), b.to(a)} {
			for range 8 {
				callers.Go(func() {
					for range 50 {
						var e *Error
						_, err := c.Request(ctx, echoID, nil, WaitForReady())
						if errors.As(err, &e) {
							assert.Equal(t, NotSent, e.Sent, "%v", err)
						}
					}
				})
			}
		}
		callers.Wait()
		cancel()
		a.stop()
		b.stop()
	}
}
