package grid

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
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
