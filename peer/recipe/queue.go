package recipe

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/peer"
	"github.com/ratmom/ratmom/retry"
)

var (
	// ErrQueueClosed is what a closed [Queue] says to Put, and to Done of what it did not send any more.
	ErrQueueClosed = errors.New("recipe: the queue is closed")

	errNoRequest = errors.New("recipe: a queue needs Map, Request and Done")
	errNothing   = errors.New("recipe: Request has made none")
)

// QueueConfig is how a [Queue] sends. Map, Request and Done are wanted.
type QueueConfig[T any] struct {
	Map *peer.Map
	// Request makes the request for a batch, for each try anew. It should have an idempotent method
	// or an Idempotency-Key, the same for each try of a batch: else a batch that may have been
	// processed is not sent again.
	Request func(ctx context.Context, batch []T) (*http.Request, error)
	// Done is told what became of each batch, in order, once: err is nil if the answer was 2xx. Until it
	// returns the next batch waits. It must not call Put or Close.
	Done func(batch []T, res *peer.Result, err error)
	// MaxBatch is how many go into one request at the most. Default: 50.
	MaxBatch int
	// MaxQueue is how many may wait, those under way included; Put waits then. Default: 1000.
	MaxQueue int
	// Retry says how often, how soon and after what a batch is sent again. Default: that of package retry.
	// Hedge has no effect here, nor has TryTimeout; see [peer.Timeout].
	Retry retry.Policy
	// Options are of all requests.
	Options []peer.RequestOption
}

// Queue sends to one destination in order, one request at a time. What waits when a request has ended goes into the
// next one. It has a goroutine while there is something to send. It is safe for concurrent use.
type Queue[T any] struct {
	c    QueueConfig[T]
	ctx  context.Context // of what is sent
	stop context.CancelCauseFunc

	mu     sync.Mutex
	items  []T           // the first ones are under way
	space  chan struct{} // closed when there is some
	closed bool
	ended  chan struct{} // closed when the goroutine ends; nil: there is none
}

// NewQueue makes a queue. Close it.
func NewQueue[T any](c QueueConfig[T]) (*Queue[T], error) {
	if c.Map == nil || c.Request == nil || c.Done == nil {
		return nil, errNoRequest
	}
	if err := c.Retry.Check(); err != nil {
		return nil, err
	}
	c.Retry = c.Retry.Full()
	if c.MaxBatch <= 0 {
		c.MaxBatch = 50
	}
	if c.MaxQueue <= 0 {
		c.MaxQueue = 1000
	}
	q := &Queue[T]{c: c, space: make(chan struct{})}
	q.ctx, q.stop = context.WithCancelCause(context.Background())
	return q, nil
}

// Put adds v, and waits while the queue is full. The error is [ErrQueueClosed] or the cause
// of ctx; v is not in the queue then.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	q.mu.Lock()
	for !q.closed && len(q.items) >= q.c.MaxQueue {
		space := q.space
		q.mu.Unlock()
		select {
		case <-space:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		q.mu.Lock()
	}
	defer q.mu.Unlock()
	if q.closed {
		return ErrQueueClosed
	}
	q.items = append(q.items, v)
	if q.ended == nil {
		q.ended = make(chan struct{})
		go q.run(q.ended)
	}
	return nil
}

// Len is how many wait or are under way.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// Close takes nothing more and sends what is there, until ctx is done: then Done is told of the rest with
// [ErrQueueClosed], and the cause of ctx is returned.
func (q *Queue[T]) Close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		q.free()
	}
	ended := q.ended
	q.mu.Unlock()
	defer q.stop(ErrQueueClosed)
	if ended == nil {
		return nil
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	q.stop(ErrQueueClosed)
	<-ended
	return context.Cause(ctx)
}

// free wakes those that wait in Put. mu is held.
func (q *Queue[T]) free() {
	close(q.space)
	q.space = make(chan struct{})
}

func (q *Queue[T]) run(ended chan struct{}) {
	defer close(ended)
	for {
		q.mu.Lock()
		if len(q.items) == 0 {
			q.items, q.ended = nil, nil
			q.mu.Unlock()
			return
		}
		batch := slices.Clone(q.items[:min(len(q.items), q.c.MaxBatch)])
		q.mu.Unlock()
		res, err := q.send(batch)
		q.c.Done(batch, res, err)
		q.mu.Lock()
		clear(q.items[:len(batch)])
		q.items = q.items[len(batch):]
		q.free()
		q.mu.Unlock()
	}
}

// send sends a batch until that is done, or no use.
func (q *Queue[T]) send(batch []T) (res *peer.Result, err error) {
	run := retry.Begin(&q.c.Retry, nil, time.Now())
	for {
		if q.ctx.Err() != nil {
			return res, errors.Join(context.Cause(q.ctx), err)
		}
		var req *http.Request
		req, err = q.c.Request(q.ctx, batch)
		if err == nil && req == nil {
			err = errNothing
		}
		if err != nil {
			return nil, err
		}
		run.Start(time.Now())
		r := q.c.Map.Go(req, q.c.Options...)
		if res, err = r.Wait(q.ctx); q.ctx.Err() != nil {
			r.Cancel()
		}
		if err == nil {
			return res, nil
		}
		t := q.try(r, res, err)
		d := run.Next(asRule(req), t)
		if !d.Repeat {
			if q.ctx.Err() != nil {
				err = errors.Join(context.Cause(q.ctx), err)
			}
			return res, err
		}
		timer := time.NewTimer(d.After)
		select {
		case <-timer.C:
		case <-q.ctx.Done():
			timer.Stop()
		}
	}
}

// try is what a request has come to, as the rule sees it.
func (q *Queue[T]) try(r *peer.Request, res *peer.Result, err error) retry.Try {
	t := retry.Try{Now: time.Now(), Class: retry.Broken}
	var status *peer.StatusError
	switch {
	case q.ctx.Err() != nil, errors.Is(err, peer.ErrClosed), errors.Is(err, ratmom.ErrInvalidRequest):
		t.Class = retry.Other
	case errors.As(err, &status):
		t.Class, t.Status, t.Header = retry.Status, res.Status, res.Header
	case !r.Revealed():
		t.Class = retry.Connect
	case errors.Is(err, ratmom.ErrTimeout):
		t.Class = retry.Timeout
	case errors.Is(err, peer.ErrOverrun):
		t.Class = retry.Other
	}
	return t
}
