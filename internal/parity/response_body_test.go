package parity

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestResponseBody_is_read(t *testing.T) {
	m := testserver.MockReply(t, testserver.Text(200, "hello world"))
	resp, err := newClient(t).Get(m.URL)
	require.NoError(t, err)
	text, err := resp.Text()
	require.NoError(t, err)
	assert.Equal(t, "hello world", text)
}

func TestResponseBody_is_read_as_bytes(t *testing.T) {
	m := testserver.MockReply(t, testserver.Text(200, "hello\x00\xff"))
	resp, err := newClient(t).Get(m.URL)
	require.NoError(t, err)
	b, err := resp.Bytes()
	require.NoError(t, err)
	assert.Equal(t, []byte("hello\x00\xff"), b)
}

func TestResponseBody_of_a_future_is_read_as_bytes(t *testing.T) {
	m := testserver.MockReply(t, testserver.Text(200, "hello world"))
	resp, err := newClient(t).SendAsync(newRequest(t, "GET", m.URL, nil)).Result()
	require.NoError(t, err)
	b, err := resp.Bytes()
	require.NoError(t, err)
	assert.Equal(t, "hello world", string(b))
}

func TestResponseBody_of_length_zero_ends_at_once(t *testing.T) {
	m := testserver.MockReply(t)
	resp, text := get(t, newClient(t), m.URL)
	assert.Zero(t, resp.ContentLength)
	assert.Empty(t, text)
}

func TestResponseBody_that_is_large_is_whole(t *testing.T) {
	large := strings.Repeat("wow so large ", 1000)
	m := testserver.MockReply(t, testserver.Text(200, large))
	_, text := get(t, newClient(t), m.URL)
	assert.Equal(t, large, text)
}

func TestResponseBody_with_a_length_knows_it(t *testing.T) {
	m := testserver.MockReply(t, testserver.Text(200, "hello world"))
	resp, _ := get(t, newClient(t), m.URL)
	assert.EqualValues(t, 11, resp.ContentLength)
}

func TestResponseBody_in_chunks_does_not_know_its_length(t *testing.T) {
	m := testserver.MockReply(t, testserver.Reply{Body: "hello world", Chunked: true})
	resp, text := get(t, newClient(t), m.URL)
	assert.EqualValues(t, -1, resp.ContentLength)
	assert.Equal(t, []string{"chunked"}, resp.TransferEncoding)
	assert.Equal(t, "hello world", text)
}

func TestResponseBody_of_HEAD_is_empty_whatever_length_it_has(t *testing.T) {
	m := testserver.MockReply(t, testserver.Reply{Header: []string{"Content-Length: 767"}})
	c := newClient(t)
	for range 2 {
		resp, err := c.Head(m.URL)
		require.NoError(t, err)
		assert.EqualValues(t, 767, resp.ContentLength, "of the body that a GET would give")
		b, err := resp.Bytes()
		require.NoError(t, err)
		assert.Empty(t, b)
	}
	assert.Equal(t, 1, m.Accepted(), "the connection should be used again")
}

func TestResponseBody_outlives_who_drops_the_client(t *testing.T) {
	// The client's Close is explicit; what is only dropped and collected must not
	// take a body with it that is being read.
	m := testserver.MockReply(t, testserver.Text(200, strings.Repeat("hello\n", 1<<20)))
	var resp *ratmom.Response
	func() {
		c, err := ratmom.New()
		require.NoError(t, err)
		resp, err = c.Get(m.URL)
		require.NoError(t, err)
	}()
	defer func() { _ = resp.Body.Close() }()
	collect()
	b, err := resp.Bytes()
	require.NoError(t, err)
	assert.Len(t, b, 6<<20)
}

func TestResponseBody_says_EOF_again_and_again(t *testing.T) {
	m := testserver.MockReply(t, testserver.Text(200, "hello world"))
	resp := open(t, newClient(t), newRequest(t, "GET", m.URL, nil))
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "hello world", string(b))
	for range 3 {
		n, err := resp.Body.Read(make([]byte, 10))
		assert.Zero(t, n)
		assert.Equal(t, io.EOF, err)
	}
}

func TestResponseBody_can_be_discarded(t *testing.T) {
	m := testserver.MockReply(t, testserver.Text(200, strings.Repeat("x", 1<<20)))
	c := newClient(t)
	for range 2 {
		resp, err := c.Get(m.URL)
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
	}
	assert.Equal(t, 1, m.Accepted(), "the connection should be used again")
}

func TestResponseBody_of_a_future_can_be_discarded(t *testing.T) {
	m := testserver.MockReply(t, testserver.Text(200, strings.Repeat("x", 1<<20)))
	c := newClient(t)
	for range 2 {
		resp, err := c.SendAsync(newRequest(t, "GET", m.URL, nil)).Wait(t.Context())
		require.NoError(t, err)
		require.NoError(t, resp.Discard())
	}
	assert.Equal(t, 1, m.Accepted(), "the connection should be used again")
}
