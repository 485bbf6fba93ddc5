package server

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPipeline_lets_safe_ones_run_ahead_up_to_its_depth(t *testing.T) {
	p := pipeline{ahead: 2}
	for range 3 {
		require.True(t, p.admits(true))
		p.push(&exchange{safe: true})
	}
	assert.False(t, p.admits(true))
	p.pop()
	assert.True(t, p.admits(true))
	assert.False(t, p.admits(false))
}

func TestPipeline_is_shut_by_an_unsafe_one(t *testing.T) {
	p := pipeline{ahead: 9}
	require.True(t, p.admits(false))
	p.push(&exchange{})
	assert.False(t, p.admits(true))
	p.pop()
	assert.True(t, p.admits(true))
}

// At any time: no more at work than the depth allows, an unsafe one alone, and out in the order in.
func TestPipeline_keeps_its_rules_in_any_order_of_events(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		p := pipeline{ahead: r.IntN(5)}
		var model []*exchange
		for range 200 {
			if safe := r.IntN(3) > 0; r.IntN(2) == 0 && p.admits(safe) {
				ex := &exchange{safe: safe}
				p.push(ex)
				model = append(model, ex)
			} else if len(model) > 0 && r.IntN(2) == 0 {
				require.Same(t, model[0], p.first)
				p.pop()
				model = model[1:]
			}
			require.Equal(t, len(model), p.active)
			require.LessOrEqual(t, len(model), 1+p.ahead)
			for _, ex := range model {
				require.True(t, ex.safe || len(model) == 1)
			}
		}
	}
}
