package grid

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Both sides are in this process, so that the bounds are those of a call there and back.
func TestTyped_calls_allocate_little(t *testing.T) {
	if allocsUnknown {
		t.Skip("the race detector is on")
	}
	a, b := tcpPair(t, nil)
	pool := NewPool(func() *msgpPoint { return &msgpPoint{} }, func(p *msgpPoint) { *p = msgpPoint{} })
	plainRoute := Single[*msgpPoint, *msgpPoint](firstFree)
	pooledRoute := Single[*msgpPoint, *msgpPoint](firstFree+1, Reuse(pool))
	for _, r := range []*SingleRoute[*msgpPoint, *msgpPoint]{plainRoute, pooledRoute} {
		require.NoError(t, r.Register(b.Manager, func(_ context.Context, _ *Call, p *msgpPoint) (*msgpPoint, error) { return p, nil }))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, req := a.to(b), &msgpPoint{1, 2}
	call := func(r *SingleRoute[*msgpPoint, *msgpPoint], put func(*msgpPoint)) float64 {
		return testing.AllocsPerRun(500, func() {
			resp, err := r.Call(ctx, c, req)
			if err != nil {
				t.Error(err)
				return
			}
			put(resp)
		})
	}
	assert.LessOrEqual(t, call(plainRoute, func(*msgpPoint) {}), 7.)
	assert.LessOrEqual(t, call(pooledRoute, pool.Put), 5.)
}
