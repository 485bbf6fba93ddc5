package server

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is let through, http.ReadRequest reads in the same way, with the body that follows.
func FuzzHead_agrees_with_net_http_or_refuses(f *testing.F) {
	for _, c := range headCases {
		f.Add([]byte(c.text + "5\r\nhello\r\n0\r\n\r\n"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		limits := Limits{}.withDefaults()
		s := newScanner(&limits, Relax{})
		done, err := s.scan(b)
		if err != nil || !done {
			return
		}
		req, err := s.parse(b)
		if err != nil {
			return
		}
		head := b[s.begin:s.size]
		require.True(t, bytes.HasSuffix(head, []byte("\r\n\r\n")))
		require.Equal(t, bytes.Count(head, []byte("\r")), bytes.Count(head, []byte("\n")))
		require.Equal(t, bytes.Count(head, []byte("\r\n")), bytes.Count(head, []byte("\n")))
		require.Equal(t, 1, bytes.Count(head, []byte("\r\n\r\n")))

		whole := bufio.NewReader(bytes.NewReader(b[s.begin:]))
		theirs, err := http.ReadRequest(whole)
		require.NoError(t, err)
		assert.Equal(t, theirs.Header, req.Header)
		assert.Equal(t, theirs.ContentLength, req.ContentLength)
		assert.Equal(t, theirs.TransferEncoding, req.TransferEncoding)
		assert.Equal(t, theirs.Host, req.Host)
		assert.Equal(t, s.chunked, theirs.ContentLength == -1)
		if s.length >= 0 {
			assert.Equal(t, s.length, theirs.ContentLength)
		}

		// The body, if ours lets it through, is theirs, and the next request begins at the same byte.
		if !s.chunked {
			return
		}
		in := &input{src: bytes.NewReader(b[s.size:])}
		ours, err := io.ReadAll(&chunked{in: in, limits: &limits})
		if err != nil {
			return
		}
		body, err := io.ReadAll(theirs.Body)
		require.NoError(t, err)
		assert.Equal(t, body, ours)
		rest, _ := io.ReadAll(whole)
		after, _ := io.ReadAll(in.src)
		assert.Equal(t, string(rest), string(in.pending())+string(after))
	})
}

func FuzzChunked_agrees_with_net_http_or_refuses(f *testing.F) {
	f.Add([]byte("5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\nrest"))
	f.Add([]byte("5\nhello\n0\n\n"))
	f.Add([]byte("0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, trailer, _, err := unchunk(bytes.NewReader(b), Limits{})
		slow, trailerSlow, _, errSlow := unchunk(iotest.OneByteReader(bytes.NewReader(b)), Limits{})
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
		got, _, rest, err := unchunk(strings.NewReader(encode(data, size)+"rest"), Limits{})
		require.NoError(t, err)
		assert.Equal(t, data, got)
		assert.True(t, strings.HasPrefix("rest", rest))
	})
}

// Each byte is an event: a safe or an unsafe request asks to begin, or the first answer is complete.
func FuzzPipeline_keeps_its_rules(f *testing.F) {
	f.Add(uint8(3), []byte{0, 0, 1, 2, 2, 1, 2, 0})
	f.Fuzz(func(t *testing.T, ahead uint8, events []byte) {
		p := pipeline{ahead: int(ahead)}
		var model []*exchange
		for _, e := range events {
			ex := &exchange{safe: e%3 == 0}
			switch {
			case e%3 == 2 && len(model) > 0:
				require.Same(t, model[0], p.first)
				p.pop()
				model = model[1:]
			case e%3 != 2:
				alone := len(model) == 0
				beside := ex.safe && len(model) <= int(ahead) && (alone || model[len(model)-1].safe)
				require.Equal(t, alone || beside, p.admits(ex.safe))
				if p.admits(ex.safe) {
					p.push(ex)
					model = append(model, ex)
				}
			}
			require.Equal(t, len(model), p.active)
		}
	})
}
