package retry

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTellsMore_orders_the_classes_by_how_far_a_request_came(t *testing.T) {
	order := []Class{Connect, NeverSent, Refused, Stale, Timeout, Broken, Other, Status}
	assert.Len(t, order, int(classes), "each has a place")
	for i, a := range order {
		for j, b := range order {
			assert.Equal(t, i > j, a.TellsMore(b), "%v and %v", a, b)
		}
	}
	assert.False(t, classes.TellsMore(Connect))
	assert.True(t, Connect.TellsMore(classes))
}
