package parity

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestFix_durations_round_up_and_never_become_off(t *testing.T) {
	s := testserver.Raw(t, testserver.Silent())
	c := newClient(t)
	for name, opt := range map[string]config.RequestOption{
		"Timeout":             config.Timeout(1),
		"ResponseHeadTimeout": config.ResponseHeadTimeout(1),
	} {
		err := failed(t, c, newRequest(t, "GET", s.URL, nil), opt)
		assert.ErrorIs(t, err, ratmom.ErrTimeout, name)
	}
	t.Run("connecting", func(t *testing.T) {
		// An address that nobody answers for (RFC 5737); some networks refuse it.
		err := failed(t, c, newRequest(t, "GET", "http://"+testserver.Unanswering(t)+"/", nil), config.ConnectTimeout(1), config.Timeout(soon))
		assert.True(t, errors.Is(err, ratmom.ErrTimeout) || errors.Is(err, ratmom.ErrConnect), "%v", err)
	})
	t.Run("waiting for 100 Continue", func(t *testing.T) {
		s := testserver.Raw(t, testserver.IgnoreExpect(testserver.OK("")))
		send(t, c, newRequest(t, "POST", s.URL, unknownLength{strings.NewReader("hello")}), config.ExpectContinue(1))
		assert.Equal(t, "100-continue", s.Request().Get("Expect"))
	})
}

func TestFix_negative_durations_are_refused(t *testing.T) {
	for name, opt := range map[string]config.ClientOption{
		"Timeout": config.Timeout(-1), "ConnectTimeout": config.ConnectTimeout(-1), "ResponseHeadTimeout": config.ResponseHeadTimeout(-1),
		"IdleReadTimeout": config.IdleReadTimeout(-1), "LowSpeed": config.LowSpeed(1, -1), "ExpectContinue": config.ExpectContinue(-1),
		"TCPKeepAlive": config.TCPKeepAlive(-1, time.Second), "DNSCacheTimeout": config.DNSCacheTimeout(-1),
		"IdleConnectionAge": config.IdleConnectionAge(-1), "ConnectionLifetime": config.ConnectionLifetime(-1),
	} {
		c, err := ratmom.New(opt)
		if err == nil {
			_ = c.Close()
		}
		require.ErrorIs(t, err, ratmom.ErrInvalidOption, name)
		assert.Contains(t, err.Error(), name)
		assert.Contains(t, err.Error(), "negative")
	}
}

func TestFix_a_late_word_never_reaches_another_request(t *testing.T) {
	// Requests come and go in the same places while others are cancelled, paused and
	// resumed: each gets its own answer.
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat(r.URL.Path, 20_000)))
		})
		c := modeClient(t, s, config.BodyBuffer(1<<10))
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				for j := range 20 {
					path := fmt.Sprintf("/%02d-%02d", i, j)
					f := c.SendAsync(newRequest(t, "GET", s.URL+path, nil))
					if j%3 == 0 {
						f.Cancel()
					}
					resp, err := f.Result()
					if err != nil {
						assert.True(t, j%3 == 0 && errors.Is(err, ratmom.ErrCanceled), "%v", err)
						continue
					}
					if j%4 == 1 {
						_, _ = resp.Body.Read(make([]byte, 1000))
						f.Cancel()
						_ = resp.Body.Close()
						continue
					}
					b, err := resp.Bytes()
					if j%3 == 0 && err != nil {
						assert.ErrorIs(t, err, ratmom.ErrCanceled)
						continue
					}
					assert.NoError(t, err)
					assert.Len(t, string(b[:min(len(b), 10)]), 10)
					assert.Equal(t, 20_000*len(path), len(b))
					assert.Equal(t, 20_000, strings.Count(string(b), path), "%s: %.30q", path, b)
				}
			})
		}
		all.Wait()
		assert.Zero(t, c.Stats().Requests)
	})
}

func TestFix_an_idle_agent_closes_what_the_server_has_closed(t *testing.T) {
	for name, end := range map[string]func(*testserver.Endpoint){
		"by a close": func(e *testserver.Endpoint) { e.CloseConnections() },
		"by a reset": func(e *testserver.Endpoint) { e.ResetConnections() },
	} {
		t.Run(name, func(t *testing.T) {
			testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
				s := testserver.StartFunc(t, mode, func(http.ResponseWriter, *http.Request) {})
				c := modeClient(t, s)
				resp, _ := get(t, c, s.URL)
				held := testserver.FDs()
				end(s.Endpoint)
				closed(t, s.Endpoint)
				// No request is made, and yet our end does not stay half closed.
				for deadline := after(soon); halfClosed(t, resp.LocalAddr().Port()); runtime.Gosched() {
					select {
					case <-deadline:
						require.FailNow(t, "the connection is still there on our side")
					default:
					}
				}
				again, _ := get(t, c, s.URL)
				assert.NotEqual(t, resp.LocalAddr(), again.LocalAddr())
				assert.LessOrEqual(t, testserver.FDs(), held, "the old connection is gone")
			}, testserver.H1, testserver.HTTPS1, testserver.H2)
		})
	}
}

