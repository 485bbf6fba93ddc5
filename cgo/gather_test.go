//go:build linux && !ratmom_poll

package cgo_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestRequests_that_begin_together_on_an_HTTP2_connection_go_in_few_packets(t *testing.T) {
	conns := make(chan net.Conn, 10)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	s.EnableHTTP2 = true
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		conns <- c.(*tls.Conn).NetConn()
		return ctx
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	http2 := func(_ *run, _ *cgo.Setup, o *cgo.Options) {
		o.Long(cgo.OptHTTPVersion, int64(cgo.HTTPVersion2TLS))
		o.Long(cgo.OptPipeWait, 1)
		o.Long(cgo.OptSSLVerifyPeer, 0)
		o.Long(cgo.OptSSLVerifyHost, 0)
	}

	d := newDriver(t)
	_, res := d.get(s.URL, http2)
	require.Zero(t, res.Code, res.Text)
	require.Len(t, conns, 1)
	conn := <-conns
	before := packets(t, conn)

	const n = 64
	runs := make([]*run, n)
	for i := range runs {
		runs[i] = d.begin(s.URL, http2)
	}
	for _, r := range runs {
		res := d.finish(r)
		require.Zero(t, res.Code, res.Text)
		assert.Equal(t, "hello", string(r.body))
	}
	assert.Empty(t, conns, "another connection")
	assert.Less(t, packets(t, conn)-before, uint32(n/2))
}

// warmUp has the connection of later transfers made, and known for what it is.
func (d *driver) warmUp(url string, mode testserver.Mode) {
	d.t.Helper()
	_, res := d.get(url, overTLS(mode))
	require.Zero(d.t, res.Code, res.Text)
}

// upload begins one of the body.
func (d *driver) upload(url string, mode testserver.Mode, body []byte) *run {
	d.t.Helper()
	return d.begin(url, func(r *run, setup *cgo.Setup, o *cgo.Options) {
		overTLS(mode)(r, setup, o)
		r.BodyMemory(body)
		o.Long(cgo.OptPipeWait, 1)
		o.Long(cgo.OptUpload, 1)
		o.OffT(cgo.OptInFileSizeLarge, int64(len(body)))
		o.List(cgo.OptHTTPHeader, []string{"Expect:"})
	})
}

// untilGood waits until all of the answer is there.
func (d *driver) untilGood(r *run) {
	d.t.Helper()
	d.until("it has ended", func() bool { return r.done })
	status := r.Status()
	res := r.Result()
	d.pool.Put(r.Transfer)
	require.Zero(d.t, res.Code, res.Text)
	require.Equal(d.t, http.StatusOK, status)
}

// collector is a server that tells of each body whether it is a pattern of the announced length. It
// lets a connection have bodies of 16 MiB under way.
func collector(t *testing.T, mode testserver.Mode) *testserver.Server {
	t.Helper()
	return testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
		if n, err := testserver.CheckPattern(r.Body); err != nil || n != max(r.ContentLength, 0) {
			w.WriteHeader(http.StatusBadRequest)
		}
	}, testserver.WithServer(func(s *http.Server) {
		s.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerConnection: 16 << 20, MaxReceiveBufferPerStream: 16 << 20}
	}))
}

// throughShut is a driver with a connection to a collector, on which nothing more gets through
// until the valve is opened.
func throughShut(t *testing.T, mode testserver.Mode) (d *driver, valve *testserver.Valve, url string) {
	t.Helper()
	valve = testserver.NewValve(t, collector(t, mode).Addr, nil, nil)
	url = "https://" + valve.Addr
	d = newDriver(t)
	d.warmUp(url, mode)
	require.Positive(t, testserver.Narrow(t, valve.Addr))
	valve.Shut()
	return d, valve, url
}

// untilBlocked waits until the kernel takes no more.
func (d *driver) untilBlocked() {
	d.t.Helper()
	d.until("the kernel takes no more", func() bool { return d.m.Stats().Blocked > 0 })
}

