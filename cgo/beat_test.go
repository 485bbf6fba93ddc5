package cgo_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestA_step_that_lasts_comes_back_to_Go_now_and_then(t *testing.T) {
	const size = 32 << 20
	s := testserver.Raw(t, testserver.Answer("HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n"+strings.Repeat("x", size)))
	d := newDriver(t)
	received := 0
	r := d.begin(s.URL, func(r *run, setup *cgo.Setup, o *cgo.Options) {
		setup.HighWater = size
		r.hold = true
	})
	r.on = func(cgo.Event) { // the bytes are not wanted, only the work
		received += r.held.Len()
		r.drain()
		r.body = r.body[:0]
	}
	res := d.finish(r)
	require.Zero(t, res.Code, res.Text)
	assert.Equal(t, size, received)
	assert.Positive(t, d.m.Stats().Beats)
}
