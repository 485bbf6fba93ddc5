package ratmom_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestConnection_whose_path_is_dead_is_given_no_new_requests_though_one_is_on_it(t *testing.T) {
	gate := make(chan struct{})
	s := testserver.Start(t, testserver.H2, testserver.TellConn(gate))
	client, err := ratmom.New(config.Proxy(""), config.CAFile(s.CAFile))
	require.NoError(t, err)
	defer func() { assert.NoError(t, client.Close()) }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/long", nil)
	require.NoError(t, err)
	long, err := client.Send(req)
	require.NoError(t, err)
	// With this unacknowledged the rest would not be sent.
	number := make([]byte, 1)
	_, err = io.ReadFull(long.Body, number)
	require.NoError(t, err)
	require.Equal(t, "0", string(number))
	require.NoError(t, s.Deafen())

	lost := 0
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, nil)
		require.NoError(t, err)
		resp, err := client.Send(req, config.Timeout(800*time.Millisecond))
		if err != nil {
			require.NoError(t, ctx.Err(), "all go the same way")
			require.ErrorIs(t, err, ratmom.ErrTimeout)
			lost++
			continue
		}
		text, err := resp.Text()
		require.NoError(t, err)
		require.Equal(t, "1", text)
		break
	}
	assert.Positive(t, lost)

	close(gate)
	text, err := long.Text()
	require.NoError(t, err, "the one on it is left alone")
	assert.Empty(t, text)
	require.Eventually(t, func() bool { return !established(t, long.LocalAddr().Port()) }, 30*time.Second, time.Millisecond, "it is hung up after that")
}

func TestConnection_whose_path_comes_back_is_left_to_who_is_on_it_through_all_rounds(t *testing.T) {
	gate, arrived := make(chan struct{}), make(chan struct{}, 1)
	s := testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/patient" && !strings.HasPrefix(r.Header.Get("Authorization"), "Digest ") {
			arrived <- struct{}{}
			<-gate
			w.Header().Set("WWW-Authenticate", `Digest realm="r", nonce="n", qop="auth"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprintf(w, "%d", testserver.ConnNumber(r))
	})
	client, err := ratmom.New(config.Proxy(""), config.CAFile(s.CAFile))
	require.NoError(t, err)
	defer func() { assert.NoError(t, client.Close()) }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	get := func(path string) *http.Request {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
		require.NoError(t, err)
		return req
	}
	first, err := client.Send(get("/"))
	require.NoError(t, err)
	_, err = first.Text()
	require.NoError(t, err)
	type answer struct {
		text string
		err  error
	}
	patient := make(chan answer, 1)
	go func() {
		resp, err := client.Send(get("/patient"), config.DigestAuth("user", "secret"))
		if err != nil {
			patient <- answer{err: err}
			return
		}
		text, err := resp.Text()
		patient <- answer{text, err}
	}()
	<-arrived
	require.NoError(t, s.Deafen())
	for {
		resp, err := client.Send(get("/"), config.Timeout(800*time.Millisecond))
		if err != nil {
			require.ErrorIs(t, err, ratmom.ErrTimeout)
			continue
		}
		text, err := resp.Text()
		require.NoError(t, err)
		require.Equal(t, "1", text, "it goes another way")
		break
	}
	require.NoError(t, s.Hearken())
	close(gate)
	a := <-patient
	require.NoError(t, a.err)
	assert.Equal(t, "0", a.text)
}

// established reports whether a connection with a local port is.
func established(t *testing.T, port uint16) bool {
	t.Helper()
	for _, name := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		table, err := os.ReadFile(name)
		require.NoError(t, err)
		for line := range strings.Lines(string(table)) {
			f := strings.Fields(line)
			if len(f) > 3 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && f[3] == "01" {
				return true
			}
		}
	}
	return false
}