func pattern(t *testing.T, n int64) []byte {
	t.Helper()
	p, err := io.ReadAll(testserver.Pattern(n))
	require.NoError(t, err)
	return p
}

func TestUpload_over_TLS_is_sent_in_few_calls(t *testing.T) {
	const size = 4 << 20
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := collector(t, mode)
		d := newDriver(t)
		d.warmUp(s.URL, mode)
		r := d.upload(s.URL, mode, pattern(t, size))
		d.untilGood(r)
		stats := d.m.Stats()
		assert.GreaterOrEqual(t, stats.Gathered, uint64(size/(20<<10)))
		assert.Less(t, stats.Sends, stats.Gathered/2)
	}, testserver.HTTPS1, testserver.H2)
}

// Without the gathering 7.88.1 loses a frame of one of them.
func TestUploads_on_one_HTTP2_connection_are_whole_if_the_kernel_takes_little(t *testing.T) {
	d, valve, url := throughShut(t, testserver.H2)
	size := int64(4 << 20)
	if testing.Short() {
		size = 1 << 20 // valgrind has each byte of them encrypted slowly
	}
	body := pattern(t, size)
	var all []*run
	for range 8 {
		all = append(all, d.upload(url, testserver.H2, body))
	}
	d.untilBlocked()
	valve.Open()
	for _, r := range all {
		d.untilGood(r)
	}
}

func TestUpload_is_whole_if_the_kernel_does_not_take_what_was_gathered(t *testing.T) {
	const size = 8 << 20
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		d, valve, url := throughShut(t, mode)
		long, given := d.upload(url, mode, pattern(t, size)), d.upload(url, mode, pattern(t, size))
		d.untilBlocked()
		// Neither gets past what waits, nor is the loop kept busy by it.
		d.cancel(given)
		late := d.begin(url, overTLS(mode))
		d.until("the loop has nothing to do", func() bool { return len(d.adds) == 0 && !d.m.Busy() })
		valve.Open()
		for _, r := range []*run{long, late} {
			d.untilGood(r)
		}
	}, testserver.HTTPS1, testserver.H2)
}

// 7.88.1 went wrong for good, and without an end, where the kernel did not take a frame of its own.
func TestRequests_given_up_leave_their_HTTP2_connection_whole_while_the_kernel_takes_no_more(t *testing.T) {
	const others = 40
	hold := make(chan struct{})
	s := testserver.StartFunc(t, testserver.H2, func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		if r.Method == http.MethodGet && r.URL.Path == "/hold" {
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		}
	}, testserver.WithServer(func(s *http.Server) {
		s.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerConnection: 16 << 20, MaxReceiveBufferPerStream: 16 << 20}
	}))
	defer close(hold)
	unblocked := 0
	for size := int64(0); size < 384<<10; size += 8 << 10 { // one of them is what the kernel just takes
		valve := testserver.NewValve(t, s.Addr, nil, nil)
		url := "https://" + valve.Addr
		d := newDriver(t)
		d.warmUp(url, testserver.H2)
		require.Positive(t, testserver.Narrow(t, valve.Addr))
		valve.Shut()
		var given []*run
		for range others {
			given = append(given, d.begin(url+"/hold", overTLS(testserver.H2)))
		}
		body := d.upload(url, testserver.H2, pattern(t, size))
		d.until("the loop has nothing to do", d.idle)
		if d.m.Stats().Blocked == 0 {
			unblocked++
		}
		for _, r := range given {
			d.cancel(r)
		}
		valve.Open()
		d.untilGood(body)
		d.warmUp(url, testserver.H2)
	}
	assert.Positive(t, unblocked)
}

