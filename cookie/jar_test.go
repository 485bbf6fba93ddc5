package cookie

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustHost(t *testing.T, u *url.URL) string {
	t.Helper()
	to, ok := targetOf(u)
	require.True(t, ok)
	return to.host
}

func TestJar_sends_a_cookie_where_it_belongs(t *testing.T) {
	for _, c := range []struct{ set, from, to, want string }{
		// Section 3.1, host-only and with a domain.
		{"a=1", "https://site.example/", "https://site.example/", "a=1"},
		{"a=1", "https://site.example/", "https://www.site.example/", ""},
		{"a=1; Domain=site.example", "https://site.example/", "https://www.site.example/", "a=1"},
		{"a=1; Domain=site.example", "https://www.site.example/", "https://site.example/", "a=1"},
		{"a=1; Domain=.Site.Example", "https://www.site.example/", "https://x.y.site.example/", "a=1"},
		{"a=1; Domain=..site.example", "https://site.example/", "https://site.example/", ""},
		{"a=1; Domain=site.example", "https://www.site.example/", "https://notsite.example/", ""},
		{"a=1; Domain=www.site.example", "https://site.example/", "https://www.site.example/", ""},
		{"a=1; Domain=other.example", "https://site.example/", "https://other.example/", ""},
		{"a=1; Domain=", "https://site.example/", "https://www.site.example/", ""},
		{"a=1; Domain=other.example; Domain=", "https://site.example/", "https://site.example/", "a=1"},
		{"a=1; Domain=" + strings.Repeat("x", 1025), "https://site.example/", "https://site.example/", "a=1"},
		{"a=1; Domain=site.example.", "https://site.example/", "https://site.example/", ""},
		{"a=1", "https://SITE.example/", "https://site.EXAMPLE./", "a=1"},
		{"a=1", "http://site.example:8080/", "http://site.example:9090/", "a=1"},
		// Public suffixes.
		{"a=1; Domain=example", "https://site.example/", "https://other.example/", ""},
		{"a=1; Domain=co.uk", "https://a.co.uk/", "https://b.co.uk/", ""},
		{"a=1; Domain=a.co.uk", "https://x.a.co.uk/", "https://y.a.co.uk/", "a=1"},
		{"a=1; Domain=github.io", "https://me.github.io/", "https://you.github.io/", ""},
		{"a=1; Domain=github.io", "https://github.io/", "https://github.io/", "a=1"},
		{"a=1; Domain=github.io", "https://github.io/", "https://me.github.io/", ""},
		{"a=1; Domain=localhost", "http://localhost/", "http://localhost/", "a=1"},
		{"a=1; Domain=localhost", "http://localhost/", "http://x.localhost/", ""},
		{"a=1", "http://intranet/", "http://intranet/", "a=1"},
		{"a=1; Domain=intranet", "http://x.intranet/", "http://x.intranet/", ""},
		// Names that are not in ASCII.
		{"a=1; Domain=xn--bcher-kva.example", "https://www.bücher.example/", "https://BÜCHER.example/", "a=1"},
		{"a=1", "https://bücher.example/", "https://xn--bcher-kva.example/", "a=1"},
		{"a=1; Domain=bücher.example", "https://bücher.example/", "https://bücher.example/", ""},
		{"a=1; Domain=xn--55qx5d.cn", "https://a.公司.cn/", "https://b.公司.cn/", ""}, // a public suffix
		// Addresses.
		{"a=1", "http://127.0.0.1/", "http://127.0.0.1:8080/", "a=1"},
		{"a=1; Domain=127.0.0.1", "http://127.0.0.1/", "http://127.0.0.1/", "a=1"},
		{"a=1; Domain=0.0.1", "http://127.0.0.1/", "http://127.0.0.1/", ""},
		{"a=1; Domain=.1", "http://127.0.0.1/", "http://127.0.0.1/", ""},
		{"a=1; Domain=0.1", "http://127.0.1/", "http://9.0.1/", ""}, // 127.0.0.1 in short
		{"a=1; Domain=2.0x7f", "http://1.2.0x7f/", "http://3.2.0x7f/", ""},
		{"a=1", "http://[::1]/", "http://[0:0::1]:81/", "a=1"},
		{"a=1; Domain=[::1]", "http://[::1]/", "http://[::1]/", "a=1"},
		{"a=1; Domain=::1", "http://[::1]/", "http://[::1]/", "a=1"},
		{"a=1; Domain=::2", "http://[::1]/", "http://[::2]/", ""},
		// Paths: the default, and what matches.
		{"a=1", "https://x.example", "https://x.example/z", "a=1"},
		{"a=1", "https://x.example/b", "https://x.example", "a=1"},
		{"a=1", "https://x.example/b/c", "https://x.example/b", "a=1"},
		{"a=1", "https://x.example/b/c", "https://x.example/b/", "a=1"},
		{"a=1", "https://x.example/b/c", "https://x.example/b/d/e", "a=1"},
		{"a=1", "https://x.example/b/c", "https://x.example/bb", ""},
		{"a=1", "https://x.example/b/c", "https://x.example/", ""},
		{"a=1", "https://x.example/b/c/", "https://x.example/b/d", ""},
		{"a=1; Path=b", "https://x.example/c/d", "https://x.example/c/x", "a=1"},
		{"a=1; Path=", "https://x.example/c/d", "https://x.example/c", "a=1"},
		{"a=1; Path=/b/", "https://x.example/", "https://x.example/b", ""},
		{"a=1; Path=/b/", "https://x.example/", "https://x.example/b/c", "a=1"},
		{"a=1; Path=/B", "https://x.example/", "https://x.example/b", ""},
		{"a=1; Path=/b%20c", "https://x.example/", "https://x.example/b%20c/d", "a=1"},
		// Secure.
		{"a=1; Secure", "https://x.example/", "https://x.example/", "a=1"},
		{"a=1; Secure", "https://x.example/", "wss://x.example/", "a=1"},
		{"a=1; Secure", "https://x.example/", "http://x.example/", ""},
		{"a=1; Secure", "http://x.example/", "https://x.example/", ""},
		{"a=1; HttpOnly", "http://x.example/", "http://x.example/", "a=1"},
		{"a=1; SameSite=Strict", "http://x.example/", "http://x.example/", "a=1"},
		{"a=1; SameSite=None", "https://x.example/", "https://x.example/", ""},
		{"a=1; SameSite=None; Secure", "https://x.example/", "https://x.example/", "a=1"},
		// Prefixes, in any case.
		{"__Secure-a=1; Secure", "https://x.example/", "https://x.example/", "__Secure-a=1"},
		{"__Secure-a=1", "https://x.example/", "https://x.example/", ""},
		{"__secURE-a=1", "https://x.example/", "https://x.example/", ""},
		{"__Host-a=1; Secure; Path=/", "https://x.example/b/c", "https://x.example/d", "__Host-a=1"},
		{"__Host-a=1; Secure", "https://x.example/", "https://x.example/", ""},
		{"__Host-a=1; Secure; Path=", "https://x.example/b/c", "https://x.example/b/c", ""},
		{"__Host-a=1; Path=/", "https://x.example/", "https://x.example/", ""},
		{"__Host-a=1; Secure; Path=/b", "https://x.example/b/", "https://x.example/b/", ""},
		{"__Host-a=1; Secure; Path=/; Domain=x.example", "https://x.example/", "https://x.example/", ""},
		{"__hOST-a=1; Path=/", "https://x.example/", "https://x.example/", ""},
		{"__Secure-a=1; Secure", "http://x.example/", "https://x.example/", ""},
		{"__Host-a=1; Path=/; Domain=x.example; Domain=; Secure", "https://x.example/", "https://x.example/", "__Host-a=1"},
		{"__Http-a=1; Secure; HttpOnly", "https://x.example/b/c", "https://x.example/b/c", "__Http-a=1"},
		{"__Http-a=1; Secure", "https://x.example/", "https://x.example/", ""},
		{"__hTTP-a=1; HttpOnly", "https://x.example/", "https://x.example/", ""},
		{"__Host-Http-a=1; Secure; HttpOnly; Path=/", "https://x.example/", "https://x.example/", "__Host-Http-a=1"},
		{"__Host-Http-a=1; Secure; Path=/", "https://x.example/", "https://x.example/", ""},
		{"__HOST-HTTP-a=1; Secure; HttpOnly; Path=/; Domain=x.example", "https://x.example/", "https://x.example/", ""},
		// No value that would be taken for such a name, with or without an equals sign.
		{"__Secure-a", "https://x.example/", "https://x.example/", ""},
		{"=__hoST-a=1; Secure; Path=/", "https://x.example/", "https://x.example/", ""},
		{"=__Http-a=1; Secure; HttpOnly", "https://x.example/", "https://x.example/", ""},
		{"__Host-Http-a; Secure; HttpOnly; Path=/", "https://x.example/", "https://x.example/", ""},
		{"=a=1", "https://x.example/", "https://x.example/", "a=1"},
		// The value goes back as it came.
		{`a="1 , 2"`, "https://x.example/", "https://x.example/", `a="1 , 2"`},
		{"bare", "https://x.example/", "https://x.example/", "bare"},
		{"a=b\tc é\xff\\", "https://x.example/", "https://x.example/", "a=b\tc é\xff\\"},
		// Other schemes have no cookies.
		{"a=1", "ftp://x.example/", "http://x.example/", ""},
		{"a=1", "http://x.example/", "ftp://x.example/", ""},
		{"a=1", "http://a%FFb.example/", "http://a%FFb.example/", ""},
	} {
		j := new(Jar)
		j.SetCookieHeaders(at(t, c.from), []string{c.set})
		assert.Equal(t, c.want, j.CookieHeader(at(t, c.to)), "%+v", c)
	}
}

