package endurance

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestNghttpd_many_streams_of_different_weights(t *testing.T) {
	n := testserver.Nghttpd(t, testserver.H2)
	client := clientFor(t, testserver.H2, n.CAFile)
	body := bytes.Repeat([]byte("0123456789"), 20_000)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			weight := config.StreamWeight(1 + i*6)
			resp, err := client.Send(request(t, patient(t), http.MethodGet, n.URL+"/hello.txt"), weight)
			if !assert.NoError(t, err) {
				return
			}
			text, err := resp.Text()
			assert.NoError(t, err)
			assert.Equal(t, testserver.Hello, text)
			if cgo.Features().AtLeast(8, 0, 0) { // before, there are none behind a Content-Length
				assert.Equal(t, "34", resp.Trailers().Get("X-Sum"))
			}

			resp, err = client.Post(n.URL+"/echo", "text/plain", bytes.NewReader(body), weight)
			if assert.NoError(t, err) {
				got, err := resp.Bytes()
				assert.NoError(t, err)
				assert.True(t, bytes.Equal(body, got))
			}
		})
	}
	all.Wait()
}

// nginx says GOAWAY on a connection that has had its number of requests, and leaves out
// those that come too late.
func TestNginx_that_says_GOAWAY_loses_no_request(t *testing.T) {
	const requests = 200
	n := testserver.Nginx(t, testserver.NginxKeepalive(5, time.Minute))
	client := clientFor(t, testserver.H2, n.CAFile)
	before, _ := n.Counters()
	var all sync.WaitGroup
	slots := make(chan struct{}, 12)
	for range requests {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			resp, err := client.Send(request(t, patient(t), http.MethodGet, n.TLSURL+"/hello.txt"))
			if assert.NoError(t, err) {
				text, err := resp.Text()
				assert.NoError(t, err)
				assert.Equal(t, testserver.Hello, text)
			}
		})
	}
	all.Wait()
	after, _ := n.Counters()
	assert.GreaterOrEqual(t, after-before, requests/5-1)
	resp, err := client.Post(n.TLSURL+"/upload", "text/plain", strings.NewReader(""))
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
}
