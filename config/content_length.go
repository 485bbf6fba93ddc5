package config

import "github.com/ratmom/ratmom/cgo"

// IgnoreContentLength does not believe a response's Content-Length: the body ends when
// the server closes the connection, for servers that give a wrong one. A body that is
// cut short cannot be told from a whole one then. On HTTP/2 and later, and for chunked
// bodies, it changes nothing but the response's ContentLength, which is -1.
//
// Default: false. CURLOPT_IGNORE_CONTENT_LENGTH.
func IgnoreContentLength(on bool) Option { return both(ignoreContentLength(on)) }

// IgnoreContentLength returns the value of the option of that name.
func (r *RequestConfig) IgnoreContentLength() bool {
	s, _ := lookup[ignoreContentLength](r)
	return bool(s)
}

type ignoreContentLength bool

func (ignoreContentLength) validate() error { return nil }

func (s ignoreContentLength) encode(o *cgo.Options) {
	if s {
		o.Long(cgo.OptIgnoreContentLength, 1)
	}
}
