package health

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listen accepts connections and lets serve have each.
func listen(t *testing.T, network, address string, serve func(net.Conn)) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l
}

// refusing is an address at which nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestTCP_opens_a_connection_and_closes_it(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		address := "127.0.0.1:0"
		if network == "unix" {
			address = filepath.Join(t.TempDir(), "socket")
		}
		closed := make(chan error, 1)
		l := listen(t, network, address, func(conn net.Conn) {
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			_, err := conn.Read(make([]byte, 1))
			_ = conn.Close()
			closed <- err
		})
		require.NoError(t, TCP{}.Probe(soon(t), l.Addr().String()))
		assert.ErrorIs(t, <-closed, io.EOF)
	}
	err := TCP{}.Probe(soon(t), refusing(t))
	require.Error(t, err)
	assert.Equal(t, KindRefused, KindOf(err))
}

func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// secure is a server with TLS, and what a client needs to trust it.
func secure(t *testing.T, h2 bool) (*httptest.Server, *tls.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	s.EnableHTTP2 = h2
	s.Config.ErrorLog = silent()
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s, &tls.Config{RootCAs: pool, ServerName: "example.com"}
}

func TestTLS_shakes_hands(t *testing.T) {
	h1, config := secure(t, false)
	h2, config2 := secure(t, true)
	address, address2 := h1.Listener.Addr().String(), h2.Listener.Addr().String()
	require.NoError(t, TLS{Config: config}.Probe(soon(t), address))

	ip := config.Clone()
	ip.ServerName = "" // 127.0.0.1 is in the certificate
	require.NoError(t, TLS{Config: ip}.Probe(soon(t), address))

	other := config.Clone()
	other.ServerName = "other.example"
	err := TLS{Config: other}.Probe(soon(t), address)
	require.Error(t, err)
	assert.Equal(t, KindTLS, KindOf(err))
	err = TLS{}.Probe(soon(t), address)
	require.Error(t, err)
	assert.Equal(t, KindTLS, KindOf(err), "nobody knows who signed it")

	config2.NextProtos = []string{"h2", "http/1.1"}
	require.NoError(t, TLS{Config: config2, Protocol: "h2"}.Probe(soon(t), address2))
	config.NextProtos = config2.NextProtos
	require.EqualError(t, TLS{Config: config, Protocol: "h2"}.Probe(soon(t), address), "health: "+address+` speaks "http/1.1" and not "h2"`)

	clear := listen(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
		_, _ = bufio.NewReader(conn).ReadByte()
		_ = conn.Close()
	})
	err = TLS{Config: config}.Probe(soon(t), clear.Addr().String())
	require.Error(t, err)
	assert.Equal(t, KindTLS, KindOf(err))
	assert.Error(t, TLS{Config: config}.Probe(soon(t), refusing(t)))
}

func TestTLS_ends_with_its_context_when_nobody_answers(t *testing.T) {
	silent := make(chan net.Conn, 1)
	l := listen(t, "tcp", "127.0.0.1:0", func(conn net.Conn) { silent <- conn })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := TLS{}.Probe(ctx, l.Addr().String())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, KindTimeout, KindOf(err))
	_ = (<-silent).Close()
}

