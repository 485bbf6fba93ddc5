package cgo_test

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestLoop_brings_a_small_response_in_one_piece(t *testing.T) {
	s := testserver.Raw(t, testserver.Answer(testserver.OK("hello")))
	d := newDriver(t)
	for range 3 {
		r, res := d.get(s.URL, nil)
		require.Zero(t, res.Code, res.Text)
		assert.Equal(t, "hello", string(r.body))
		assert.Equal(t, []cgo.Event{cgo.EventHead | cgo.EventBody | cgo.EventDone}, r.events)
	}
	assert.Equal(t, 1, s.Accepted())
}

func TestLoop_leaves_the_epoll_set_alone_while_a_connection_is_used_again(t *testing.T) {
	s := testserver.Raw(t, testserver.Answer(testserver.OK("hello")))
	d := newDriver(t)
	d.get(s.URL, nil)
	d.get(s.URL, nil)
	before := d.m.Stats().EpollCtls
	for range 100 {
		_, res := d.get(s.URL, nil)
		require.Zero(t, res.Code, res.Text)
	}
	assert.Equal(t, before, d.m.Stats().EpollCtls)
}

func TestPool_gives_a_transfer_that_carries_nothing_of_its_last_use(t *testing.T) {
	s := testserver.Raw(t, testserver.Answer("HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"))
	d := newDriver(t)
	d.get(s.URL+"/clean", nil)
	_, res := d.get(s.URL+"/loaded", func(r *run, setup *cgo.Setup, o *cgo.Options) {
		require.NoError(t, r.BodyCopy([]byte("secret body")))
		setup.AuthArmed, setup.HeadOnly, setup.Infos, setup.Debug = true, false, true, true
		o.String(cgo.OptUsername, "user")
		o.String(cgo.OptPassword, "secret")
		o.Long(cgo.OptHTTPAuth, 1)
		o.String(cgo.OptCookie, "session=secret")
		o.String(cgo.OptCookieFile, "") // libcurl's own engine
		o.String(cgo.OptReferer, "http://secret/")
		o.String(cgo.OptUserAgent, "secret")
		o.String(cgo.OptCustomRequest, "PATCH")
		o.String(cgo.OptRange, "0-5")
		o.String(cgo.OptRequestTarget, "/secret")
		o.List(cgo.OptHTTPHeader, []string{"X-Secret: yes"})
		o.String(cgo.OptXOAuth2Bearer, "secret")
	})
	require.Zero(t, res.Code, res.Text)
	d.get(s.URL+"/clean", nil)
	got := s.Requests()
	require.Len(t, got, 3)
	assert.Equal(t, "PATCH", got[1].Method)
	assert.NotEmpty(t, got[1].Get("Authorization"))
	assert.Equal(t, got[0].Method, got[2].Method)
	assert.Equal(t, got[0].Target, got[2].Target)
	assert.Equal(t, got[0].Header, got[2].Header)
	assert.Equal(t, got[0].Body, got[2].Body)
}

func TestA_response_that_begins_with_a_folded_line_does_no_harm(t *testing.T) {
	var n atomic.Int64
	s := testserver.Raw(t, func(c *testserver.Conn) {
		if _, err := c.ReadRequest(); err != nil {
			return
		}
		fold := ""
		if n.Add(1)%2 == 0 { // curl issue 11101: the sanitizers see what it did
			fold = " folded: yes\r\n"
		}
		_ = c.Send("HTTP/1.1 200 OK\r\n" + fold + "X-Long: " + strings.Repeat("x", 100) + "\r\nContent-Length: 0\r\n\r\n")
	})
	d := newDriver(t)
	for range 20 {
		d.get(s.URL, nil)
	}
	// Not all: the server hangs up after each, and who comes at that moment is
	// refused a second sending.
	assert.Greater(t, n.Load(), int64(5))
}

func TestTransfer_forgets_what_the_last_run_found(t *testing.T) {
	s := testserver.Raw(t, testserver.Answer("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\n"))
	d := newDriver(t)
	_, res := d.get(s.URL, func(_ *run, setup *cgo.Setup, _ *cgo.Options) { setup.Infos = true })
	require.Zero(t, res.Code)
	tr, err := d.pool.Get(nil, nil)
	require.NoError(t, err)
	defer d.pool.Put(tr)
	assert.Empty(t, tr.Head())
	assert.Empty(t, tr.Trailer())
	assert.Empty(t, tr.TakeDebug())
	assert.Zero(t, tr.Status())
	assert.Zero(t, tr.Received())
	assert.Zero(t, tr.HeadBytes())
	assert.Zero(t, tr.Consumed(0))
	assert.Zero(t, tr.TakeEvents())
	assert.Zero(t, tr.Infos())
	assert.False(t, tr.Connected())
	assert.False(t, tr.RemoteAddr().IsValid())
}

