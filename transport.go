package ratmom

import (
	"net/http"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
)

// Transport is the client as a net/http.RoundTripper, for use in an http.Client or
// wherever Go code takes one. Each RoundTrip is one transfer: no redirects, no
// cookies, no total time limit; the http.Client does those. Compression is asked
// for and undone as net/http does: gzip, if the request has no Accept-Encoding.
//
// http.Client.Timeout works through the deprecated Request.Cancel for every
// RoundTripper that is not net/http's own, which costs two goroutines per request:
// a context with a deadline is cheaper.
type Transport struct {
	client *Client
	plan   *handler.Plan
	err    error // an option's
}

var _ http.RoundTripper = (*Transport)(nil)

// Transport returns the client as a RoundTripper, with opts as overrides of the
// client's defaults. It works as long as the client is open. An option out of range
// makes every RoundTrip fail.
func (c *Client) Transport(opts ...config.RequestOption) *Transport {
	t := &Transport{client: c, plan: c.bare}
	if len(opts) > 0 {
		cfg, err := c.cfg.Request(opts...)
		if err != nil {
			t.err = wrapOption(err)
		} else {
			t.plan = handler.NewPlan(cfg, true)
		}
	}
	return t
}

// RoundTrip sends req and returns its response when the final head is there.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, t.err
	}
	x, err := t.client.newExchange(req, t.plan, nil)
	if err != nil {
		return nil, err
	}
	resp, err := x.blocking()
	if err != nil {
		return nil, err
	}
	return resp.Response, nil
}

// CloseIdleConnections closes the client's connections that no request uses.
func (t *Transport) CloseIdleConnections() { t.client.CloseIdleConnections() }
