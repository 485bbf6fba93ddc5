package parity

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestFix_the_future_completes_at_the_end_of_the_head(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		gate := testserver.NewGate()
		s := testserver.Start(t, mode, testserver.Drip(gate))
		c := modeClient(t, s)
		t.Run("of Send", func(t *testing.T) {
			// The gate is shut: not a byte of the body is there.
			resp := open(t, c, newRequest(t, "GET", s.URL, nil))
			assert.Equal(t, 200, resp.StatusCode)
		})
		t.Run("of SendAsync", func(t *testing.T) {
			f := c.SendAsync(newRequest(t, "GET", s.URL, nil))
			done(t, f.Done(), "the head is there")
			resp, err := f.Result()
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		})
		t.Run("within 100 ms", func(t *testing.T) {
			best := soon
			for range 3 {
				start := time.Now()
				resp := open(t, c, newRequest(t, "GET", s.URL, nil))
				best = min(best, time.Since(start))
				require.NoError(t, resp.Body.Close())
			}
			assert.Less(t, best, 100*time.Millisecond)
		})
	})
}

var errMine = errors.New("the caller's own reason")

func TestFix_cancel_ends_a_request_to_a_silent_server(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		gone := make(chan struct{}, 10)
		came := make(chan struct{}, 10)
		s := testserver.StartFunc(t, mode, func(_ http.ResponseWriter, r *http.Request) {
			came <- struct{}{}
			<-r.Context().Done()
			gone <- struct{}{}
		})
		c := modeClient(t, s)

		t.Run("by its context", func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			ended := later(t, c, newRequest(t, "GET", s.URL, nil).WithContext(ctx))
			done(t, came, "the request")
			cancel(errMine)
			err := done(t, ended, "the cancel")
			require.ErrorIs(t, err, ratmom.ErrCanceled)
			require.ErrorIs(t, err, errMine)
			done(t, gone, "the server should see it")
		})
		t.Run("by its future", func(t *testing.T) {
			f := c.SendAsync(newRequest(t, "GET", s.URL, nil))
			done(t, came, "the request")
			f.Cancel()
			done(t, f.Done(), "the cancel")
			_, err := f.Result()
			require.ErrorIs(t, err, ratmom.ErrCanceled)
			require.ErrorIs(t, err, context.Canceled)
			done(t, gone, "the server should see it")
		})
		if !mode.HTTP2() {
			closed(t, s.Endpoint)
		}
	})
}

func TestFix_cancel_ends_a_body_that_does_not_come(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		gone := make(chan struct{}, 10)
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			gone <- struct{}{}
		})
		c := modeClient(t, s)
		for name, cancels := range map[string]func(resp *ratmom.Response, cancel func()){
			"by its context":          func(_ *ratmom.Response, cancel func()) { cancel() },
			"by Close beside a Read":  func(resp *ratmom.Response, _ func()) { _ = resp.Body.Close() },
			"by Close without a Read": nil,
		} {
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				resp := open(t, c, newRequest(t, "GET", s.URL, nil).WithContext(ctx))
				if cancels == nil {
					require.NoError(t, resp.Body.Close())
				} else {
					reading := make(chan error, 1)
					go func() {
						_, err := resp.Body.Read(make([]byte, 1))
						reading <- err
					}()
					cancels(resp, cancel)
					require.Error(t, done(t, reading, "the Read should end"))
				}
				done(t, gone, "the server should see it")
			})
		}
	})
}

// untilStalled sends a body without end and says when the client takes no more.
func untilStalled(stalled chan<- int) testserver.Script {
	return func(c *testserver.Conn) {
		if _, err := c.ReadRequest(); err != nil {
			return
		}
		if c.Send("HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n") != nil {
			return
		}
		piece := make([]byte, 64<<10)
		for sent := 0; ; {
			_ = c.SetWriteDeadline(time.Now().Add(250 * time.Millisecond))
			n, err := c.Write(piece)
			sent += n
			if err != nil {
				stalled <- sent
				break
			}
		}
		c.UntilClosed()
	}
}

func TestFix_cancel_ends_a_body_that_is_paused(t *testing.T) {
	stalled := make(chan int, 2)
	s := testserver.Raw(t, untilStalled(stalled))
	c := newClient(t)
	t.Run("by its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		resp := open(t, c, newRequest(t, "GET", s.URL, nil).WithContext(ctx))
		done(t, stalled, "the body should be paused")
		cancel()
		closed(t, s.Endpoint)
		_, err := io.Copy(io.Discard, resp.Body)
		require.ErrorIs(t, err, ratmom.ErrCanceled)
	})
	t.Run("by Close", func(t *testing.T) {
		resp := open(t, c, newRequest(t, "GET", s.URL, nil))
		done(t, stalled, "the body should be paused")
		require.NoError(t, resp.Body.Close())
		closed(t, s.Endpoint)
		_, err := resp.Body.Read(make([]byte, 1))
		require.ErrorIs(t, err, http.ErrBodyReadAfterClose)
	})
}