func TestHTTP_asks_and_looks_at_the_answer(t *testing.T) {
	var hits atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		switch r.URL.Path {
		case "/echo":
			if r.Method != http.MethodHead || r.Host != "peer.example" || r.Header.Get("X-Check") != "1" {
				w.WriteHeader(http.StatusTeapot)
			}
		case "/moved":
			w.Header().Set("Location", "/")
			w.WriteHeader(http.StatusFound)
		case "/sick":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "less")
		case "/long":
			_, _ = io.Copy(w, io.LimitReader(strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20))
		}
	}))
	defer s.Close()
	address := s.Listener.Addr().String()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	do := tr.RoundTrip
	for name, c := range map[string]struct {
		p    HTTP
		want string
	}{
		"well":           {HTTP{Do: do, URL: "http:///health"}, ""},
		"head and host":  {HTTP{Do: do, URL: "http:///echo", Method: "HEAD", Header: http.Header{"Host": {"peer.example"}, "X-Check": {"1"}}}, ""},
		"redirect":       {HTTP{Do: do, URL: "http:///moved"}, ""},
		"long":           {HTTP{Do: do, URL: "http:///long"}, ""},
		"sick":           {HTTP{Do: do, URL: "http:///sick"}, "health: the answer was 503"},
		"cut off":        {HTTP{Do: do, URL: "http:///cut"}, "unexpected EOF"},
		"expected":       {HTTP{Do: do, URL: "http:///sick", Expect: func(r *http.Response) error { return nil }}, ""},
		"not expected":   {HTTP{Do: do, URL: "http:///", Expect: func(r *http.Response) error { return errSick }}, "sick"},
		"HTTP/1.1":       {HTTP{Do: do, URL: "http:///", Major: 1}, ""},
		"not HTTP/2":     {HTTP{Do: do, URL: "http:///", Major: 2}, "health: the answer came over HTTP/1.1"},
		"nobody asks":    {HTTP{URL: "http:///"}, "health: there is no probe"},
		"no URL":         {HTTP{Do: do, URL: "http://h\x00/"}, `health: the URL of the check: http://h\x00/: invalid request: net/url: invalid control character in URL`},
		"no method":      {HTTP{Do: do, URL: "http:///", Method: "A B"}, `health: the request of the check: net/http: invalid method "A B"`},
		"not to be done": {HTTP{Do: func(*http.Request) (*http.Response, error) { return nil, errSick }, URL: "http:///"}, "sick"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.p.Probe(soon(t), address)
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.want)
			}
		})
	}
	assert.Equal(t, int64(10), hits.Load())
}

func TestHTTP_tells_Do_which_endpoint_it_checks(t *testing.T) {
	var host, address string
	p := HTTP{URL: "https://peer.example/health", Do: func(r *http.Request) (*http.Response, error) {
		host, address = r.URL.Host, AddressFrom(r.Context())
		return nil, errSick
	}}
	assert.ErrorIs(t, p.Probe(soon(t), "192.0.2.1:443"), errSick)
	assert.Equal(t, "peer.example", host)
	assert.Equal(t, "192.0.2.1:443", address)
	assert.Empty(t, AddressFrom(t.Context()))
}

func TestHTTP_checks_HTTP2(t *testing.T) {
	s, config := secure(t, true)
	tr := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	require.NoError(t, HTTP{URL: "https:///", Do: tr.RoundTrip, Major: 2}.Probe(soon(t), s.Listener.Addr().String()))
}

func TestChecker_sees_a_server_go_and_come_back(t *testing.T) {
	address := filepath.Join(t.TempDir(), "socket") // whose name nobody else takes meanwhile
	l, err := net.Listen("unix", address)
	require.NoError(t, err)
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	changes := make(chan Change, 10)
	c := NewChecker(CheckerConfig{
		Probe: TCP{}, Changed: func(c Change) { changes <- c },
		Policy: CheckPolicy{Interval: 5 * time.Millisecond},
	})
	defer c.Close()
	next := func() Change {
		select {
		case c := <-changes:
			return c
		case <-time.After(10 * time.Second):
			require.FailNow(t, "nothing changes")
			return Change{}
		}
	}
	c.Add(1, address)
	assert.Equal(t, Change{ID: 1, Address: address, State: Up}, next())
	require.NoError(t, l.Close())
	down := next()
	assert.Equal(t, Down, down.State)
	assert.Equal(t, KindRefused, KindOf(down.Err))
	require.NoError(t, os.Remove(address))
	l, err = net.Listen("unix", address)
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	assert.Equal(t, Up, next().State)
}
