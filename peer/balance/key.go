package balance

import (
	"net"
	"net/http"
	"strings"
)

// Key is what hashing policies go by: requests with the same key go to the same
// endpoint. Empty is no key. It may hold what nobody else should see, a session's cookie
// say, so it prints as "[key]".
type Key string

// String implements fmt.Stringer and shows nothing.
func (k Key) String() string {
	if k == "" {
		return ""
	}
	return "[key]"
}

// GoString implements fmt.GoStringer and shows nothing.
func (k Key) GoString() string { return k.String() }

// KeyFunc makes the key of a request. It is called once per request, by whoever
// sends it, and must be safe for concurrent use.
type KeyFunc func(*http.Request) Key

// BySource takes the address without the port of the client that a server received
// the request from ([http.Request.RemoteAddr]).
func BySource() KeyFunc {
	return func(r *http.Request) Key {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			host = r.RemoteAddr
		}
		return Key(host)
	}
}

// ByUser takes the name of the user: of the URL, else of Basic credentials in
// Authorization or Proxy-Authorization.
func ByUser() KeyFunc {
	return func(r *http.Request) Key {
		if r.URL != nil && r.URL.User != nil {
			if name := r.URL.User.Username(); name != "" {
				return Key(name)
			}
		}
		if name, _, ok := r.BasicAuth(); ok && name != "" {
			return Key(name)
		}
		proxy := http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
		name, _, _ := proxy.BasicAuth()
		return Key(name)
	}
}

// URIPart is a part of a URI, as in Squid's carp-key.
type URIPart uint8

// The parts; they are added up with |.
const (
	Scheme URIPart = 1 << iota
	Host
	Port // that of the scheme, if the URI has none
	Path
	Query
)

// ByURI takes the given parts of the request's URI, or all of it, without userinfo
// and fragment, where none is given or there is nothing in them.
func ByURI(parts ...URIPart) KeyFunc {
	var want URIPart
	for _, p := range parts {
		want |= p
	}
	return func(r *http.Request) Key {
		if r.URL == nil {
			return ""
		}
		if want != 0 {
			if k := uriParts(r, want); k != "" {
				return Key(k)
			}
		}
		u := *r.URL
		u.User, u.Fragment, u.RawFragment = nil, "", ""
		return Key(u.String())
	}
}

func uriParts(r *http.Request, want URIPart) string {
	u := r.URL
	var b strings.Builder
	if want&Scheme != 0 && u.Scheme != "" {
		b.WriteString(u.Scheme + "://")
	}
	if want&Host != 0 {
		b.WriteString(u.Hostname())
	}
	if want&Port != 0 {
		port := u.Port()
		switch {
		case port != "":
		case u.Scheme == "http":
			port = "80"
		case u.Scheme == "https":
			port = "443"
		}
		if port != "" {
			b.WriteString(":" + port)
		}
	}
	if want&Path != 0 {
		b.WriteString(u.EscapedPath())
	}
	if want&Query != 0 && (u.RawQuery != "" || u.ForceQuery) {
		b.WriteString("?" + u.RawQuery)
	}
	return b.String()
}

// ByHeader takes a header's value; the first, if there are more.
func ByHeader(name string) KeyFunc {
	name = http.CanonicalHeaderKey(name)
	return func(r *http.Request) Key {
		if v := r.Header[name]; len(v) > 0 {
			return Key(v[0])
		}
		return ""
	}
}

// ByCookie takes the value of a cookie that the request sends.
func ByCookie(name string) KeyFunc {
	return func(r *http.Request) Key {
		c, err := r.Cookie(name)
		if err != nil {
			return ""
		}
		return Key(c.Value)
	}
}

// ByFirst takes the first key that is not empty: a cookie's, else the source's, say.
func ByFirst(funcs ...KeyFunc) KeyFunc {
	return func(r *http.Request) Key {
		for _, f := range funcs {
			if k := f(r); k != "" {
				return k
			}
		}
		return ""
	}
}
