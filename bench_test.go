package ratmom_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// What a small request costs the client in memory: the server is another process.
func BenchmarkGet_of_34_bytes(b *testing.B) {
	n := testserver.Nginx(b)
	url := n.URL + n.File("small", 34)
	client, err := ratmom.New(config.Proxy(""), config.Decompression(false))
	require.NoError(b, err)
	defer client.Close()
	read := func(b *testing.B, resp *http.Response, err error) {
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
	request := func() *http.Request {
		req, _ := http.NewRequest(http.MethodGet, url, nil)
		return req
	}
	b.Run("NewRequest alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			request()
		}
	})
	b.Run("Send", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			resp, err := client.Send(request())
			require.NoError(b, err)
			read(b, resp.Response, nil)
		}
	})
	b.Run("SendAsync", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			resp, err := client.SendAsync(request()).Result()
			require.NoError(b, err)
			read(b, resp.Response, nil)
		}
	})
	b.Run("RoundTrip", func(b *testing.B) {
		b.ReportAllocs()
		transport := client.Transport()
		for b.Loop() {
			resp, err := transport.RoundTrip(request()) //nolint:bodyclose // read closes it
			read(b, resp, err)
		}
	})
	b.Run("net/http RoundTrip", func(b *testing.B) {
		b.ReportAllocs()
		transport := &http.Transport{DisableCompression: true}
		defer transport.CloseIdleConnections()
		for b.Loop() {
			resp, err := transport.RoundTrip(request()) //nolint:bodyclose // read closes it
			read(b, resp, err)
		}
	})
}
