package config

import "github.com/ratmom/ratmom/cgo"

// PipeWait has a request wait for a connection that is being made to turn out as one
// that it can share (HTTP/2, HTTP/3), rather than make another beside it. ratmom sees to
// that for every connection, where libcurl 7.88 does for the first: while others are
// made because those that there are have no stream free, a request waits for one of them,
// as long as no more wait than 100 for each, or than the server has been seen to take. It waits
// only for connections of requests whose options decide the same about connections. If one
// cannot be made, or its request is given up meanwhile, or it takes longer than a second, twice as many are tried; after
// [ConnectTimeout] all that wait try at once, and the time of that begins then. A server that
// answers over HTTP/1.1 is not waited for.
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
