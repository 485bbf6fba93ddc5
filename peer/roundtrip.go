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
	c, err := m.newCall(req, opts)
	if err != nil {
		return nil, err
	}
	if p != nil {
		if p.peer != c.peer {
			closeBody(req)
			return nil, errOtherPeer
		}
		c.tag.pin = p.pin
	}
	c.stream = true
	c.begin()
	<-c.done
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
