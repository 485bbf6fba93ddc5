package grid

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuf_is_of_the_length_asked_for_and_not_much_more(t *testing.T) {
	for _, n := range []int{0, 1, 256, 257, 64 << 10, 1<<20 - 1, 1<<20 + 1, 5 << 20, 8 << 20, 8<<20 + 1} {
		b := newBuf(n)
		require.Len(t, b.Bytes(), n)
		require.Equal(t, n, cap(b.Bytes()), "nobody sees what is behind it")
		if n > 1<<20 {
			require.True(t, b.wellFilled(), n)
		}
		b.Release()
		b.Release()
	}
	require.False(t, newBuf(300).wellFilled())
	require.False(t, Buf{}.wellFilled())
}

// An answer in fragments is given out without a copy, if that wastes little: nobody else may have its memory.
func TestRequest_has_its_answer_for_itself(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		for _, n := range []int{512, 20 << 10, 70 << 10, 200 << 10} {
			var kept [][]byte
			for i := range 2 {
				got, err := x.to(y).Request(within(b), echoID, bytes.Repeat([]byte{byte(i)}, n))
				require.NoError(b, err)
				kept = append(kept, got)
				buf, err := x.to(y).Do(within(b), echoID, make([]byte, n))
				require.NoError(b, err)
				buf.Release() // which overwrites it
			}
			for i, got := range kept {
				require.Equal(b, n, len(got))
				require.Equal(b, n, bytes.Count(got, []byte{byte(i)}), "answer %d of %d bytes was overwritten", i, n)
			}
		}
	})
}
