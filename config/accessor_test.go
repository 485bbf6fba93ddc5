package config

import (
	"net/http"
	"net/http/cookiejar"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
)

func TestAccessors_give_what_was_set(t *testing.T) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	r := client(t,
		ResponseHeadTimeout(1), IdleReadTimeout(2), ExpectContinue(3), HTTPVersion(HTTP11),
		Decompression(false), UserAgent(""), BodyBuffer(10), MaxResponseHeadBytes(11),
		CookieJar(jar), Metrics(true), TitleCaseHeaders(true), UnixSocket("/a"), TLSServerName("n"),
		WireLog(func(WireEvent) {}), BasicAuth("u", "p"), ProxyDigestAuth("x", "y"),
	).Defaults()
	assert.Equal(t, time.Duration(1), r.ResponseHeadTimeout())
	assert.Equal(t, time.Duration(2), r.IdleReadTimeout())
	assert.Equal(t, time.Duration(3), r.ExpectContinue())
	assert.Equal(t, HTTP11, r.HTTPVersion())
	assert.False(t, r.Decompression())
	ua, ok := r.UserAgent()
	assert.True(t, ok, "set to nothing is not unset")
	assert.Empty(t, ua)
	assert.Equal(t, 10, r.HighWater())
	assert.Equal(t, 5, r.LowWater())
	assert.Equal(t, 11, r.MaxResponseHeadBytes())
	assert.Same(t, jar, r.CookieJar())
	assert.True(t, r.Metrics() && r.TitleCaseHeaders())
	assert.Equal(t, "/a", r.UnixSocket())
	assert.Equal(t, "n", r.TLSServerName())
	assert.NotNil(t, r.WireLog())
	scheme, user, password := r.Auth()
	assert.Equal(t, []any{AuthBasic, "u", "p"}, []any{scheme, user, password})
	scheme, user, password = r.ProxyAuth()
	assert.Equal(t, []any{AuthDigest, "x", "y"}, []any{scheme, user, password})
}

func TestAccessors_of_message_options(t *testing.T) {
	c := client(t, MaxBodyBytes(5), HeaderOrder("user-agent", "B"), StatusAliases("ICY 200"), TransferDecoding(false))
	r := request(t, c, RequestTarget("*"), Range(2, -1), TimeCondition(IfUnmodifiedSince, time.Unix(0, 0)), RawHeaders(true),
		DisallowUserinfo(true), IgnoreContentLength(true), StopUploadOnError(true))
	assert.Equal(t, "*", r.RequestTarget())
	assert.Equal(t, []string{"User-Agent", "B"}, r.HeaderOrder())
	assert.Equal(t, "bytes=2-", r.Range())
	assert.Equal(t, "bytes=-3", request(t, c, Range(-3, -1)).Range())
	assert.Equal(t, "bytes=0-0", request(t, c, Range(0, 0)).Range())
	name, value := r.TimeCondition()
	assert.Equal(t, []string{"If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"}, []string{name, value})
	assert.Equal(t, []string{"ICY 200"}, r.StatusAliases())
	assert.True(t, r.RawHeaders() && r.DisallowUserinfo() && r.IgnoreContentLength() && r.StopUploadOnError())
	assert.False(t, r.TransferDecoding())
	assert.False(t, request(t, c, TransferCompression(true)).TransferCompression(), "nothing is undone")
	assert.True(t, client(t, TransferCompression(true)).Defaults().TransferCompression())
	d := client(t).Defaults()
	assert.True(t, d.TransferDecoding())
	assert.Empty(t, d.RequestTarget()+d.Range())
	assert.Empty(t, d.HeaderOrder())
	for _, l := range []struct{ body, decoded, want int64 }{{5, 0, 5}, {0, 7, 7}, {5, 7, 5}, {7, 5, 5}, {0, 0, 0}} {
		r := client(t, MaxBodyBytes(l.body), MaxDecompressedBytes(l.decoded)).Defaults()
		assert.Equal(t, l.want, r.MaxDecompressedBytes())
		assert.Equal(t, l.body, r.MaxBodyBytes())
	}
}

func TestSpeedLimited_in_either_direction(t *testing.T) {
	assert.False(t, client(t, MaxUploadSpeed(0)).Defaults().SpeedLimited())
	assert.True(t, client(t, MaxUploadSpeed(1)).Defaults().SpeedLimited())
	assert.True(t, client(t, MaxDownloadSpeed(1)).Defaults().SpeedLimited())
}

func TestRedirect_options_are_independent(t *testing.T) {
	stop := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := client(t, MaxRedirects(3), CheckRedirect(stop), AutoReferer(true))
	r := request(t, c, NoRedirect())
	assert.Equal(t, 0, r.Redirect().Max)
	assert.True(t, r.Redirect().AutoReferer)
	assert.ErrorIs(t, r.Redirect().CheckRedirect(nil, nil), http.ErrUseLastResponse)
	assert.Equal(t, 3, request(t, c, CheckRedirect(nil)).Redirect().Max)
	assert.Nil(t, request(t, c, CheckRedirect(nil)).Redirect().CheckRedirect)
}

