package peer

import "net/http"

// dress is the request as an endpoint gets it: to the authority that it was named for, if that
// is another than the peer's.
func (e *endpoint) dress(req *http.Request) *http.Request {
	if e.authority == "" {
		return req
	}
	r, u := *req, *req.URL
	if r.Host == "" || r.Host == u.Host {
		r.Host = e.authority
	}
	u.Host = e.authority
	r.URL = &u
	return &r
}
