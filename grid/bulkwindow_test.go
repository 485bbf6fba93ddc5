package grid

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// A window below what is acknowledged at once would wait for ever.
func TestBulkWindow_of_the_least_size_lets_large_messages_through(t *testing.T) {
	_, err := NewManager(Config{Self: "a", Limits: Limits{BulkWindow: creditAt - 1}})
	require.ErrorContains(t, err, "Limits.BulkWindow is 65535")

	a, b := tcpPair(t, func(c *Config) { c.Limits.BulkWindow = creditAt })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for range 10 {
		for _, size := range []int{17 << 10, 64 << 10, 300 << 10} {
			got, err := a.to(b).Request(ctx, echoID, make([]byte, size))
			require.NoError(t, err)
			require.Len(t, got, size)
		}
	}
}
