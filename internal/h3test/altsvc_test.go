package h3test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// text sends a request of the URL and returns the protocol and the body.
func text(t *testing.T, c *ratmom.Client, url string, opts ...config.RequestOption) string {
	t.Helper()
	resp, err := c.Send(get(t, patient(t), url), opts...)
	require.NoError(t, err)
	b, err := resp.Text()
	require.NoError(t, err)
	return resp.Proto + " " + b
}

// over is an origin over HTTP/2 that names an alternative.
func over(t *testing.T, field string) (s *testserver.Server, url string) {
	t.Helper()
	s = testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Alt-Svc", field)
		b, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "origin %s", b)
	})
	return s, "https://localhost:" + fmt.Sprint(s.Port())
}

func TestAltSvc_leads_to_HTTP3(t *testing.T) {
	needHTTP3(t)
	h3 := start(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %s", r.Host, r.Header.Get("Alt-Used"), b)
	})
	_, port, err := net.SplitHostPort(strings.TrimPrefix(h3.URL, "https://"))
	require.NoError(t, err)
	origin, url := over(t, fmt.Sprintf(`h3=":%s"; ma=1000`, port))
	file := filepath.Join(t.TempDir(), "alt-svc")
	c, err := ratmom.New(config.Proxy(""), config.CAFile(origin.CAFile), config.AltSvc(file), config.IPVersion(config.IPv4))
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, "HTTP/2.0 origin ", text(t, c, url))
	want := fmt.Sprintf("HTTP/3.0 %s localhost:%s ", strings.TrimPrefix(url, "https://"), port)
	for range 3 {
		require.Equal(t, want, text(t, c, url))
	}
	resp, err := c.Post(url, "text/plain", strings.NewReader("body"))
	require.NoError(t, err)
	b, err := resp.Text()
	require.NoError(t, err)
	require.Contains(t, b, " body")
	require.Equal(t, "HTTP/2.0 origin ", text(t, c, url, config.HTTPVersion(config.HTTP2)))
	require.Equal(t, "HTTP/2.0 origin ", text(t, c, url, config.TLSMaxVersion(tls.VersionTLS12)))
	require.Equal(t, want, text(t, c, url, config.FreshConnection()), "a second connection, with what TLS keeps of the first")

	require.NoError(t, c.Close())
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Regexp(t, `(?m)^h2 localhost \d+ h3 localhost `+port+` "`, string(kept))
	again := newClient(t, origin.CAFile, config.HTTPDefault, config.AltSvc(file), config.IPVersion(config.IPv4))
	require.Equal(t, want, text(t, again, url))
}

func TestAltSvc_falls_back_where_UDP_is_lost(t *testing.T) {
	needHTTP3(t)
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer silent.Close()
	_, port, err := net.SplitHostPort(silent.LocalAddr().String())
	require.NoError(t, err)
	origin, url := over(t, fmt.Sprintf(`h3=":%s"`, port))
	c := newClient(t, origin.CAFile, config.HTTPDefault, config.AltSvc(""), config.IPVersion(config.IPv4))
	require.Equal(t, "HTTP/2.0 origin ", text(t, c, url))
	resp, err := c.Post(url, "text/plain", strings.NewReader("body"))
	require.NoError(t, err)
	b, err := resp.Text()
	require.NoError(t, err)
	require.Equal(t, "origin body", b)

	wrong := start(t, hello, testserver.LocalAuthority(t).WrongHost(t))
	_, port, err = net.SplitHostPort(strings.TrimPrefix(wrong.URL, "https://"))
	require.NoError(t, err)
	_, url = over(t, fmt.Sprintf(`h3=":%s"`, port))
	require.Equal(t, "HTTP/2.0 origin ", text(t, c, url))
	require.Equal(t, "HTTP/2.0 origin ", text(t, c, url), "a certificate for another host")
}