// The examples of section 5.4.
func TestJar_keeps_what_names_with_prefixes_promise(t *testing.T) {
	for set, taken := range map[string]bool{
		"__Secure-SID=12345; Domain=site.example":               false,
		"__secure-SID=12345; Domain=site.example":               false,
		"__SECURE-SID=12345; Domain=site.example":               false,
		"__Host-SID=12345":                                      false,
		"__host-SID=12345; Secure":                              false,
		"__host-SID=12345; Domain=site.example":                 false,
		"__HOST-SID=12345; Domain=site.example; Path=/":         false,
		"__Host-SID=12345; Secure; Domain=site.example; Path=/": false,
		"__host-SID=12345; Secure; Domain=site.example; Path=/": false,
		"__HOST-SID=12345; Secure; Domain=site.example; Path=/": false,
		"__Secure-SID=12345; Domain=site.example; Secure":       true,
		"__secure-SID=12345; Domain=site.example; Secure":       true,
		"__SECURE-SID=12345; Domain=site.example; Secure":       true,
		"__Host-SID=12345; Secure; Path=/":                      true,
		"__host-SID=12345; Secure; Path=/":                      true,
		"__HOST-SID=12345; Secure; Path=/":                      true,
	} {
		j := new(Jar)
		assert.Equal(t, taken, j.Set(at(t, "https://site.example/"), set) == nil, set)
		assert.ErrorIs(t, j.Set(at(t, "http://site.example/"), set), ErrRejected, "not over http: %s", set)
	}
	j := new(Jar)
	require.NoError(t, j.Set(at(t, "https://site.example/"), "__Secure-a=1; Secure"))
	require.NoError(t, j.Set(at(t, "https://site.example/"), "__secure-a=2; Secure"))
	assert.Equal(t, "__Secure-a=1; __secure-a=2", j.CookieHeader(at(t, "https://site.example/")), "two cookies all the same")
}

