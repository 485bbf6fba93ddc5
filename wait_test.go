package ratmom

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func futuresFor(n int) []*Future {
	list := make([]*Future, n)
	for i := range list {
		list[i] = &Future{newFuture(nil)}
	}
	return list
}

func TestWaitAny_takes_more_futures_than_one_select(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	list := futuresFor(maxSelect + 10)
	go list[maxSelect+3].s.finish(nil, errors.New("done"))
	i, err := WaitAny(ctx, list...)
	assert.NoError(t, err)
	assert.Equal(t, maxSelect+3, i)
}

func TestWaitAny_gives_up_when_its_context_does(t *testing.T) {
	for _, n := range []int{0, 3, maxSelect + 10} {
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		list := futuresFor(n)
		go cancel(why)
		i, err := WaitAny(ctx, list...)
		assert.Equal(t, -1, i)
		assert.Equal(t, why, err)
		assert.Equal(t, why, WaitAll(ctx, futuresFor(1)...))
	}
}

func TestWaitAny_returns_the_first_that_is_complete(t *testing.T) {
	list := futuresFor(5)
	list[4].s.finish(nil, nil)
	list[2].s.finish(nil, nil)
	i, err := WaitAny(t.Context(), list...)
	assert.NoError(t, err)
	assert.Equal(t, 2, i)
	assert.NoError(t, WaitAll(t.Context(), list[2], list[4]))
}