func TestReceiving_pauses_at_the_high_water_mark_and_goes_on(t *testing.T) {
	const mark = 64 * 1024
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	s := testserver.Raw(t, testserver.Answer("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n"+string(want)))
	d := newDriver(t)
	pauses := 0
	r := d.begin(s.URL, func(r *run, setup *cgo.Setup, o *cgo.Options) {
		setup.HighWater = mark
		o.Long(cgo.OptBufferSize, 16*1024)
		r.hold = true
	})
	r.on = func(ev cgo.Event) {
		assert.Less(t, r.held.Len(), mark+17*1024)
		if ev&cgo.EventPaused != 0 {
			pauses++
			assert.True(t, r.RecvPaused())
			r.drain()
			d.m.Unpause(r.Transfer, true, false)
		}
	}
	res := d.finish(r)
	require.Zero(t, res.Code, res.Text)
	assert.Greater(t, pauses, 5)
	assert.True(t, bytes.Equal(want, r.body))
}

func TestEvents_that_handling_brings_about_wait_for_the_next_turn(t *testing.T) {
	s := testserver.Start(t, testserver.H1, testserver.Blob(1<<20))
	d := newDriver(t)
	pauses, inTurn := 0, 0
	r := d.begin(s.URL, func(r *run, setup *cgo.Setup, _ *cgo.Options) {
		setup.HighWater = 1000
		r.hold = true // each pause that is lifted ends in another
	})
	r.on = func(ev cgo.Event) {
		if ev&cgo.EventPaused == 0 {
			return
		}
		pauses++
		if inTurn++; assert.Less(t, inTurn, 3, "pauses in one turn") {
			d.m.Unpause(r.Transfer, true, false)
		}
	}
	d.until("it has paused often", func() bool { inTurn = 0; return pauses >= 20 || t.Failed() })
	d.cancel(r)
}

func TestSending_pauses_while_the_ring_is_empty(t *testing.T) {
	s := testserver.Raw(t, testserver.Answer(testserver.OK("")))
	for _, length := range []int64{-1, 300_000} {
		d := newDriver(t)
		r := d.begin(s.URL, func(r *run, _ *cgo.Setup, o *cgo.Options) {
			require.NoError(t, r.BodyRing(4096, length, false))
			o.Long(cgo.OptUpload, 1)
			o.OffT(cgo.OptInFileSizeLarge, length)
			o.List(cgo.OptHTTPHeader, []string{"Expect:"})
		})
		ring, left := r.Ring(), 300_000
		starved := 0
		fill := func() bool { // one piece; the loop drains it before the next
			space := ring.Space()
			if len(space) == 0 {
				return false
			}
			n := min(len(space), left, 1000)
			for i := range n {
				space[i] = 'x'
			}
			left -= n
			if wake := ring.Commit(n); wake {
				starved++
				d.m.Unpause(r.Transfer, false, true)
			}
			return true
		}
		d.until("libcurl asks for the body", func() bool { return r.all&cgo.EventWant != 0 })
		for left > 0 {
			d.until("there is room", fill)
			d.until("the ring is empty", func() bool { return r.done || left == 0 || r.SendPaused() })
			require.False(t, r.done, "%+v", r.Result())
		}
		if ring.End() {
			d.m.Unpause(r.Transfer, false, true)
		}
		res := d.finish(r)
		require.Zero(t, res.Code, res.Text)
		assert.Greater(t, starved, 100)
	}
	for _, got := range s.Requests() {
		assert.Len(t, got.Body, 300_000)
	}
}

func TestBoth_directions_pause_without_waking_one_another(t *testing.T) {
	const mark = 16 * 1024
	s := testserver.Raw(t, func(c *testserver.Conn) { // echoes beside receiving
		if _, err := c.ReadHead(); err == nil {
			_ = c.Send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("y", 100000))
			c.UntilClosed()
		}
	})
	d := newDriver(t)
	r := d.begin(s.URL, func(r *run, setup *cgo.Setup, o *cgo.Options) {
		require.NoError(t, r.BodyRing(4096, 10, false))
		setup.HighWater = mark
		r.hold = true
		o.Long(cgo.OptUpload, 1)
		o.OffT(cgo.OptInFileSizeLarge, 10)
		o.Long(cgo.OptBufferSize, 16*1024)
		o.List(cgo.OptHTTPHeader, []string{"Expect:"})
	})
	d.until("both are paused", func() bool { return r.RecvPaused() && r.SendPaused() })
	held := r.held.Len()
	d.m.Unpause(r.Transfer, false, true) // nothing to send: it pauses again
	d.until("sending is paused again", func() bool { return r.SendPaused() })
	assert.True(t, r.RecvPaused())
	assert.Equal(t, held, r.held.Len(), "receiving went on by itself")
	for len(r.body) < 100000 {
		r.drain()
		if len(r.body) < 100000 {
			d.m.Unpause(r.Transfer, true, false)
			d.until("more has come", func() bool { return r.held.Len() > 0 })
		}
	}
	assert.True(t, r.SendPaused())
	require.False(t, r.done)
	copy(r.Ring().Space(), "0123456789")
	assert.True(t, r.Ring().Commit(10))
	d.m.Unpause(r.Transfer, false, true)
	res := d.finish(r)
	assert.Zero(t, res.Code, res.Text)
}

