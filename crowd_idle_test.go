package ratmom_test

import (
	"crypto/tls"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestRequest_over_a_connection_that_is_free_does_not_wait_for_one_that_is_being_made(t *testing.T) {
	for name, others := range map[string]config.RequestOption{
		"of requests with other options": config.ConnectTimeout(20 * time.Second),
		"of requests that do not wait":   config.PipeWait(false),
	} {
		t.Run(name, func(t *testing.T) {
			const most = 10
			var made atomic.Int64
			gate := testserver.NewGate()
			s := testserver.StartFunc(t, testserver.H2, func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/hold" {
					_ = gate.Wait(r.Context())
				}
			}, streams(most), testserver.WithTLSConfig(func(c *tls.Config) {
				c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
					if made.Add(1) > 1 {
						<-hello.Context().Done()
					}
					return nil, nil
				}
			}))
			client := newTestClient(t, config.CAFile(s.CAFile))
			send := func(path string, options ...config.RequestOption) *ratmom.Future {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
				require.NoError(t, err)
				return client.SendAsync(req, options...)
			}
			together(t, client, s.URL, 1, others)
			var holding []*ratmom.Future
			for range most {
				holding = append(holding, send("/hold", others))
			}
			require.True(t, gate.WaitArrived(most, 10*time.Second))
			send("") // makes a connection, for ever
			require.True(t, s.WaitAccepted(2, 10*time.Second))
			waits := send("")
			gate.Open()
			for _, f := range holding {
				resp, err := f.Result()
				require.NoError(t, err)
				require.NoError(t, resp.Discard())
			}
			for _, f := range []*ratmom.Future{waits, send("")} {
				select {
				case <-f.Done():
					resp, err := f.Result()
					require.NoError(t, err)
					require.NoError(t, resp.Discard())
				case <-time.After(5 * time.Second):
					require.Fail(t, "it waits")
				}
			}
		})
	}
}

func TestRequests_go_to_a_connection_that_another_has_made_for_itself_meanwhile(t *testing.T) {
	var made atomic.Int64
	first := make(chan struct{})
	gate := testserver.NewGate()
	s := testserver.StartFunc(t, testserver.H2, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			_ = gate.Wait(r.Context())
		}
	}, testserver.WithTLSConfig(func(c *tls.Config) {
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if made.Add(1) == 1 {
				close(first)
				<-hello.Context().Done()
			}
			return nil, nil
		}
	}))
	client := newTestClient(t, config.CAFile(s.CAFile))
	send := func(path string, options ...config.RequestOption) *ratmom.Future {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
		require.NoError(t, err)
		return client.SendAsync(req, options...)
	}
	send("") // makes a connection, for ever
	<-first
	wait := []*ratmom.Future{send(""), send("")}
	holds := send("/hold", config.PipeWait(false))
	require.True(t, gate.WaitArrived(1, 10*time.Second))
	for _, f := range append(wait, send("")) {
		select {
		case <-f.Done():
			resp, err := f.Result()
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
		case <-time.After(5 * time.Second):
			require.Fail(t, "it waits")
		}
	}
	gate.Open()
	resp, err := holds.Result()
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
}
