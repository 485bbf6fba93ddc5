package listen

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLastResponses_end_their_connections_from_the_stop_on(t *testing.T) {
	never, stop := make(chan struct{}), make(chan struct{})
	h := LastResponses(http.NotFoundHandler(), never, stop)
	ask := func() string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		return w.Header().Get("Connection")
	}
	assert.Empty(t, ask())
	close(stop)
	assert.Equal(t, "close", ask())
}

// shutdown is a server whose Shutdown does this.
type shutdown func(context.Context) error

func (f shutdown) Shutdown(ctx context.Context) error { return f(ctx) }

func TestDrain_waits_then_ends_all_servers_at_once(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		broken := errors.New("broken")
		slow := shutdown(func(context.Context) error {
			assert.Equal(t, time.Minute, time.Since(begin))
			time.Sleep(time.Second)
			return nil
		})
		bad := shutdown(func(context.Context) error { return broken })
		assert.ErrorIs(t, Drain(t.Context(), time.Minute, slow, bad, slow), broken)
		assert.Equal(t, time.Minute+time.Second, time.Since(begin))
	})
}

func TestDrain_cuts_its_wait_short_with_the_context(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		server := shutdown(func(ctx context.Context) error { return ctx.Err() })
		assert.ErrorIs(t, Drain(ctx, time.Minute, server), context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(begin))
	})
}
