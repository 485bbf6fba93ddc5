//go:build linux && !ratmom_poll

package cgo_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

// needsLP64 skips a test of what comes between libcurl and the C library.
func needsLP64(t *testing.T) {
	t.Helper()
	if strconv.IntSize != 64 {
		t.Skip("poll and clock_gettime are the C library's here")
	}
}

// spared makes some requests that nobody measures, on a connection that is there, and tells how
// often libcurl has asked for the time without the clock having been read.
func (d *driver) spared(url string) uint64 {
	d.t.Helper()
	before := d.m.Stats().Times
	for range 10 {
		_, res := d.get(url, nil)
		require.Zero(d.t, res.Code, res.Text)
	}
	return d.m.Stats().Times - before
}

func TestLoop_reads_the_clock_seldom_for_libcurl_but_not_while_somebody_measures(t *testing.T) {
	needsLP64(t)
	s := testserver.Raw(t, testserver.Answer(testserver.OK("hello")))
	gate := testserver.NewGate()
	held := testserver.Raw(t, func(c *testserver.Conn) {
		if _, err := c.ReadRequest(); err == nil && c.WaitFor(gate.Opened()) == nil {
			_ = c.Send(testserver.OK("hello"))
		}
	})
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts
	require.NoError(t, err)
	t.Cleanup(func() { deaf.Close() })
	d := newDriver(t)
	d.get(s.URL, nil)
	require.Greater(t, d.spared(s.URL), uint64(100))

	for what, c := range map[string]struct {
		url    string
		change func(*cgo.Setup, *cgo.Options)
	}{
		"whose times are wanted": {held.URL, func(s *cgo.Setup, _ *cgo.Options) { s.Infos = true }},
		"whose speed is limited": {held.URL, func(s *cgo.Setup, o *cgo.Options) {
			s.Limited = true
			o.OffT(cgo.OptMaxRecvSpeedLarge, 1<<20)
		}},
		"whose connection is being made": {"https://" + deaf.Addr().String(), func(_ *cgo.Setup, o *cgo.Options) {
			o.Null(cgo.OptCAPath)
			o.Null(cgo.OptCAInfo)
		}},
	} {
		r := d.begin(c.url, func(_ *run, setup *cgo.Setup, o *cgo.Options) { c.change(setup, o) })
		d.get(s.URL, nil) // begins after it
		assert.Zero(t, d.spared(s.URL), "beside one %s", what)
		d.cancel(r)
		assert.Greater(t, d.spared(s.URL), uint64(100), "after one %s", what)
	}

	r := d.begin(held.URL, nil)
	d.until("it has been sent", func() bool { return held.WaitRequests(1, 0) })
	assert.Greater(t, d.spared(s.URL), uint64(100), "beside one that only waits")
	gate.Open()
	require.Zero(t, d.finish(r).Code)
	assert.Greater(t, d.spared(s.URL), uint64(100))
}

func TestTimes_of_a_transfer_are_measured_one_by_one(t *testing.T) {
	s := testserver.Raw(t, testserver.Answer(testserver.OK("hello")))
	d := newDriver(t)
	apart := 0
	for i := range 20 {
		r := d.begin(s.URL, func(_ *run, setup *cgo.Setup, _ *cgo.Options) { setup.Infos = true })
		before := d.m.Stats().Times
		d.until("it has ended", func() bool { return r.done })
		require.Zero(t, r.Result().Code)
		assert.Equal(t, before, d.m.Stats().Times)
		in := r.Infos()
		d.pool.Put(r.Transfer)
		if i == 0 {
			assert.IsNonDecreasing(t, []int64{1, in.NameLookup, in.Connect, in.PreTransfer})
		}
		assert.IsNonDecreasing(t, []int64{1, in.PreTransfer, in.StartTransfer, in.Total})
		if in.PreTransfer > 1 && in.StartTransfer > in.PreTransfer {
			apart++
		}
	}
	assert.Positive(t, apart, "libcurl takes what is less than a microsecond for one")
}
