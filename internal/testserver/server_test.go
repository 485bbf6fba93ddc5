package testserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const soon = 5 * time.Second

// fetched is a response whose body has been read and closed.
type fetched struct{ *http.Response }

func get(t *testing.T, c *http.Client, url string) (fetched, string) {
	t.Helper()
	resp, err := c.Get(url)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return fetched{resp}, string(body)
}

func TestStart_serves_each_mode_in_its_protocol(t *testing.T) {
	Modes(t, func(t *testing.T, mode Mode) {
		s := StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			assert.Zero(t, ConnNumber(r))
			assert.Equal(t, mode.TLS(), r.TLS != nil)
			_, _ = io.WriteString(w, r.Proto)
		})
		client := s.Client()
		for range 3 {
			resp, body := get(t, client, s.URL)
			assert.Equal(t, mode.Proto(), body)
			assert.Equal(t, mode.Proto(), resp.Proto)
		}
		assert.Equal(t, 1, s.Accepted())
		assert.Equal(t, 1, s.Open())
		client.CloseIdleConnections()
		assert.True(t, s.WaitClosed(soon))
	})
}

func TestStart_ends_handlers_that_wait_for_their_context(t *testing.T) {
	Modes(t, func(t *testing.T, mode Mode) {
		arrived := make(chan struct{})
		s := StartFunc(t, mode, func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
		})
		failed := make(chan error, 1)
		client := s.Client()
		go func() {
			resp, err := client.Post(s.URL, "", strings.NewReader("a body that nobody reads"))
			if err == nil {
				_ = resp.Body.Close()
			}
			failed <- err
		}()
		<-arrived
		s.Close()
		assert.Error(t, <-failed)
	})
}

func TestStart_listens_where_it_is_told(t *testing.T) {
	t.Run("on a Unix socket", func(t *testing.T) {
		s := Start(t, H1, Blob(10), OnUnix())
		resp, body := get(t, s.Client(), s.URL)
		assert.Equal(t, "localhost", resp.Request.URL.Host)
		assert.Len(t, body, 10)
	})
	t.Run("on IPv6", func(t *testing.T) {
		s := Start(t, HTTPS1, Blob(10), OnIPv6())
		assert.Contains(t, s.URL, "https://[::1]:")
		get(t, s.Client(), s.URL)
		assert.True(t, s.AddrPort().Addr().Is6())
		assert.NotZero(t, s.Port())
	})
}

