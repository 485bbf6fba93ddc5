package ratmom_test

import (
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestUpgraded_connection_that_ends_stops_its_writers_and_spares_the_next_request(t *testing.T) {
	s := testserver.Raw(t, func(c *testserver.Conn) {
		r, err := c.ReadHead()
		switch {
		case err != nil:
		case r.Get("Upgrade") != "":
			_ = c.Send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: raw\r\nConnection: Upgrade\r\n\r\nhello")
			_, _ = io.CopyN(io.Discard, c, 64*1024)
		default:
			_ = c.ReadBody(r)
			_ = c.Send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
		}
	})
	client, err := ratmom.New(config.Proxy(""))
	require.NoError(t, err)
	defer client.Close()
	for range 20 {
		req, err := http.NewRequest("GET", s.URL, nil)
		require.NoError(t, err)
		req.Header.Set("Upgrade", "raw")
		req.Header.Set("Connection", "Upgrade")
		resp, err := client.Send(req)
		require.NoError(t, err)
		up, ok := resp.Body.(interface {
			io.ReadWriteCloser
			CloseWrite() error
		})
		require.True(t, ok, "%T", resp.Body)
		var writers sync.WaitGroup
		for range 2 {
			writers.Go(func() {
				for {
					if _, err := up.Write(make([]byte, 10_000)); err != nil {
						assert.ErrorIs(t, err, io.ErrClosedPipe)
						return
					}
				}
			})
		}
		_, _ = io.Copy(io.Discard, up)
		writers.Wait()
		_ = up.CloseWrite() // must not end the upload of whoever has the memory now
		require.NoError(t, up.Close())
		again, err := client.Post(s.URL, "text/plain", io.NopCloser(io.LimitReader(zeros{}, 100_000)))
		require.NoError(t, err)
		require.NoError(t, again.Discard())
		assert.Len(t, s.Requests()[len(s.Requests())-1].Body, 100_000)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
