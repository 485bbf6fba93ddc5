package ratmom_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

// FuzzResponse has a server answer with any bytes and close. The client must come
// back in time with a response or a typed error, and a body that ends well must be
// one that net/http's parser finds whole, too.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\ntoo long",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
		"HTTP/1.0 200 OK\r\n\r\nuntil the end",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Max-Age=99999999999999999999\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: folded\r\n more\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
		"HTTP/2 200\r\n\r\n", "HTTP/1.1 999 \r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "foobar\r\n\r\n", "HTTP/", "",
		"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n" + zipped("hello"),
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + zipped("hello")[:20],
		"HTTP/1.1 200 OK\r\nContent-Encoding: deflate, br\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-16\r\nContent-Length: 3\r\n\r\n\xff\xfea",
	} {
		f.Add([]byte(s))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(f, err)
	defer l.Close()
	var answer atomic.Pointer[[]byte]
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = c.Write(*answer.Load())
			}
			_ = c.Close()
		}
	}()
	client, err := ratmom.New(config.Proxy(""), config.ConnectionCacheSize(0), config.NoRedirect())
	require.NoError(f, err)
	defer client.Close()
	url := "http://" + l.Addr().String()
	f.Fuzz(func(t *testing.T, raw []byte) {
		answer.Store(&raw)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
		require.NoError(t, err)
		resp, err := client.Send(req)
		if err != nil {
			typed(t, ctx, err)
			return
		}
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, resp.Body.Close())
		if err != nil {
			typed(t, ctx, err)
			return
		}
		if n := resp.StatusCode; n == http.StatusSwitchingProtocols || n == http.StatusNotModified {
			return
		}
		if resp.ContentLength >= 0 {
			require.Len(t, got, int(resp.ContentLength), "a silent short body")
		}
		want, whole := parsed(raw)
		require.True(t, whole, "a broken body came as a good one: %q, net/http has %q", got, want)
	})
}

// typed requires that err is one of ours, and not that of the test's deadline.
func typed(t *testing.T, ctx context.Context, err error) {
	t.Helper()
	require.NoError(t, ctx.Err(), "no end came")
	var e *ratmom.Error
	require.True(t, errors.As(err, &e) || errors.Is(err, io.ErrUnexpectedEOF), "%T: %v", err, err)
}

// parsed is what net/http makes of the answer; whole is false if it finds that the
// body breaks off, true also if it cannot tell.
func parsed(raw []byte) (body []byte, whole bool) {
	r := bufio.NewReader(bytes.NewReader(raw))
	for {
		resp, err := http.ReadResponse(r, nil) //nolint:bodyclose // read from memory
		if err != nil {
			return nil, true
		}
		if resp.StatusCode/100 == 1 && resp.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		from := io.Reader(resp.Body)
		if strings.EqualFold(strings.Join(resp.Header["Content-Encoding"], ","), "gzip") {
			z, err := gzip.NewReader(from)
			if err != nil {
				return nil, !errors.Is(err, io.ErrUnexpectedEOF)
			}
			from = z
		}
		body, err = io.ReadAll(from)
		return body, !errors.Is(err, io.ErrUnexpectedEOF)
	}
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}
