//go:build linux && !ratmom_poll

package cgo_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestLoop_does_not_ask_the_kernel_what_it_knows_of_a_connection(t *testing.T) {
	needsLP64(t)
	const n = 50
	old := uint64(0) // it looks for an answer right behind the request
	if cgo.Features().Version < 0x080000 {
		old = n
	}
	for name, options := range map[string][]testserver.Option{"http": nil, "https": {testserver.WithTLS()}} {
		for _, once := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, once %t", name, once), func(t *testing.T) {
				s := testserver.Raw(t, testserver.Answer(testserver.OK("hello")), options...)
				d := newDriver(t)
				get := func() {
					r, res := d.get(s.URL, func(_ *run, setup *cgo.Setup, o *cgo.Options) {
						setup.Once = once
						o.Long(cgo.OptSSLVerifyPeer, 0)
						o.Long(cgo.OptSSLVerifyHost, 0)
					})
					require.Zero(t, res.Code, res.Text)
					assert.Equal(t, "hello", string(r.body))
				}
				get()
				assert.Zero(t, d.m.Stats().Looks, "the connection is a new one")
				for range n {
					get()
				}
				looks := d.m.Stats().Looks
				if once {
					assert.Equal(t, old, looks)
				} else { // a connection from which the same step has read does not count
					assert.Greater(t, looks, old+n/2)
					assert.LessOrEqual(t, looks, old+n)
				}
				assert.Equal(t, 1, s.Accepted())
			})
		}
	}
}

func TestLoop_asks_the_kernel_whether_a_connection_lives_while_there_is_a_request_that_must_not_be_sent_twice(t *testing.T) {
	needsLP64(t)
	hold := make(chan struct{})
	s := testserver.Raw(t, func(c *testserver.Conn) {
		for {
			r, err := c.ReadRequest()
			if err != nil || r.Target == "/hold" && c.WaitFor(hold) != nil || c.Send(testserver.OK("hello")) != nil {
				return
			}
		}
	})
	d := keeping(t, 2)
	const n = 20
	looks := func() uint64 {
		before := d.m.Stats().Looks
		for range n {
			_, res := d.get(s.URL, nil)
			require.Zero(t, res.Code, res.Text)
		}
		return d.m.Stats().Looks - before
	}
	held := d.begin(s.URL+"/hold", func(_ *run, setup *cgo.Setup, _ *cgo.Options) { setup.Once = true })
	looks() // the first makes a connection
	asked := looks()
	close(hold)
	res := d.finish(held)
	require.Zero(t, res.Code, res.Text)
	assert.Greater(t, looks(), asked+n/2)
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
