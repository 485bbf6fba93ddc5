package dialling

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestDial_is_called_once_per_connection_and_never_when_one_is_used_again(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		kinds(t, func(t *testing.T, dial dialFunc) {
			s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto, " ", r.Host) })
			d := &counted{dial: dial}
			c := newClient(t, append(trust(s), d.option())...)
			for range 5 {
				resp, err := c.Send(request(t, http.MethodGet, s.URL))
				require.NoError(t, err)
				text, err := resp.Text()
				require.NoError(t, err)
				assert.Equal(t, mode.Proto()+" "+s.Addr, text)
				assert.True(t, resp.LocalAddr().IsValid())
				assert.Equal(t, s.AddrPort(), resp.RemoteAddr())
			}
			assert.EqualValues(t, 1, d.calls.Load())
			assert.Equal(t, 1, s.Accepted())
		})
	})
}

func TestDial_is_called_as_often_as_the_server_sees_connections(t *testing.T) {
	const requests = 1000
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		kinds(t, func(t *testing.T, dial dialFunc) {
			s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) })
			d := &counted{dial: dial}
			c := newClient(t, append(trust(s), d.option(), config.MaxConnectionsPerHost(50),
				config.ConnectionCacheSize(100))...) // or libcurl closes some when few requests are left
			var all sync.WaitGroup
			for i := range requests {
				all.Go(func() {
					path := fmt.Sprintf("/%d", i)
					resp, err := c.Send(request(t, http.MethodGet, s.URL+path))
					if !assert.NoError(t, err) {
						return
					}
					text, err := resp.Text()
					assert.NoError(t, err)
					assert.Equal(t, path, text)
				})
			}
			all.Wait()
			assert.EqualValues(t, s.Accepted(), d.calls.Load())
			assert.LessOrEqual(t, s.Accepted(), 50)
			if mode == testserver.H2 { // in clear text they do not wait for the first
				assert.LessOrEqual(t, s.Accepted(), 1+requests/100)
			}
		})
	})
}

func TestDial_carries_large_bodies_both_ways(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		kinds(t, func(t *testing.T, dial dialFunc) {
			s := testserver.Start(t, mode, testserver.Echo())
			c := newClient(t, append(trust(s), config.DialContext(dial))...)
			body := make([]byte, 5<<20)
			_, _ = rand.Read(body)
			for range 2 {
				req := request(t, http.MethodPost, s.URL)
				req.Body = io.NopCloser(bytes.NewReader(body))
				resp, err := c.Send(req)
				require.NoError(t, err)
				got, err := resp.Bytes()
				require.NoError(t, err)
				assert.True(t, bytes.Equal(body, got))
			}
		})
	})
}

func TestDial_is_told_the_address_and_no_name_is_looked_up(t *testing.T) {
	s := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) })
	asked := make(chan string, 1)
	c := newClient(t, config.DialContext(func(ctx context.Context, network, address string) (net.Conn, error) {
		asked <- network + " " + address
		return direct(ctx, "tcp", s.Addr)
	}))
	for _, x := range []struct {
		url, address, host string
		opts               []config.RequestOption
	}{
		{"http://no.such.host.invalid/", "tcp no.such.host.invalid:80", "no.such.host.invalid", nil},
		{"http://no.such.host.invalid:81/", "tcp no.such.host.invalid:81", "no.such.host.invalid:81", nil},
		{"http://bücher.invalid/", "tcp xn--bcher-kva.invalid:80", "xn--bcher-kva.invalid", nil},
		{"http://[::1]:82/", "tcp [::1]:82", "[::1]:82", nil},
		{"http://[fe80::1%25eth0]/", "tcp [fe80::1%eth0]:80", "[fe80::1]", nil},
		{"http://a.invalid/", "tcp b.invalid:83", "a.invalid", []config.RequestOption{config.ConnectTo(map[string]string{"a.invalid:80": "b.invalid:83", "": "c.invalid:1"})}},
		{"http://d.invalid/", "tcp [::2]:80", "d.invalid", []config.RequestOption{config.ConnectTo(map[string]string{"": "[::2]:"})}},
	} {
		assert.Equal(t, x.host, get(t, c, x.url, x.opts...), x.url)
		assert.Equal(t, x.address, done(t, asked, x.url))
	}
}

func TestDial_leaves_the_certificate_to_the_host_of_the_URL(t *testing.T) {
	s := testserver.Start(t, testserver.HTTPS1, testserver.Blob(5))
	c := newClient(t, config.CAFile(s.CAFile), config.DialContext(func(ctx context.Context, _, _ string) (net.Conn, error) {
		return direct(ctx, "tcp", s.Addr)
	}))
	get(t, c, "https://localhost/")
	_, err := c.Send(request(t, http.MethodGet, "https://elsewhere.invalid/"))
	assert.ErrorIs(t, err, ratmom.ErrCertificateVerification)
}

func TestDial_connections_are_used_under_the_same_option_only(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, testserver.ConnNumber(r)) })
		one, two := config.DialContext(direct), config.DialContext(direct)
		c := newClient(t, append(trust(s), one)...)
		assert.Equal(t, "0", get(t, c, s.URL))
		assert.Equal(t, "1", get(t, c, s.URL, two))
		assert.Equal(t, "2", get(t, c, s.URL, config.DialContext(nil)))
		assert.Equal(t, "0", get(t, c, s.URL))
		assert.Equal(t, "1", get(t, c, s.URL, two))
		assert.Equal(t, "2", get(t, c, s.URL, config.DialContext(nil)))
	})
}