func TestJar_says_why_it_rejects(t *testing.T) {
	for set, why := range map[string]string{
		"a=1; Domain=co.uk":              `the domain "co.uk" is a public suffix`,
		"a=1; Domain=b.example":          `the domain "b.example" is not one of "a.co.uk"`,
		"a=1; Domain=é":                  `the domain "é" is not in ASCII`,
		"a=1; Secure":                    "it is Secure and came over http",
		"__Host-a=1; Path=/":             "__Host- needs Secure",
		"a=\x01":                         "control character",
		"":                               "neither name nor value",
		strings.Repeat("a", 5000) + "=1": "5001 bytes, more than 4096",
		"a=1; SameSite=None":             "SameSite=None needs Secure",
		"a=1; Path=/a\tb":                "the path has a control character",
	} {
		err := new(Jar).Set(at(t, "http://a.co.uk/"), set)
		require.ErrorIs(t, err, ErrRejected, set)
		assert.ErrorContains(t, err, why)
	}
	require.ErrorIs(t, new(Jar).Set(nil, "a=1"), ErrRejected)
	require.NoError(t, new(Jar).Set(at(t, "http://a.co.uk/"), "a=1"))
}

func TestJar_sends_the_longest_path_first_then_the_oldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(Jar)
		u := at(t, "https://x.example/a/b/c")
		j.SetCookieHeaders(u, []string{"z=1; Path=/", "b=1; Path=/a", "y=1; Path=/a/b"})
		time.Sleep(time.Second)
		j.SetCookieHeaders(u, []string{"a=1; Path=/", "a=2; Path=/a/b"})
		assert.Equal(t, "y=1; a=2; b=1; z=1; a=1", j.CookieHeader(u))
		// One that is set again keeps its place.
		time.Sleep(time.Second)
		j.SetCookieHeaders(u, []string{"z=3; Path=/", "y=3; Path=/a/b"})
		assert.Equal(t, "y=3; a=2; b=1; z=3; a=1", j.CookieHeader(u))
		// One that was removed is new.
		j.SetCookieHeaders(u, []string{"z=; Path=/; Max-Age=0", "z=4; Path=/"})
		assert.Equal(t, "y=3; a=2; b=1; a=1; z=4", j.CookieHeader(u))
	})
}

