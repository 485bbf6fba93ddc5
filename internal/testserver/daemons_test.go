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
			answer, err := client.Post(n.In(mode)+path, "", Pattern(3_000_000))
			require.NoError(t, err)
			said, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			assert.Equal(t, "3000000", string(said))
		}

		req, err := http.NewRequest("GET", n.In(mode)+"/text.txt", nil)
		require.NoError(t, err)
		req.Header.Set("Accept-Encoding", "gzip")
		zipped, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, zipped.Body.Close())
		assert.Equal(t, "gzip", zipped.Header.Get("Content-Encoding"))

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

func TestApache_asks_for_credentials_by_Basic_and_Digest(t *testing.T) {
	a := Apache(t)
	client := trusting(t, H2, a.CAPEM)
	resp, body := get(t, client, a.TLSURL+"/hello.txt")
	assert.Equal(t, "HTTP/2.0", resp.Proto)
	assert.Equal(t, Hello, body)
	resp, _ = get(t, plainClient(t), a.URL+"/digest/hello.txt")
	assert.Equal(t, 401, resp.StatusCode)
	assert.Contains(t, resp.Header.Get("WWW-Authenticate"), "Digest realm=")

	assert.Equal(t, Hello, curl(t, "--basic", "-u", credentials, a.URL+"/basic/hello.txt"))
	assert.Equal(t, Hello, curl(t, "--digest", "-u", credentials, a.URL+"/digest/hello.txt"))
	assert.Contains(t, curl(t, "--digest", "-u", User+":wrong", a.URL+"/digest/hello.txt"), "Unauthorized")
	assert.Contains(t, curl(t, "--basic", "-u", User+":wrong", a.URL+"/basic/hello.txt"), "Unauthorized")
	for _, encoding := range []string{"br", "gzip"} {
		assert.Contains(t, curl(t, "-o", "/dev/null", "-D-", "-H", "Accept-Encoding: "+encoding, a.URL+"/text.txt"), "Content-Encoding: "+encoding)
	}
}

func TestHAProxy_forwards_in_every_mode_and_fails_on_demand(t *testing.T) {
	s := Start(t, H1, Echo())
	h := HAProxy(t, s.Addr)
	for mode, url := range map[Mode]string{H1: h.URL, HTTPS1: h.TLSURL, H2: h.TLSURL, H2C: h.H2CURL} {
		resp, err := trusting(t, mode, h.CAPEM).Post(url, "", strings.NewReader("through"))
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, mode.Proto(), resp.Proto)
		assert.Equal(t, "through", string(body))
	}
	resp, _ := get(t, plainClient(t), h.URL+"/deny")
	assert.Equal(t, 503, resp.StatusCode)
	_, headErr, _ := read(t, plainClient(t), h.URL+"/reject")
	assert.Error(t, headErr)
}

func TestNghttpd_echoes_and_sends_trailers(t *testing.T) {
	for _, mode := range []Mode{H2, H2C} {
		n := Nghttpd(t, mode)
		client := trusting(t, mode, n.CAPEM)
		resp, body := get(t, client, n.URL+"/hello.txt")
		assert.Equal(t, Hello, body)
		assert.Equal(t, "34", resp.Trailer.Get("X-Sum"))
		answer, err := client.Post(n.URL+"/", "", strings.NewReader("echoed"))
		require.NoError(t, err)
		echo, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, "echoed", string(echo))
	}
}

func TestSOCKS_daemons_forward(t *testing.T) {
	s := Start(t, H1, Blob(5))
	local := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	t.Run("danted", func(t *testing.T) {
		d := Danted(t)
		assert.Len(t, curl(t, "-x", "socks4://"+d.Addr, s.URL), 5)
		assert.Len(t, curl(t, "-x", "socks5://"+d.Addr, s.URL), 5)
		assert.Len(t, curl(t, "-x", "socks5h://"+d.Addr, local), 5)
	})
	t.Run("microsocks", func(t *testing.T) {
		d := MicroSOCKS(t, false)
		assert.Len(t, curl(t, "-x", "socks5h://"+d.Addr, local), 5)
	})
	t.Run("microsocks with credentials", func(t *testing.T) {
		d := MicroSOCKS(t, true)
		assert.Len(t, curl(t, "-x", "socks5h://"+d.Addr, "-U", credentials, local), 5)
		assert.Contains(t, curlFails(t, "-x", "socks5h://"+d.Addr, "-w", "%{exitcode}", local), "97")
	})
}

func TestSquid_forwards_and_asks_for_credentials(t *testing.T) {
	plain := Start(t, H1, Blob(5))
	secure := Start(t, HTTPS1, Blob(5))
	for _, auth := range []Auth{NoAuth, BasicAuth, DigestAuth, NTLMAuth} {
		t.Run("auth "+string(auth), func(t *testing.T) {
			s := Squid(t, auth)
			args := []string{"--cacert", secure.CAFile, "--proxy-cacert", s.CAFile}
			if auth != NoAuth {
				assert.Contains(t, curl(t, "-o", "/dev/null", "-w", "%{http_code}", "-x", s.URL, plain.URL), "407")
				args = append(args, "--proxy-"+strings.ToLower(string(auth)), "-U", credentials)
			}
			for _, proxy := range []string{s.URL, s.TLSURL} {
				for _, url := range []string{plain.URL, secure.URL} {
					assert.Len(t, curl(t, append(args, "-x", proxy, url)...), 5)
				}
			}
			if auth == BasicAuth || auth == DigestAuth {
				args[len(args)-1] = User + ":wrong"
				assert.Contains(t, curl(t, append(args, "-o", "/dev/null", "-w", "%{http_code}", "-x", s.URL, plain.URL)...), "407")
			}
			log := strings.Join(s.Requests(), "\n")
			assert.Contains(t, log, "GET "+plain.URL)
			assert.Contains(t, log, "CONNECT "+secure.Addr)
		})
	}
}
