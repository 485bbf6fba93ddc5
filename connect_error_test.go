package ratmom_test

import (
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

// deaf is the address of a server that has gone.
func deaf(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func TestErrors_of_connecting_have_the_reason_of_the_system(t *testing.T) {
	client, err := ratmom.New(config.Proxy(""))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	address := deaf(t)

	_, err = client.Get("http://" + address)
	require.ErrorIs(t, err, ratmom.ErrConnect)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	assert.Regexp(t, `^GET http://127.0.0.1:\d+: connection failed: Failed to connect to .* ms: connection refused$`, err.Error())

	resp, err := (&http.Client{Transport: client.Transport()}).Get("http://" + address)
	if err == nil {
		_ = resp.Body.Close()
	}
	require.ErrorIs(t, err, syscall.ECONNREFUSED)

	_, err = client.Get("http://example.invalid/", config.Proxy("http://"+address))
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.ErrorContains(t, err, "connection failed: to a proxy: Failed")

	socket := filepath.Join(t.TempDir(), "none")
	_, err = client.Get("http://example.invalid/", config.UnixSocket(socket))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "connection failed: to the unix socket "+socket+": ")
}

func TestErrors_of_connecting_have_no_reason_of_an_earlier_request(t *testing.T) {
	address := netip.MustParseAddrPort(deaf(t))
	client, err := ratmom.New(config.Proxy(""), config.Resolve(map[string][]netip.Addr{
		"four.test:80": {address.Addr()},
	}))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	for range 3 {
		_, err = client.Get("http://" + address.String())
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	}
	_, err = client.Get("http://four.test/", config.IPVersion(config.IPv6))
	require.Error(t, err)
	assert.NotErrorIs(t, err, syscall.ECONNREFUSED, "it was never tried")
}
