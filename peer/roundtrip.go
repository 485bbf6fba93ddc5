package peer

import (
	"net/http"
)

var _ http.RoundTripper = (*Map)(nil)

// RoundTrip sends req and returns its response, of whatever status, when its head is
// there. The body streams and must be closed; its connection is busy until then. It
// makes the map an http.RoundTripper.
func (m *Map) RoundTrip(req *http.Request) (*http.Response, error) { return m.roundTrip(req, nil, nil) }

func (m *Map) roundTrip(req *http.Request, p *Pin, opts []RequestOption) (*http.Response, error) {
	c, err := m.newPinned(req, p, opts)
	if err != nil {
		return nil, err
	}
	return c.roundTrip(req)
}

// newPinned makes a call that has not been submitted, on a pin if p is not nil. On an error
// the body is closed.
func (m *Map) newPinned(req *http.Request, p *Pin, opts []RequestOption) (*call, error) {
	profile := ""
	if p != nil {
		profile = p.peer.id.Profile
	}
	c, err := m.newCall(req, profile, opts)
	if err != nil {
		return nil, err
	}
	if p == nil {
		pin, err := c.peer.pinFor(c.opt.owner, bindsConnection(req.Header))
		if err != nil {
			closeBody(req)
			return nil, err
		}
		if pin != nil {
			c.tag.pin, c.held = pin.pin, pin
		}
		return c, nil
	}
	if p.peer != c.peer {
		closeBody(req)
		return nil, errOtherPeer
	}
	c.tag.pin = p.pin
	return c, nil
}

func (c *call) roundTrip(req *http.Request) (*http.Response, error) {
	c.stream, c.done = true, solo.Get().(chan struct{})
	c.begin()
	<-c.done
	solo.Put(c.done)
	c.mu.Lock()
	h, err := c.h, c.err
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	resp, err := h.Response()
	if err != nil {
		c.cancel(err)
		return nil, err
	}
	resp.Request = req
	c.peer.learn(resp)
	return resp, nil
}
