package parity

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
