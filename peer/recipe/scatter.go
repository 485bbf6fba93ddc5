package recipe

import (
	"context"
	"net/http"

	"github.com/ratmom/ratmom/peer"
)

// Answer is what one of several requests came to.
type Answer struct {
	Index  int          // of the request among those given
	Result *peer.Result // nil if there was no response
	Err    error
	// Revealed tells whether anything of the request may have left.
	Revealed bool
}

// Scatter sends all requests at once and calls each with what they come to, as they end, on
// the caller's goroutine. There is no goroutine for a request.
//
// When ctx is done or each returns false, the requests that have not ended are cancelled, and each is
// called with them no more. Scatter returns how many answers were without an error, and the cause of ctx if that
// cut it short. opts are of all requests; a [peer.OnEnd] among them is replaced.
func Scatter(ctx context.Context, m *peer.Map, reqs []*http.Request, each func(Answer) bool, opts ...peer.RequestOption) (good int, err error) {
	ended := make(chan int, len(reqs)) // room for all: a worker never waits
	under := make([]*peer.Request, len(reqs))
	for i, req := range reqs {
		with := append(opts[:len(opts):len(opts)], peer.OnEnd(func() { ended <- i }))
		under[i] = m.Go(req, with...)
	}
	defer func() {
		for _, r := range under {
			if r != nil {
				r.Cancel()
			}
		}
	}()
	for range reqs {
		select {
		case <-ctx.Done():
			return good, context.Cause(ctx)
		case i := <-ended:
			r := under[i]
			under[i] = nil
			a := Answer{Index: i}
			a.Result, a.Err = r.Result()
			a.Revealed = r.Revealed()
			if a.Err == nil {
				good++
			}
			if !each(a) {
				return good, nil
			}
		}
	}
	return good, nil
}
