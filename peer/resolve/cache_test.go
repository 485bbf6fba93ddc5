package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// source is a resolver that says what the test wants, when it wants.
type source struct {
	mu     sync.Mutex
	answer Answer
	err    error
	delay  time.Duration
	weight float64 // of what is said from now on, beside 1
	calls  atomic.Int64
	most   atomic.Int64 // at once
	now    atomic.Int64
}

func (s *source) say(ttl time.Duration, err error, addrs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var eps []Endpoint
	for _, a := range addrs {
		eps = append(eps, Endpoint{Addr: netip.MustParseAddrPort(a), Weight: 1 + s.weight})
	}
	s.answer, s.err = Answer{Endpoints: eps, TTL: ttl}, err
}

func (s *source) slow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

func (s *source) Resolve(ctx context.Context, _ Name) (Answer, error) {
	s.calls.Add(1)
	for n := s.now.Add(1); n > s.most.Load(); {
		s.most.Store(n)
	}
	defer s.now.Add(-1)
	s.mu.Lock()
	answer, err, delay := s.answer, s.err, s.delay
	s.mu.Unlock()
	select {
	case <-time.After(delay):
		return answer, err
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
}

const (
	one   = "192.0.2.1:443"
	two   = "192.0.2.2:443"
	three = "192.0.2.3:443"
)

// cached runs a test in a bubble of its own time, with a cache before a source.
func cached(t *testing.T, c *Cache, run func(t *testing.T, c *Cache, s *source)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := new(source)
		c.Resolver = s
		defer c.Close()
		run(t, c, s)
	})
}

var host = Name{Host: "host.test"}

func TestCache_keeps_an_answer_for_its_TTL_within_limits(t *testing.T) {
	for _, step := range []struct{ said, kept time.Duration }{
		{time.Minute, time.Minute}, {0, 10 * time.Second}, {-time.Second, 10 * time.Second}, {time.Second, 10 * time.Second},
		{48 * time.Hour, time.Hour}, {Forever - 1, time.Hour},
	} {
		cached(t, &Cache{MinTTL: 10 * time.Second, MaxTTL: time.Hour}, func(t *testing.T, c *Cache, s *source) {
			s.say(step.said, nil, one)
			a, err := c.Resolve(t.Context(), host)
			require.NoError(t, err)
			assert.Equal(t, step.kept, a.TTL)
			time.Sleep(step.kept / 2)
			a, err = c.Resolve(t.Context(), host)
			require.NoError(t, err)
			assert.Equal(t, step.kept/2, a.TTL)
			assert.EqualValues(t, 1, s.calls.Load())
			time.Sleep(step.kept)
			s.say(time.Minute, nil, two)
			a, err = c.Resolve(t.Context(), host)
			require.NoError(t, err)
			assert.Equal(t, []string{two}, addrsOf(a))
			assert.False(t, a.Stale)
		})
	}
	cached(t, new(Cache), func(t *testing.T, c *Cache, s *source) {
		s.say(Forever, nil, one)
		for range 2 {
			a, err := c.Resolve(t.Context(), host)
			require.NoError(t, err)
			assert.Equal(t, Forever, a.TTL)
			time.Sleep(1000 * time.Hour)
		}
		assert.EqualValues(t, 1, s.calls.Load())
	})
}

func TestCache_asks_once_however_many_wait(t *testing.T) {
	cached(t, new(Cache), func(t *testing.T, c *Cache, s *source) {
		s.say(time.Minute, nil, one)
		s.slow(time.Second)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				a, err := c.Resolve(t.Context(), host)
				assert.NoError(t, err)
				assert.Equal(t, []string{one}, addrsOf(a))
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, s.calls.Load())
	})
}

