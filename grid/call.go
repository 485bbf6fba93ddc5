package grid

import (
	"context"

	"github.com/ratmom/ratmom/grid/internal/frame"
)

// Request performs a single request. The deadline of the context goes with it,
// and the end of the context ends the wait at once and the work on the other
// side. The error is an *Error. req may be used again after the return.
func (c *Connection) Request(ctx context.Context, h HandlerID, req []byte, opts ...CallOption) ([]byte, error) {
	r, err := c.single(ctx, h, req, opts, false)
	if err != nil {
		return nil, err
	}
	data := r.data
	c.m.recycle(r)
	return data, nil
}

// Do is Request with a result in a buffer that can be used again. It should be
// released.
func (c *Connection) Do(ctx context.Context, h HandlerID, req []byte, opts ...CallOption) (Buf, error) {
	r, err := c.single(ctx, h, req, opts, true)
	if err != nil {
		return Buf{}, err
	}
	buf := r.buf
	c.m.recycle(r)
	return buf, nil
}

func (c *Connection) single(ctx context.Context, h HandlerID, req []byte, opts []CallOption, pooled bool) (*request, error) {
	if c == nil {
		return nil, unknownPeer()
	}
	if len(opts) == 0 {
		return c.call(ctx, h, req, nil, pooled)
	}
	o := readOptions(opts)
	return c.repeated(ctx, h, req, &o, pooled)
}

// call performs a request that has a result, or returns its error.
func (c *Connection) call(ctx context.Context, h HandlerID, req []byte, o *callOptions, pooled bool) (*request, error) {
	r := c.m.newRequest(h)
	r.pooled = pooled
	stop := ctx.Done()
	var s *session
	for {
		var ext frame.Extensions
		var until int64
		var err error
		if s, until, err = c.prepare(ctx, req, o, &ext); err != nil {
			c.m.recycle(r)
			return nil, err
		}
		ok, err := s.issue(r, frame.Header{Type: frame.Call, Code: uint16(h)}, &ext, req, until, stop)
		if ok {
			break
		}
		if c.moved(ctx, s, o, err) {
			continue
		}
		c.m.recycle(r)
		if err == nil {
			err = c.ended(ctx, NotSent)
		}
		return nil, err
	}
	if stop == nil {
		<-r.done
	} else {
		select {
		case <-r.done:
		case <-stop:
			code := Canceled
			if ctx.Err() == context.DeadlineExceeded {
				code = DeadlineExceeded
			}
			if sent, ok := s.giveUp(r, code); ok {
				return nil, c.ended(ctx, sent)
			}
			<-r.done
		}
	}
	if err := r.err; err != nil {
		if r.state.Load() == decided {
			c.m.recycle(r)
		}
		return nil, err
	}
	return r, nil
}

// moved reports whether a request that was not issued on s, because of err, should be on
// another session: one that has taken its place, or, if the request is to wait for that, will.
func (c *Connection) moved(ctx context.Context, s *session, o *callOptions, err error) bool {
	if err == nil {
		return false
	}
	if now := c.current.Load(); now != nil && now != s {
		return true
	}
	if o == nil || !o.waitForReady {
		return false
	}
	_, err = c.waitSession(ctx)
	return err == nil || ctx.Err() != nil // which prepare says
}

// prepare checks a request, finds the session for it, and fills in its extensions.
func (c *Connection) prepare(ctx context.Context, payload []byte, o *callOptions, ext *frame.Extensions) (s *session, until int64, err error) {
	if o == nil {
		o = &noOptions
	}
	s = c.current.Load()
	if ctx.Err() != nil {
		if s == nil && o.waitForReady {
			return nil, 0, c.endedUnready(ctx)
		}
		return nil, 0, c.ended(ctx, NotSent)
	}
	if o.window != 0 && (o.window < minWindow || o.window > maxWindow) {
		return nil, 0, c.fail(InvalidMessage, NotSent, "Window must be from 64 KiB to 64 MiB")
	}
	if s == nil {
		if !o.waitForReady {
			return nil, 0, c.notConnected()
		}
		if s, err = c.waitSession(ctx); err != nil {
			return nil, 0, err
		}
	}
	if uint64(len(payload)) > s.peer.message {
		return nil, 0, c.fail(TooLarge, NotSent, "longer than the peer takes")
	}
	if t, ok := ctx.Deadline(); ok {
		until = c.m.clock.at(t)
		ext.Has |= frame.HasDeadline
	}
	if o.subroute != "" {
		ext.Has |= frame.HasSubroute
		ext.Subroute = hashSubroute(o.subroute)
	}
	if o.hasKey {
		ext.Has |= frame.HasKey
		ext.Key = o.key
	}
	if c.m.cfg.Trace != nil {
		if t, ok := c.m.cfg.Trace(ctx); ok {
			ext.Has |= frame.HasTrace
			ext.Trace = t
		}
	}
	ext.Window = uint32(o.window)
	return s, until, nil
}

var noOptions callOptions

func readOptions(opts []CallOption) (o callOptions) {
	for _, f := range opts {
		f.applyCall(&o)
	}
	return o
}
