package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTurnstile_keeps_the_order_whoever_leaves_without_entering(t *testing.T) {
	var line turnstile
	var wg sync.WaitGroup
	var mu sync.Mutex
	var got []int
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	order := rand.Perm(100)
	for _, n := range order {
		wg.Go(func() {
			defer line.leave(n)
			if n%7 == 3 {
				return // failed before its turn
			}
			if assert.NoError(t, line.enter(ctx, n)) {
				mu.Lock()
				got = append(got, n)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	assert.IsIncreasing(t, got, "started in the order %v", order)
	assert.Len(t, got, 86)
}

func TestTurnstile_lets_go_who_is_interrupted(t *testing.T) {
	var line turnstile
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, line.enter(ctx, 1), context.Canceled)
	line.leave(1)
	line.leave(0)
	assert.NoError(t, line.enter(ctx, 2))
}
