package config

import "net/http"

// CookieJar sends the jar's cookies and gives it those of responses. The jar must
// be safe for concurrent use. nil switches cookies off.
//
// A jar that has the methods CookieHeader(*url.URL) string and
// SetCookieHeaders(*url.URL, []string) too, as package cookie's has, is given the Set-Cookie
// fields as they came, and says itself what the Cookie field is; net/http's parser drops what
// it does not like.
//
// Default: none. libcurl's own cookie engine is not used.
func CookieJar(jar http.CookieJar) Option { return both(cookieJar{jar}) }

// CookieJar returns the jar; nil if there is none.
func (r *RequestConfig) CookieJar() http.CookieJar {
	s, _ := lookup[cookieJar](r)
	return s.jar
}

type cookieJar struct{ jar http.CookieJar }

func (cookieJar) validate() error { return nil }

func (s cookieJar) String() string {
	if s.jar == nil {
		return "none"
	}
	return "set"
}
