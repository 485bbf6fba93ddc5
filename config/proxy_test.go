package config

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
)

// proxyRecords returns what is packed about the proxy for u.
func proxyRecords(t *testing.T, r *RequestConfig, u string) []string {
	t.Helper()
	var got []string
	for _, line := range records(t, r, u) {
		name, _, _ := strings.Cut(line, " ")
		switch name {
		case "CURLOPT_PROXY", "CURLOPT_PROXYAUTH", "CURLOPT_PROXYUSERNAME", "CURLOPT_PROXYPASSWORD", "CURLOPT_SOCKS5_AUTH":
			got = append(got, line)
		case "CURLOPT_NOPROXY":
			assert.Equal(t, "CURLOPT_NOPROXY ", line, "libcurl must not look into the environment")
		}
	}
	return got
}

func TestProxy_is_packed_with_port_and_credentials(t *testing.T) {
	cases := []struct {
		url  string
		want []string
	}{
		{"", []string{"CURLOPT_PROXY "}},
		{"proxy", []string{"CURLOPT_PROXY http://proxy:80"}},
		{"proxy:3128", []string{"CURLOPT_PROXY http://proxy:3128"}},
		{"HTTP://proxy/", []string{"CURLOPT_PROXY http://proxy:80"}},
		{"http://[::1]:3128", []string{"CURLOPT_PROXY http://[::1]:3128"}},
		{"http://[fe80::1%25eth0]:3128", []string{"CURLOPT_PROXY http://[fe80::1%25eth0]:3128"}},
		{"http://bücher:1", []string{"CURLOPT_PROXY http://xn--bcher-kva:1"}},
		{"socks4://proxy", []string{"CURLOPT_PROXY socks4://proxy:1080"}},
		{"socks4a://u@proxy:1", []string{
			"CURLOPT_PROXY socks4a://proxy:1", "CURLOPT_PROXYAUTH 1", "CURLOPT_PROXYPASSWORD ", "CURLOPT_PROXYUSERNAME u",
		}},
		{"socks5://proxy", []string{"CURLOPT_PROXY socks5://proxy:1080", "CURLOPT_SOCKS5_AUTH 1"}},
		{"socks5h://u:p@proxy", []string{
			"CURLOPT_PROXY socks5h://proxy:1080", "CURLOPT_PROXYAUTH 1", "CURLOPT_PROXYPASSWORD p",
			"CURLOPT_PROXYUSERNAME u", "CURLOPT_SOCKS5_AUTH 1",
		}},
		{"http://u%40x:p%3a%2f@proxy:1", []string{
			"CURLOPT_PROXY http://proxy:1", "CURLOPT_PROXYAUTH 1", "CURLOPT_PROXYPASSWORD p:/", "CURLOPT_PROXYUSERNAME u@x",
		}},
	}
	if cgo.Features().HTTPSProxy {
		cases = append(cases, struct {
			url  string
			want []string
		}{"https://proxy", []string{"CURLOPT_PROXY https://proxy:443"}})
	}
	for _, c := range cases {
		t.Run(c.url, func(t *testing.T) {
			r := client(t, Proxy(c.url)).Defaults()
			assert.Equal(t, c.want, proxyRecords(t, r, testURLs[0]))
			assert.Equal(t, c.want, proxyRecords(t, r, "http://localhost/"), "an explicit proxy is for all hosts")

			u, err := r.ProxyFor(mustParse(t, testURLs[0]))
			require.NoError(t, err)
			if c.url == "" {
				assert.Nil(t, u)
				return
			}
			assert.Equal(t, strings.TrimPrefix(c.want[0], "CURLOPT_PROXY "), strings.ReplaceAll(u.String(), "%2525", "%25"))
			assert.Nil(t, u.User)
		})
	}
}

func TestProxyAuth_wins_over_the_URL(t *testing.T) {
	c := client(t, Proxy("http://u:p@proxy:1"))
	assert.Equal(t, []string{
		"CURLOPT_PROXY http://proxy:1", "CURLOPT_PROXYAUTH 2", "CURLOPT_PROXYPASSWORD y", "CURLOPT_PROXYUSERNAME x",
	}, proxyRecords(t, request(t, c, ProxyDigestAuth("x", "y")), testURLs[0]))

	r := request(t, c, ProxyDigestAuth("x", "y"), NoProxyAuth())
	assert.Contains(t, proxyRecords(t, r, testURLs[0]), "CURLOPT_PROXYUSERNAME u")
}

func TestProxyHeaders_go_to_a_proxy(t *testing.T) {
	r := client(t, Proxy("proxy"), ProxyHeaders(map[string][]string{"B": {"2"}, "A": {"1", "3"}})).Defaults()
	got := records(t, r, testURLs[1])
	assert.Contains(t, got, "CURLOPT_PROXYHEADER [A: 1 A: 3 B: 2]")
	assert.Contains(t, got, "CURLOPT_HEADEROPT 1")
}

