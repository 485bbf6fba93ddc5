package grid

import (
	"bytes"
	"context"
	"regexp"
	"runtime/pprof"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// labels are those of the grid that goroutines have at the moment, one entry for each kind of goroutine.
func labels(b *bubble) (all []string) {
	b.Helper()
	var out bytes.Buffer
	require.NoError(b, pprof.Lookup("goroutine").WriteTo(&out, 1))
	for _, m := range regexp.MustCompile(`# labels: (\{"grid.*\})`).FindAllSubmatch(out.Bytes(), -1) {
		all = append(all, string(m[1]))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestHandler_is_named_in_profiles(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		release := make(chan struct{})
		single := func(ctx context.Context, _ *Call) ([]byte, error) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				<-release
			}()
			<-done
			peer, _ := pprof.Label(ctx, "grid.peer")
			return []byte(peer), nil
		}
		require.NoError(b, y.HandleSingle(firstFree, single, Name("stat")))
		require.NoError(b, y.HandleSingle(77, single, Subroute("disk")))
		require.NoError(b, y.HandleStream(78, func(context.Context, *ServerStream) error {
			<-release
			return nil
		}))
		answers := make(chan string, 2)
		for id, opts := range map[HandlerID][]CallOption{firstFree: nil, 77: {Subroute("disk")}} {
			go func() {
				got, _ := x.to(y).Request(context.Background(), id, nil, opts...)
				answers <- string(got)
			}()
		}
		st, err := x.to(y).OpenStream(context.Background(), 78, nil)
		require.NoError(b, err)
		synctest.Wait()
		require.Equal(b, []string{
			`{"grid.handler":"77 disk", "grid.peer":"a"}`, `{"grid.handler":"78", "grid.peer":"a"}`, `{"grid.handler":"stat", "grid.peer":"a"}`,
		}, labels(b))
		close(release)
		require.Equal(b, "a", <-answers)
		require.Equal(b, "a", <-answers)
		_, err = st.Recv(within(b))
		require.Error(b, err)
		_, err = x.to(y).Request(within(b), inlineEchoID, nil)
		require.NoError(b, err)
		synctest.Wait()
		require.Empty(b, labels(b), "goroutines that are used again are nobody's")
	})
}

// What a handler sets going that outlasts it does not bear its labels.
func TestGoroutines_that_a_handler_is_the_reason_for_are_not_named_after_it(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		release := make(chan struct{})
		require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) {
			<-release
			return nil, y.AddPeer(Peer{Name: "c"})
		}, Name("stat"), Dedupe(1, time.Minute)))
		key := NewIdempotencyKey()
		answers := make(chan error, 2)
		for range cap(answers) { // the second waits for the first, and then needs a worker
			go func() {
				_, err := x.to(y).Request(context.Background(), firstFree, nil, key)
				answers <- err
			}()
		}
		synctest.Wait()
		require.Equal(b, []string{`{"grid.handler":"stat", "grid.peer":"a"}`}, labels(b))
		close(release)
		for range cap(answers) {
			require.NoError(b, <-answers)
		}
		synctest.Wait()
		require.Empty(b, labels(b))
	})
}
