package recipe

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/ratmom/ratmom/peer"
	"github.com/ratmom/ratmom/retry"
)

// ErrNone is what [NextBest] returns when there was nobody to ask.
var ErrNone = errors.New("recipe: there is nobody to ask")

// NextBest sends the first request, and when it fails the next one, best first, until one succeeds: it
// returns that one's result and index. A status other than 2xx is a failure, unless
// [peer.AnyStatus] is among opts. patience is how long each may take before it is cancelled for the next
// one; 0 is as long as it takes.
//
// A request that may have been processed is the last one, unless its method is idempotent or it
// has an Idempotency-Key. If none succeeds, the error has those of all, joined; the index is that of the last
// one that was asked, -1 if none was.
func NextBest(ctx context.Context, m *peer.Map, reqs []*http.Request, patience time.Duration, opts ...peer.RequestOption) (*peer.Result, int, error) {
	if patience > 0 {
		opts = append(opts[:len(opts):len(opts)], peer.Timeout(patience))
	}
	var failed []error
	for i, req := range reqs {
		r := m.Go(req, opts...)
		res, err := r.Wait(ctx)
		if err == nil {
			return res, i, nil
		}
		failed = append(failed, err)
		if ctx.Err() != nil {
			r.Cancel()
		}
		if ctx.Err() != nil || i == len(reqs)-1 || r.Revealed() && !asRule(req).Repeatable() {
			return res, i, errors.Join(failed...)
		}
	}
	return nil, -1, ErrNone
}

// asRule is a request, which is not nil, as the rule of package retry sees it.
func asRule(req *http.Request) retry.Request {
	return retry.Request{Method: req.Method, Key: retry.HasKey(req.Header), Replayable: true}
}
