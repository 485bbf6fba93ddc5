//go:build linux && !ratmom_poll

package cgo_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ratmom/ratmom/cgo"
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

	assert.Zero(t, corked(t), "what is written now would stay behind for 200 ms")
}

// corked is how many sockets of this process are.
func corked(t *testing.T) (n int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, e := range fds {
		fd, err := strconv.Atoi(e.Name())
		require.NoError(t, err)
		on, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_CORK)
		if err == nil && on != 0 {
			n++
		}
	}
	return n
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
