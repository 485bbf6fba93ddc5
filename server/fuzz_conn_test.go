package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// memoryConn gives its input in pieces of a size, and then the end; it keeps what is written.
type memoryConn struct {
	piece  int
	input  *bytes.Reader
	output bytes.Buffer

	dead chan struct{} // closed when nobody works for it any more
}

func (c *memoryConn) Read(p []byte) (int, error)       { return c.input.Read(p[:min(len(p), c.piece)]) }
func (c *memoryConn) Write(p []byte) (int, error)      { return c.output.Write(p) }
func (c *memoryConn) Close() error                     { return nil }
func (c *memoryConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }

// seen describes a request; what came of a body that is cut short does not matter.
func seen(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		body = nil
	}
	return strconv.QuoteToASCII(fmt.Sprint(r.Method, " ", r.RequestURI, " ", r.Host, " ", string(body), " ", err != nil))
}

// readRequests is what net/http makes of the bytes of a client: the requests in their order. Behind one whose
// body is broken there is none.
func readRequests(b []byte) (all []string, methods []string) {
	r := bufio.NewReader(bytes.NewReader(b))
	for {
		if begin, _ := r.Peek(2); string(begin) == "\r\n" {
			_, _ = r.Discard(2)
		}
		req, err := http.ReadRequest(r)
		if err != nil {
			return all, methods
		}
		methods = append(methods, req.Method)
		all = append(all, seen(req))
		if strings.HasSuffix(all[len(all)-1], ` true"`) {
			return all, methods
		}
	}
}

// Whatever a client sends: the handlers see what net/http would have them see, from the first request on, or
// fewer, and the answers come in the order of the requests; there is at most one refusal, and it is the last.
func FuzzServer_runs_what_net_http_would_run_or_less(f *testing.F) {
	l := newPipeListener()
	s := &Server{
		Pipeline: 3, ErrorLog: quiet, DisableGeneralOptionsHandler: true,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Seen", seen(r)) }),
		ConnState: func(nc net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				close(nc.(*memoryConn).dead)
			}
		},
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	f.Cleanup(func() {
		_ = s.Close()
		require.ErrorIs(f, <-ended, http.ErrServerClosed)
	})
	for _, c := range headCases {
		f.Add(uint8(255), []byte(c.text+"5\r\nhello\r\n0\r\n\r\n"+get1("/2")))
		f.Add(uint8(7), []byte(get1("/0")+c.text+get1("/2")))
	}
	for _, c := range bodyCases {
		f.Add(uint8(3), []byte("POST / HTTP/1.1\r\n"+host+"Transfer-Encoding: chunked\r\n\r\n"+c.body+get1("/2")))
	}
	f.Add(uint8(50), []byte("POST / HTTP/1.1\r\n"+host+"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"+"HEAD / HTTP/1.1\r\n"+host+"\r\n"+bye("/")+get1("/2")))
	f.Fuzz(func(t *testing.T, piece uint8, b []byte) {
		c := &memoryConn{piece: 1 + int(piece), input: bytes.NewReader(b), dead: make(chan struct{})}
		l.conns <- c
		<-c.dead

		want, methods := readRequests(b)
		answers := bufio.NewReader(&c.output)
		for i := 0; ; {
			status, err := answers.Peek(len("HTTP/1.1 200"))
			if len(status) == 0 {
				return
			}
			require.NoError(t, err)
			method := http.MethodGet // refusals have a body, whatever was asked
			if i < len(methods) && status[len("HTTP/1.1 ")] == '2' {
				method = methods[i]
			}
			resp, err := http.ReadResponse(answers, &http.Request{Method: method})
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			switch resp.StatusCode {
			case http.StatusContinue:
			case http.StatusOK:
				require.Less(t, i, len(want), "a request that nobody has sent: %s", resp.Header.Get("X-Seen"))
				require.Equal(t, want[i], resp.Header.Get("X-Seen"))
				i++
			default:
				require.GreaterOrEqual(t, resp.StatusCode, 400)
				require.True(t, resp.Close)
				_, err := answers.Peek(1)
				require.ErrorIs(t, err, io.EOF, "an answer behind a refusal")
			}
		}
	})
}
