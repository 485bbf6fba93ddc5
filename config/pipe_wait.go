package config

import "github.com/ratmom/ratmom/cgo"

// PipeWait has a request wait for a connection that is being made to turn out as one
// that it can share (HTTP/2, HTTP/3), rather than make another beside it.
//
// Default: true for https URLs, false for http. With true, parallel requests of http
// URLs wait for one another's connections; with false, requests that begin at once
// have connections of their own. CURLOPT_PIPEWAIT.
func PipeWait(on bool) Option { return both(pipeWait(on)) }

// PipeWait returns the value of the option of that name, and whether it is set.
func (r *RequestConfig) PipeWait() (on, ok bool) {
	s, ok := lookup[pipeWait](r)
	return bool(s), ok
}

type pipeWait bool

func (pipeWait) validate() error { return nil }

func (s pipeWait) encode(o *cgo.Options) {
	if s {
		o.Long(cgo.OptPipeWait, 1)
	}
}
