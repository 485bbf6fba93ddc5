package cookie

import (
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ptr[T any](v T) *T { return &v }

func TestParse_takes_a_field_apart_as_the_RFC_says(t *testing.T) {
	noon := time.Date(2026, 11, 6, 12, 0, 0, 0, time.UTC)
	for line, want := range map[string]received{
		// The examples of section 3.1.
		"SID=31d4d96e407aad42":                              {name: "SID", value: "31d4d96e407aad42"},
		"SID=31d4d96e407aad42; Path=/; Domain=site.example": {name: "SID", value: "31d4d96e407aad42", path: "/", hasPath: true, domain: "site.example"},
		"SID=31d4d96e407aad42; Path=/; Secure; HttpOnly":    {name: "SID", value: "31d4d96e407aad42", path: "/", hasPath: true, secure: true, httpOnly: true},
		"lang=en-US; Path=/; Domain=site.example":           {name: "lang", value: "en-US", path: "/", hasPath: true, domain: "site.example"},
		"lang=en-US; Expires=Fri, 06 Nov 2026 12:00:00 GMT": {name: "lang", value: "en-US", expires: &noon},
		"lang=; Expires=Fri, 06 Nov 2026 12:00:00 GMT":      {name: "lang", expires: &noon},
		"__Secure-SID=12345; Domain=site.example":           {name: "__Secure-SID", value: "12345", domain: "site.example"},
		// Names and values.
		"a":               {value: "a"},
		"=a":              {value: "a"},
		"a=":              {name: "a"},
		"a=b=c":           {name: "a", value: "b=c"},
		" \ta\t =\t b c ": {name: "a", value: "b c"},
		`a="b"`:           {name: "a", value: `"b"`},
		`a="b;c"`:         {name: "a", value: `"b`},
		"a=b\tc":          {name: "a", value: "b\tc"},
		"a b=c,d":         {name: "a b", value: "c,d"},
		"a=é\xff":         {name: "a", value: "é\xff"},
		`a=\"`:            {name: "a", value: `\"`},
		"a=b;;; ;":        {name: "a", value: "b"},
		// Attributes: any case, the last one counts, blanks around, unknown ones ignored.
		"a=b; PATH=/x;path = /y ; pAtH=/z":                {name: "a", value: "b", path: "/z", hasPath: true},
		"a=b; Path=/x; Path":                              {name: "a", value: "b", hasPath: true},
		"a=b; Path=/x; Path=" + strings.Repeat("/", 1025): {name: "a", value: "b", path: "/x", hasPath: true},
		"a=b; Domain=x; Domain=":                          {name: "a", value: "b"},
		"a=b; Secure=no; HttpOnly=false":                  {name: "a", value: "b", secure: true, httpOnly: true},
		"a=b; Partitioned; Priority=High; foo=bar":        {name: "a", value: "b"},
		"a=b; SameSite=Strict":                            {name: "a", value: "b", sameSite: http.SameSiteStrictMode},
		"a=b; samesite=LAX":                               {name: "a", value: "b", sameSite: http.SameSiteLaxMode},
		"a=b; SameSite=none":                              {name: "a", value: "b", sameSite: http.SameSiteNoneMode},
		"a=b; SameSite=Strict; SameSite=what":             {name: "a", value: "b"},
		"a=b; Expires=never":                              {name: "a", value: "b"},
		"a=b; Expires=6 Nov 26 12:00:00; Expires=no":      {name: "a", value: "b", expires: &noon},
		// Max-Age: any number of digits.
		"a=b; Max-Age=5":                            {name: "a", value: "b", maxAge: ptr(int64(5))},
		"a=b; max-age=007":                          {name: "a", value: "b", maxAge: ptr(int64(7))},
		"a=b; Max-Age=0":                            {name: "a", value: "b", maxAge: ptr(int64(0))},
		"a=b; Max-Age=-0":                           {name: "a", value: "b", maxAge: ptr(int64(-1))},
		"a=b; Max-Age=-99999999999999999999":        {name: "a", value: "b", maxAge: ptr(int64(-1))},
		"a=b; Max-Age=18446744073709551615":         {name: "a", value: "b", maxAge: ptr(int64(math.MaxInt64))},
		"a=b; Max-Age=" + strings.Repeat("9", 1000): {name: "a", value: "b", maxAge: ptr(int64(math.MaxInt64))},
		"a=b; Max-Age=5; Max-Age=":                  {name: "a", value: "b", maxAge: ptr(int64(5))},
		"a=b; Max-Age=+5":                           {name: "a", value: "b"},
		"a=b; Max-Age=5.0":                          {name: "a", value: "b"},
		"a=b; Max-Age=-":                            {name: "a", value: "b"},
		`a=b; Max-Age="5"`:                          {name: "a", value: "b"},
		"a=" + strings.Repeat("b", MaxSize-1):       {name: "a", value: strings.Repeat("b", MaxSize-1)},
	} {
		got, err := parse(line)
		require.NoError(t, err, line)
		assert.Equal(t, want, *got, line)
	}
}

func TestParse_refuses_what_no_cookie_may_have(t *testing.T) {
	for _, line := range []string{
		"", ";", "=", " = ; Path=/", "; Path=/",
		"a=b\x00", "a=b\r", "a=b\nc", "a=b; Path=/\x7f", "\x01a=b", "a=b; x=\x1f",
		"a\tb=c",
		"a=" + strings.Repeat("b", MaxSize), strings.Repeat("a", MaxSize+1),
		"=__Secure-a=b", "__host-a", "=__HOST-a=b; Secure; Path=/",
	} {
		_, err := parse(line)
		assert.ErrorIs(t, err, ErrRejected, line)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"SID=1; Path=/; Secure; HttpOnly", "a=b; Max-Age=99999999999999999999; Domain=.a.example",
		"__Host-a=b; Path=/; Secure", "a; Expires=Sun Nov  6 08:49:37 1994; SameSite=None", "=x;;;=;", "a=\xff\t"} {
		f.Add(s, "https://www.site.example/a/b")
	}
	f.Add("a=b; Domain=127.0.0.1", "http://127.0.0.1:80")
	f.Add("a=b; Domain=xn--bcher-kva.example", "http://bücher.example/%2f")
	f.Fuzz(func(t *testing.T, line, raw string) {
		u, err := url.Parse(raw)
		if err != nil {
			return
		}
		j := new(Jar)
		if err := j.Set(u, line); err != nil {
			assert.ErrorIs(t, err, ErrRejected)
			assert.Empty(t, j.All())
			return
		}
		for _, c := range j.All() {
			// Whatever was taken can be saved and loaded as it is.
			require.NoError(t, c.loaded(), "%+v", c)
			assert.True(t, domainMatch(mustHost(t, u), c.Domain))
			assert.NotContains(t, c.Name+c.Value, ";")
			assert.LessOrEqual(t, len(c.Name)+len(c.Value), MaxSize)
			for _, form := range []Format{Netscape, JSON} {
				assertSurvives(t, j, form)
			}
		}
	})
}
