//go:build linux && !ratmom_poll

package cgo_test

import (
	"io"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

// coarse is how many sockets of the process do not report each byte.
func coarse(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	n := 0
	for _, e := range fds {
		fd, err := strconv.Atoi(e.Name())
		require.NoError(t, err)
		if v, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT); err == nil && v > 1 {
			n++
		}
	}
	return n
}

// anySpeed is a driver for which each body is a fast one.
func anySpeed(t *testing.T) *driver {
	t.Helper()
	var o cgo.MultiOptions
	o.Fast(patience)
	return newDriverWith(t, &o)
}

// parts serves a body part by part: each time what the channel says. Its length is told if it is positive.
func parts(t *testing.T, mode testserver.Mode, length int64, sizes <-chan int) *testserver.Server {
	t.Helper()
	return testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/small" {
			_, _ = io.WriteString(w, "hello")
			return
		}
		if length > 0 {
			w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
		}
		body := testserver.Pattern(1 << 40)
		for {
			select {
			case n, more := <-sizes:
				if !more {
					return
				}
				if _, err := io.CopyN(w, body, int64(n)); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	})
}

// more has the server send so much, and waits until that is there.
func (d *driver) more(r *run, sizes chan<- int, n int) {
	d.t.Helper()
	want := len(r.body) + n
	sizes <- n
	d.until("what was sent is there", func() bool { return len(r.body) >= want || r.done })
	require.Len(d.t, r.body, want)
}

func TestBody_that_comes_fast_comes_in_large_portions(t *testing.T) {
	const size = 4 << 20
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, testserver.Blob(size))
		d := anySpeed(t)
		for range 2 {
			r := d.begin(s.URL, overTLS(mode))
			d.untilGood(r)
			require.Len(t, r.body, size)
			assert.Zero(t, coarse(t))
		}
		assert.Positive(t, d.m.Stats().Portions)
		assert.Equal(t, 1, s.Accepted())
	}, testserver.H1, testserver.HTTPS1, testserver.H2)
}

func TestBytes_of_a_fast_body_do_not_wait_for_those_behind_them(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		const fast, slow, rounds = 2 << 20, 1000, 3
		sizes := make(chan int, 1)
		s := parts(t, mode, 1<<30, sizes)
		d := anySpeed(t)
		r := d.begin(s.URL, overTLS(mode))
		for range rounds {
			d.more(r, sizes, fast)
			d.more(r, sizes, slow)
			d.more(r, sizes, slow)
		}
		assert.Positive(t, d.m.Stats().Portions)
		assert.Equal(t, pattern(t, rounds*(fast+2*slow)), r.body)
		d.cancel(r)
		assert.Zero(t, coarse(t))
		_, res := d.get(s.URL+"/small", overTLS(mode))
		assert.Zero(t, res.Code, res.Text)
	}, testserver.H1, testserver.HTTPS1, testserver.H2)
}

// Each portion that the kernel has waited for in vain is a delay.
func TestBody_that_stops_again_and_again_is_waited_for_less_and_less(t *testing.T) {
	const step, rounds = 256 << 10, 64
	sizes := make(chan int, 1)
	s := parts(t, testserver.H1, 1<<30, sizes)
	d := anySpeed(t)
	r := d.begin(s.URL, nil)
	for range rounds {
		d.more(r, sizes, step)
		d.until("each byte is reported again", func() bool { return coarse(t) == 0 })
	}
	assert.Less(t, d.m.Stats().Portions, uint64(rounds/4))
	d.cancel(r)
}

// libcurl may give its connection to the next one before the loop hears of its end.
func TestBody_of_unknown_length_is_reported_as_it_comes(t *testing.T) {
	for _, mode := range []testserver.Mode{testserver.H1, testserver.H2} {
		sizes := make(chan int, 1)
		s := parts(t, mode, 0, sizes)
		d := anySpeed(t)
		r := d.begin(s.URL, overTLS(mode))
		d.more(r, sizes, 4<<20)
		assert.Zero(t, d.m.Stats().Portions, mode)
		close(sizes)
		d.untilGood(r)
	}
}

func TestEnd_of_a_body_is_reported_as_it_comes(t *testing.T) {
	const portion, size = 128 << 10, 2 << 20
	d := anySpeed(t)
	for i := range 8 {
		s := testserver.Start(t, testserver.H1, testserver.Blob(int64(size+i*portion/8)))
		left := size
		r := d.begin(s.URL, nil)
		r.on = func(cgo.Event) {
			if coarse(t) > 0 {
				left = size + i*portion/8 - len(r.body)
			}
		}
		d.untilGood(r)
		assert.Greater(t, left, portion)
	}
	assert.Positive(t, d.m.Stats().Portions)
}

func TestTransfer_that_is_cancelled_leaves_nothing_of_its_portions(t *testing.T) {
	if testing.Short() {
		t.Skip("sees what lasts a millisecond")
	}
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, testserver.Blob(1<<30))
		d := anySpeed(t)
		for range 5 {
			r := d.begin(s.URL, overTLS(mode))
			d.until("it comes in portions", func() bool {
				r.body = r.body[:0]
				return coarse(t) > 0
			})
			d.cancel(r)
			assert.Zero(t, coarse(t))
		}
	}, testserver.H1, testserver.HTTPS1, testserver.H2)
}

func TestBody_that_comes_slowly_is_reported_as_it_comes(t *testing.T) {
	sizes := make(chan int, 1)
	s := parts(t, testserver.H1, 1<<30, sizes)
	d := newDriver(t)
	r := d.begin(s.URL, nil)
	for range 20 {
		d.more(r, sizes, 128<<10)
		time.Sleep(2 * time.Millisecond) // 64 MiB a second
	}
	assert.Zero(t, d.m.Stats().Portions)
	d.cancel(r)
}

func TestAnswers_on_a_connection_do_not_wait_for_a_large_body_on_it(t *testing.T) {
	if testing.Short() {
		t.Skip("sees what lasts a millisecond")
	}
	arrived, gate := make(chan struct{}), make(chan struct{})
	s := testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/small" {
			close(arrived)
			<-gate
			return
		}
		testserver.Blob(1<<30).ServeHTTP(w, r)
	})
	d := anySpeed(t)
	var small *run
	fast := 0
	large := d.begin(s.URL, overTLS(testserver.H2))
	large.on = func(cgo.Event) {
		large.body = large.body[:0]
		switch {
		case small == nil:
			if coarse(t) > 0 {
				small = d.begin(s.URL+"/small", overTLS(testserver.H2))
			}
		case closed(arrived) && fast < 100: // it is on the connection
			assert.Zero(t, coarse(t))
			if fast++; fast == 100 {
				close(gate)
			}
		}
	}
	d.until("the small one has ended", func() bool { return small != nil && small.done })
	res := d.finish(small)
	require.Zero(t, res.Code, res.Text)
	assert.Equal(t, 1, s.Accepted())
	d.cancel(large)
	assert.Zero(t, coarse(t))
}

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
