package health

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBreaker_refuses_what_is_past_its_limit(t *testing.T) {
	b := &Breaker{Limits: Limits{Links: 2, Pending: 1, Requests: -1}}
	assert.NoError(t, b.Take(Links))
	assert.False(t, b.Open(Links))
	assert.NoError(t, b.Take(Links))
	assert.True(t, b.Open(Links))

	err := b.Take(Links)
	var limit *LimitError
	assert.True(t, errors.Is(err, ErrLimit) && errors.As(err, &limit))
	assert.Equal(t, LimitError{Links, 2}, *limit)
	assert.EqualError(t, err, "the limit of the peer is reached: 2 links")
	assert.Equal(t, uint64(1), b.Refused(Links))
	assert.Equal(t, 2, b.Used(Links))

	b.Give(Links)
	assert.NoError(t, b.Take(Links))
	for range 3 {
		assert.NoError(t, b.Take(Retries))
	}
	assert.EqualError(t, b.Take(Retries), "the limit of the peer is reached: 3 retries")
	for range 5000 {
		assert.NoError(t, b.Take(Requests))
	}
	assert.False(t, b.Open(Requests))
}

func TestBreaker_has_limits_by_default(t *testing.T) {
	for r, limit := range map[Resource]int{Links: 1024, Pending: 1024, Requests: 1024, Retries: 3} {
		var b Breaker
		n := 0
		for b.Take(r) == nil {
			n++
		}
		assert.Equal(t, limit, n, r.String())
	}
}

func TestModelBreaker(t *testing.T) {
	rnd := seeded(60)
	b := &Breaker{Limits: Limits{Links: 3, Pending: 5, Requests: 7}}
	limits := []int{3, 5, 7, 3}
	var used [4]int
	for range 100000 {
		r := Resource(rnd.IntN(4))
		if rnd.IntN(2) == 0 {
			b.Give(r)
			used[r] = max(used[r]-1, 0)
		} else if err := b.Take(r); used[r] == limits[r] {
			assert.ErrorIs(t, err, ErrLimit)
		} else {
			assert.NoError(t, err)
			used[r]++
		}
		assert.Equal(t, used[r], b.Used(r))
		assert.LessOrEqual(t, b.Used(r), limits[r])
		if t.Failed() {
			return
		}
	}
}
