//go:build linux && !ratmom_poll

package cgo_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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

	// Nothing stays behind in the socket: the kernel would keep it for 200 ms.
	began := cgo.Now()
	_, res = d.get(s.URL, http2)
	require.Zero(t, res.Code, res.Text)
	assert.Less(t, cgo.Now()-began, int64(150e6))
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
