package model

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid"
)

// wait calls a handler that does not end before ctx does.
func (w *world) wait(ctx context.Context, c *grid.Connection, may ...grid.Code) {
	o := order{id: w.ledger.begin(), do: forever}
	_, err := c.Request(ctx, idCall, o.bytes())
	w.ledger.end(o.id, err, append(may, grid.Canceled, grid.DeadlineExceeded)...)
}

func TestCancel_of_20000_calls_leaves_no_handler(t *testing.T) {
	const total, together = 20_000, 1000
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, "a", "b")
		w.start("a")
		w.start("b")
		defer w.end()
		require.NoError(t, w.ready(t.Context()))
		c := w.node("a").m.Connection("b")
		for range total / together {
			all := t.Context()
			limit, cancel := context.WithTimeout(all, 300*time.Millisecond)
			var calls sync.WaitGroup
			for i := range together {
				calls.Go(func() {
					// Half of them end by a deadline, which is known there too, half by word alone.
					if i%2 == 0 {
						w.wait(limit, c)
						return
					}
					byWord, stop := context.WithCancel(all)
					defer time.AfterFunc(300*time.Millisecond, stop).Stop()
					w.wait(byWord, c)
				})
			}
			time.Sleep(299 * time.Millisecond)
			synctest.Wait()
			assert.EqualValues(t, together, w.ledger.running.Load(), "all handlers run")
			calls.Wait()
			cancel()
			synctest.Wait()
			assert.Zero(t, w.ledger.running.Load(), "and none is left")
		}
		w.ledger.settled()
		assert.Equal(t, total/2, w.ledger.counts["canceled, maybe executed"])
		for _, h := range w.node("b").m.Snapshot().Handlers {
			assert.Zero(t, h.Running)
		}
	})
}

func TestCancel_of_more_than_there_is_room_for_leaves_no_handler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, "a", "b")
		w.start("a")
		w.start("b")
		defer w.end()
		require.NoError(t, w.ready(t.Context()))
		c := w.node("a").m.Connection("b")
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		var calls sync.WaitGroup
		for range 3000 {
			calls.Go(func() {
				w.wait(ctx, c, grid.Overloaded)
			})
		}
		calls.Wait()
		synctest.Wait()
		w.ledger.settled()
	})
}
