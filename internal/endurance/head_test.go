package endurance

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestSend_returns_with_the_head_when_no_body_follows(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		gate := testserver.NewGate()
		s := testserver.Start(t, mode, testserver.Drip(gate))
		c := clientFor(t, mode, s.CAFile)
		ctx, cancel := context.WithCancel(patient(t))
		defer cancel()

		start := time.Now()
		resp, err := c.Send(request(t, ctx, "GET", s.URL))
		require.NoError(t, err)
		within(t, "the head", 100*time.Millisecond, time.Since(start))
		require.Equal(t, 200, resp.StatusCode)

		// The body waits for the server, and for nobody else.
		read := make(chan error, 1)
		go func() {
			_, err := resp.Body.Read(make([]byte, 1))
			read <- err
		}()
		select {
		case err := <-read:
			t.Fatalf("Read returned before the server sent anything: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		cancel()
		err = <-read
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, ratmom.ErrCanceled)
		require.NoError(t, resp.Body.Close())
	})
}

func TestSend_returns_with_the_head_of_a_bare_script(t *testing.T) {
	for _, tls := range []bool{false, true} {
		var options []testserver.Option
		if tls {
			options = append(options, testserver.WithTLS())
		}
		s := testserver.Raw(t, testserver.HeadThenNothing(), options...)
		c := clientFor(t, testserver.HTTPS1, s.CAFile)
		start := time.Now()
		resp, err := c.Send(request(t, patient(t), "GET", s.URL))
		require.NoError(t, err)
		within(t, "the head", 100*time.Millisecond, time.Since(start))
		require.NoError(t, resp.Body.Close())
		// A body that was closed says so.
		_, err = resp.Body.Read(make([]byte, 1))
		require.Error(t, err)
		require.False(t, errors.Is(err, context.Canceled))
	}
}