func TestServer_that_asks_for_ever_and_reads_no_answer_is_left(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes tens of thousands of frames")
	}
	s := testserver.Frames(t, func(c *testserver.FrameConn) {
		first, err := c.NextEnd()
		if err != nil || c.Reply(first, 200, "") != nil {
			return
		}
		if _, err := c.NextEnd(); err != nil {
			return
		}
		for c.WritePing(false, [8]byte{}) == nil {
		}
	}, testserver.WithTLS())
	url := "https://" + s.Addr
	d := newDriver(t)
	d.warmUp(url, testserver.H2)
	require.Positive(t, testserver.Narrow(t, s.Addr))
	_, res := d.get(url, overTLS(testserver.H2))
	assert.NotZero(t, res.Code)
}

// large begins a request with a header of that size at least, which HPACK makes no smaller.
func (d *driver) large(url string, size int) *run {
	d.t.Helper()
	return d.begin(url, func(r *run, setup *cgo.Setup, o *cgo.Options) {
		overTLS(testserver.H2)(r, setup, o)
		o.Long(cgo.OptPipeWait, 1)
		o.List(cgo.OptHTTPHeader, []string{fmt.Sprintf("X-Large: %d%s", len(d.runs), strings.Repeat("\\", size))})
	})
}

func TestRequests_whose_frames_find_no_room_wait_for_the_kernel(t *testing.T) {
	d, valve, url := throughShut(t, testserver.H2)
	var all []*run
	for range 90 {
		all = append(all, d.large(url, 15<<10))
	}
	d.until("the loop has nothing to do", d.idle)
	require.Positive(t, d.m.Stats().Blocked)
	valve.Open()
	for _, r := range all {
		d.untilGood(r)
	}
}

// That TLS ends must not overtake what waits.
func TestConnection_of_a_link_is_closed_behind_what_waits_for_the_kernel(t *testing.T) {
	waited := 0
	for size := int64(64 << 10); size <= 256<<10; size += 8 << 10 {
		reads, ended := make(chan struct{}), make(chan error, 1)
		room, made := context.WithCancel(t.Context())
		s := testserver.Raw(t, func(c *testserver.Conn) {
			defer close(ended)
			defer made()
			if _, err := c.ReadRequest(); err != nil || c.Send(testserver.OK("")) != nil {
				return
			}
			if _, err := c.ReadHead(); err != nil || c.Send(testserver.OK("early")) != nil {
				return
			}
			select {
			case <-reads:
			case <-c.Closed():
			}
			_ = c.SetReadDeadline(time.Now().Add(time.Second)) // so much may not have come
			_, err := io.CopyN(io.Discard, c, 32<<10)
			_ = c.SetReadDeadline(time.Time{})
			made()
			if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				_, err = io.Copy(io.Discard, c)
			}
			ended <- err
		}, testserver.WithTLS())
		d := newDriver(t)
		link, err := cgo.NewLink("")
		require.NoError(t, err)
		on := func(r *run, setup *cgo.Setup, o *cgo.Options) {
			overTLS(testserver.HTTPS1)(r, setup, o)
			r.SetLink(link, false)
		}
		_, res := d.get("https://"+s.Addr, on)
		require.Zero(t, res.Code, res.Text)
		require.Positive(t, testserver.Narrow(t, s.Addr))
		body := pattern(t, size)
		r := d.begin("https://"+s.Addr, func(r *run, setup *cgo.Setup, o *cgo.Options) {
			on(r, setup, o)
			r.BodyMemory(body)
			o.Long(cgo.OptUpload, 1)
			o.OffT(cgo.OptInFileSizeLarge, size)
			o.List(cgo.OptHTTPHeader, []string{"Expect:"})
		})
		d.until("it has ended, or waits", func() bool {
			return r.done || len(r.body) > 0 && d.m.Stats().Blocked > 0 && d.idle()
		})
		waited += min(int(d.m.Stats().Blocked), 1)
		if r.done {
			d.pool.Put(r.Transfer)
		} else {
			d.cancel(r)
		}
		close(reads)
		<-room.Done()
		d.m.CloseLink(link)
		if err := <-ended; err != nil {
			assert.NotContains(t, err.Error(), "bad record MAC")
		}
	}
	assert.Positive(t, waited)
}

