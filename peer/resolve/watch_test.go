package resolve

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCache_tells_what_has_changed(t *testing.T) {
	cached(t, &Cache{StaleFor: 5 * time.Minute}, func(t *testing.T, c *Cache, s *source) {
		var mu sync.Mutex
		var changes []Change
		s.say(time.Minute, nil, one, two)
		stop, err := c.Watch(host, func(change Change) {
			mu.Lock()
			defer mu.Unlock()
			changes = append(changes, change)
		})
		require.NoError(t, err)
		last := func(n int) Change {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			require.Len(t, changes, n)
			return changes[n-1]
		}
		first := last(1)
		assert.Equal(t, []string{one, two}, addrsOf(Answer{Endpoints: first.Added}))
		assert.Equal(t, host, first.Name)

		time.Sleep(time.Hour)
		last(1)
		calls := s.calls.Load()
		assert.Greater(t, calls, int64(60), "nobody asks, and it is kept fresh")
		assert.Less(t, calls, int64(90))

		s.weight = 8
		s.say(time.Minute, nil, two, three)
		time.Sleep(time.Minute)
		second := last(2)
		assert.Equal(t, []string{three}, addrsOf(Answer{Endpoints: second.Added}))
		assert.Equal(t, []string{one}, addrsOf(Answer{Endpoints: second.Vanished}))
		assert.Equal(t, []string{two}, addrsOf(Answer{Endpoints: second.Changed}))
		assert.Equal(t, []string{two, three}, addrsOf(second.Answer))

		s.say(0, &Error{Kind: ServerFailure})
		time.Sleep(time.Minute)
		failed := last(3)
		require.ErrorIs(t, failed.Err, ServerFailure)
		assert.Empty(t, failed.Vanished, "a failure takes nothing away at first")
		assert.Len(t, failed.Answer.Endpoints, 2)
		time.Sleep(6 * time.Minute)
		assert.Len(t, last(4).Vanished, 2)

		s.say(time.Minute, nil, one)
		time.Sleep(time.Minute)
		over := last(5)
		assert.Equal(t, []string{one}, addrsOf(Answer{Endpoints: over.Added}))
		require.NoError(t, over.Err)
		s.say(0, &Error{Kind: NotExist, TTL: time.Minute})
		time.Sleep(time.Minute)
		assert.Equal(t, []string{one}, addrsOf(Answer{Endpoints: last(6).Vanished}))

		stop()
		stop()
		calls = s.calls.Load()
		time.Sleep(time.Hour)
		last(6)
		assert.Equal(t, calls, s.calls.Load())
	})
}

func TestCache_tells_a_second_watch_what_is_known_and_one_slow_call_at_a_time(t *testing.T) {
	cached(t, new(Cache), func(t *testing.T, c *Cache, s *source) {
		s.say(10*time.Second, nil, one)
		_, err := c.Resolve(t.Context(), host)
		require.NoError(t, err)
		var running, calls atomic.Int64
		stop, err := c.Watch(host, func(Change) {
			assert.EqualValues(t, 1, running.Add(1))
			calls.Add(1)
			time.Sleep(time.Minute)
			running.Add(-1)
		})
		require.NoError(t, err)
		for i := range 12 {
			time.Sleep(10 * time.Second)
			s.say(10*time.Second, nil, fmt.Sprintf("192.0.2.%d:443", i))
		}
		time.Sleep(5 * time.Minute)
		stop()
		assert.GreaterOrEqual(t, calls.Load(), int64(3))
		assert.LessOrEqual(t, calls.Load(), int64(4), "what happens meanwhile is told as one")
		assert.Greater(t, s.calls.Load(), int64(20), "a slow watch does not keep the answer from being renewed")
	})
}