func TestDial_keeps_origins_apart(t *testing.T) {
	s := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, testserver.ConnNumber(r), r.Host) })
	c := newClient(t, config.DialContext(func(ctx context.Context, _, _ string) (net.Conn, error) { return direct(ctx, "tcp", s.Addr) }))
	for range 2 {
		assert.Equal(t, "0a.invalid", get(t, c, "http://a.invalid"))
		assert.Equal(t, "1b.invalid", get(t, c, "http://b.invalid"))
		assert.Equal(t, "2a.invalid:81", get(t, c, "http://a.invalid:81"))
	}
}

func TestDial_goes_on_after_a_redirect_to_another_origin(t *testing.T) {
	s := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "a.invalid" {
			http.Redirect(w, r, "http://b.invalid/", http.StatusFound)
			return
		}
		_, _, ok := r.BasicAuth()
		fmt.Fprint(w, r.Host, " ", ok)
	})
	c := newClient(t)
	dial := config.DialContext(func(ctx context.Context, _, _ string) (net.Conn, error) { return direct(ctx, "tcp", s.Addr) })
	assert.Equal(t, "b.invalid false", get(t, c, "http://a.invalid/", dial, config.BasicAuth("u", "p")))
}

func TestDial_takes_a_pipe(t *testing.T) {
	l := newPipes()
	server := &http.Server{Handler: testserver.Echo()}
	serving := make(chan error, 1)
	go func() { serving <- server.Serve(l) }()
	defer func() {
		_ = server.Close()
		_ = done(t, serving, "Serve")
	}()
	c := newClient(t, config.DialContext(l.dial))
	for range 3 {
		req := request(t, http.MethodPost, "http://pipe/")
		req.Body = io.NopCloser(strings.NewReader("hello"))
		resp, err := c.Send(req)
		require.NoError(t, err)
		text, err := resp.Text()
		require.NoError(t, err)
		assert.Equal(t, "hello", text)
		assert.False(t, resp.RemoteAddr().IsValid())
	}
	assert.EqualValues(t, 1, l.made.Load())
}

func TestDial_notices_that_an_idle_connection_is_closed(t *testing.T) {
	kinds(t, func(t *testing.T, dial dialFunc) {
		noticed := make(chan error, 1)
		address := listen(t, func(c net.Conn) {
			r := bufio.NewReader(c)
			req, err := http.ReadRequest(r)
			if err != nil {
				noticed <- err
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			_, _ = io.WriteString(c, testserver.OK("hello"))
			_ = c.(*net.TCPConn).CloseWrite()
			_ = c.SetReadDeadline(time.Now().Add(soon))
			_, err = r.ReadByte()
			noticed <- err
		})
		d := &counted{dial: dial}
		c := newClient(t, d.option())
		for i := range 3 {
			// A POST is not sent again when a connection turns out to be dead.
			resp, err := c.Send(request(t, http.MethodPost, "http://"+address))
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
			assert.ErrorIs(t, done(t, noticed, "the end"), io.EOF)
			assert.EqualValues(t, i+1, d.calls.Load())
		}
	})
}

func TestDial_connections_are_closed_with_the_client(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		kinds(t, func(t *testing.T, dial dialFunc) {
			s := testserver.Start(t, mode, testserver.Blob(5))
			c := newClient(t, append(trust(s), config.DialContext(dial))...)
			get(t, c, s.URL)
			c.CloseIdleConnections()
			assert.True(t, s.WaitClosed(soon))
			get(t, c, s.URL)
			_ = c.Close()
			assert.True(t, s.WaitClosed(soon))
		})
	})
}

func TestDial_makes_a_failure_of_a_body_that_breaks_off(t *testing.T) {
	kinds(t, func(t *testing.T, dial dialFunc) {
		received := make(chan struct{})
		s := testserver.Raw(t, testserver.AnswerAndReset("HTTP/1.1 200 OK\r\n\r\nhello", received))
		c := newClient(t, config.DialContext(dial))
		resp, err := c.Send(request(t, http.MethodGet, s.URL))
		require.NoError(t, err)
		b := make([]byte, 5)
		_, err = io.ReadFull(resp.Body, b)
		require.NoError(t, err)
		close(received)
		_, err = resp.Body.Read(b)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF, "the end of the connection is the end of such a body, a reset is not")
		_ = resp.Body.Close()
	})
}

func TestDial_runs_on_several_agents(t *testing.T) {
	s := testserver.Start(t, testserver.H1, testserver.Blob(5))
	d := &counted{dial: hidden}
	c := newClient(t, d.option(), config.Agents(3))
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { get(t, c, s.URL) })
	}
	all.Wait()
	assert.EqualValues(t, s.Accepted(), d.calls.Load())
}

func TestDial_runs_while_other_requests_go_on(t *testing.T) {
	s := testserver.Start(t, testserver.H1, testserver.Blob(5))
	begun, release := make(chan struct{}), make(chan struct{})
	c := newClient(t, config.DialContext(func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, "slow") {
			close(begun)
			<-release
		}
		return direct(ctx, network, s.Addr)
	}))
	f := c.SendAsync(request(t, http.MethodGet, "http://slow.invalid"))
	done(t, begun, "the slow dial")
	for range 3 {
		get(t, c, s.URL)
	}
	close(release)
	resp, err := f.Wait(t.Context())
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
}

func TestDial_has_no_part_in_the_time_to_the_head(t *testing.T) {
	s := testserver.Start(t, testserver.H1, testserver.Blob(5))
	c := newClient(t, config.ResponseHeadTimeout(200*time.Millisecond), config.DialContext(func(ctx context.Context, network, address string) (net.Conn, error) {
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
		}
		return direct(ctx, network, address)
	}))
	get(t, c, s.URL)
	resp, err := c.Send(func() *http.Request {
		req := request(t, http.MethodPost, s.URL)
		req.Body = io.NopCloser(strings.NewReader("x"))
		req.Close = true
		return req
	}())
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
}