// libcurl 7.88.1 went round without end where such a frame was told to wait.
func TestConnection_ends_if_small_frames_find_no_room_where_they_wait_for_the_kernel(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes many requests")
	}
	d, valve, url := throughShut(t, testserver.H2)
	var held []*run
	for d.m.Stats().Blocked == 0 {
		held = append(held, d.large(url, 15<<10))
		d.until("the loop has nothing to do", d.idle)
	}
	last := d.large(url, 700)
	held = append(held, last)
	for i := 0; i < 4000 && !last.done; i++ { // more than there is room for
		r := d.large(url, 700)
		d.until("the loop has nothing to do", func() bool { return r.done || d.idle() })
		if r.done {
			d.pool.Put(r.Transfer)
		} else {
			d.cancel(r)
		}
	}
	assert.True(t, last.done)
	valve.Open()
	for _, r := range held {
		d.until("it has ended", func() bool { return r.done })
		d.pool.Put(r.Transfer)
	}
	d.warmUp(url, testserver.H2)
}

func TestConnection_that_breaks_takes_what_was_gathered_for_it_along(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		d, valve, url := throughShut(t, mode)
		r := d.upload(url, mode, pattern(t, 8<<20))
		d.untilBlocked()
		valve.Reset()
		valve.Open()
		d.until("it has ended", func() bool { return r.done })
		status := r.Status()
		if res := r.Result(); res.Code == 0 { // libcurl has sent it again, over another connection
			assert.Equal(t, http.StatusOK, status)
		}
		d.pool.Put(r.Transfer)
		d.warmUp(url, mode)
	}, testserver.HTTPS1, testserver.H2)
}

// The kernel tells the reason once, and to whoever sends what has waited: not to libcurl.
func TestAnswer_that_ends_with_its_connection_is_not_whole_if_that_breaks_while_parts_of_the_request_wait(t *testing.T) {
	blocked := 0
	for size := int64(64 << 10); size < 512<<10; size += 16 << 10 {
		there := make(chan struct{})
		s := testserver.Raw(t, func(c *testserver.Conn) {
			if _, err := c.ReadRequest(); err != nil {
				return
			}
			if c.Send(testserver.OK("")) != nil {
				return
			}
			if _, err := c.ReadHead(); err != nil {
				return
			}
			_ = c.Send("HTTP/1.1 200 OK\r\n\r\npart")
			_ = c.WaitFor(there)
			c.Reset()
		}, testserver.WithTLS())
		d := newDriver(t)
		d.warmUp("https://"+s.Addr, testserver.HTTPS1)
		require.Positive(t, testserver.Narrow(t, s.Addr))
		r := d.upload("https://"+s.Addr, testserver.HTTPS1, pattern(t, size))
		d.until("the first part is there", func() bool { return string(r.body) == "part" })
		close(there)
		d.until("it has ended", func() bool { return r.done })
		assert.NotZero(t, r.Result().Code, "%d bytes", size)
		d.pool.Put(r.Transfer)
		blocked += min(int(d.m.Stats().Blocked), 1)
	}
	assert.Positive(t, blocked)
}

func TestLoop_ends_with_a_connection_that_waits_for_the_kernel(t *testing.T) {
	d, _, url := throughShut(t, testserver.H2)
	d.upload(url, testserver.H2, pattern(t, 8<<20))
	d.untilBlocked()
}

// packets is how many with data have come in.
func packets(t *testing.T, c net.Conn) uint32 {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	var info *unix.TCPInfo
	var failed error
	require.NoError(t, raw.Control(func(fd uintptr) { info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }))
	require.NoError(t, failed)
	return info.Data_segs_in
}
