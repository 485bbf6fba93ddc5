package handler

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/retry"
)

// nobody is told, and drives nothing.
type nobody struct{ Driver }

func (nobody) Completed(*Handler) {}
func (nobody) Cancel(*Handler)    {}

// Whichever comes first, the caller's reason or the failure: what is not repeated because the
// request was given up says so.
func TestCancel_at_the_moment_of_a_failure_is_the_reason_or_comes_after_it(t *testing.T) {
	died := failure.New(failure.ConnectionClosed, "")
	for range 20_000 {
		h := &Handler{
			connected: true, reused: true, method: http.MethodGet, url: new(url.URL), plan: new(Plan),
			spec: Spec{Done: nobody{}, Driver: nobody{}},
		}
		var both sync.WaitGroup
		both.Go(func() { h.Cancel(context.Canceled) })
		both.Go(func() { h.complete(died) })
		both.Wait()
		if h.Class() == retry.Stale {
			require.Equal(t, died, h.Err())
		} else {
			require.ErrorIs(t, h.Err(), context.Canceled)
		}
	}
}
