package altsvc

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	day := 24 * time.Hour
	h3 := func(host string, port int) Service { return Service{"h3", host, port} }
	for _, c := range []struct {
		field string
		want  []advertised
	}{
		{`h3=":443"`, []advertised{{h3("o.test", 443), day, false}}},
		{`h2="alt.Example.com.:8000"; ma=60`, []advertised{{Service{"h2", "alt.example.com", 8000}, time.Minute, false}}},
		{
			`h3=":443"; ma=2592000,h3-29=":443"; ma=2592000,  h2=":8443";ma="1" ; persist=1`,
			[]advertised{{h3("o.test", 443), 30 * day, false}, {Service{"h2", "o.test", 8443}, time.Second, true}},
		},
		{`h3="[::1]:443"; MA=5; other="a,b\";c"; persist=2`, []advertised{{h3("::1", 443), 5 * time.Second, false}}},
		{`http%2F1.1=":80"`, []advertised{{Service{"http/1.1", "o.test", 80}, day, false}}},
		{`w%3Dx%3Ay%23z=":443"`, nil},
		{`h3=":443"; ma=99999999999999999999`, []advertised{{h3("o.test", 443), maxAge, false}}},
		{`quic=":443"; v="46,43", , h3=":1"`, []advertised{{h3("o.test", 1), day, false}}},
	} {
		got, clear, ok := parse(c.field, "o.test")
		assert.True(t, ok, c.field)
		assert.False(t, clear, c.field)
		assert.Equal(t, c.want, got, c.field)
	}
	_, clear, ok := parse(" clear ", "o.test")
	assert.True(t, clear && ok)
	for _, field := range []string{
		"h3", "h3=", `h3=:443`, `h3=":443`, `h3="443"`, `h3=":0"`, `h3=":65536"`, `h3=":x"`, `h3=":443" ma=1`, `h3=":443"; ma`,
		`h3=":443"; ma=`, `h3=":443"; ma=x`, `h3=":443"; ma=-1`, `=":443"`, `h3="a b:443"`, "h3=\"a\r\nb:443\"", `h3="[::1%lo]:443"`,
		`h3=":443";`, `h3=":443"; x="`, "clear, x",
	} {
		_, _, ok := parse(field, "o.test")
		assert.False(t, ok, field)
	}
}

func TestParse_takes_so_many(t *testing.T) {
	got, _, ok := parse(strings.Repeat(`h3=":443",`, 100), "o.test")
	assert.True(t, ok)
	assert.Len(t, got, maxPerOrigin)
}

func parsed(raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	return u
}

func any3(string) bool { return true }

func only(p string) func(string) bool { return func(s string) bool { return s == p } }

func fields(values ...string) http.Header { return http.Header{"Alt-Svc": values} }

func TestPick_gives_what_was_learned(t *testing.T) {
	c := newCache("")
	now := time.Unix(1e9, 0)
	c.now = func() time.Time { return now }
	u := parsed("https://O.test/x")
	c.Learn(u, fields(`h3=":8443"; ma=100`, `h2="b.test:444"; ma=50`), 1)
	s, ok := c.Pick(u, any3)
	assert.True(t, ok)
	assert.Equal(t, Service{"h3", "o.test", 8443}, s)
	s, _ = c.Pick(parsed("https://o.test.:443/"), only("h2"))
	assert.Equal(t, "b.test:444", s.Authority())
	_, ok = c.Pick(u, only("http/1.1"))
	assert.False(t, ok)
	for _, other := range []string{"http://o.test/", "https://o.test:444/", "https://a.o.test/"} {
		_, ok = c.Pick(parsed(other), any3)
		assert.False(t, ok, other)
	}
	now = now.Add(60 * time.Second)
	_, ok = c.Pick(u, only("h2"))
	assert.False(t, ok, "it is over")

	c.Learn(u, fields("nonsense"), 1)
	c.Learn(u, http.Header{}, 1)
	_, ok = c.Pick(u, any3)
	assert.True(t, ok)
	c.Learn(u, fields(`h2=":1"`), 1)
	s, _ = c.Pick(u, any3)
	assert.Equal(t, Service{"h2", "o.test", 1}, s, "new ones replace the old")
	c.Learn(u, fields("clear"), 1)
	assert.Empty(t, c.origins)
	c.Learn(parsed("http://o.test/"), fields(`h2=":1"`), 1)
	assert.Empty(t, c.origins, "learned in clear text")
}

