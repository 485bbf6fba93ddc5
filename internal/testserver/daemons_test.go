package testserver

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trusting is a client of net/http for a mode and a daemon's authority.
func trusting(t *testing.T, mode Mode, ca []byte) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{
		Protocols: mode.protocols(), DisableCompression: true,
		TLSClientConfig: &tls.Config{RootCAs: pool},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestNginx_serves_files_and_takes_uploads_in_every_mode(t *testing.T) {
	n := Nginx(t)
	require.Len(t, Hello, 34)
	Modes(t, func(t *testing.T, mode Mode) {
		client := trusting(t, mode, n.CAPEM)
		resp, body := get(t, client, n.In(mode)+"/hello.txt")
		assert.Equal(t, mode.Proto(), resp.Proto)
		assert.Equal(t, Hello, body)

		resp, _ = get(t, client, n.In(mode)+n.File("big", 3<<20))
		assert.EqualValues(t, 3<<20, resp.ContentLength)

		for _, path := range []string{"/upload", "/upload/buffered"} {
			resp, err := client.Post(n.In(mode)+path, "", Pattern(3_000_000))
			require.NoError(t, err)
			said, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, "3000000", string(said))
		}

		req, err := http.NewRequest("GET", n.In(mode)+"/text.txt", nil)
		require.NoError(t, err)
		req.Header.Set("Accept-Encoding", "gzip")
		resp, err = client.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))

		resp, body = get(t, client, n.In(mode)+"/redirect")
		assert.Equal(t, "/hello.txt", resp.Request.URL.Path)
		assert.Equal(t, Hello, body)
		_, body = get(t, client, n.In(mode)+"/early")
		assert.Equal(t, "early", body)
	})
}

func TestNginx_closes_connections_as_told_and_counts_them(t *testing.T) {
	n := Nginx(t, NginxKeepalive(3, time.Hour), NginxWith(`location = /more { return 200 "more"; }`))
	client := plainClient(t)
	before, _ := n.Counters()
	for range 6 {
		_, body := get(t, client, n.URL+"/more")
		assert.Equal(t, "more", body)
	}
	after, _ := n.Counters()
	assert.Equal(t, 2, after-before-1)
	resp, _ := get(t, client, n.URL+"/close/hello.txt")
	assert.True(t, resp.Close)
}

func TestNginx_killed_in_the_middle_of_a_body_leaves_it_short(t *testing.T) {
	n := Nginx(t)
	resp, err := plainClient(t).Get(n.URL + "/slow" + n.File("big", 1<<30))
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	_, err = io.ReadFull(resp.Body, make([]byte, 1000))
	require.NoError(t, err)
	n.Kill()
	_, err = io.Copy(io.Discard, resp.Body)
	require.Error(t, err)
	assert.True(t, strings.Contains(err.Error(), "reset") || strings.Contains(err.Error(), "unexpected EOF"), "%v", err)
}
