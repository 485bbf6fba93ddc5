package parity

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/internal/testserver"
)

func jsonReply() testserver.Reply {
	return testserver.Reply{Header: []string{"Content-Type: application/json"}, Body: `{"foo":"bar","n":[1,2]}`}
}

func TestJSON_is_decoded(t *testing.T) {
	m := testserver.MockReply(t, jsonReply())
	resp, err := newClient(t).Send(newRequest(t, "GET", m.URL, nil))
	require.NoError(t, err)
	var v struct {
		Foo string
		N   []int
	}
	require.NoError(t, resp.JSON(&v))
	assert.Equal(t, "bar", v.Foo)
	assert.Equal(t, []int{1, 2}, v.N)
}

func TestJSON_of_a_future_is_decoded(t *testing.T) {
	m := testserver.MockReply(t, jsonReply())
	resp, err := newClient(t).SendAsync(newRequest(t, "GET", m.URL, nil)).Result()
	require.NoError(t, err)
	var v map[string]any
	require.NoError(t, resp.JSON(&v))
	assert.Equal(t, "bar", v["foo"])
}

func TestJSON_that_breaks_off_is_an_error_of_the_body(t *testing.T) {
	s := testserver.Raw(t, testserver.AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n{\"foo\":"))
	resp, err := newClient(t).SendAsync(newRequest(t, "GET", s.URL, nil)).Result()
	require.NoError(t, err)
	var v any
	err = resp.JSON(&v)
	require.ErrorIs(t, err, ratmom.ErrTruncated)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Nil(t, v)
}
