package config

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom/cgo"
)

func needGSSAPI(t *testing.T) {
	t.Helper()
	if !cgo.Features().GSSAPI {
		t.Skip("libcurl without GSS-API")
	}
}

func TestNegotiation_is_what_the_options_say(t *testing.T) {
	needGSSAPI(t)
	assert.Zero(t, client(t, ServiceName("x")).Defaults().Negotiation())
	assert.Equal(t, Negotiation{Service: "HTTP"}, client(t, NegotiateAuth()).Defaults().Negotiation())
	assert.Equal(t, Negotiation{"x", cgo.GSSDelegate}, client(t, NegotiateAuth(), ServiceName("x"), GSSAPIDelegation(DelegationAlways)).Defaults().Negotiation())
	assert.Equal(t, Negotiation{"HTTP", cgo.GSSDelegateByPolicy}, client(t, NegotiateAuth(), GSSAPIDelegation(DelegationByPolicy)).Defaults().Negotiation())
	assert.Zero(t, client(t, NegotiateAuth()).Defaults().ProxyNegotiation())
	assert.Zero(t, client(t, NegotiateAuth(), BasicAuth("a", "b")).Defaults().Negotiation(), "the last counts")
	assert.Zero(t, client(t, NegotiateAuth()).Defaults().WithoutCredentials().Negotiation())
	proxy := client(t, ProxyNegotiateAuth(), ProxyServiceName("y"), GSSAPIDelegation(DelegationAlways)).Defaults()
	assert.Equal(t, Negotiation{Service: "y"}, proxy.ProxyNegotiation(), "a proxy gets no tickets")
	assert.Zero(t, proxy.Negotiation())
	assert.False(t, client(t, NegotiateAuth(), ProxyNegotiateAuth()).Defaults().AuthArmed())
}

// What a connection has been authenticated for must not hold for other requests.
func TestNegotiation_other_than_the_clients_has_its_own_connections(t *testing.T) {
	needGSSAPI(t)
	own := func(r *RequestConfig) bool {
		got := records(t, r, testURLs[0])
		fresh := slices.Contains(got, "CURLOPT_FRESH_CONNECT 1")
		assert.Equal(t, fresh, slices.Contains(got, "CURLOPT_FORBID_REUSE 1"))
		return fresh
	}
	plain, as := client(t), client(t, NegotiateAuth())
	assert.False(t, own(plain.Defaults()))
	assert.False(t, own(as.Defaults()))
	assert.False(t, own(request(t, as, NegotiateAuth())))
	assert.False(t, own(request(t, plain, BasicAuth("a", "b"))))
	assert.True(t, own(request(t, plain, NegotiateAuth())))
	assert.True(t, own(request(t, as, NoAuth())))
	assert.True(t, own(request(t, as, BasicAuth("a", "b"))))
	assert.True(t, own(request(t, as, ServiceName("x"))))
	assert.True(t, own(request(t, as, GSSAPIDelegation(DelegationAlways))))
	assert.True(t, own(as.Defaults().WithoutCredentials()))

	behind := client(t, Proxy("http://p"), ProxyNegotiateAuth())
	assert.False(t, own(behind.Defaults()))
	assert.True(t, own(request(t, behind, NoProxyAuth())))
	assert.True(t, own(request(t, behind, ProxyBasicAuth("a", "b"))))
	assert.False(t, own(request(t, behind, NoProxyAuth(), Proxy(""))))
	assert.True(t, own(request(t, client(t, Proxy("http://p")), ProxyNegotiateAuth())))
	got := records(t, behind.Defaults(), testURLs[0])
	for _, line := range got {
		assert.NotContains(t, line, "PROXYAUTH", "libcurl does not negotiate itself")
	}
}

func TestEncodeProxyAuthorization_goes_with_the_other_headers_for_the_proxy(t *testing.T) {
	needGSSAPI(t)
	list := func(r *RequestConfig) any {
		var o cgo.Options
		r.EncodeProxyAuthorization(&o, &url.URL{Scheme: "https"}, "Negotiate t")
		var got any
		for rec := range o.Records() {
			if rec.Opt == cgo.OptProxyHeader {
				got = rec.Value
			}
		}
		return got
	}
	assert.Equal(t, []string{"Proxy-Authorization: Negotiate t"}, list(client(t).Defaults()))
	assert.Equal(t, []string{"A: b", "Proxy-Authorization: Negotiate t"},
		list(client(t, ProxyHeaders(http.Header{"A": {"b"}})).Defaults()))
	assert.Nil(t, list(client(t, ProxyHeaders(http.Header{"Proxy-Authorization": {"mine"}})).Defaults()), "which stays")
}