// halfClosed reports whether the TCP connection from a local port was closed by its
// other end and not by ours: CLOSE_WAIT in the kernel's table.
func halfClosed(t *testing.T, port uint16) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/self/net/tcp")
	require.NoError(t, err)
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) > 3 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && f[3] == "08" {
			return true
		}
	}
	return false
}

func TestFix_an_unsolicited_answer_goes_to_nobody(t *testing.T) {
	idle := make(chan struct{})
	s := testserver.Raw(t, testserver.PerConnection(testserver.Unsolicited(idle), testserver.Answer(testserver.OK("mine"))))
	c := newClient(t)
	get(t, c, s.URL)
	close(idle)
	// An answer that crosses a request on its way is nobody's fault; this one is
	// there before, and costs the connection.
	require.True(t, s.WaitClosed(soon))
	for range 20 {
		resp, _ := get(t, c, s.URL)
		require.Equal(t, 200, resp.StatusCode)
	}
}

func TestFix_proxy_TLS_is_verified_by_default(t *testing.T) {
	m := testserver.MockReply(t, testserver.Text(200, "ok"))
	p := testserver.Squid(t, testserver.NoAuth)
	c := newClient(t, config.Proxy(p.TLSURL))
	err := failed(t, c, newRequest(t, "GET", m.URL, nil))
	assert.ErrorIs(t, err, ratmom.ErrCertificateVerification)
	assert.Empty(t, m.Requests())

	_, text := get(t, newClient(t, config.Proxy(p.TLSURL)), m.URL, config.CAFile(p.CAFile))
	assert.Equal(t, "ok", text)
	_, text = get(t, c, m.URL, config.CAFile(p.CAFile))
	assert.Equal(t, "ok", text)
	_, text = get(t, c, m.URL, config.CABytes(p.CAPEM))
	assert.Equal(t, "ok", text)
	// What is said of servers is not said of proxies.
	err = failed(t, c, newRequest(t, "GET", m.URL, nil), config.DangerAcceptInvalidCertificates(true), config.FreshConnection())
	assert.ErrorIs(t, err, ratmom.ErrCertificateVerification)

	t.Run("for its name too", func(t *testing.T) {
		wrong := testserver.NewMock(t, empty, testserver.WithCertificate(testserver.LocalAuthority(t).WrongHost(t)))
		err := failed(t, newClient(t, config.CAFile(wrong.CAFile), config.Proxy(wrong.URL)), newRequest(t, "GET", m.URL, nil))
		assert.ErrorIs(t, err, ratmom.ErrCertificateVerification)
		assert.Empty(t, wrong.Requests())
	})
}

// libcurl 8.14 lets requests that hope to share a connection wait for the first
// response on it, although the handshake has told that it is HTTP/1.1.
func TestFix_requests_beside_a_silent_one_on_a_new_connection_do_not_wait_for_it(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/silent" {
				<-r.Context().Done()
			}
		})
		c := modeClient(t, s)
		silent := c.SendAsync(newRequest(t, "GET", s.URL+"/silent", nil))
		var others []*ratmom.Future // sent while there is no connection yet
		for range 10 {
			others = append(others, c.SendAsync(newRequest(t, "GET", s.URL, nil)))
		}
		for _, f := range others {
			done(t, f.Done(), "a request beside the silent one")
			resp, err := f.Result()
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
		}
		silent.Cancel()
	})
}

// A handle that is used again for another URL must not go to the one before.
func TestFix_a_handle_goes_where_each_request_says(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RequestURI) })
		c := modeClient(t, s)
		for _, target := range strings.Fields("/a /a /a /b /a /a /b?q=1 /b?q=1 /b?q=1 /c%20d /a /c%20d /c%20d / /a /?x /?x") {
			resp, got := get(t, c, s.URL+target)
			require.Equal(t, target, got)
			require.Equal(t, s.URL+target, resp.EffectiveURL.String())
		}
	})
}

// A second round, of authentication here, that needs a new connection waits for no
// other request's response either.
func TestFix_a_second_round_beside_a_silent_request_does_not_wait_for_it(t *testing.T) {
	came, second := make(chan struct{}), make(chan struct{})
	var handshakes atomic.Int32
	s := testserver.StartFunc(t, testserver.HTTPS1, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/silent":
			<-r.Context().Done()
		case r.Header.Get("Authorization") == "":
			close(came)
			<-second
			w.Header().Set("WWW-Authenticate", `Digest realm="x", nonce="abc", qop="auth", algorithm=MD5`)
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusUnauthorized)
		}
	}, testserver.WithTLSConfig(func(c *tls.Config) {
		c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			if handshakes.Add(1) == 2 { // a slow one: the 401 comes meanwhile
				close(second)
				<-after(300 * time.Millisecond)
			}
			return nil, nil
		}
	}))
	c := modeClient(t, s, config.DigestAuth("user", "password"))
	first := c.SendAsync(newRequest(t, "GET", s.URL, nil))
	done(t, came, "the first round")
	silent := c.SendAsync(newRequest(t, "GET", s.URL+"/silent", nil))
	done(t, first.Done(), "the second round")
	resp, err := first.Result()
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)
	require.NoError(t, resp.Discard())
	silent.Cancel()
}
