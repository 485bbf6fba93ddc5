package grid

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// A stream has ended well, and nobody has read all of its messages. Their memory does not count for as long as the
// session lives.
func TestStream_that_is_left_after_its_end_gives_its_budget_back(t *testing.T) {
	for name, leave := range map[string]func(st *ClientStream, stop context.CancelFunc){
		"canceled":          func(st *ClientStream, _ context.CancelFunc) { st.Cancel(nil) },
		"its context ended": func(_ *ClientStream, stop context.CancelFunc) { stop() },
	} {
		for size, n := range map[int]int{66 << 10: 3, 1 << 20: 1} { // the rest of its buffer counts, or all that no window covers
			t.Run(name, func(t *testing.T) {
				inBubble(t, func(b *bubble) {
					x, y := b.pair(nil)
					require.NoError(b, y.HandleStream(firstFree, func(ctx context.Context, st *ServerStream) error {
						for range n {
							if err := st.Send(ctx, make([]byte, size)); err != nil {
								return err
							}
						}
						return nil
					}))
					s := x.to(y).current.Load()
					for range 3 {
						ctx, stop := context.WithCancel(context.Background())
						st, err := x.to(y).OpenStream(ctx, firstFree, nil)
						require.NoError(b, err)
						synctest.Wait()
						require.True(b, st.core.over)
						require.Positive(b, s.large.Load())
						leave(st, stop)
						synctest.Wait()
						require.Zero(b, s.large.Load())
						for range n { // and yet nothing is lost
							m, err := st.Recv(context.Background())
							require.NoError(b, err)
							require.Len(b, m.Bytes(), size)
						}
						_, err = st.Recv(context.Background())
						require.ErrorIs(b, err, io.EOF)
						require.Zero(b, s.large.Load())
						require.Zero(b, s.ahead.Load())
						stop()
					}
				})
			})
		}
	}
}
