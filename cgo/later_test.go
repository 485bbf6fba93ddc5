//go:build linux && !ratmom_poll

package cgo_test

import (
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestRequests_begin_few_at_a_time_while_the_loop_cannot_keep_up_with_connections(t *testing.T) {
	const ready, connecting, more = 80, 64, 100
	gate := testserver.NewGate()
	var answered sync.WaitGroup
	answered.Add(ready)
	held := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, r *http.Request) {
		if gate.Wait(r.Context()) == nil {
			_, _ = io.WriteString(w, "hello")
			_ = http.NewResponseController(w).Flush()
			answered.Done()
		}
	})
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts
	require.NoError(t, err)
	t.Cleanup(func() { deaf.Close() })
	quick := testserver.Raw(t, testserver.Answer(testserver.OK("hello")))

	d := newDriver(t)
	for range ready {
		d.begin(held.URL, nil)
	}
	d.wakeAt(gate, ready)
	d.until("all wait for their answer", func() bool { return gate.Arrived() == ready })
	for range connecting {
		d.begin("https://"+deaf.Addr().String(), func(_ *run, setup *cgo.Setup, o *cgo.Options) {
			setup.TLS = true
			o.Null(cgo.OptCAPath) // 8.14.1 reads all its certificates for each connection
			o.Null(cgo.OptCAInfo)
		})
	}
	d.until("the others wait for a connection", func() bool { return d.m.Live() == ready+connecting })
	gate.Open()
	answered.Wait()

	late := make([]*run, more)
	for i := range late {
		late[i] = d.begin(quick.URL, nil)
	}
	d.m.Step(d.adds, cgo.Never, true)
	d.adds = nil
	d.m.Events(func(slot uint32) { d.runs[slot].take() })
	ended := 0
	for _, r := range d.runs {
		if r.done {
			ended++
		}
	}
	begun := d.m.Live() + ended - ready - connecting
	assert.Positive(t, begun)
	assert.Less(t, begun, more/2)
	assert.True(t, d.m.Busy(), "the rest would sleep")

	live := d.m.Live()
	for _, i := range []int{more - 1, more / 2} {
		d.cancel(late[i])
	}
	assert.Equal(t, live, d.m.Live(), "those had not begun")
	for i, r := range late {
		if i != more-1 && i != more/2 {
			require.Zero(t, d.finish(r).Code)
			assert.Equal(t, "hello", string(r.body))
		}
	}
	assert.Len(t, quick.Requests(), more-2)
	for _, r := range d.runs[:ready] {
		require.Zero(t, d.finish(r).Code)
	}
}
