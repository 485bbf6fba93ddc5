package health

import (
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

func TestKindOf_knows_what_a_client_says(t *testing.T) {
	client, err := ratmom.New(config.ConnectTimeout(200 * time.Millisecond))
	require.NoError(t, err)
	defer client.Close()
	self := httptest.NewUnstartedServer(http.NotFoundHandler())
	self.Config.ErrorLog = silent()
	self.StartTLS()
	defer self.Close()
	mute := make(chan net.Conn, 10)
	l := listen(t, "tcp", "127.0.0.1:0", func(conn net.Conn) { mute <- conn })

	for url, want := range map[string]Kind{
		"http://" + refusing(t):              KindRefused,
		self.URL:                             KindTLS,
		"http://no-such-name.invalid/":       KindNameFailed,
		"https://" + l.Addr().String() + "/": KindTimeout, // no handshake
	} {
		_, err := client.Get(url)
		require.Error(t, err)
		assert.Equal(t, want, KindOf(err), "%v", err)
	}
	_ = (<-mute).Close()

	req, err := http.NewRequestWithContext(soon(t), http.MethodGet, "http://"+l.Addr().String()+"/", nil)
	require.NoError(t, err)
	_, err = client.Send(req, config.Timeout(100*time.Millisecond))
	require.ErrorIs(t, err, ratmom.ErrTimeout)
	assert.Equal(t, KindOther, KindOf(err), "connected in time: %v", err)
	_ = (<-mute).Close()
}

func TestHTTP_checks_an_endpoint_through_a_client(t *testing.T) {
	s, _ := secure(t, true)
	client, err := ratmom.New(config.CABytes(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	require.NoError(t, err)
	defer client.Close()
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	require.NoError(t, err)

	p := HTTP{
		URL: "https://example.com:" + port + "/health", Major: 2, // the name in the certificate
		Do: func(r *http.Request) (*http.Response, error) {
			resp, err := client.Send(r, config.ConnectTo(map[string]string{"": AddressFrom(r.Context())}))
			if err != nil {
				return nil, err
			}
			return resp.Response, nil
		},
	}
	require.NoError(t, p.Probe(soon(t), "127.0.0.1:"+port))
	err = p.Probe(soon(t), refusing(t))
	require.Error(t, err, "another endpoint")
	assert.Equal(t, KindRefused, KindOf(err))
}