func TestCache_goes_on_with_a_lookup_that_its_caller_leaves(t *testing.T) {
	cached(t, new(Cache), func(t *testing.T, c *Cache, s *source) {
		s.say(time.Minute, nil, one)
		s.slow(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, err := c.Resolve(ctx, host)
		require.ErrorIs(t, err, Timeout)
		time.Sleep(2 * time.Second)
		_, err = c.Resolve(t.Context(), host)
		require.NoError(t, err)
		assert.EqualValues(t, 1, s.calls.Load())

		_, err = c.Resolve(ctx, host)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestCache_renews_an_answer_in_the_background_before_its_end(t *testing.T) {
	cached(t, new(Cache), func(t *testing.T, c *Cache, s *source) {
		s.say(time.Minute, nil, one)
		_, err := c.Resolve(t.Context(), host)
		require.NoError(t, err)
		s.say(time.Minute, nil, two)
		s.slow(time.Second)
		time.Sleep(58 * time.Second)
		start := time.Now()
		a, err := c.Resolve(t.Context(), host)
		require.NoError(t, err)
		assert.Zero(t, time.Since(start), "nobody waits")
		assert.Equal(t, []string{one}, addrsOf(a))
		time.Sleep(1500 * time.Millisecond)
		a, err = c.Resolve(t.Context(), host)
		require.NoError(t, err)
		assert.Equal(t, []string{two}, addrsOf(a))
		assert.EqualValues(t, 2, s.calls.Load())
		time.Sleep(time.Hour)
		assert.EqualValues(t, 2, s.calls.Load(), "nobody asks for it any more")
	})
}

func TestCache_gives_an_old_answer_in_place_of_a_failure_for_a_time(t *testing.T) {
	cached(t, &Cache{StaleFor: 10 * time.Minute, FailureTTL: 5 * time.Second}, func(t *testing.T, c *Cache, s *source) {
		s.say(time.Minute, nil, one)
		_, err := c.Resolve(t.Context(), host)
		require.NoError(t, err)
		s.say(0, &Error{Kind: ServerFailure})
		time.Sleep(2 * time.Minute)
		for range 3 {
			a, err := c.Resolve(t.Context(), host)
			require.NoError(t, err)
			assert.True(t, a.Stale)
			assert.Equal(t, 5*time.Second, a.TTL)
			assert.Equal(t, []string{one}, addrsOf(a))
		}
		assert.EqualValues(t, 2, s.calls.Load(), "a pause between attempts")
		time.Sleep(6 * time.Second)
		_, err = c.Resolve(t.Context(), host)
		require.NoError(t, err)
		assert.EqualValues(t, 3, s.calls.Load())
		time.Sleep(10 * time.Minute)
		_, err = c.Resolve(t.Context(), host)
		require.ErrorIs(t, err, ServerFailure, "not forever")
		time.Sleep(time.Minute)
		s.say(time.Minute, nil, two)
		a, err := c.Resolve(t.Context(), host)
		require.NoError(t, err)
		assert.False(t, a.Stale)
	})
	cached(t, &Cache{StaleFor: -1}, func(t *testing.T, c *Cache, s *source) {
		s.say(time.Minute, nil, one)
		_, err := c.Resolve(t.Context(), host)
		require.NoError(t, err)
		s.say(0, &Error{Kind: Timeout})
		time.Sleep(2 * time.Minute)
		_, err = c.Resolve(t.Context(), host)
		require.ErrorIs(t, err, Timeout)
	})
}

func TestCache_does_not_wait_long_when_it_has_an_old_answer(t *testing.T) {
	cached(t, new(Cache), func(t *testing.T, c *Cache, s *source) {
		s.say(time.Minute, nil, one)
		_, err := c.Resolve(t.Context(), host)
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		s.slow(5 * time.Second)
		s.say(time.Minute, nil, two)
		start := time.Now()
		a, err := c.Resolve(t.Context(), host)
		require.NoError(t, err)
		assert.True(t, a.Stale)
		assert.Equal(t, 1800*time.Millisecond, time.Since(start))
		time.Sleep(4 * time.Second)
		a, err = c.Resolve(t.Context(), host)
		require.NoError(t, err)
		assert.Equal(t, []string{two}, addrsOf(a))
	})
}

func TestCache_keeps_a_no_for_as_long_as_the_zone_says(t *testing.T) {
	for _, step := range []struct {
		kind       Kind
		said, kept time.Duration
	}{
		{NotExist, 2 * time.Minute, 2 * time.Minute}, {NoData, 10 * time.Hour, time.Hour}, {NotExist, time.Second, 5 * time.Second},
		{NotExist, 0, 7 * time.Second}, {ServerFailure, 0, 7 * time.Second}, {Timeout, time.Hour, 7 * time.Second},
	} {
		cached(t, &Cache{FailureTTL: 7 * time.Second}, func(t *testing.T, c *Cache, s *source) {
			s.say(0, &Error{Kind: step.kind, TTL: step.said})
			for range 2 {
				_, err := c.Resolve(t.Context(), host)
				require.ErrorIs(t, err, step.kind)
				time.Sleep(step.kept - time.Second)
			}
			assert.LessOrEqual(t, s.calls.Load(), int64(2))
			calls := s.calls.Load()
			time.Sleep(step.kept)
			_, err := c.Resolve(t.Context(), host)
			require.ErrorIs(t, err, step.kind)
			assert.Equal(t, calls+1, s.calls.Load())
		})
	}
	cached(t, new(Cache), func(t *testing.T, c *Cache, s *source) {
		s.say(time.Minute, nil, one)
		_, err := c.Resolve(t.Context(), host)
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		s.say(0, &Error{Kind: NotExist})
		_, err = c.Resolve(t.Context(), host)
		require.ErrorIs(t, err, NotExist, "no old answer for a name that is gone")
	})
}

func TestCache_bounds_what_it_keeps_and_how_much_it_asks_at_once(t *testing.T) {
	cached(t, &Cache{MaxNames: 10, MaxLookups: 3, Timeout: time.Minute}, func(t *testing.T, c *Cache, s *source) {
		s.say(time.Hour, nil, one)
		s.slow(time.Second)
		stop, err := c.Watch(Name{Host: "watched.test"}, func(Change) {})
		require.NoError(t, err)
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				_, err := c.Resolve(t.Context(), Name{Host: fmt.Sprintf("n%d.test", i)})
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		synctest.Wait()
		assert.Equal(t, 10, c.Len())
		assert.EqualValues(t, 3, s.most.Load())
		calls := s.calls.Load()
		_, err = c.Resolve(t.Context(), Name{Host: "watched.test"})
		require.NoError(t, err)
		assert.Equal(t, calls, s.calls.Load(), "what is watched stays")
		stop()

		// The one that was not used for the longest time goes first.
		for i := range 20 {
			_, err = c.Resolve(t.Context(), Name{Host: fmt.Sprintf("m%d.test", i)})
			require.NoError(t, err)
			_, err = c.Resolve(t.Context(), Name{Host: "m0.test"})
			require.NoError(t, err)
		}
		assert.Equal(t, calls+20, s.calls.Load())
	})
}

func TestCache_drops_lookups_that_wait_for_nobody(t *testing.T) {
	cached(t, &Cache{MaxLookups: 1, Timeout: time.Hour}, func(t *testing.T, c *Cache, s *source) {
		s.say(time.Hour, nil, one)
		s.slow(30 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() { _, _ = c.Resolve(ctx, Name{Host: fmt.Sprintf("n%d.test", i)}) })
		}
		wg.Wait()
		time.Sleep(time.Hour)
		assert.EqualValues(t, 1, s.calls.Load())
		_, err := c.Resolve(t.Context(), Name{Host: "n49.test"})
		require.NoError(t, err, "and that is no failure of the name")
	})
}

func TestCache_ends_a_lookup_that_takes_too_long(t *testing.T) {
	cached(t, &Cache{Timeout: 3 * time.Second}, func(t *testing.T, c *Cache, s *source) {
		s.slow(time.Hour)
		start := time.Now()
		_, err := c.Resolve(t.Context(), host)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestCache_forgets_what_it_is_told_to(t *testing.T) {
	cached(t, &Cache{FailureTTL: time.Hour}, func(t *testing.T, c *Cache, s *source) {
		s.say(0, &Error{Kind: Refused})
		_, err := c.Resolve(t.Context(), host)
		require.ErrorIs(t, err, Refused)
		c.Forget(Name{Host: "other.test"})
		c.Forget(host)
		s.say(time.Minute, nil, one)
		_, err = c.Resolve(t.Context(), host)
		require.NoError(t, err)

		// Not what comes of a look-up that had begun before.
		time.Sleep(2 * time.Minute)
		s.slow(time.Second)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, err := c.Resolve(t.Context(), host)
			assert.NoError(t, err)
		}()
		synctest.Wait()
		c.Forget(host)
		s.say(time.Minute, nil, two)
		<-done
		a, err := c.Resolve(t.Context(), host)
		require.NoError(t, err)
		assert.Equal(t, []string{two}, addrsOf(a))
	})
}

func TestCache_makes_an_error_of_a_resolver_that_panics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cache{Resolver: Func(func(context.Context, Name) (Answer, error) { panic("oh") })}
		defer c.Close()
		_, err := c.Resolve(t.Context(), host)
		require.ErrorContains(t, err, "oh")
	})
}

func TestCache_ends_with_Close_whoever_waits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(source)
		s.slow(time.Hour)
		c := &Cache{Resolver: s, Timeout: 2 * time.Hour}
		_, err := c.Watch(Name{Host: "watched.test"}, func(Change) { t.Error("told something") })
		require.NoError(t, err)
		failed := make(chan error, 1)
		go func() {
			_, err := c.Resolve(context.Background(), host)
			failed <- err
		}()
		synctest.Wait()
		c.Close()
		require.ErrorIs(t, <-failed, net.ErrClosed)
		_, err = c.Resolve(t.Context(), host)
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = c.Watch(host, func(Change) {})
		require.ErrorIs(t, err, net.ErrClosed)
		c.Close()
	})
}

func TestCache_refuses_limits_that_are_none(t *testing.T) {
	for field, c := range map[string]*Cache{
		"MinTTL": {MinTTL: -1}, "MaxTTL": {MaxTTL: -1}, "MaxNegativeTTL": {MaxNegativeTTL: -1}, "FailureTTL": {FailureTTL: -1},
		"StaleAfter": {StaleAfter: -1}, "Timeout": {Timeout: -1}, "MaxNames": {MaxNames: -1}, "MaxLookups": {MaxLookups: -1},
	} {
		c.Resolver = Literal
		_, err := c.Resolve(t.Context(), host)
		require.ErrorContains(t, err, field)
		_, err = c.Watch(host, func(Change) {})
		require.Error(t, err)
		c.Forget(host)
		c.Close()
		assert.Zero(t, c.Len())
	}
	_, err := new(Cache).Resolve(t.Context(), host)
	require.Error(t, err)
}

func TestCache_gives_an_error_of_its_resolver_as_it_is(t *testing.T) {
	mine := errors.New("mine")
	cached(t, new(Cache), func(t *testing.T, c *Cache, s *source) {
		s.say(0, mine)
		_, err := c.Resolve(t.Context(), host)
		require.ErrorIs(t, err, mine)
	})
}
