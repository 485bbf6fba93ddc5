package config

import "strings"

// RequestTarget sends target in the request line, in HTTP/2 as :path, in the place of
// the URL's path and query, byte for byte: "*" for OPTIONS, a path with dots that no
// one shall resolve, what a URL cannot hold. It goes to a proxy in this form too. A
// redirect leads away from it.
//
// It must not be empty, nor hold a space or control characters. Default: what the URL
// says, its path as it is. CURLOPT_REQUEST_TARGET, CURLOPT_PATH_AS_IS.
func RequestTarget(target string) RequestOption { return forRequest(requestTarget(target)) }

// RequestTarget returns the value of the option of that name, "" if it is not set.
func (r *RequestConfig) RequestTarget() string {
	s, _ := lookup[requestTarget](r)
	return string(s)
}

type requestTarget string

func (s requestTarget) validate() error {
	if s == "" {
		return invalid("RequestTarget", string(s), "is empty")
	}
	if i := strings.IndexByte(string(s), ' '); i >= 0 {
		return invalid("RequestTarget", string(s), "has a space at byte %d", i)
	}
	return checkText("RequestTarget", string(s))
}