func TestJar_tells_cookies_apart_by_name_domain_and_path(t *testing.T) {
	j := new(Jar)
	u := at(t, "https://www.site.example/a/b")
	j.SetCookieHeaders(u, []string{"n=1", "N=2", "n=3; Path=/", "n=4; Domain=site.example", "n=5; Domain=www.site.example"})
	assert.Len(t, j.All(), 5)
	assert.Equal(t, "n=1; N=2; n=4; n=5; n=3", j.CookieHeader(u))
	j.SetCookieHeaders(u, []string{"n=6", "n=7; Domain=www.site.example"})
	assert.Equal(t, "n=6; N=2; n=4; n=7; n=3", j.CookieHeader(u))
}

func TestJar_ends_cookies_in_time(t *testing.T) {
	for set, lives := range map[string]time.Duration{
		"a=1; Max-Age=5": 5 * time.Second,
		"a=1; Expires=Sat, 01 Jan 2000 00:01:00 GMT":             time.Minute,
		"a=1; Max-Age=5; Expires=Sat, 01 Jan 2000 00:01:00 GMT":  5 * time.Second, // Max-Age beats Expires
		"a=1; Expires=Sat, 01 Jan 2000 00:01:00 GMT; Max-Age=5":  5 * time.Second,
		"a=1; Max-Age=5; Expires=Thu, 01 Jan 1970 00:00:00 GMT":  5 * time.Second,
		"a=1; Max-Age=18446744073709551615":                      MaxAge, // and nothing panics
		"a=1; Max-Age=9223372036854775807":                       MaxAge,
		"a=1; Max-Age=9223372036":                                MaxAge,
		"a=1; Max-Age=34560001":                                  MaxAge,
		"a=1; Max-Age=34559999":                                  MaxAge - time.Second,
		"a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT":             MaxAge,
		"a=1; Max-Age=-1":                                        0,
		"a=1; Max-Age=0":                                         0,
		"a=1; Max-Age=-1; Expires=Fri, 31 Dec 9999 23:59:59 GMT": 0,
		"a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT":             0,
		"a=1; Expires=Mon, 01 Jan 1601 00:00:00 GMT":             0,
	} {
		synctest.Test(t, func(t *testing.T) {
			j := new(Jar)
			u := at(t, "https://x.example/")
			require.NoError(t, j.Set(u, "a=old"))
			require.NoError(t, j.Set(u, set))
			if lives > 0 {
				time.Sleep(lives - 1)
				assert.Equal(t, "a=1", j.CookieHeader(u), set)
				assert.Len(t, j.All(), 1)
				time.Sleep(time.Nanosecond)
			}
			// Those that have expired are not there, however one looks.
			assert.Empty(t, j.All(), set)
			assert.Empty(t, j.CookieHeader(u), set)
			assert.Zero(t, j.count)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		j := new(Jar)
		u := at(t, "https://x.example/")
		j.SetCookieHeaders(u, []string{"session=1; Max-Age=x", "stays=1; Max-Age=99999999"})
		time.Sleep(MaxAge - 1)
		assert.Equal(t, "session=1; stays=1", j.CookieHeader(u))
		j.EndSession()
		assert.Equal(t, "stays=1", j.CookieHeader(u))
	})
}

func TestJar_keeps_Secure_cookies_from_being_replaced_over_http(t *testing.T) {
	for _, c := range []struct {
		secure, from, set string
		taken             bool
	}{
		{"a=1; Secure", "http://www.site.example/", "a=2", false},
		{"a=1; Secure; Domain=site.example", "http://www.site.example/", "a=2", false},
		{"a=1; Secure", "http://www.site.example/", "a=2; Domain=site.example", false},
		{"a=1; Secure; Domain=site.example", "http://other.site.example/", "a=2; Domain=site.example", false},
		{"a=1; Secure", "http://other.site.example/", "a=2", true},
		{"a=1; Secure", "http://www.site.example/", "b=2", true},
		{"a=1; Secure; Path=/x", "http://www.site.example/", "a=2; Path=/x/y", false},
		{"a=1; Secure; Path=/x", "http://www.site.example/", "a=2; Path=/", true}, // asymmetric, as the RFC says
		{"a=1", "http://www.site.example/", "a=2", true},
		{"a=1; Secure", "https://www.site.example/", "a=2", true},
		{"a=1; Secure; Max-Age=0", "http://www.site.example/", "a=2", true},
		{"a=1; Secure", "http://www.site.example/", "a=; Max-Age=0", false},
	} {
		j := new(Jar)
		require.NoError(t, j.Set(at(t, "https://www.site.example/"), c.secure))
		err := j.Set(at(t, c.from), c.set)
		if c.taken {
			require.NoError(t, err, "%+v", c)
		} else {
			require.ErrorIs(t, err, ErrRejected, "%+v", c)
			assert.Equal(t, "a=1", j.All()[0].pair())
		}
	}
	// Once it is gone, so is its protection.
	j := new(Jar)
	require.NoError(t, j.Set(at(t, "https://a.example/"), "a=1; Secure"))
	assert.True(t, j.Remove("a.example", "/", "a"))
	require.NoError(t, j.Set(at(t, "http://a.example/"), "a=2"))
}

func TestJar_keeps_a_limit_per_domain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(Jar)
		u := at(t, "https://a.example/")
		set := func(format string, n int) {
			t.Helper()
			require.NoError(t, j.Set(u, fmt.Sprintf(format, n)))
			time.Sleep(time.Second)
		}
		set("short%d=1; Max-Age=500", 0)
		set("secure%d=1; Secure", 0)
		set("sent%d=1; Path=/sent", 0)
		for n := range MaxPerDomain - 3 {
			set("plain%d=1", n)
		}
		require.NotEmpty(t, j.CookieHeader(at(t, "https://a.example/sent")))
		names := func() string {
			var b strings.Builder
			for _, c := range j.All() {
				b.WriteString(c.Name + " ")
			}
			return b.String()
		}
		require.Len(t, j.All(), MaxPerDomain)
		time.Sleep(time.Second * 500)
		set("more%d=1", 0) // short0 has expired: nobody else has to go
		require.Len(t, j.All(), MaxPerDomain)
		assert.Contains(t, names(), "plain0 ")
		require.NotEmpty(t, j.CookieHeader(u)) // all but sent0
		set("more%d=1", 1)
		require.Len(t, j.All(), MaxPerDomain)
		assert.NotContains(t, names(), "sent0 ", "the one that was not used for the longest time")
		assert.Contains(t, names(), "secure0 plain0 ")
		for n := range MaxPerDomain + 10 {
			set("s%d=1; Secure", n)
		}
		require.Len(t, j.All(), MaxPerDomain)
		assert.NotContains(t, names(), "plain", "those that are not Secure go first")
		assert.NotContains(t, names(), "secure0 ")
		assert.Contains(t, names(), "s189 ")
		// Others are not touched.
		require.NoError(t, j.Set(at(t, "https://www.a.example/"), "a=1"))
		assert.Len(t, j.All(), MaxPerDomain+1)
	})
}