func TestPick_leaves_out_the_origin_itself(t *testing.T) {
	c := newCache("")
	u := parsed("https://o.test/")
	c.Learn(u, fields(`h2=":443", h3=":443"`), 2)
	s, ok := c.Pick(u, any3)
	assert.True(t, ok)
	assert.Equal(t, "h3", s.Protocol)
	_, ok = c.Pick(u, only("h2"))
	assert.False(t, ok)
}

func TestLearn_takes_off_the_age_of_the_response(t *testing.T) {
	c := newCache("")
	now := time.Unix(1e9, 0)
	c.now = func() time.Time { return now }
	u := parsed("https://o.test/")
	h := fields(`h3=":1"; ma=100, h2=":2"; ma=30`)
	h.Set("Age", "40")
	c.Learn(u, h, 1)
	_, ok := c.Pick(u, only("h2"))
	assert.False(t, ok)
	now = now.Add(59 * time.Second)
	_, ok = c.Pick(u, any3)
	assert.True(t, ok)
	now = now.Add(time.Second)
	_, ok = c.Pick(u, any3)
	assert.False(t, ok)
}

func TestFailed_leaves_an_alternative_alone_longer_each_time(t *testing.T) {
	c := newCache("")
	now := time.Unix(1e9, 0)
	c.now = func() time.Time { return now }
	u := parsed("https://o.test/")
	learn := func() { c.Learn(u, fields(`h3=":1"; ma=31536000`), 1) }
	learn()
	s, _ := c.Pick(u, any3)
	for _, rest := range []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute} {
		c.Failed(u, s)
		learn() // the origin goes on saying so
		now = now.Add(rest - 1)
		_, ok := c.Pick(u, any3)
		assert.False(t, ok, rest)
		now = now.Add(1)
		_, ok = c.Pick(u, any3)
		assert.True(t, ok, rest)
	}
	for range 100 {
		c.Failed(u, s)
	}
	now = now.Add(maxRest)
	_, ok := c.Pick(u, any3)
	assert.True(t, ok)
	c.Worked(u, s)
	c.Failed(u, s)
	now = now.Add(firstRest)
	_, ok = c.Pick(u, any3)
	assert.True(t, ok, "it begins anew")
}

func TestCache_is_bounded(t *testing.T) {
	c := newCache("")
	now := time.Unix(1e9, 0)
	c.now = func() time.Time { return now }
	learn := func(i, ma int) {
		c.Learn(parsed(fmt.Sprintf("https://h%d.test/", i)), fields(fmt.Sprintf(`h3=":1"; ma=%d`, ma)), 1)
	}
	for i := range maxOrigins {
		learn(i, 100+i)
	}
	learn(maxOrigins, 50)
	assert.Len(t, c.origins, maxOrigins)
	_, ok := c.Pick(parsed("https://h0.test/"), any3)
	assert.False(t, ok, "what would end first goes")
	now = now.Add(110 * time.Second)
	learn(maxOrigins+1, 1000)
	assert.Less(t, len(c.origins), maxOrigins, "what is over goes, all of it")
}

