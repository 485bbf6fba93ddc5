package config

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
)

// URLs to encode for: plain and over TLS.
var testURLs = []string{"http://example.org/", "https://example.org:8443/"}

func mustParse(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	require.NoError(t, err)
	return u
}

// client makes a configuration out of options of any kind that a client takes.
func client(t testing.TB, opts ...any) *ClientConfig {
	t.Helper()
	list := make([]ClientOption, 0, len(opts))
	for _, o := range opts {
		list = append(list, o.(ClientOption))
	}
	c, err := NewClient(list...)
	require.NoError(t, err)
	return c
}

func request(t testing.TB, c *ClientConfig, opts ...any) *RequestConfig {
	t.Helper()
	list := make([]RequestOption, 0, len(opts))
	for _, o := range opts {
		list = append(list, o.(RequestOption))
	}
	r, err := c.Request(list...)
	require.NoError(t, err)
	return r
}

// records returns what is packed for a request of u, as sorted lines
// "CURLOPT_X value"; the last record of an option wins, as in libcurl.
func records(t testing.TB, r *RequestConfig, u string) []string {
	t.Helper()
	var o cgo.Options
	require.NoError(t, r.Encode(&o, mustParse(t, u)))
	last := map[cgo.Opt]any{}
	for rec := range o.Records() {
		last[rec.Opt] = rec.Value
	}
	var lines []string
	for opt, v := range last {
		lines = append(lines, fmt.Sprintf("%v %v", opt, v))
	}
	slices.Sort(lines)
	return lines
}

func multiRecords(c *ClientConfig) map[cgo.MultiOpt]int64 {
	m := map[cgo.MultiOpt]int64{}
	for opt, v := range c.Multi().Records() {
		m[opt] = v
	}
	return m
}