func TestJar_keeps_a_limit_in_all(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := full(t)
		require.Len(t, j.All(), MaxCookies)
		require.NotEmpty(t, j.CookieHeader(at(t, "https://h0.example/"))) // used now, so h1 is next
		require.NoError(t, j.Set(at(t, "https://new.example/"), "a=1"))
		require.Len(t, j.All(), MaxCookies)
		assert.NotEmpty(t, j.CookieHeader(at(t, "https://new.example/")))
		assert.Contains(t, j.CookieHeader(at(t, "https://h0.example/")), "c0=")
		assert.NotContains(t, j.CookieHeader(at(t, "https://h1.example/")), "c0=")
		assert.Contains(t, j.CookieHeader(at(t, "https://h1.example/")), "c1=")
	})
}

// full returns a jar with all the cookies that it can have, 30 for each of 100 hosts.
func full(t testing.TB) *Jar {
	j := new(Jar)
	for i := range MaxCookies {
		require.NoError(t, j.Set(at(t, fmt.Sprintf("https://h%d.example/", i%100)), fmt.Sprintf("c%d=%d; Max-Age=1000", i/100, i)))
	}
	return j
}

func TestJar_lists_removes_and_clears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(Jar)
		assert.Empty(t, j.All())
		assert.False(t, j.Remove("a.example", "/", "x"))
		u := at(t, "https://www.a.example/b/c")
		j.SetCookieHeaders(u, []string{
			"x=" + secret + "; HttpOnly; SameSite=Lax",
			"y=2; Domain=a.example; Path=/; Secure; Max-Age=60",
		})
		now := time.Now().UTC()
		all := j.All()
		for i := range all {
			all[i].Created, all[i].Used = all[i].Created.UTC(), all[i].Used.UTC()
			all[i].Expires = all[i].Expires.UTC()
		}
		assert.Equal(t, []Cookie{
			{Name: "x", Value: secret, Domain: "www.a.example", HostOnly: true, Path: "/b", HTTPOnly: true, SameSite: http.SameSiteLaxMode, Created: now, Used: now},
			{Name: "y", Value: "2", Domain: "a.example", Path: "/", Secure: true, Expires: now.Add(time.Minute), Created: now, Used: now},
		}, all)
		for _, verb := range []string{"%v", "%s", "%+v"} {
			assert.Equal(t, "x=xxxxx; www.a.example/b", fmt.Sprintf(verb, all[0]))
		}
		assert.False(t, j.Remove("www.a.example", "/", "x"))
		assert.True(t, j.Remove("WWW.a.example", "/b", "x"))
		assert.True(t, j.Remove(".a.example", "/", "y"))
		assert.Empty(t, j.All())
		j.SetCookieHeaders(u, []string{"x=1", "y=2"})
		j.Clear()
		assert.Empty(t, j.All())
		assert.Empty(t, j.CookieHeader(u))
		require.NoError(t, j.Set(u, "z=1"))
		assert.Equal(t, "z=1", j.CookieHeader(u))
	})
}