func TestCancel_works_in_every_phase(t *testing.T) {
	silent := testserver.Raw(t, testserver.Silent())
	half := testserver.Raw(t, testserver.HalfHead())
	head := testserver.Raw(t, testserver.HeadThenNothing())
	endless := testserver.Raw(t, testserver.EndlessBody())
	upload := func(r *run, _ *cgo.Setup, o *cgo.Options) {
		require.NoError(t, r.BodyRing(4096, -1, false))
		o.Long(cgo.OptUpload, 1)
	}
	d := newDriver(t)
	for _, c := range []struct {
		name  string
		s     *testserver.RawServer
		more  func(*run, *cgo.Setup, *cgo.Options)
		until func(*run) bool
	}{
		{"before the step", silent, nil, func(*run) bool { return true }},
		{"while connecting", silent, nil, func(*run) bool { return d.m.Live() > 0 }},
		{"before the head", silent, nil, func(r *run) bool { return r.Connected() }},
		{"within the head", half, nil, func(r *run) bool { return r.HeadBytes() > 0 }},
		{"before the body", head, nil, func(r *run) bool { return r.all&cgo.EventHead != 0 }},
		{"within the body", endless, nil, func(r *run) bool { return len(r.body) > 100000 }},
		{"while receiving is paused", endless, func(r *run, _ *cgo.Setup, _ *cgo.Options) { r.hold = true },
			func(r *run) bool { return r.RecvPaused() }},
		{"while sending is paused", silent, upload, func(r *run) bool { return r.SendPaused() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := d.begin(c.s.URL, c.more)
			d.until(c.name, func() bool { return c.until(r) })
			d.cancel(r)
			assert.Zero(t, d.m.Live())
			assert.True(t, c.s.WaitClosed(patience), "the connection is still open")
			_, res := d.get(testserver.Raw(t, testserver.Answer(testserver.OK("x"))).URL, nil)
			assert.Zero(t, res.Code, res.Text)
		})
	}
}

func TestTenThousand_cancels_leave_nothing_behind(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 500
	}
	s := testserver.Raw(t, testserver.Silent())
	d := newDriver(t)
	files := testserver.FDs()
	before := cgo.CountAlive()
	for range n / 20 {
		d.runs = d.runs[:0]
		for range 20 {
			d.begin(s.URL, nil)
		}
		d.until("all are under way", func() bool { return d.m.Live() == 20 })
		for _, r := range d.runs {
			d.cancel(r)
		}
	}
	after := cgo.CountAlive()
	assert.LessOrEqual(t, after.Transfers-before.Transfers, int64(20))
	assert.Equal(t, before.ChunkBytes, after.ChunkBytes)
	require.True(t, s.WaitClosed(patience))
	assert.InDelta(t, files, testserver.FDs(), 2)
}

func TestReset_of_a_used_connection_does_not_send_the_request_again(t *testing.T) {
	s := testserver.Raw(t, testserver.CloseOnReuse())
	for name, more := range map[string]func(*run, *cgo.Setup, *cgo.Options){
		"GET":  nil,
		"POST": func(r *run, _ *cgo.Setup, _ *cgo.Options) { require.NoError(t, r.BodyCopy([]byte("once"))) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t)
			_, res := d.get(s.URL, nil)
			require.Zero(t, res.Code, res.Text)
			before := len(s.Requests())
			_, res = d.get(s.URL, more)
			assert.NotZero(t, res.Code)
			assert.Equal(t, cgo.CauseResend, res.Cause)
			assert.Len(t, s.Requests(), before+1)
		})
	}
}

func TestIdle_connections_are_watched(t *testing.T) {
	if portable {
		t.Skip("curl_multi_poll watches no idle connections")
	}
	for name, script := range map[string]func(<-chan struct{}) testserver.Script{
		"closed by the server":            testserver.CloseWhenIdle,
		"with an answer nobody asked for": testserver.Unsolicited,
	} {
		t.Run(name, func(t *testing.T) {
			idle := make(chan struct{})
			s := testserver.Raw(t, script(idle))
			d := newDriver(t)
			_, res := d.get(s.URL, nil)
			require.Zero(t, res.Code, res.Text)
			require.Equal(t, 1, s.Open())
			close(idle)
			var gone atomic.Bool
			go func() {
				gone.Store(s.WaitClosed(patience))
				d.m.Wake()
			}()
			d.until("the connection is gone", gone.Load)
			calm(t, d)
		})
	}
}

