package ratmom

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/altsvc"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/hsts"
)

// openCaches reads what the client knows of servers from earlier.
func (c *Client) openCaches() (err error) {
	if file, ok := c.cfg.HSTS(); ok {
		if c.hsts, err = hsts.Open(file); err != nil {
			return failure.Newf(failure.Local, "config.HSTS: %w", err)
		}
	}
	if file, ok := c.cfg.AltSvc(); ok {
		if c.alts, err = altsvc.Open(file); err != nil {
			return failure.Newf(failure.Local, "config.AltSvc: %w", err)
		}
	}
	return nil
}

func (c *Client) saveCaches() error {
	err := errors.Join(c.hsts.Save(), c.alts.Save())
	if err != nil {
		return failure.Wrap(failure.Local, err)
	}
	return nil
}

// secured returns req, with https in its URL if the host is known to want that.
func (c *Client) secured(req *http.Request) *http.Request {
	u := c.hsts.Upgrade(req.URL)
	if u == nil {
		return req
	}
	r := *req
	r.URL = u
	if strings.EqualFold(req.Host, req.URL.Host) {
		r.Host = u.Host
	}
	return &r
}

// addUpgrade adds the link that does so with what interceptors have made of requests.
func (x *exchange) addUpgrade() {
	if x.client.hsts != nil && len(x.client.chain) > 0 {
		x.add(link{down: func(req *http.Request) (*http.Request, error) { return x.client.secured(req), nil }})
	}
}

// learn keeps in mind what a response says of its server.
func (x *exchange) learn(resp *Response) {
	c, u := x.client, x.req.URL
	if c.hsts == nil && c.alts == nil {
		return
	}
	if u.Scheme != "https" || !x.plan.Verifies {
		return
	}
	c.hsts.Learn(u.Hostname(), resp.Header["Strict-Transport-Security"])
	if x.alternative != nil {
		c.alts.Worked(u, *x.alternative)
	}
	c.alts.Learn(u, resp.Header, resp.ProtoMajor)
}

// otherWay returns the alternative by which to send req, nil for none.
func (x *exchange) otherWay(req *http.Request) *altsvc.Service {
	p := x.plan
	if x.client.alts == nil || x.direct || !p.Verifies || p.Elsewhere || len(req.Trailer) > 0 || handler.Upgrades(req) {
		return nil
	}
	s, ok := x.client.alts.Pick(req.URL, func(protocol string) bool { return speaks(p, protocol) })
	if !ok || proxied(x, req.URL) {
		return nil
	}
	return &s
}

// speaks reports whether a request may go by an alternative of that protocol.
func speaks(p *handler.Plan, protocol string) bool {
	f, v := cgo.Features(), p.Version
	switch protocol {
	case "h3":
		return f.HTTP3 && p.TLS13 && (v == config.HTTPDefault || v == config.HTTP3 || v == config.HTTP3Only)
	case "h2":
		return f.HTTP2 && (v == config.HTTPDefault || v == config.HTTP3 || v == config.HTTP2 || v == config.HTTP2PriorKnowledge)
	}
	return v == config.HTTPDefault || v == config.HTTP11
}

func proxied(x *exchange, u *url.URL) bool {
	p, err := x.plan.Proxy(u)
	return p != nil || err != nil
}

// pastAlternative returns the request to send to the origin itself, if the alternative
// could not be used, or says that it is not the origin's (421) and has therefore not
// processed the request.
func (x *exchange) pastAlternative() *http.Request {
	if x.alternative == nil {
		return nil
	}
	if x.misdirected() {
		x.giveUpAlternative()
		r, err := rewound(x.req)
		if err != nil {
			return nil
		}
		if resp, err := newResponse(x.h, x.req); err == nil {
			_ = resp.Body.Close()
		}
		return r
	}
	failed, unsent := x.h.AlternativeFailed()
	if !failed {
		return nil
	}
	if x.h.Reused() {
		// Its connection was too old: that says nothing of the service.
		x.alternative, x.direct = nil, true
	} else {
		x.giveUpAlternative()
	}
	if !unsent {
		return nil // as any other failure: see again
	}
	if x.h.KeptBody() {
		return x.req
	}
	r, err := rewound(x.req)
	if err != nil {
		return nil
	}
	return r
}

func (x *exchange) giveUpAlternative() {
	x.client.alts.Failed(x.req.URL, *x.alternative)
	x.alternative, x.direct = nil, true
}

func (x *exchange) misdirected() bool {
	return x.alternative != nil && x.h.Err() == nil && x.h.Status() == http.StatusMisdirectedRequest
}
