package ratmom_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// The notice of TLS that a connection ends stands before its end, and looks like
// a frame of HTTP/2 to those who cannot read it.
func TestRequest_goes_over_a_new_connection_when_the_server_has_closed_the_idle_one(t *testing.T) {
	for _, h2 := range []bool{true, false} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			_, _ = io.Copy(w, req.Body)
		}))
		s.EnableHTTP2 = h2
		s.StartTLS()
		t.Cleanup(s.Close)
		client, err := ratmom.New(config.DangerAcceptInvalidCertificates(true))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, client.Close()) })
		for i := range 15 {
			resp, err := client.Get(s.URL)
			require.NoError(t, err, "round %d", i)
			require.NoError(t, resp.Discard())
			s.CloseClientConnections()
			resp, err = client.Post(s.URL, "text/plain", strings.NewReader("some"))
			require.NoError(t, err, "round %d", i)
			text, err := resp.Text()
			require.NoError(t, err)
			require.Equal(t, "some", text)
			s.CloseClientConnections()
		}
	}
}

// A POST that may have been processed is not repeated; this one cannot have been.
func TestPost_goes_over_a_new_connection_when_the_server_has_reset_the_idle_one(t *testing.T) {
	for _, options := range [][]testserver.Option{nil, {testserver.WithTLS()}} {
		read, reset := make(chan struct{}), make(chan struct{})
		s := testserver.Raw(t, func(c *testserver.Conn) {
			if _, err := c.ReadRequest(); err != nil || c.Send(testserver.OK("hello")) != nil {
				return
			}
			select {
			case <-read:
				c.Reset()
				reset <- struct{}{}
			case <-c.Closed():
			}
		}, options...)
		client, err := ratmom.New(config.DangerAcceptInvalidCertificates(true))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, client.Close()) })
		for i := range 15 {
			resp, err := client.Post(s.URL, "text/plain", io.MultiReader(strings.NewReader("some")))
			require.NoError(t, err, "round %d", i)
			require.NoError(t, resp.Discard())
			select {
			case read <- struct{}{}:
				<-reset
			case <-time.After(10 * time.Second):
				require.Fail(t, "the connection is not there any more")
			}
		}
	}
}
