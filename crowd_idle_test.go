package ratmom_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// soonEnough is before the time after which more connections are tried, and many times what
// it takes to find one that is free.
const soonEnough = 800 * time.Millisecond

func TestRequest_over_a_connection_that_is_free_does_not_wait_for_one_that_is_being_made(t *testing.T) {
	for name, others := range map[string]config.RequestOption{
		"of requests with other options": config.ConnectTimeout(20 * time.Second),
		"of requests that do not wait":   config.PipeWait(false),
	} {
		t.Run(name, func(t *testing.T) {
			const most = 10
			gate, hung := testserver.NewGate(), testserver.NewGate()
			s := testserver.StartFunc(t, testserver.H2, func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/hold" {
					_ = gate.Wait(r.Context())
				}
			}, streams(most), hangFrom(2, hung))
			client := newTestClient(t, config.CAFile(s.CAFile))
			send := sender(t, client, s.URL)
			together(t, client, s.URL, 1, others)
			var holding []*ratmom.Future
			for range most {
				holding = append(holding, send("/hold", others))
			}
			require.True(t, gate.WaitArrived(most, 10*time.Second))
			send("") // makes a connection, for ever
			require.True(t, hung.WaitArrived(1, 10*time.Second))
			waits := send("")
			free := time.Now()
			gate.Open()
			for _, f := range holding {
				require.NoError(t, discard(t, f))
			}
			require.NoError(t, discard(t, waits))
			require.NoError(t, discard(t, send("")))
			require.Less(t, time.Since(free), soonEnough)
		})
	}
}

func TestRequests_go_to_a_connection_that_another_has_made_for_itself_meanwhile(t *testing.T) {
	gate, hung := testserver.NewGate(), testserver.NewGate()
	s := testserver.StartFunc(t, testserver.H2, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			_ = gate.Wait(r.Context())
		}
	}, hangAt(1, hung))
	client := newTestClient(t, config.CAFile(s.CAFile))
	send := sender(t, client, s.URL)
	send("") // makes a connection, for ever
	require.True(t, hung.WaitArrived(1, 10*time.Second))
	wait := []*ratmom.Future{send(""), send("")}
	free := time.Now()
	holds := send("/hold", config.PipeWait(false))
	require.True(t, gate.WaitArrived(1, 10*time.Second))
	for _, f := range append(wait, send("")) {
		require.NoError(t, discard(t, f))
	}
	require.Less(t, time.Since(free), soonEnough)
	gate.Open()
	require.NoError(t, discard(t, holds))
}
