package balance

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeyFunc_takes_its_part_of_the_request(t *testing.T) {
	const uri = "https://us%65r:secret@Example.org:8443/a%2Fb/c?q=1&r#frag"
	for name, c := range map[string]struct {
		f    KeyFunc
		url  string
		edit func(*http.Request)
		want Key
	}{
		"source":                  {BySource(), uri, func(r *http.Request) { r.RemoteAddr = "192.0.2.7:1234" }, "192.0.2.7"},
		"source of IPv6":          {BySource(), uri, func(r *http.Request) { r.RemoteAddr = "[2001:db8::1]:1234" }, "2001:db8::1"},
		"source without port":     {BySource(), uri, func(r *http.Request) { r.RemoteAddr = "@" }, "@"},
		"no source":               {BySource(), uri, nil, ""},
		"user of the URL":         {ByUser(), uri, nil, "user"},
		"user of Basic":           {ByUser(), "http://h/", func(r *http.Request) { r.SetBasicAuth("me", "pw") }, "me"},
		"user at the proxy":       {ByUser(), "http://h/", func(r *http.Request) { r.Header.Set("Proxy-Authorization", "Basic bWU6cHc=") }, "me"},
		"no user":                 {ByUser(), "http://h/", nil, ""},
		"user of Bearer":          {ByUser(), "http://h/", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, ""},
		"URI":                     {ByURI(), uri, nil, "https://Example.org:8443/a%2Fb/c?q=1&r"},
		"scheme":                  {ByURI(Scheme), uri, nil, "https://"},
		"host":                    {ByURI(Host), uri, nil, "Example.org"},
		"host and port":           {ByURI(Host, Port), uri, nil, "Example.org:8443"},
		"port of http":            {ByURI(Host | Port), "http://h/", nil, "h:80"},
		"port of https":           {ByURI(Port), "https://h/", nil, ":443"},
		"path":                    {ByURI(Path), uri, nil, "/a%2Fb/c"},
		"query":                   {ByURI(Query), uri, nil, "?q=1&r"},
		"everything":              {ByURI(Scheme, Host, Port, Path, Query), uri, nil, "https://Example.org:8443/a%2Fb/c?q=1&r"},
		"all, where a part lacks": {ByURI(Query), "http://h/p", nil, "http://h/p"},
		"no URL":                  {ByURI(), uri, func(r *http.Request) { r.URL = nil }, ""},
		"no URL, no user":         {ByUser(), uri, func(r *http.Request) { r.URL = nil }, ""},
		"header":                  {ByHeader("x-tenant"), uri, func(r *http.Request) { r.Header["X-Tenant"] = []string{"a", "b"} }, "a"},
		"no header":               {ByHeader("x-tenant"), uri, nil, ""},
		"cookie":                  {ByCookie("sid"), uri, func(r *http.Request) { r.Header.Set("Cookie", "a=b; sid=c") }, "c"},
		"no cookie":               {ByCookie("sid"), uri, nil, ""},
		"the first":               {ByFirst(ByCookie("sid"), ByUser(), BySource()), uri, nil, "user"},
		"none":                    {ByFirst(ByCookie("sid"), BySource()), uri, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url, nil)
			require.NoError(t, err)
			if c.edit != nil {
				c.edit(r)
			}
			assert.Equal(t, string(c.want), string(c.f(r)))
		})
	}
}

func TestKey_prints_nothing_of_itself(t *testing.T) {
	k := Key("secret")
	for _, verb := range []string{"%v", "%s", "%+v", "%#v"} {
		assert.NotContains(t, fmt.Sprintf(verb, k), "secret", verb)
		assert.NotContains(t, fmt.Sprintf(verb, struct{ K Key }{k}), "secret", verb)
	}
	assert.Empty(t, fmt.Sprint(Key("")))
}