func TestFile_is_the_one_of_curl(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alt-svc")
	lines := `h2 a.test 443 h3 b.test 8443 "29991231 10:00:00" 1 0
h1 [::1] 444 h2 [::2] 445 "29991231 10:00:00" 0 0
`
	require.NoError(t, os.WriteFile(path, []byte(`# Your alt-svc cache. https://curl.se/docs/alt-svc.html
# This file was generated by libcurl! Edit at your own risk.
`+lines+`h2 old.test 443 h3 b.test 8443 "20010101 10:00:00" 1 0
h9 bad.test 443 h3 b.test 8443 "29991231 10:00:00" 1 0
h2 bad.test 443 h3 b.test 0 "29991231 10:00:00" 1 0
h2 a.test 443 h3 b.test 8443 "29991231 10:00:00" 0 0
h2 bad.test 443
`), 0o600))
	c, err := Open(path)
	require.NoError(t, err)
	assert.Len(t, c.origins, 2)
	s, ok := c.Pick(parsed("https://[::1]:444/"), any3)
	assert.True(t, ok)
	assert.Equal(t, "[::2]:445", s.Authority())

	require.NoError(t, c.Save())
	c.Learn(parsed("https://z.test:1/"), fields(`http%2F1.1="y.test:2"; persist=1; ma=1000`), 3)
	until := c.origins[origin{"z.test", 1}][0].until.UTC().Format(layout)
	require.NoError(t, c.Save())
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	first, second, _ := strings.Cut(strings.TrimSpace(lines), "\n")
	assert.Equal(t, "# Your alt-svc cache. https://curl.se/docs/alt-svc.html\n"+second+"\n"+first+"\n"+
		`h3 z.test 1 h1 y.test 2 "`+until+"\" 1 0\n", string(b))
	again, err := Open(path)
	require.NoError(t, err)
	assert.Len(t, again.origins, 3)
}

func TestOpen_without_a_file(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alt-svc")
	c, err := Open(path)
	require.NoError(t, err)
	require.NoError(t, c.Save())
	assert.NoFileExists(t, path, "nothing was learned")
	_, err = Open(t.TempDir())
	assert.ErrorContains(t, err, "not a regular file")
	c.path = filepath.Join(t.TempDir(), "none", "a")
	c.Learn(parsed("https://a.test/"), fields(`h3=":1"`), 1)
	assert.Error(t, c.Save())
	assert.True(t, c.changed, "it can be tried again")
	var none *Cache
	none.Learn(parsed("https://a.test/"), fields(`h3=":1"`), 1)
	assert.NoError(t, none.Save())
	_, ok := none.Pick(parsed("https://a.test/"), any3)
	assert.False(t, ok)
}

func TestCache_of_many_goroutines(t *testing.T) {
	c, err := Open(filepath.Join(t.TempDir(), "alt-svc"))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				u := parsed(fmt.Sprintf("https://h%d.test/", (i+j)%10))
				c.Learn(u, fields(fmt.Sprintf(`h3=":%d"; ma=%d`, j+1, j)), 1)
				if s, ok := c.Pick(u, any3); ok {
					c.Failed(u, s)
					c.Worked(u, s)
				}
				if j%50 == 0 {
					assert.NoError(t, c.Save())
				}
			}
		})
	}
	wg.Wait()
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`h3=":443"; ma=1`, `a="b:1";c="\"",h2="[::1]:2"`, "clear", ",", `h3="`, `%="":1`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		list, clear, ok := parse(field, "o.test")
		require.False(t, clear && len(list) > 0)
		require.True(t, ok || list == nil)
		for _, a := range list {
			require.True(t, plainHost(a.Host), a.Host)
			require.Positive(t, a.Port)
			require.GreaterOrEqual(t, a.age, time.Duration(0))
			require.Contains(t, toFile, a.Protocol)
		}
	})
}

// What is read from a file and kept is read again from what is written.
func FuzzFile(f *testing.F) {
	f.Add([]byte("h2 a.test 443 h3 b.test 8443 \"29991231 10:00:00\" 1 0\nh1 [::1] 1 h1 . 2 \"29991231 10:00:00\" 0 0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := newCache("")
		c.load(b)
		var out strings.Builder
		for o, list := range c.origins {
			for _, e := range list {
				out.WriteString(formatLine(o, e))
			}
		}
		again := newCache("")
		again.load([]byte(out.String()))
		require.Equal(t, c.origins, again.origins)
	})
}
