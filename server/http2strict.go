package server

import (
	"net/http"
	"strconv"
)

// checkHTTP2 is the strict profile for a request that came over HTTP/2, of which net/http looks at the names and
// the values of its fields alone: what a head of HTTP/1 could not have said, a program behind this one would write
// into one, and who reads that would see another request.
func (s *Server) checkHTTP2(r *http.Request) *refusal {
	if !all(r.Method, &isToken) {
		return bad("malformed method")
	}
	if refused := s.checkHTTP2Target(r); refused != nil {
		return refused
	}
	hosts := r.Header["Host"]
	switch {
	case r.Host == "":
		return bad("no Host")
	case !validAuthority([]byte(r.Host)):
		return bad("malformed Host")
	case len(hosts) > 1:
		return bad("more than one Host")
	case len(hosts) == 1 && !sameHost(r, hosts[0]):
		return bad("Host is not that of the request target")
	}
	delete(r.Header, "Host") // where it is with HTTP/1
	switch lengths := r.Header["Content-Length"]; {
	case len(lengths) > 1:
		return bad("more than one Content-Length")
	case len(lengths) == 1:
		// Of a request without a body net/http does not read it.
		n, err := strconv.ParseUint(lengths[0], 10, 63)
		if err != nil || int64(n) != r.ContentLength {
			return bad("malformed Content-Length")
		}
	}
	for _, expectation := range r.Header["Expect"] { // net/http has taken 100-continue out
		if expectation != "" {
			return errExpectation
		}
	}
	return nil
}

// sameHost compares Host with the authority of a request of HTTP/2, as with HTTP/1: without the port that is the
// scheme's (RFC 9113, section 8.3.1).
func sameHost(r *http.Request, host string) bool {
	target := "http://" + r.Host
	switch {
	case r.Method == http.MethodConnect:
		target = r.Host
	case r.TLS != nil:
		target = "https://" + r.Host
	}
	return sameAuthority([]byte(r.Host), []byte(host), []byte(target))
}

// checkHTTP2Target accepts a path, and an authority for CONNECT: the absolute form is HTTP/1's (RFC 9113, section 8.3.1).
func (s *Server) checkHTTP2Target(r *http.Request) *refusal {
	method, target := []byte(r.Method), []byte(r.RequestURI)
	if _, extended := r.Header[":protocol"]; extended {
		method = nil // RFC 8441: CONNECT with a path
	}
	if len(target) == 0 || targetAuthority(method, target) != nil && string(method) != http.MethodConnect {
		return bad("malformed request target")
	}
	if refused, ok := checkTarget(method, target, s.Relax).(*refusal); ok {
		return refused
	}
	return nil
}
