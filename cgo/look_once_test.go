//go:build linux && !ratmom_poll

package cgo_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestLoop_does_not_ask_the_kernel_for_an_answer_right_behind_a_request(t *testing.T) {
	needsLP64(t)
	if v := cgo.Features(); v.Version >= 0x080000 {
		t.Skipf("libcurl %s may not ask at all", v.VersionString)
	}
	for _, s := range []*testserver.RawServer{
		testserver.Raw(t, testserver.Answer(testserver.OK("hello"))),
		testserver.Raw(t, testserver.Answer(testserver.OK("hello")), testserver.WithTLS()),
	} {
		d := newDriver(t)
		get := func() {
			r, res := d.get(s.URL, func(_ *run, _ *cgo.Setup, o *cgo.Options) {
				o.Long(cgo.OptSSLVerifyPeer, 0)
				o.Long(cgo.OptSSLVerifyHost, 0)
			})
			require.Zero(t, res.Code, res.Text)
			assert.Equal(t, "hello", string(r.body))
		}
		get()
		assert.Zero(t, d.m.Stats().Looks, "the connection is a new one")
		const n = 50
		for range n {
			get()
		}
		assert.EqualValues(t, n, d.m.Stats().Looks)
		assert.Equal(t, 1, s.Accepted())
	}
}

func TestConnections_that_the_server_has_closed_are_found_dead_beside_others_in_one_turn(t *testing.T) {
	const n = 6
	var requests, answered, gone atomic.Int32
	all := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	leave, left := make(chan struct{}), make(chan struct{})
	s := testserver.Raw(t, func(c *testserver.Conn) {
		for {
			r, err := c.ReadRequest()
			if err != nil {
				return
			}
			i := requests.Add(1) - 1
			if i%n == n-1 {
				close(all[i/n])
			}
			// None is answered before all are there, each on a connection of its own.
			if c.WaitFor(all[i/n]) != nil || c.Send(testserver.OK("hello")) != nil {
				return
			}
			answered.Add(1)
			if strings.HasPrefix(r.Target, "/go") {
				<-leave
				c.Cut()
				if gone.Add(1) == n/2 {
					close(left)
				}
				return
			}
		}
	})
	d := keeping(t, 2*n)
	together := func(paths ...string) {
		t.Helper()
		runs := make([]*run, n)
		for i := range runs {
			runs[i] = d.begin(s.URL+paths[i%len(paths)], nil)
		}
		for _, r := range runs {
			res := d.finish(r)
			require.Zero(t, res.Code, res.Text)
			assert.Equal(t, "hello", string(r.body))
		}
	}
	together("/stay", "/go")
	close(leave)
	<-left
	together("/stay")
	assert.Equal(t, n+n/2, s.Accepted())
	assert.Len(t, s.Requests(), 2*n)
}
