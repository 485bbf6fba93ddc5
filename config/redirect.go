package config

import "net/http"

const (
	defaultMaxRedirects = 10
	mostRedirects       = 1000
)

// RedirectPolicy says how redirects are followed.
type RedirectPolicy struct {
	// Max is how many redirects are followed; 0 means that the redirect itself is
	// the response.
	Max int
	// CheckRedirect is asked before each, if it is not nil.
	CheckRedirect func(req *http.Request, via []*http.Request) error
	// AutoReferer sets the Referer of the next request.
	AutoReferer bool
}

// Redirect returns how redirects are followed.
func (r *RequestConfig) Redirect() RedirectPolicy {
	p := RedirectPolicy{Max: defaultMaxRedirects}
	if s, ok := lookup[maxRedirects](r); ok {
		p.Max = int(s)
	}
	if s, ok := lookup[checkRedirect](r); ok {
		p.CheckRedirect = s.f
	}
	s, _ := lookup[autoReferer](r)
	p.AutoReferer = bool(s)
	return p
}

// MaxRedirects sets how many redirects a request follows. One more is an error,
// unless n is 0: then none is followed and the redirect is the response.
//
// Range: 0 to 1000. Default: 10, as in net/http. Redirects are followed in Go;
// CURLOPT_FOLLOWLOCATION stays off.
func MaxRedirects(n int) Option { return both(maxRedirects(n)) }

// NoRedirect follows no redirects: MaxRedirects(0).
func NoRedirect() Option { return MaxRedirects(0) }

type maxRedirects int

func (s maxRedirects) validate() error { return checkRange("MaxRedirects", int(s), 0, mostRedirects) }

// CheckRedirect is called before each redirect is followed, with the request to
// come and those made so far, the oldest first, as in [http.Client]. An error
// ends the request with it; [http.ErrUseLastResponse] makes the redirect the
// response. It runs on a goroutine of its own.
//
// Default: nil, none.
func CheckRedirect(f func(req *http.Request, via []*http.Request) error) Option {
	return both(checkRedirect{f})
}

type checkRedirect struct {
	f func(req *http.Request, via []*http.Request) error
}

func (checkRedirect) validate() error { return nil }

// AutoReferer sets the Referer of a followed redirect to the URL that it came
// from, without userinfo and fragment, and not from https to http.
//
// Default: false, the Referer stays as the request has it.
func AutoReferer(on bool) Option { return both(autoReferer(on)) }

type autoReferer bool

func (autoReferer) validate() error { return nil }