const secret = "s3cret"

func TestJar_takes_what_net_http_has_parsed(t *testing.T) {
	for _, set := range []string{
		"a=1", "a=1; Path=/; Domain=site.example; Secure; HttpOnly; SameSite=Strict", `a="b c"`, "a=1; Max-Age=60", "a=1; Max-Age=-5",
		"a=1; Max-Age=18446744073709551615", "a=1; Max-Age=007", "a=1; Expires=6 nov 2031 12:00:00", "a=1; Expires=Thu, 06 Nov 2031 12:00:00 GMT",
		"a=1; Expires=Thu, 06 Nov 2031 12:00:00 GMT; Max-Age=5", "__Host-a=1; Path=/; Secure", "__Host-a=1; Secure", "a=1; SameSite=None", "a=1; SameSite=what",
		"a=1; Path=x",
	} {
		synctest.Test(t, func(t *testing.T) {
			u := at(t, "https://www.site.example/x/y")
			raw, parsed := new(Jar), new(Jar)
			raw.SetCookieHeaders(u, []string{set})
			c, err := http.ParseSetCookie(set)
			require.NoError(t, err)
			parsed.SetCookies(u, []*http.Cookie{c, nil})
			assert.Equal(t, raw.All(), parsed.All(), set)
		})
	}
	// One that a program makes.
	j := new(Jar)
	u := at(t, "https://site.example/")
	j.SetCookies(u, []*http.Cookie{{Name: "a", Value: "b c", Quoted: true}, {Name: "", Value: ""}, {Name: "c", Value: "d", MaxAge: -1}})
	assert.Equal(t, `a="b c"`, j.CookieHeader(u))
	require.NoError(t, j.Set(u, "bare"))
	assert.Equal(t, []*http.Cookie{{Name: "a", Value: "b c", Quoted: true}}, j.Cookies(u))
}

