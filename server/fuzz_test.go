package server

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/http1"
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
		ours, err := io.ReadAll(http1.NewChunked(source{in}, limits.section()))
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
