package peer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"time"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/retry"
)

// Pipeline is one HTTP/1.1 connection to a peer, on which several requests are on their way at once (RFC 9112,
// section 9.3.2): each is sent without waiting for the answers to those before, and the answers come in
// that order. It is for many small requests to a server that is far away and does not speak HTTP/2: an answer that takes
// long, or whose body is not read, holds up those behind it.
//
// libcurl makes the connection, with its proxies and TLS; what is on it is read here, and strictly: an answer of which two
// programs could find the end in different places ends the connection. Only GET, HEAD, OPTIONS and TRACE without a
// body can be sent. Nothing is sent again by itself; [UnansweredError] tells what can be.
//
// A pipeline that nobody holds any more is closed when the garbage collector finds it.
type Pipeline struct{ c *pipe }

// UnansweredError is the end of a request on a pipeline that was over before the answer began. Since only
// safe methods are sent there, it may be sent again; Sent tells whether the server may have had it.
type UnansweredError struct {
	Sent bool
	Err  error // why the pipeline is over
}

// Error tells why.
func (e *UnansweredError) Error() string {
	if e.Sent {
		return "peer: the request was not answered: " + e.Err.Error()
	}
	return "peer: the request was not sent: " + e.Err.Error()
}

// Unwrap is why the pipeline is over.
func (e *UnansweredError) Unwrap() error { return e.Err }

// ErrPipelineClosed is why a pipeline is over that was closed.
var ErrPipelineClosed = errors.New("peer: the pipeline was closed")

// maxDepth is the most requests that can be on their way on one connection.
const maxDepth = 1024

// Pipeline connects to an endpoint of the peer, which its policy chooses. depth is how many requests can be on their way,
// 1 to 1024; further ones wait. ctx limits the making of the connection, beside config.ConnectTimeout.
//
// Of the options those for names, addresses, sockets, proxies and TLS apply, and config.Timeout, DefaultHeaders, UserAgent and
// MaxResponseHeadBytes; no line of a head may be longer than 16 KiB. An HTTP proxy is asked for a tunnel. Pipelines are
// not among the peer's links, and no limits hold for them; [Peer.Snapshot] has them. With config.ServerName, and to an authority that a delegation
// has named, it fails with ratmom.ErrUnsupported.
func (p *Peer) Pipeline(ctx context.Context, depth int) (*Pipeline, error) {
	if depth < 1 || depth > maxDepth {
		return nil, fmt.Errorf("peer: %w: depth of a pipeline is %d: it must be from 1 to %d", ratmom.ErrInvalidOption, depth, maxDepth)
	}
	if p.plan.ServerName != "" {
		return nil, fmt.Errorf("peer: %w: a pipeline with config.ServerName", ratmom.ErrUnsupported)
	}
	addr, err := p.address(ctx)
	if err != nil {
		return nil, err
	}
	plan := p.plan
	if addr != "" {
		plan, err = p.m.inside.Plan(append(p.given[:len(p.given):len(p.given)], config.ConnectTo(map[string]string{"": addr})))
		if err != nil {
			return nil, err
		}
	}
	host := p.id
	host.Profile = ""
	u, err := url.Parse(host.String() + "/")
	if err != nil {
		return nil, err
	}
	conn, err := p.m.inside.Connect(ctx, u, plan)
	if err != nil {
		return nil, err
	}
	c := newPipe(p, conn, depth, p.plan.MaxHead)
	c.addr = addr
	p.mu.Lock()
	closed := p.closed
	if !closed {
		if p.pipes == nil {
			p.pipes = make(map[*pipe]struct{})
		}
		p.s.lastID++
		c.id = p.s.lastID
		p.pipes[c] = struct{}{}
	}
	p.unlock()
	if closed {
		_ = conn.Close()
		return nil, ErrClosed
	}
	c.run()
	l := &Pipeline{c}
	runtime.AddCleanup(l, func(c *pipe) { go c.end(ErrPipelineClosed) }, c)
	return l, nil
}

// What a line of an answer and its fields may be.
const (
	maxAnswerLine   = 16 << 10
	maxAnswerFields = 1000
)

// address is the one of an endpoint, looked up if need be; empty if libcurl knows where to connect.
func (p *Peer) address(ctx context.Context) (string, error) {
	for range 2 {
		var e *endpoint
		var known, closed bool
		p.decide(func(now time.Time) {
			p.refresh(now)
			closed, known = p.closed, len(p.s.endpoints) > 0
			if !closed {
				e = p.s.pickPinned(&tag{}, now)
			}
		})
		switch {
		case closed:
			return "", ErrClosed
		case e != nil && e.authority != "":
			return "", fmt.Errorf("peer: %w: a pipeline to a delegated authority", ratmom.ErrUnsupported)
		case e != nil:
			return e.Address, nil
		case known:
			return "", fmt.Errorf("%w: no endpoint can be used", ErrUnavailable)
		}
		done := make(chan error, 1)
		p.m.lookups.Submit(func() { done <- p.resolve() })
		select {
		case err := <-done:
			if err != nil {
				return "", err
			}
		case <-ctx.Done():
			return "", contextError(ctx)
		}
	}
	return "", fmt.Errorf("%w: no address was found", ErrUnavailable)
}

// RoundTrip sends req as soon as fewer than depth are on their way, and returns its response when its head is there. The
// body streams; those behind wait until it was read or closed, and one that is closed early is read to its end
// if that is near, else the connection ends. The request's context and config.Timeout end it
// at any moment: if it has not left, it does not leave; else its answer is passed over if it is little and soon there: what is in the way of
// those behind for 2 s ends the connection, and so does a cancel after which nobody waits for an answer any more.
//
// The error is an [*UnansweredError] if the pipeline was over before an answer began.
func (l *Pipeline) RoundTrip(req *http.Request) (*http.Response, error) {
	defer runtime.KeepAlive(l)
	r, err := l.c.newRequest(req)
	closeBody(req)
	if err != nil {
		return nil, err
	}
	resp, err := l.c.roundTrip(r)
	if err != nil {
		// The pipeline may have ended for that reason, told by another request of the same context.
		for _, ctx := range []context.Context{req.Context(), r.ctx} {
			if ctx.Err() != nil {
				err = contextError(ctx) //nolint:contextcheck // it is one of the request's
				break
			}
		}
		r.undo()
		return nil, at(err, req)
	}
	resp.Request = req
	if b, ok := resp.Body.(*pipeBody); ok && !b.whole {
		b.hold(l)
	} else {
		r.undo()
	}
	l.c.peer.learn(resp)
	if asksForRest(resp.StatusCode) {
		p := l.c.peer
		p.decide(func(now time.Time) { p.leaveAlone(p.s.endpointAt(l.c.addr, ""), resp.StatusCode, resp.Header, now) })
	}
	return resp, nil
}

// Err is why the pipeline is over, nil as long as it is not.
func (l *Pipeline) Err() error {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	return l.c.err
}

// Close ends the connection, with what is on its way. It always returns nil.
func (l *Pipeline) Close() error {
	l.c.end(ErrPipelineClosed)
	runtime.KeepAlive(l)
	return nil
}

func unsafeMethod(method string) error {
	if retry.Safe(method) {
		return nil
	}
	return failure.Newf(failure.InvalidRequest, "a pipeline takes only GET, HEAD, OPTIONS and TRACE, not %.20q", method)
}
