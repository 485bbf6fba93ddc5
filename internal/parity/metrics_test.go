package parity

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestMetrics_are_off_by_default(t *testing.T) {
	m := testserver.MockReply(t)
	resp, _ := get(t, newClient(t), m.URL)
	_, ok := resp.Metrics()
	assert.False(t, ok)
}

func TestMetrics_count_and_time_the_transfer(t *testing.T) {
	m := testserver.MockReply(t, testserver.Text(200, "hello world"))
	c := newClient(t, config.Metrics(true))
	req := newRequest(t, "POST", m.URL, strings.NewReader("hello server"))
	resp := open(t, c, req)
	_, err := resp.Bytes()
	require.NoError(t, err)
	v, ok := resp.Metrics()
	require.True(t, ok)
	assert.EqualValues(t, 12, v.Sent)
	assert.EqualValues(t, 11, v.Received)
	assert.Positive(t, v.Total)
	assert.LessOrEqual(t, v.Connect, v.PreTransfer)
	assert.LessOrEqual(t, v.PreTransfer, v.FirstByte)
	assert.LessOrEqual(t, v.FirstByte, v.Total)
	assert.Less(t, v.Total, soon)
	assert.Zero(t, v.TLSHandshake)
	assert.Equal(t, "1.1", v.HTTPVersion)
	assert.False(t, v.ConnectionReused)
	assert.Positive(t, v.RequestHead)
	assert.Positive(t, v.ResponseHead)

	resp, _ = get(t, c, m.URL)
	v, ok = resp.Metrics()
	require.True(t, ok)
	assert.True(t, v.ConnectionReused)
	assert.Less(t, v.Connect, time.Millisecond, "there was nothing to connect")
}

func TestMetrics_say_minus_one_for_what_this_libcurl_does_not_have(t *testing.T) {
	m := testserver.MockReply(t, testserver.Text(200, "hello"))
	c := newClient(t, config.Metrics(true))
	resp, _ := get(t, c, m.URL)
	v, ok := resp.Metrics()
	require.True(t, ok)
	f := cgo.Features()
	if f.AtLeast(8, 6, 0) {
		assert.GreaterOrEqual(t, v.Queue, time.Duration(0))
	} else {
		assert.EqualValues(t, -1, v.Queue)
	}
	if f.AtLeast(8, 10, 0) {
		assert.LessOrEqual(t, v.PreTransfer, v.RequestSent)
		assert.LessOrEqual(t, v.RequestSent, v.Total)
	} else {
		assert.EqualValues(t, -1, v.RequestSent)
	}
	if f.AtLeast(8, 2, 0) {
		first := v.ConnectionID
		resp, _ = get(t, c, m.URL)
		v, _ = resp.Metrics()
		assert.Equal(t, first, v.ConnectionID, "the same connection")
		resp, _ = get(t, c, m.URL, config.FreshConnection())
		v, _ = resp.Metrics()
		assert.NotEqual(t, first, v.ConnectionID)
	} else {
		assert.EqualValues(t, -1, v.ConnectionID)
	}
}

func TestMetrics_count_redirects_retries_and_connections(t *testing.T) {
	m := testserver.MockReply(t, testserver.Redirect(302, "/b"), testserver.Redirect(302, "/c"), testserver.Text(200, "hello"))
	c := newClient(t, config.Metrics(true))
	resp, _ := get(t, c, m.URL)
	v, ok := resp.Metrics()
	require.True(t, ok)
	assert.Equal(t, 2, v.Redirects)
	assert.Zero(t, v.Retries)
	assert.Positive(t, v.RedirectTime)
	assert.Zero(t, v.Connections, "that of the first hop")
	assert.Empty(t, v.Proxy)

	resp, _ = get(t, c, m.URL, config.FreshConnection())
	v, _ = resp.Metrics()
	assert.Zero(t, v.Redirects)
	assert.Equal(t, 1, v.Connections)

	// A connection that dies when it is used again.
	raw := testserver.Raw(t, testserver.CloseOnReuse())
	get(t, c, raw.URL)
	resp, _ = get(t, c, raw.URL)
	v, _ = resp.Metrics()
	assert.Equal(t, 1, v.Retries)
	assert.Zero(t, v.Redirects)
	assert.False(t, v.ConnectionReused)
}

func TestMetrics_name_the_proxy_without_its_secrets(t *testing.T) {
	m := testserver.MockReply(t, testserver.Text(200, "hello"))
	resp, _ := get(t, newClient(t, config.Metrics(true)), "http://site.example/", config.Proxy("http://user:s3cret@"+strings.TrimPrefix(m.URL, "http://")))
	v, ok := resp.Metrics()
	require.True(t, ok)
	assert.Equal(t, m.URL, v.Proxy)
}