func TestUnixSocket_goes_past_the_proxy(t *testing.T) {
	c := client(t, Proxy("proxy"))
	assert.Equal(t, []string{"CURLOPT_PROXY "}, proxyRecords(t, request(t, c, UnixSocket("/a")), testURLs[0]))
	c = client(t, UnixSocket("/a"), Proxy("proxy"))
	assert.Equal(t, []string{"CURLOPT_PROXY http://proxy:80"}, proxyRecords(t, request(t, c, UnixSocket("")), testURLs[0]))
}

func TestNoProxy_matches(t *testing.T) {
	cases := []struct {
		entry   string
		matches []string
		not     []string
	}{
		{"*", []string{"http://a", "http://1.2.3.4"}, nil},
		{"example.org", []string{"http://example.org", "https://EXAMPLE.org:8443", "http://a.b.example.org.", "http://example.org:1"},
			[]string{"http://notexample.org", "http://example.org.evil"}},
		{".example.org", []string{"http://a.example.org"}, []string{"http://example.org"}},
		{"*.example.org", []string{"http://a.example.org"}, []string{"http://example.org"}},
		{"Example.Org.", []string{"http://example.org"}, nil},
		{"example.org:8080", []string{"http://example.org:8080", "http://a.example.org:8080"}, []string{"http://example.org"}},
		{"example.org:443", []string{"https://example.org"}, []string{"http://example.org"}},
		{"example.org:80", []string{"http://example.org"}, []string{"https://example.org"}},
		{"10.0.0.0/8", []string{"http://10.1.2.3:99", "http://[::ffff:10.0.0.1]"}, []string{"http://11.0.0.1", "http://10.example.org"}},
		{"10.9.9.9/8", []string{"http://10.1.2.3"}, nil},
		{"127.0.0.1", []string{"http://127.0.0.1:8080"}, []string{"http://127.0.0.2", "http://a127.0.0.1"}},
		{"127.0.0.1:80", []string{"http://127.0.0.1"}, []string{"http://127.0.0.1:81"}},
		{"::1", []string{"http://[::1]:8080"}, []string{"http://[::2]"}},
		{"[::1]", []string{"http://[::1]:8080"}, nil},
		{"[::1]:8080", []string{"http://[::1]:8080"}, []string{"http://[::1]"}},
		{"fe80::/10", []string{"http://[fe80::1%25eth0]/"}, nil},
		{" spaced.org ", []string{"http://spaced.org"}, nil},
	}
	for _, c := range cases {
		t.Run(c.entry, func(t *testing.T) {
			r := client(t, Proxy("proxy"), NoProxy("other.net", c.entry)).Defaults()
			for _, u := range c.matches {
				assert.Equal(t, []string{"CURLOPT_PROXY "}, proxyRecords(t, r, u), u)
			}
			for _, u := range c.not {
				assert.Equal(t, []string{"CURLOPT_PROXY http://proxy:80"}, proxyRecords(t, r, u), u)
			}
		})
	}
}

func TestNoProxy_of_a_request_replaces_the_clients(t *testing.T) {
	c := client(t, Proxy("proxy"), NoProxy("example.org"))
	assert.Equal(t, []string{"CURLOPT_PROXY "}, proxyRecords(t, c.Defaults(), testURLs[0]))
	assert.Equal(t, []string{"CURLOPT_PROXY http://proxy:80"}, proxyRecords(t, request(t, c, NoProxy()), testURLs[0]))
	assert.Equal(t, []string{"CURLOPT_PROXY "}, proxyRecords(t, request(t, c, Proxy("other")), testURLs[0]), "it holds for another proxy too")
}

// environmentOf makes the option that a program with these variables would have.
func environmentOf(vars map[string]string) Option {
	return both(proxy{env: readEnvironment(func(k string) string { return vars[k] })})
}

func TestProxyFromEnvironment(t *testing.T) {
	cases := []struct {
		name string
		vars map[string]string
		want map[string]string // URL: proxy
	}{
		{"nothing is set", nil, map[string]string{"http://a/": "", "https://a/": ""}},
		{"one for each scheme", map[string]string{"HTTP_PROXY": "p1", "HTTPS_PROXY": "socks5h://p2"},
			map[string]string{"http://a/": "http://p1:80", "https://a/": "socks5h://p2:1080"}},
		{"lower case", map[string]string{"http_proxy": "p1:1", "https_proxy": "p2:2"},
			map[string]string{"http://a/": "http://p1:1", "https://a/": "http://p2:2"}},
		{"one for all", map[string]string{"all_proxy": "p:3", "HTTP_PROXY": "q:4"},
			map[string]string{"http://a/": "http://q:4", "https://a/": "http://p:3"}},
		{"not for those excepted", map[string]string{"ALL_PROXY": "p:3", "NO_PROXY": "a,10.0.0.0/8,.b:8080"},
			map[string]string{"http://a/": "", "http://10.1.1.1/": "", "http://x.b:8080/": "", "http://x.b/": "http://p:3"}},
		{"not for this machine", map[string]string{"ALL_PROXY": "p:3"},
			map[string]string{"http://localhost/": "", "http://127.0.0.1:8080/": "", "http://[::1]/": ""}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := client(t, environmentOf(c.vars)).Defaults()
			for u, want := range c.want {
				assert.Equal(t, "CURLOPT_PROXY "+want, proxyRecords(t, r, u)[0], u)
			}
		})
	}
}

