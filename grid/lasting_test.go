package grid

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// Nobody puts an end to what was given none.
func TestRequest_without_a_deadline_lasts_as_long_as_its_handler(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		for id, opts := range map[HandlerID][]HandlerOption{firstFree: nil, firstFree + 1: {Dedupe(10, time.Second)}} {
			require.NoError(b, y.HandleSingle(id, func(ctx context.Context, _ *Call) ([]byte, error) {
				_, ok := ctx.Deadline()
				assert.False(b, ok)
				time.Sleep(20 * time.Minute)
				return []byte("done"), ctx.Err()
			}, opts...))
		}
		require.NoError(b, y.HandleStream(firstFree+2, func(ctx context.Context, s *ServerStream) error {
			_, ok := ctx.Deadline()
			assert.False(b, ok)
			time.Sleep(20 * time.Minute)
			return s.Send(ctx, []byte("done"))
		}))
		st, err := x.to(y).OpenStream(context.Background(), firstFree+2, nil)
		require.NoError(b, err)
		for id := range HandlerID(2) {
			got, err := x.to(y).Request(context.Background(), firstFree+id, nil, NewIdempotencyKey())
			require.NoError(b, err)
			require.Equal(b, "done", string(got))
		}
		m, err := st.Recv(context.Background())
		require.NoError(b, err)
		require.Equal(b, "done", string(m.Bytes()))
		require.EqualValues(b, 1, x.to(y).Snapshot().Opened)
	})
}

// A context that lasts has nothing of the requests that were made with it.
func TestContext_that_lasts_keeps_nothing_of_requests_and_streams(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		ask := func() {
			got, err := x.to(y).Request(ctx, echoID, make([]byte, 1<<10))
			require.NoError(b, err)
			require.Len(b, got, 1<<10)
			st, err := x.to(y).OpenStream(ctx, countID, []byte("1"))
			require.NoError(b, err)
			_, err = st.Recv(ctx)
			require.NoError(b, err)
			_, err = st.Recv(ctx)
			require.ErrorIs(b, err, io.EOF)
			chans, err := x.to(y).NewStream(ctx, countID, []byte("1"))
			require.NoError(b, err)
			for r := range chans.Responses {
				require.NoError(b, r.Err)
			}
		}
		for range 200 {
			ask()
		}
		synctest.Wait()
		before := heap()
		for range 400 {
			ask()
		}
		synctest.Wait()
		grown := heap() - before
		t.Log(grown)
		require.Less(b, grown, int64(150<<10), "800 streams take more than that")
	})
}

// Two grids of one server are told apart by their paths, and share nothing else.
func TestPath_tells_grids_of_one_server_apart(t *testing.T) {
	inBubble(t, func(b *bubble) {
		grids := map[string]map[string]*Manager{}
		for _, name := range []string{"a", "b"} {
			grids[name] = map[string]*Manager{}
			mux := http.NewServeMux()
			for _, path := range []string{"/grid", "/grid/locks"} {
				m, err := NewManager(Config{Self: name, Peers: []Peer{{Name: "a"}, {Name: "b"}}, Path: path, Dial: b.net.Dialer(name)})
				require.NoError(b, err)
				require.NoError(b, m.HandleSingle(echoID, func(context.Context, *Call) ([]byte, error) { return []byte(name + path), nil }))
				mux.Handle(path, m.Handler())
				grids[name][path] = m
			}
			l, err := b.net.Listen(name)
			require.NoError(b, err)
			server, served := &http.Server{Handler: mux}, make(chan struct{})
			go func() {
				defer close(served)
				_ = server.Serve(l)
			}()
			b.Cleanup(func() {
				for _, m := range grids[name] {
					_ = m.Close()
				}
				_ = server.Close()
				<-served
			})
		}
		for _, path := range []string{"/grid", "/grid/locks"} {
			for from, to := range map[string]string{"a": "b", "b": "a"} {
				got, err := grids[from][path].Connection(to).Request(within(b), echoID, nil, WaitForReady())
				require.NoError(b, err)
				require.Equal(b, to+path, string(got))
			}
		}
		require.Equal(b, 2, b.net.Open("a"))
		require.NoError(b, grids["a"]["/grid"].Close())
		_, err := grids["b"]["/grid/locks"].Connection("a").Request(within(b), echoID, nil)
		require.NoError(b, err)
	})
}

// The word of a cancellation waits behind no message.
func TestCancel_reaches_the_handler_within_ten_milliseconds_beside_large_messages(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		b.net.SetBoth("a", "b", gridtest.Faults{Latency: 100 * time.Microsecond, Bandwidth: 250 << 20})
		large, stop := context.WithCancel(context.Background())
		defer stop()
		for range 4 {
			go func() { _, _ = x.to(y).Request(large, hangID, make([]byte, 8<<20)) }()
		}
		for range 500 {
			go func() { _, _ = x.to(y).Request(large, hangID, make([]byte, 8<<10)) }()
		}
		told := make(chan time.Time, 1)
		started := make(chan struct{}, 1)
		require.NoError(b, y.HandleSingle(firstFree, func(ctx context.Context, _ *Call) ([]byte, error) {
			started <- struct{}{}
			<-ctx.Done()
			assert.ErrorIs(b, context.Cause(ctx), ErrCanceled)
			told <- time.Now()
			return nil, ctx.Err()
		}))
		require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, s *ServerStream) error {
			started <- struct{}{}
			_, err := s.Recv(ctx)
			assert.ErrorIs(b, err, ErrCanceled)
			told <- time.Now()
			return err
		}, InCapacity(1), Subroute("stream")))
		for _, stream := range []bool{false, true} {
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() {
				if !stream {
					_, err := x.to(y).Request(ctx, firstFree, nil)
					ended <- err
					return
				}
				st, err := x.to(y).OpenStream(ctx, firstFree, nil, Subroute("stream"))
				if err == nil {
					_, err = st.Recv(ctx)
				}
				ended <- err
			}()
			<-started
			began := time.Now()
			cancel()
			require.ErrorIs(b, <-ended, context.Canceled)
			require.Zero(b, time.Since(began))
			require.LessOrEqual(b, (<-told).Sub(began), 10*time.Millisecond)
		}
	})
}
