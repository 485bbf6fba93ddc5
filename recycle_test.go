package ratmom_test

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// The state of a Send is used again by the next.
func TestResponses_of_many_callers_stay_theirs_whatever_is_sent_after_them(t *testing.T) {
	s := testserver.Raw(t, func(c *testserver.Conn) {
		for {
			r, err := c.ReadHead()
			if err != nil {
				return
			}
			n := r.Get("X-Number")
			status := "200 OK"
			if r.Get("X-Redirect") != "" {
				status = "302 Found\r\nLocation: /"
			}
			_ = c.Send("HTTP/1.1 " + status + "\r\nX-Number: " + n + "\r\nContent-Length: " + strconv.Itoa(len(n)) + "\r\n\r\n" + n)
		}
	})
	client, err := ratmom.New(config.Proxy(""), config.MaxRedirects(1))
	require.NoError(t, err)
	defer client.Close()
	var callers sync.WaitGroup
	for i := range 16 {
		callers.Go(func() {
			var kept []*ratmom.Response
			for j := range 50 {
				n := strconv.Itoa(1000*i + j)
				req, err := http.NewRequest("GET", s.URL+"/"+n, nil)
				if !assert.NoError(t, err) {
					return
				}
				req.Header.Set("X-Number", n)
				var resp *ratmom.Response
				switch j % 5 {
				case 3:
					resp, err = client.SendAsync(req).Result()
				case 4:
					req.Header.Set("X-Redirect", "1") // which leads to another, which is one too many
					_, err = client.Send(req)
					assert.ErrorIs(t, err, ratmom.ErrTooManyRedirects)
					continue
				default:
					resp, err = client.Send(req)
				}
				if !assert.NoError(t, err) {
					return
				}
				assert.Same(t, req, resp.Request)
				kept = append(kept, resp)
			}
			for _, resp := range kept {
				n := resp.Request.Header.Get("X-Number")
				assert.Equal(t, []string{n}, resp.Header["X-Number"])
				assert.Same(t, resp.Request.URL, resp.EffectiveURL)
				got, err := io.ReadAll(resp.Body)
				assert.NoError(t, err)
				assert.Equal(t, n, string(got))
				assert.NoError(t, resp.Body.Close())
			}
		})
	}
	callers.Wait()
}