// The jar of net/http knows most of the rules: where both know one they agree.
func TestJar_agrees_with_net_http(t *testing.T) {
	for _, set := range []string{"a=1", "a=1; Domain=site.example", "a=1; Path=/x", "a=1; Secure", "a=1; Max-Age=0", "a=1; Domain=other.example", "a=1; Domain=127.0.0.1"} {
		for _, from := range []string{"https://site.example/x/y", "https://www.site.example", "https://127.0.0.1/"} {
			for _, to := range []string{"http://site.example/x", "https://site.example/", "https://www.site.example/x/y/z", "https://a.www.site.example/x", "https://127.0.0.1/x"} {
				theirs, err := cookiejar.New(nil)
				require.NoError(t, err)
				ours := new(Jar)
				c, err := http.ParseSetCookie(set)
				require.NoError(t, err)
				for _, j := range []http.CookieJar{theirs, ours} {
					j.SetCookies(at(t, from), []*http.Cookie{c})
				}
				assert.Equal(t, len(theirs.Cookies(at(t, to))), len(ours.Cookies(at(t, to))), "%s from %s to %s", set, from, to)
			}
		}
	}
}

func TestJar_can_be_used_by_many(t *testing.T) {
	j := new(Jar)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			u, _ := url.Parse(fmt.Sprintf("https://h%d.site.example/", i%3))
			for n := range 200 {
				_ = j.Set(u, fmt.Sprintf("c%d=%d; Domain=site.example; Max-Age=%d", n, i, n%2*100))
				_ = j.Set(u, "own=1; Secure")
				j.CookieHeader(u)
				j.Cookies(u)
				if n%50 == 0 {
					var b strings.Builder
					_ = j.Write(&b, JSON)
					_ = j.Read(strings.NewReader(b.String()), JSON)
					j.Remove("site.example", "/", "c1")
					j.EndSession()
					j.All()
				}
			}
		})
	}
	all.Wait()
	n, secure := 0, 0
	for _, list := range j.domains {
		n += len(list)
	}
	for _, list := range j.secure {
		secure += len(list)
	}
	assert.Equal(t, n, j.count)
	assert.LessOrEqual(t, secure, n)
}

func BenchmarkJar_CookieHeader(b *testing.B) {
	for _, c := range []struct{ name, url string }{
		{"30 of 3000", "https://h7.example/a/b"}, {"none of 3000", "https://a.b.c.d.other.example/"},
	} {
		b.Run(c.name, func(b *testing.B) {
			j, u := full(b), at(b, c.url)
			b.ReportAllocs()
			for b.Loop() {
				j.CookieHeader(u)
			}
		})
	}
}

func BenchmarkJar_Set(b *testing.B) {
	for _, c := range []struct{ name, url string }{{"https", "https://h7.example/"}, {"http", "http://h7.example/"}} {
		b.Run(c.name+" into 3000", func(b *testing.B) {
			j, u := full(b), at(b, c.url)
			b.ReportAllocs()
			for b.Loop() {
				_ = j.Set(u, "c1=value; Path=/; Max-Age=1000")
			}
		})
	}
}
