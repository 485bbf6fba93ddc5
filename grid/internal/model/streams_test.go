package model

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid"
)

// patience is how long anything may take on a loaded machine.
const patience = 30 * time.Second

// shortStreams makes so many streams of all kinds, while hogs keep the cores busy. None of the
// streams may end in any way but well.
func shortStreams(t *testing.T, total int64, hogs int, enough func() bool) {
	w := newWorld(t, 1, "a", "b")
	for _, name := range w.names() {
		w.start(name)
	}
	defer w.end()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, w.ready(ctx))

	stop := make(chan struct{})
	var busy sync.WaitGroup
	defer busy.Wait()
	defer close(stop)
	for range hogs {
		busy.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					if n%1000 == 0 {
						runtime.Gosched()
					}
				}
			}
		})
	}
	var made, done atomic.Int64
	var workers sync.WaitGroup
	for i := range 32 {
		from, to := "a", "b"
		if i%2 == 1 {
			from, to = to, from
		}
		c := w.node(from).m.Connection(to)
		workers.Go(func() {
			for !t.Failed() {
				n := made.Add(1)
				if n > total || n%1000 == 0 && enough() {
					made.Add(total) // for the others to end, too
					return
				}
				done.Add(1)
				if err := shortStream(w, c, grid.HandlerID(idDown+grid.HandlerID(n%3)), uint32(n%11)); err != nil {
					t.Errorf("stream %d: %v", n, err)
				}
			}
		})
	}
	workers.Wait()
	t.Logf("%d streams", done.Load())
}

// shortStream makes one stream of n messages.
func shortStream(w *world, c *grid.Connection, id grid.HandlerID, n uint32) error {
	o := order{id: w.ledger.begin(), count: n, size: 16}
	ctx, cancel := context.WithCancel(context.Background())
	// The context ends right behind the stream, when the streams before it may still be about to end.
	defer cancel()
	if n%2 == 0 {
		return w.streaming(ctx, c, id, o, nil)
	}
	return w.channels(ctx, c, id, o)
}

// channels is streaming with NewStream.
func (w *world) channels(ctx context.Context, c *grid.Connection, id grid.HandlerID, o order) error {
	s, err := c.NewStream(ctx, id, o.bytes())
	if err != nil {
		return err
	}
	if (s.Requests == nil) != (id == idDown) {
		return fmt.Errorf("handler %d has a channel of requests: %v", id, s.Requests != nil)
	}
	if s.Requests != nil {
		go func() {
			defer close(s.Requests)
			for i := range o.count {
				select {
				case s.Requests <- message{id: o.id, index: i}.bytes(int(o.size)):
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	want := o.count
	if id == idUp {
		want = 1
	}
	got := uint32(0)
	for r := range s.Responses {
		if r.Err != nil {
			return r.Err
		}
		if err := (message{id: o.id, index: got, answer: true}).check(r.Msg); err != nil {
			return err
		}
		got++
	}
	if got != want {
		return fmt.Errorf("%d of %d messages", got, want)
	}
	return nil
}

func TestStreams_end_well_under_load(t *testing.T) {
	shortStreams(t, 2000, 0, func() bool { return false })
}

func TestSoak_streams(t *testing.T) {
	d, began := soaking(t), time.Now()
	shortStreams(t, 10_000_000, runtime.GOMAXPROCS(0), func() bool { return enough(d, began) })
}