func TestAuthArmed_tells_whether_libcurl_may_answer_a_challenge(t *testing.T) {
	for _, c := range []struct {
		o     Option
		armed bool
	}{
		{NoAuth(), false},
		{BasicAuth("u", "p"), false},
		{DigestAuth("u", "p"), true},
		{AnyAuth("u", "p"), true},
		{AnySafeAuth("u", "p"), true},
		{BearerAuth("t"), false},
		{AWSSigV4Auth(AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", Region: "r", Service: "s"}), false},
		{Netrc(files.netrc), false},
		{ProxyBasicAuth("u", "p"), false},
		{ProxyDigestAuth("u", "p"), true},
		{ProxyAnyAuth("u", "p"), true},
	} {
		assert.Equal(t, c.armed, client(t, c.o).Defaults().AuthArmed(), "%v", c.o)
	}
}

func TestWithoutCredentials_drops_those_for_the_server(t *testing.T) {
	c := client(t, DigestAuth("u", "p"), Timeout(5), Proxy("http://x:y@proxy"))
	r := c.Defaults().WithoutCredentials()
	scheme, user, password := r.Auth()
	assert.Zero(t, scheme)
	assert.Empty(t, user+password)
	assert.Equal(t, time.Duration(5), r.TotalTimeout())
	got := records(t, r, testURLs[0])
	assert.NotContains(t, got, "CURLOPT_USERNAME u")
	assert.Contains(t, got, "CURLOPT_PROXYUSERNAME x", "a redirect goes over the same proxy")
	assert.True(t, c.Defaults().AuthArmed(), "the client's are as they were")

	plain := client(t).Defaults()
	assert.Same(t, plain, plain.WithoutCredentials())
}

func TestDefaultHeaders_add_up_until_replaced(t *testing.T) {
	c := client(t, DefaultHeader("x-a", "1"), DefaultHeader("X-A", "2"), DefaultHeader("B", "3"))
	assert.Equal(t, http.Header{"X-A": {"1", "2"}, "B": {"3"}}, c.DefaultHeaders())
	c = client(t, DefaultHeader("a", "1"), DefaultHeaders(http.Header{"b": {"2"}}), DefaultHeader("c", "3"))
	assert.Equal(t, http.Header{"B": {"2"}, "C": {"3"}}, c.Defaults().DefaultHeaders())

	given := http.Header{"A": {"1"}}
	o := DefaultHeaders(given)
	given["A"][0] = "changed"
	one, other := client(t, o, DefaultHeader("B", "2")), client(t, o)
	assert.Equal(t, http.Header{"A": {"1"}}, other.DefaultHeaders(), "options can be given to several clients")
	assert.Equal(t, http.Header{"A": {"1"}, "B": {"2"}}, one.DefaultHeaders())
}

func TestLimits_hold_for_all_agents_together(t *testing.T) {
	c := client(t, Agents(4), MaxConnections(10), MaxConnectionsPerHost(6), ConnectionCacheSize(2))
	assert.Equal(t, 4, c.AgentCount())
	assert.True(t, c.LimitsPerHost())
	assert.Equal(t, map[cgo.MultiOpt]int64{
		cgo.MultiOptMaxTotalConnections: 2,
		cgo.MultiOptMaxHostConnections:  6, // a host is on one agent
		cgo.MultiOptMaxConnects:         1,
	}, multiRecords(c))
	assert.Equal(t, 10, c.MaxConnectionsLimit())
	assert.Equal(t, 6, c.MaxConnectionsPerHostLimit())

	assert.Equal(t, 3, client(t, Agents(8), MaxConnections(3)).AgentCount(), "each agent needs a connection")
	n, ok := client(t, ConnectionCacheSize(0)).ConnectionCacheLimit()
	assert.True(t, ok)
	assert.Zero(t, n)
	age, ok := client(t, IdleConnectionAge(5)).IdleConnectionAge()
	assert.Equal(t, time.Duration(5), age)
	assert.True(t, ok)
}

func TestNames_of_values(t *testing.T) {
	assert.Equal(t, "HTTP/2 with prior knowledge", HTTP2PriorKnowledge.String())
	assert.Equal(t, "Version(77)", Version(77).String())
	assert.Equal(t, "IPv6", IPv6.String())
	assert.Equal(t, "any", IPAny.String())
	assert.Equal(t, "none", AuthScheme(0).String())
	assert.Equal(t, "Basic|Digest", (AuthBasic | AuthDigest).String())
}

func TestMaxPausedStreams_gives_way_to_limits_of_connections(t *testing.T) {
	for _, c := range []struct {
		o    ClientOption
		want int
	}{
		{nil, 4},
		{MaxPausedStreams(0), 0},
		{MaxPausedStreams(9), 9},
		{MaxConnections(100), 0},
		{MaxConnectionsPerHost(100), 0},
		{MaxConnections(0), 4},
	} {
		cfg, err := NewClient(c.o)
		require.NoError(t, err)
		assert.Equal(t, c.want, cfg.MaxPausedStreamsLimit(), "%v", c.o)
	}
}

func TestMaxAbandonedLookups_is_split_among_agents(t *testing.T) {
	assert.Equal(t, 512, client(t).MaxAbandonedLookupsLimit())
	assert.Equal(t, 512, client(t).maxLookups())
	assert.Equal(t, 128, client(t, Agents(4)).maxLookups())
	assert.Equal(t, 1, client(t, Agents(4), MaxAbandonedLookups(2)).maxLookups())
	assert.Zero(t, client(t, Agents(4), MaxAbandonedLookups(0)).maxLookups())
}
