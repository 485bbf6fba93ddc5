package grid

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// group makes servers, all of them connected.
func (b *bubble) group(names ...string) (all []*node) {
	b.Helper()
	for _, name := range names {
		all = append(all, b.start(name, func(c *Config) {
			c.Peers = nil
			for _, peer := range names {
				c.Peers = append(c.Peers, Peer{Name: peer})
			}
		}))
	}
	for i, x := range all {
		for _, y := range all[i+1:] {
			ready(b, x, y)
		}
	}
	return all
}

// Peers neither see the answers that were given to others nor have them forgotten.
func TestDedupe_keeps_the_answers_to_peers_apart(t *testing.T) {
	inBubble(t, func(b *bubble) {
		all := b.group("a", "b", "c")
		x, y, z := all[0], all[1], all[2]
		var executed atomic.Int64
		release := make(chan struct{})
		require.NoError(b, y.HandleSingle(firstFree, func(_ context.Context, c *Call) ([]byte, error) {
			if string(c.Payload()) == "hang" {
				<-release
			}
			return strconv.AppendInt([]byte(c.Peer()), executed.Add(1), 10), nil
		}, Dedupe(4, time.Minute)))
		ask := func(from *node, payload string, key IdempotencyKey) string {
			got, err := from.to(y).Request(context.Background(), firstFree, []byte(payload), key)
			require.NoError(b, err)
			return string(got)
		}
		key := NewIdempotencyKey()
		require.Equal(b, "a1", ask(x, "", key))
		require.Equal(b, "c2", ask(z, "", key), "the same key of another peer is another request")
		require.Equal(b, "a1", ask(x, "", key))

		// Another peer asks for more than is remembered.
		for range 10 {
			ask(z, "", NewIdempotencyKey())
		}
		require.Equal(b, "a1", ask(x, "", key))
		// And has more run than is remembered.
		for range 10 {
			go func() { _, _ = z.to(y).Request(context.Background(), firstFree, []byte("hang"), NewIdempotencyKey()) }()
		}
		synctest.Wait()
		fresh := NewIdempotencyKey()
		require.Equal(b, "a13", ask(x, "", fresh))
		require.Equal(b, "a13", ask(x, "", fresh))

		// What was remembered of a peer goes with it, and so does what ends later.
		m := y.handlers.find(firstFree, false, 0).memory
		require.True(b, y.RemovePeer("c"))
		require.True(b, y.RemovePeer("a"))
		close(release)
		synctest.Wait()
		m.mu.Lock()
		defer m.mu.Unlock()
		require.Empty(b, m.of)
	})
}