func TestProxyFromEnvironment_keeps_passwords_apart(t *testing.T) {
	r := client(t, environmentOf(map[string]string{"HTTP_PROXY": "http://u:" + secretText + "@p"})).Defaults()
	assert.Equal(t, []string{
		"CURLOPT_PROXY http://p:80", "CURLOPT_PROXYAUTH 1", "CURLOPT_PROXYPASSWORD " + secretText, "CURLOPT_PROXYUSERNAME u",
	}, proxyRecords(t, r, "http://a/"))
	u, err := r.ProxyFor(mustParse(t, "http://a/"))
	require.NoError(t, err)
	assert.Equal(t, "http://p:80", u.String())
}

func TestProxyFromEnvironment_reports_what_cannot_be_used_when_it_is_needed(t *testing.T) {
	r := client(t, environmentOf(map[string]string{"HTTPS_PROXY": "gopher://u:" + secretText + "@p"})).Defaults()
	var o cgo.Options
	assert.NoError(t, r.Encode(&o, mustParse(t, "http://a/")))
	err := r.Encode(&o, mustParse(t, "https://a/"))
	assert.ErrorContains(t, err, "environment variable HTTPS_PROXY")
	assert.ErrorContains(t, err, `scheme "gopher"`)
	assert.ErrorIs(t, err, failure.InvalidOption)
	assert.NotContains(t, err.Error(), secretText)
}

func TestProxyFromEnvironment_does_not_trust_HTTP_PROXY_in_a_CGI_program(t *testing.T) {
	r := client(t, environmentOf(map[string]string{"HTTP_PROXY": "p", "REQUEST_METHOD": "GET"})).Defaults()
	_, err := r.ProxyFor(mustParse(t, "http://a/"))
	assert.ErrorContains(t, err, "CGI")
	r = client(t, environmentOf(map[string]string{"http_proxy": "p", "REQUEST_METHOD": "GET"})).Defaults()
	_, err = r.ProxyFor(mustParse(t, "http://a/"))
	assert.NoError(t, err)
}

func TestNoProxy_stands_in_for_the_environments(t *testing.T) {
	c := client(t, environmentOf(map[string]string{"ALL_PROXY": "p:3", "NO_PROXY": "a"}), NoProxy("b"))
	assert.Equal(t, []string{"CURLOPT_PROXY http://p:3"}, proxyRecords(t, c.Defaults(), "http://a/"))
	assert.Equal(t, []string{"CURLOPT_PROXY "}, proxyRecords(t, c.Defaults(), "http://b/"))
	assert.Equal(t, []string{"CURLOPT_PROXY "}, proxyRecords(t, request(t, c, Proxy("")), "http://a/"))
}

func TestProxyHeaders_are_for_tunnels_alone(t *testing.T) {
	list := func(url string, opts ...any) bool {
		return slices.ContainsFunc(records(t, request(t, client(t, Proxy("http://p")), opts...), url), func(s string) bool {
			return strings.HasPrefix(s, "CURLOPT_PROXYHEADER")
		})
	}
	h := ProxyHeaders(http.Header{"X-Token": {"b"}})
	assert.False(t, list("http://a/", h), "the proxy would hand them on")
	assert.True(t, list("https://a/", h))
	assert.True(t, list("http://a/", h, ProxyTunnel(true)))
}

func TestProxy_tunnels_of_other_credentials_are_kept_apart(t *testing.T) {
	own := func(c *ClientConfig, url string, opts ...any) bool {
		return slices.Contains(records(t, request(t, c, opts...), url), "CURLOPT_FRESH_CONNECT 1")
	}
	c := client(t, Proxy("http://u:p@px"), ProxyHeaders(http.Header{"A": {"b"}}))
	assert.False(t, own(c, "https://a/"))
	assert.False(t, own(c, "https://a/", Proxy("http://u:p@px")), "the same")
	assert.True(t, own(c, "https://a/", Proxy("http://u2:p@px")))
	assert.True(t, own(c, "https://a/", Proxy("http://px")))
	assert.True(t, own(c, "https://a/", ProxyBasicAuth("v", "p")))
	assert.True(t, own(c, "https://a/", ProxyHeaders(nil)))
	assert.True(t, own(c, "https://a/", ProxyHeaders(nil), Proxy("http://other")), "whose header is not the client's")
	assert.False(t, own(c, "http://a/", ProxyBasicAuth("v", "p")), "each request shows them")
	assert.False(t, own(client(t, Proxy("socks5://u:p@px")), "https://a/", Proxy("socks5://v:p@px")), "libcurl compares these")
	plain := client(t)
	assert.False(t, own(plain, "https://a/", Proxy("http://px")))
	assert.True(t, own(plain, "https://a/", Proxy("http://u:p@px")), "another request may show others")
}
