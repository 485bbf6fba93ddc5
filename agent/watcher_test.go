package agent

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/handler"
)

// held is a request whose watcher does not go on from its end until it is let.
type held struct {
	*call
	ended, let chan struct{}
}

func (c *held) Ended(h *handler.Handler, err error) {
	close(c.ended)
	<-c.let
	c.call.Ended(h, err)
}

func TestWatcher_knows_of_the_end_before_who_reads_the_body(t *testing.T) {
	for name, flush := range map[string]bool{"at once": false, "in parts": true} {
		t.Run(name, func(t *testing.T) {
			more := make(chan struct{})
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "be")
				if flush {
					_ = http.NewResponseController(w).Flush()
					<-more
				}
				_, _ = io.WriteString(w, "gin")
			}))
			defer s.Close()
			h := start(t)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
			require.NoError(t, err)
			c := &held{
				call:  &call{done: make(chan struct{}), over: make(chan struct{})},
				ended: make(chan struct{}), let: make(chan struct{}),
			}
			c.Handler, err = handler.New(h.Pool(), &handler.Spec{Request: req, Plan: plan(t), Driver: h.Driver(), Done: c.call, Watcher: c})
			require.NoError(t, err)
			h.Execute(c.Handler)
			require.NoError(t, c.wait(t))
			resp, err := c.Response() //nolint:bodyclose // by who reads it
			require.NoError(t, err)
			read := make(chan string, 1)
			go func() {
				all, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				read <- string(all)
			}()
			close(more)
			await(t, c.ended)
			select {
			case <-read:
				assert.Fail(t, "the reader was there first")
			default:
			}
			close(c.let)
			assert.Equal(t, "begin", await(t, read))
		})
	}
}
