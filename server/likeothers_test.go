package server

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wrapping is a listener whose connections somebody has wrapped.
type wrapping struct {
	net.Listener
	wrap func(net.Conn) net.Conn
}

func (l *wrapping) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.wrap(nc), nil
}

type mute struct {
	net.Conn
	known chan struct{}
}

func (m *mute) RemoteAddr() net.Addr {
	<-m.known
	return m.Conn.RemoteAddr()
}

// Behind a PROXY protocol the address may come late.
func TestServe_accepts_while_an_address_is_not_known(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	known := make(chan struct{})
	first := true
	serveOn(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })},
		&wrapping{l, func(nc net.Conn) net.Conn {
			if first {
				first = false
				return &mute{nc, known}
			}
			return nc
		}})
	late, soon := dial(t, l.Addr().String()), dial(t, l.Addr().String())
	soon.send(get1("/"))
	assert.Equal(t, soon.LocalAddr().String(), soon.body("GET"))
	close(known)
	late.send(get1("/"))
	assert.Equal(t, late.LocalAddr().String(), late.body("GET"))
}

type secured struct{ net.Conn }

func (secured) ConnectionState() tls.ConnectionState {
	return tls.ConnectionState{ServerName: "a.example"}
}

func TestRequest_has_the_TLS_of_a_connection_that_is_wrapped(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serveOn(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if assert.NotNil(t, r.TLS) {
			_, _ = io.WriteString(w, r.TLS.ServerName)
		}
	})}, &wrapping{l, func(nc net.Conn) net.Conn { return secured{nc} }})
	c := dial(t, l.Addr().String())
	c.send(get1("/"))
	assert.Equal(t, "a.example", c.body("GET"))
}

// Without it the client could not undo the coding.
func TestServer_names_a_handlers_own_transfer_coding(t *testing.T) {
	for coding, want := range map[string]string{"gzip": "gzip, chunked", "chunked": "chunked", "gzip, chunked": "chunked"} {
		addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Transfer-Encoding", coding)
			_, _ = io.WriteString(w, "x")
		})})
		got := talk(t, addr, "GET / HTTP/1.1\r\n"+host+"Connection: close\r\n\r\n")
		var codings []string
		for line := range strings.SplitSeq(got, "\r\n") {
			if c, ok := strings.CutPrefix(line, "Transfer-Encoding: "); ok {
				codings = append(codings, c)
			}
		}
		assert.Equal(t, want, strings.Join(codings, ", "), coding)
	}
}

// Old handlers call it again, and with what is no status.
func TestWriteHeader_does_not_panic_where_it_does_nothing(t *testing.T) {
	addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		assert.PanicsWithValue(t, "invalid WriteHeader code 0", func() { w.WriteHeader(0) })
		_, _ = io.WriteString(w, "x")
		w.WriteHeader(0)
	})})
	assert.True(t, strings.HasSuffix(talk(t, addr, "GET / HTTP/1.0\r\n\r\n"), "x"))
}
