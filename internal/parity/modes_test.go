package parity

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// modeOptions are what a client needs for a server of a mode.
func modeOptions(mode testserver.Mode, e *testserver.Endpoint) []config.ClientOption {
	var opts []config.ClientOption
	if mode.TLS() {
		opts = append(opts, config.CAFile(e.CAFile))
	}
	if mode == testserver.H2C {
		opts = append(opts, config.HTTPVersion(config.HTTP2PriorKnowledge))
	}
	return opts
}

// modeClient makes a client for a server of a mode.
func modeClient(t testing.TB, s *testserver.Server, opts ...config.ClientOption) *ratmom.Client {
	t.Helper()
	return newClient(t, append(modeOptions(s.Mode, s.Endpoint), opts...)...)
}

// after is closed when d is over.
func after(d time.Duration) <-chan struct{} {
	c := make(chan struct{})
	time.AfterFunc(d, func() { close(c) })
	return c
}

// later sends req on a goroutine of its own and gives how it ended.
func later(t testing.TB, c *ratmom.Client, req *http.Request, opts ...config.RequestOption) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		resp, err := c.Send(req, opts...)
		if err == nil {
			err = resp.Discard()
		}
		ended <- err
	}()
	return ended
}

// closed waits until every connection of a server is closed.
func closed(t testing.TB, e *testserver.Endpoint) {
	t.Helper()
	require.True(t, e.WaitClosed(soon), "the connection should be closed")
}
