package ratmom

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/failure"
)

// pausing begins a wait of a minute; woken gives how long it took, and its error.
func pausing(t *testing.T, ctx context.Context, set *pauses) (p *pause, woken func() (time.Duration, error)) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://example.com/", nil)
	require.NoError(t, err)
	c := make(chan struct{})
	began := time.Now()
	p = &pause{req: req, wake: func() { close(c) }, set: set}
	p.begin(time.Minute)
	return p, func() (time.Duration, error) {
		<-c
		return time.Since(began), p.err
	}
}

func (s *pauses) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.set)
}

func TestPause_takes_its_time(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var set pauses
		p, woken := pausing(t, ctx, &set)
		assert.Equal(t, 1, set.count())
		took, err := woken()
		assert.NoError(t, err)
		assert.Equal(t, time.Minute, took)
		synctest.Wait()
		assert.Zero(t, set.count())
		p.end(errors.New("too late"))
		assert.NoError(t, p.err)
	})
}

func TestPause_ends_at_once(t *testing.T) {
	why := errors.New("enough")
	for name, end := range map[string]func(p *pause, cancel context.CancelCauseFunc){
		"by its context": func(_ *pause, cancel context.CancelCauseFunc) { cancel(why) },
		"by its future":  func(p *pause, _ context.CancelCauseFunc) { p.end(why) },
		"by the client":  func(p *pause, _ context.CancelCauseFunc) { p.set.close() },
		"twice":          func(p *pause, cancel context.CancelCauseFunc) { p.end(why); cancel(why); p.set.close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				p, woken := pausing(t, ctx, &pauses{})
				time.Sleep(20 * time.Second)
				end(p, cancel)
				took, err := woken()
				assert.Equal(t, 20*time.Second, took)
				if name == "by the client" {
					assert.ErrorIs(t, err, failure.Closed)
				} else {
					assert.Equal(t, why, err)
				}
			})
		})
	}
}

func TestPause_is_not_begun_under_a_context_that_is_done_or_by_a_closed_client(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, woken := pausing(t, ctx, &pauses{})
		took, err := woken()
		assert.Zero(t, took)
		assert.ErrorIs(t, err, context.Canceled)

		var set pauses
		set.close()
		_, woken = pausing(t, t.Context(), &set)
		took, err = woken()
		assert.Zero(t, took)
		assert.ErrorIs(t, err, failure.Closed)
	})
}

func TestPause_obeys_the_Cancel_channel_of_its_request(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, closed := range []bool{true, false} {
			c := make(chan struct{})
			woken := make(chan struct{})
			req, err := http.NewRequestWithContext(t.Context(), "GET", "http://example.com/", nil)
			require.NoError(t, err)
			req.Cancel = c //nolint:staticcheck // what http.Client.Timeout uses
			p := &pause{req: req, wake: func() { close(woken) }, set: &pauses{}}
			p.begin(time.Minute)
			if closed {
				close(c)
			}
			<-woken
			assert.Equal(t, closed, p.err != nil)
		}
	})
}
