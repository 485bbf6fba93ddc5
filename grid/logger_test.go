package grid

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// looker is a logger that looks at all there is whenever it is told something.
type looker struct {
	slog.Handler
	of *atomic.Pointer[node]

	mu   *sync.Mutex
	told map[string]bool
}

func (l looker) Enabled(context.Context, slog.Level) bool { return true }

func (l looker) Handle(_ context.Context, r slog.Record) error {
	if n := l.of.Load(); n != nil {
		n.Snapshot()
		for _, c := range n.Connections() {
			c.State()
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.told[r.Message] = true
	}
	return nil
}

// No lock is held while a logger is told anything: it may ask for the state of what it is told of.
func TestLogger_may_look_at_everything_whatever_it_is_told(t *testing.T) {
	inBubble(t, func(b *bubble) {
		l := looker{slog.DiscardHandler, new(atomic.Pointer[node]), new(sync.Mutex), map[string]bool{}}
		x := b.start("a", func(c *Config) { c.Logger = slog.New(l) })
		l.of.Store(x)
		y := b.start("b", nil)
		ready(b, x, y)
		b.net.Reset("a", "b")
		synctest.Wait() // both have noticed
		_, err := y.to(x).Request(within(b), panicID, nil, WaitForReady(), Retry(5))
		require.ErrorIs(b, err, ErrInternal)
		nc, err := b.net.Dial(context.Background(), "b", "a")
		require.NoError(b, err)
		_, err = io.WriteString(nc, "GET "+DefaultPath+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		require.NoError(b, err)
		_, err = io.ReadAll(nc)
		require.NoError(b, err)
		require.NoError(b, nc.Close())
		require.NoError(b, y.Shutdown(within(b)))
		b.kill(y, gridtest.WithReset)
		time.Sleep(time.Minute)
		synctest.Wait()
		l.mu.Lock()
		defer l.mu.Unlock()
		require.Equal(b, []string{
			"grid: a connection was refused", "grid: a handler panicked", "grid: cannot connect", "grid: connected",
			"grid: connection ended", "grid: the peer says goodbye",
		}, slices.Sorted(maps.Keys(l.told)))
	})
}
