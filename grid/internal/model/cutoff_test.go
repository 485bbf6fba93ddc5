package model

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid"
	"github.com/ratmom/ratmom/grid/gridtest"
)

// The word that a stream was cut off does not wait in the queue, and overtakes the messages that do.
func TestCutOff_streams_leave_the_connection_alone(t *testing.T) {
	for _, by := range []string{"a timeout", "the caller", "the handler"} {
		t.Run(by, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1, "a", "b")
				w.start("a")
				w.start("b")
				defer w.end()
				require.NoError(t, w.ready(t.Context()))
				var opts []grid.HandlerOption
				if by == "a timeout" {
					opts = append(opts, grid.Timeout(time.Second))
				}
				require.NoError(t, w.node("b").m.HandleStream(99, func(ctx context.Context, s *grid.ServerStream) error {
					for range 10 {
						if err := s.Send(ctx, make([]byte, 100)); err != nil {
							return err
						}
					}
					if by == "the handler" {
						limit, stop := context.WithTimeout(ctx, time.Second)
						defer stop()
						return s.Send(limit, make([]byte, 1<<20))
					}
					<-ctx.Done()
					return ctx.Err()
				}, opts...))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				// What b writes gets stuck after the first bytes.
				w.net.Set("b", "a", gridtest.Faults{Path: gridtest.Stalled, Buffer: 1})
				c := w.node("a").m.Connection("b")
				s, err := c.OpenStream(ctx, 99, nil)
				require.NoError(t, err)
				if by == "the caller" {
					time.AfterFunc(time.Second, cancel)
				}
				time.Sleep(2 * time.Second)
				w.net.Set("b", "a", gridtest.Faults{})
				for err == nil {
					_, err = s.Recv(t.Context())
				}
				require.NoError(t, pause(t.Context(), time.Second))
				assert.ErrorContains(t, err, map[string]string{
					"a timeout": "deadline exceeded", "the caller": "canceled", "the handler": "",
				}[by])
				for _, state := range w.node("a").m.Snapshot().Connections {
					assert.EqualValues(t, 1, state.Opened)
					assert.Empty(t, state.Active)
				}
				o := order{id: w.ledger.begin(), size: 100}
				_, err = c.Request(t.Context(), idCall, o.bytes())
				w.ledger.end(o.id, err)
			})
		})
	}
}

// A session may end while its reader is amid a batch. What the rest of that begins ends too.
func TestEnd_amid_a_batch_ends_what_the_rest_of_it_begins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := besieged(t)
		defer w.end()
		b := w.node("b").m
		require.NoError(t, b.HandleSingle(99, func(context.Context, *grid.Call) ([]byte, error) {
			b.RemovePeer(villainName)
			return nil, nil
		}, grid.Inline()))
		v := attack(t, w).greet()
		require.NoError(t, b.HandleStream(98, func(ctx context.Context, s *grid.ServerStream) error {
			_, err := s.Recv(ctx)
			return err
		}, grid.InCapacity(1)))
		require.NoError(t, v.say(callFrame(0, 99, nil), openFrame(1, 98, nil)))
		synctest.Wait()
		for _, h := range b.Snapshot().Handlers {
			assert.Zero(t, h.Running, "handler %d", h.ID)
		}
		_ = v.ws.Close()
		w.unharmed()
	})
}