func TestCertificates_are_refused_for_the_right_reason(t *testing.T) {
	a := LocalAuthority(t)
	for name, c := range map[string]struct {
		cert *Certificate
		want string
	}{
		"good":          {a.Localhost(t), ""},
		"expired":       {a.Expired(t), "expired"},
		"wrong host":    {a.WrongHost(t), "wrong.host.test"},
		"other signing": {NewAuthority(t).Localhost(t), "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Start(t, H2, Blob(1), WithCertificate(c.cert))
			resp, err := s.Client().Get(strings.Replace(s.URL, "127.0.0.1", "localhost", 1))
			if c.want == "" {
				require.NoError(t, err)
				assert.NoError(t, resp.Body.Close())
				return
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestServers_may_ask_for_client_certificates(t *testing.T) {
	a := LocalAuthority(t)
	s := StartFunc(t, HTTPS1, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}, WithClientCertificates(a))
	client := s.Client()
	resp, err := client.Get(s.URL)
	if err == nil {
		_ = resp.Body.Close()
	}
	require.Error(t, err)

	cert, key := a.Client(t, "alice").Files(t)
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{pair}
	_, body := get(t, client, s.URL)
	assert.Equal(t, "alice", body)
}

func TestServers_may_speak_old_TLS_alone(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		s := Start(t, HTTPS1, Blob(1), WithTLSVersions(version, version))
		resp, err := s.Client().Get(s.URL)
		if err == nil {
			_ = resp.Body.Close()
		}
		require.ErrorContains(t, err, "protocol version")

		client := s.Client()
		client.Transport.(*http.Transport).TLSClientConfig.MinVersion = version
		old, _ := get(t, client, s.URL)
		assert.Equal(t, version, old.TLS.Version)
	}
}

func TestConnections_can_be_ended_by_the_server(t *testing.T) {
	for name, end := range map[string]func(*Connections){
		"closed": (*Connections).CloseConnections, "reset": (*Connections).ResetConnections,
	} {
		t.Run(name, func(t *testing.T) {
			s := Start(t, H1, Drip(NewGate()))
			resp, err := s.Client().Get(s.URL)
			require.NoError(t, err)
			defer func() { _ = resp.Body.Close() }()
			require.Equal(t, 1, s.Open())
			end(s.Connections)
			_, err = io.ReadAll(resp.Body)
			require.Error(t, err)
			assert.Equal(t, name == "reset", strings.Contains(err.Error(), "reset"), "%v", err)
			assert.True(t, s.WaitClosed(soon))
		})
	}
}

func TestHandlers_do_what_they_say(t *testing.T) {
	Modes(t, func(t *testing.T, mode Mode) {
		t.Run("Blob", func(t *testing.T) {
			s := Start(t, mode, Blob(1_000_003))
			resp, body := get(t, s.Client(), s.URL)
			assert.EqualValues(t, 1_000_003, resp.ContentLength)
			n, err := CheckPattern(strings.NewReader(body))
			assert.NoError(t, err)
			assert.EqualValues(t, 1_000_003, n)
		})
		t.Run("Echo", func(t *testing.T) {
			s := Start(t, mode, Echo())
			resp, err := s.Client().Post(s.URL, "text/plain", Pattern(200_000))
			require.NoError(t, err)
			n, err := CheckPattern(resp.Body)
			assert.NoError(t, err)
			assert.EqualValues(t, 200_000, n)
			assert.NoError(t, resp.Body.Close())
			assert.Equal(t, "text/plain", resp.Header.Get("Content-Type"))
			assert.Equal(t, "POST", resp.Header.Get("X-Method"))
		})
		t.Run("Sink", func(t *testing.T) {
			s := Start(t, mode, Sink())
			for body, want := range map[io.Reader]string{Pattern(77_777): "77777", strings.NewReader("x"): "not the pattern"} {
				resp, err := s.Client().Post(s.URL, "", body)
				require.NoError(t, err)
				said, err := io.ReadAll(resp.Body)
				assert.NoError(t, err)
				assert.NoError(t, resp.Body.Close())
				assert.Contains(t, string(said), want)
			}
		})
		t.Run("Drip", func(t *testing.T) {
			gate := NewGate()
			s := Start(t, mode, Drip(gate, "one", "two"))
			resp, err := s.Client().Get(s.URL)
			require.NoError(t, err)
			defer func() { _ = resp.Body.Close() }()
			b := make([]byte, 10)
			gate.Let(1)
			n, err := resp.Body.Read(b)
			require.NoError(t, err)
			assert.Equal(t, "one", string(b[:n]))
			require.True(t, gate.WaitArrived(2, soon))
			gate.Open()
			rest, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, "two", string(rest))
		})
		t.Run("Hold and SlowSink", func(t *testing.T) {
			gate := NewGate()
			s := Start(t, mode, Hold(gate, SlowSink(gate, 1000)))
			gate.Let(2) // the answer, and a first piece
			go func() {
				if gate.WaitArrived(3, soon) {
					gate.Open()
				}
			}()
			resp, err := s.Client().Post(s.URL, "", bytes.NewReader(patternBlock[:5000]))
			require.NoError(t, err)
			said, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.NoError(t, resp.Body.Close())
			assert.Equal(t, "5000", string(said))
		})
		t.Run("Silence", func(t *testing.T) {
			s := Start(t, mode, Silence())
			ctx, cancel := context.WithCancel(t.Context())
			req, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
			require.NoError(t, err)
			time.AfterFunc(20*time.Millisecond, cancel)
			resp, err := s.Client().Do(req)
			if err == nil {
				_ = resp.Body.Close()
			}
			assert.ErrorIs(t, err, context.Canceled)
		})
	})
}

func TestPattern_catches_what_is_lost_doubled_or_changed(t *testing.T) {
	whole, err := io.ReadAll(Pattern(300_000))
	require.NoError(t, err)
	n, err := CheckPattern(bytes.NewReader(whole))
	require.NoError(t, err)
	require.EqualValues(t, 300_000, n)

	p := Pattern(300_000)
	at, err := p.Seek(-100, io.SeekEnd)
	require.NoError(t, err)
	require.EqualValues(t, 299_900, at)
	tail, err := io.ReadAll(p)
	require.NoError(t, err)
	assert.Equal(t, whole[299_900:], tail)

	for _, bad := range [][]byte{
		append(bytes.Clone(whole[:65536]), whole[131072:]...),
		append(bytes.Clone(whole[:100]), whole...),
		append(append(bytes.Clone(whole[:200_000]), 'x'), whole[200_001:]...),
	} {
		_, err := CheckPattern(bytes.NewReader(bad))
		assert.Error(t, err)
	}
}

// One that net/http has read from a connection that Close has closed since.
func TestServer_begins_no_request_after_its_end(t *testing.T) {
	s := StartFunc(t, H1, func(http.ResponseWriter, *http.Request) { assert.Fail(t, "begun") })
	s.Close()
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
		s.http.Handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	})
}