// calm requires that the loop finds nothing to do: no event comes back for ever.
func calm(t *testing.T, d *driver) {
	t.Helper()
	d.m.Step(nil, cgo.Never, true)
	quiet := 0
	for range 20 {
		d.m.Step(nil, cgo.Never, true)
		if !d.m.Busy() {
			quiet++
		}
	}
	assert.Greater(t, quiet, 15)
}

func TestCloseIdle_hangs_up_what_no_transfer_uses(t *testing.T) {
	answering := testserver.Raw(t, testserver.Answer(testserver.OK("x")))
	silent := testserver.Raw(t, testserver.Silent())
	d := newDriver(t)
	for range 2 {
		_, res := d.get(answering.URL, nil)
		require.Zero(t, res.Code, res.Text)
	}
	r := d.begin(silent.URL, nil)
	d.until("it is sent", r.Connected)
	assert.Equal(t, 1, d.m.CloseIdle())
	require.True(t, answering.WaitClosed(patience))
	assert.True(t, silent.WaitOpen(1, patience), "a connection in use was closed")
	_, res := d.get(answering.URL, nil)
	assert.Zero(t, res.Code, res.Text)
	assert.Equal(t, 2, answering.Accepted())
}

func TestUnix_sockets_are_used_again_watched_and_closed(t *testing.T) {
	s := testserver.Raw(t, testserver.Answer(testserver.OK("x")), testserver.OnUnix())
	d := newDriver(t)
	over := func(_ *run, _ *cgo.Setup, o *cgo.Options) { o.String(cgo.OptUnixSocketPath, s.Addr) }
	for range 5 {
		r, res := d.get(s.URL, over)
		require.Zero(t, res.Code, res.Text)
		assert.Equal(t, "x", string(r.body))
	}
	assert.Equal(t, 1, s.Accepted())
	if portable {
		return
	}
	assert.Equal(t, 1, d.m.CloseIdle())
	require.True(t, s.WaitClosed(patience))
	_, res := d.get(s.URL, over)
	assert.Zero(t, res.Code, res.Text)

	silent := testserver.Raw(t, testserver.Silent(), testserver.OnUnix())
	r := d.begin(silent.URL, func(_ *run, _ *cgo.Setup, o *cgo.Options) { o.String(cgo.OptUnixSocketPath, silent.Addr) })
	d.until("it is sent", r.Connected)
	d.cancel(r)
	assert.True(t, silent.WaitClosed(patience))
}

func TestWithout_file_descriptors_a_request_fails_and_the_next_one_works(t *testing.T) {
	d := newDriver(t)
	free := useUpFiles(t)
	r := d.begin("http://127.0.0.1:1/", nil)
	d.until("it has ended", func() bool { return r.done })
	assert.Equal(t, syscall.EMFILE, r.ConnectErrno())
	res := d.finish(r)
	free()
	s := testserver.Raw(t, testserver.Answer(testserver.OK("x"))) // accepts need descriptors too
	assert.Equal(t, 7, res.Code, "could not connect: %s", res.Text)
	assert.NotContains(t, res.Text, "refused")
	_, res = d.get(s.URL, nil)
	assert.Zero(t, res.Code, res.Text)
}

// useUpFiles leaves the process no file descriptor, until the function that it
// returns is called.
func useUpFiles(t *testing.T) (free func()) {
	t.Helper()
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	tight := limit
	tight.Cur = 256
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &tight))
	var taken []int
	for {
		fd, err := syscall.Dup(0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	free = sync.OnceFunc(func() {
		for _, fd := range taken {
			_ = syscall.Close(fd)
		}
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	})
	t.Cleanup(free)
	return free
}

func TestNewMulti_says_why_when_there_are_no_file_descriptors(t *testing.T) {
	require.NoError(t, cgo.Init())
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	lowest, err := syscall.Dup(0)
	require.NoError(t, err)
	require.NoError(t, syscall.Close(lowest))
	before := testserver.FDs()
	for extra := range uint64(5) {
		tight := limit
		tight.Cur = uint64(lowest) + extra
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &tight))
		m, err := cgo.NewMulti(nil)
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
		if err != nil {
			assert.ErrorContains(t, err, "file")
			continue
		}
		m.Close()
	}
	assert.Equal(t, before, testserver.FDs())
}
