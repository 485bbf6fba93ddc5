package parity

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

const plain = "hello, hello, hello, hello, world"

func compress(t testing.TB, make func(io.Writer) io.WriteCloser, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := make(&b)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func gzipped(t testing.TB, text string) string {
	return compress(t, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, text)
}

func deflated(t testing.TB, text string) string {
	return compress(t, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }, text)
}

func encoded(encoding, body string) testserver.Reply {
	return testserver.Reply{Header: []string{"Content-Encoding: " + encoding}, Body: body}
}

func TestEncoding_gzip_is_asked_for_and_undone(t *testing.T) {
	m := testserver.MockReply(t, encoded("gzip", gzipped(t, plain)))
	resp, text := get(t, newClient(t), m.URL)
	assert.Equal(t, plain, text)
	assert.Contains(t, m.Request().Get("Accept-Encoding"), "gzip")
	assert.EqualValues(t, -1, resp.ContentLength, "the length of what is decoded is not known")
	assert.True(t, resp.Uncompressed)
}

func TestEncoding_stays_with_decompression_off(t *testing.T) {
	raw := gzipped(t, plain)
	m := testserver.MockReply(t, encoded("gzip", raw))
	req := newRequest(t, "GET", m.URL, nil)
	req.Header.Set("Accept-Encoding", "gzip")
	resp, text := send(t, newClient(t), req, config.Decompression(false))
	assert.Equal(t, raw, text)
	assert.Equal(t, []string{"gzip"}, m.Request().Values("Accept-Encoding"))
	assert.EqualValues(t, len(raw), resp.ContentLength)
	assert.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))

	t.Run("and is not asked for", func(t *testing.T) {
		m := testserver.MockReply(t)
		get(t, newClient(t), m.URL, config.Decompression(false))
		assert.False(t, m.Request().Has("Accept-Encoding"))
	})
}

func TestEncoding_deflate_is_asked_for_and_undone(t *testing.T) {
	m := testserver.MockReply(t, encoded("deflate", deflated(t, plain)))
	_, text := get(t, newClient(t), m.URL)
	assert.Equal(t, plain, text)
	assert.Contains(t, m.Request().Get("Accept-Encoding"), "deflate")
}

func TestEncoding_is_undone_though_another_was_asked_for(t *testing.T) {
	m := testserver.MockReply(t, encoded("deflate", deflated(t, plain)))
	req := newRequest(t, "GET", m.URL, nil)
	req.Header.Set("Accept-Encoding", "gzip")
	_, text := send(t, newClient(t), req)
	assert.Equal(t, plain, text)
	assert.Equal(t, []string{"gzip"}, m.Request().Values("Accept-Encoding"))
}

func TestEncoding_that_is_not_known_is_an_error(t *testing.T) {
	m := testserver.MockReply(t, encoded("foo", "hello"))
	err := failed(t, newClient(t), newRequest(t, "GET", m.URL, nil))
	assert.ErrorIs(t, err, ratmom.ErrContentEncoding)
	assert.Contains(t, err.Error(), "foo")

	t.Run("but not for who decodes himself", func(t *testing.T) {
		m := testserver.MockReply(t, encoded("foo", "hello"))
		_, text := get(t, newClient(t), m.URL, config.Decompression(false))
		assert.Equal(t, "hello", text)
	})
}
