package balance

import (
	"net/http"
	"net/url"
	"testing"
)

// Keys are made of what clients send, and hashed.
func FuzzKey(f *testing.F) {
	f.Add("http://user@h:80/p?q#f", "Basic bWU6cHc=", "a=b; sid=c", "192.0.2.1:80", 1.5)
	f.Add("//[::1", "Basic =", "sid", "[::1]:x", -1.0)
	f.Fuzz(func(t *testing.T, uri, authorization, cookies, remote string, weight float64) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{
			"Authorization": {authorization}, "Proxy-Authorization": {authorization}, "Cookie": {cookies}, "X": {uri},
		}}
		r.URL, _ = url.Parse(uri)
		eps := weights(weight, 1, 3)
		policies := []Policy{new(Hash), new(CARP), &CARP{Running: true}, new(Sticky)}
		for _, key := range []KeyFunc{
			BySource(), ByUser(), ByURI(), ByURI(Scheme, Host, Port, Path, Query), ByHeader("x"), ByCookie("sid"),
		} {
			k := key(r)
			for _, p := range policies {
				if i := p.Pick(eps, k, noon); i < 0 || i > 2 {
					t.Fatalf("%T picks %d for %q", p, i, string(k))
				}
			}
		}
	})
}
