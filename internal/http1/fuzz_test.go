package http1

import (
	"bytes"
	"io"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzChunked_agrees_with_net_http_or_refuses(f *testing.F) {
	f.Add([]byte("5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\nrest"))
	f.Add([]byte("5\nhello\n0\n\n"))
	f.Add([]byte("0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, trailer, _, err := unchunk(bytes.NewReader(b))
		slow, trailerSlow, _, errSlow := unchunk(iotest.OneByteReader(bytes.NewReader(b)))
		require.Equal(t, err, errSlow)
		require.Equal(t, trailer, trailerSlow)
		require.Equal(t, ours, slow)
		if err != nil {
			return
		}
		theirs, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(b)))
		require.NoError(t, err)
		assert.Equal(t, string(theirs), ours)
	})
}

func FuzzChunked_reads_back_what_was_written(f *testing.F) {
	f.Add("hello", 2)
	f.Fuzz(func(t *testing.T, data string, size int) {
		if size <= 0 {
			return
		}
		got, _, rest, err := unchunk(strings.NewReader(encode(data, size) + "rest"))
		require.NoError(t, err)
		assert.Equal(t, data, got)
		assert.True(t, strings.HasPrefix("rest", rest))
	})
}
