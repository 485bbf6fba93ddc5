package h3test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/server/http3"
)

// startOurs serves with server/http3 until the test ends.
func startOurs(t *testing.T, handler http.HandlerFunc) (s *http3.Server, url string) {
	t.Helper()
	certificate := testserver.LocalAuthority(t).Localhost(t)
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	s = &http3.Server{Handler: handler, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate.TLS}}}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(conn) }()
	t.Cleanup(func() {
		assert.NoError(t, s.Close())
		assert.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
	return s, "https://" + conn.LocalAddr().String()
}

func TestOurHTTP3_server_answers_our_client(t *testing.T) {
	needHTTP3(t)
	_, url := startOurs(t, func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(w, "%s %d %x", r.Proto, n, sum.Sum(nil))
	})
	c := newClient(t, testserver.LocalAuthority(t).File(t), config.HTTP3Only)
	big := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	resp, err := c.Post(url, "text/plain", bytes.NewReader(big))
	require.NoError(t, err)
	said, err := resp.Text()
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("HTTP/3.0 %d %x", len(big), sha256.Sum256(big)), said)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			resp, err := c.Get(url)
			if assert.NoError(t, err) {
				said, err := resp.Text()
				assert.NoError(t, err)
				assert.True(t, strings.HasPrefix(said, "HTTP/3.0 0 "), "%q", said)
			}
		})
	}
	wg.Wait()
}

func TestOurHTTP3_server_is_found_by_its_AltSvc(t *testing.T) {
	needHTTP3(t)
	proto := func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }
	s, _ := startOurs(t, proto)
	certificate := testserver.LocalAuthority(t).Localhost(t)
	tcp := httptest.NewUnstartedServer(s.AltSvc(http.HandlerFunc(proto)))
	tcp.TLS = &tls.Config{Certificates: []tls.Certificate{certificate.TLS}}
	tcp.EnableHTTP2 = true
	tcp.StartTLS()
	defer tcp.Close()
	c := newClient(t, testserver.LocalAuthority(t).File(t), config.HTTPDefault, config.AltSvc(""), config.IPVersion(config.IPv4))
	_, port, err := net.SplitHostPort(tcp.Listener.Addr().String())
	require.NoError(t, err)
	url := "https://localhost:" + port
	assert.Equal(t, "HTTP/2.0 HTTP/2.0", text(t, c, url))
	for range 3 {
		assert.Equal(t, "HTTP/3.0 HTTP/3.0", text(t, c, url))
	}
	// Without it the client comes over TCP again.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, s.Shutdown(ctx))
	assert.Equal(t, "HTTP/2.0 HTTP/2.0", text(t, c, url))
}

func TestOurHTTP3_server_answers_what_is_under_way_when_it_shuts_down(t *testing.T) {
	needHTTP3(t)
	begun, finish := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(finish) })
	defer release()
	s, url := startOurs(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-finish
		}
		_, _ = io.WriteString(w, "answer")
	})
	c := newClient(t, testserver.LocalAuthority(t).File(t), config.HTTP3Only)
	require.Equal(t, "HTTP/3.0 answer", text(t, c, url))
	slow := c.SendAsync(get(t, patient(t), url+"/slow"))
	<-begun
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(ctx) }()
	// libcurl tries again, until the time for connecting is over.
	refused := newClient(t, testserver.LocalAuthority(t).File(t), config.HTTP3Only, config.ConnectTimeout(500*time.Millisecond))
	require.Eventually(t, func() bool {
		resp, err := refused.Get(url)
		if err == nil {
			_ = resp.Discard()
			refused.CloseIdleConnections()
		}
		return err != nil
	}, patience, time.Millisecond)
	release()
	resp, err := slow.Wait(ctx)
	require.NoError(t, err)
	said, err := resp.Text()
	require.NoError(t, err)
	assert.Equal(t, "answer", said)
	// The client keeps its connection, and does not get to hold the server up.
	require.NoError(t, <-stopped)
	_, err = c.Get(url, config.ConnectTimeout(time.Second))
	assert.Error(t, err)
}
