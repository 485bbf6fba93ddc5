package parity

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestFix_header_values_are_bytes(t *testing.T) {
	const value = "gr\xfc\xdfe \xff\x80 \u00e9"
	m := testserver.MockReply(t, testserver.Reply{Header: []string{"X-Bytes: " + value}})
	req := newRequest(t, "GET", m.URL, nil)
	req.Header.Set("X-Bytes", value)
	resp, _ := send(t, newClient(t), req)
	assert.Equal(t, value, resp.Header.Get("X-Bytes"))
	assert.Equal(t, value, m.Request().Get("X-Bytes"))
}

func TestFix_odd_heads_do_not_fail_the_request(t *testing.T) {
	const body = "Content-Length: 2\r\n\r\nok"
	for name, c := range map[string]struct {
		raw  string
		want http.Header
	}{
		"a continuation line":       {"HTTP/1.1 200 OK\r\nX-Long: one\r\n  two\r\n\tthree\r\n" + body, http.Header{"X-Long": {"one two three"}}},
		"lines that end in LF":      {"HTTP/1.1 200 OK\nX-A: b\nContent-Length: 2\n\nok", http.Header{"X-A": {"b"}}},
		"a name that is no token":   {"HTTP/1.1 200 OK\r\nX Y: z\r\nX(: z\r\nX-A: b\r\n" + body, http.Header{"X-A": {"b"}}},
		"no name":                   {"HTTP/1.1 200 OK\r\n: z\r\nX-A: b\r\n" + body, http.Header{"X-A": {"b"}}},
		"a blank before the colon":  {"HTTP/1.1 200 OK\r\nX-B : z\r\nX-A: b\r\n" + body, http.Header{"X-A": {"b"}}},
		"no reason":                 {"HTTP/1.1 200\r\nX-A: b\r\n" + body, http.Header{"X-A": {"b"}}},
		"an empty value":            {"HTTP/1.1 200 OK\r\nX-A:\r\n" + body, http.Header{"X-A": {""}}},
		"a value of blanks":         {"HTTP/1.1 200 OK\r\nX-A:   \t \r\n" + body, http.Header{"X-A": {""}}},
		"a name in capital letters": {"HTTP/1.1 200 OK\r\nX-A: b\r\nCONTENT-LENGTH: 2\r\n\r\nok", http.Header{"X-A": {"b"}}},
		"interim responses":         {"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-A: no\r\n\r\nHTTP/1.1 200 OK\r\nX-A: b\r\n" + body, http.Header{"X-A": {"b"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := testserver.Raw(t, testserver.Answer(c.raw))
			resp, text := get(t, newClient(t), s.URL)
			assert.Equal(t, 200, resp.StatusCode)
			assert.Equal(t, "ok", text)
			resp.Header.Del("Content-Length")
			delete(resp.Header, "X-B ") // kept apart from X-B, as in net/http
			assert.Equal(t, c.want, resp.Header)
		})
	}
}

func TestFix_what_would_break_a_request_is_refused_before_it_is_sent(t *testing.T) {
	m := testserver.MockReply(t)
	c := newClient(t)
	for _, bad := range []string{"\r", "\n", "\r\nX-Evil: 1", "\x00", "\r\n\r\nGET / HTTP/1.1"} {
		for what, spoil := range map[string]func(*http.Request){
			"value":   func(r *http.Request) { r.Header["X-A"] = []string{"fine", "a" + bad} },
			"name":    func(r *http.Request) { r.Header["X-A"+bad] = []string{"a"} },
			"method":  func(r *http.Request) { r.Method = "GET" + bad },
			"host":    func(r *http.Request) { r.Host = "h" + bad },
			"query":   func(r *http.Request) { r.URL.RawQuery = "q=" + bad },
			"trailer": func(r *http.Request) { r.Trailer = http.Header{"X-T": {bad}} },
			"agent":   func(r *http.Request) { r.Header.Set("User-Agent", bad+"x") },
		} {
			req := newRequest(t, "GET", m.URL, nil)
			spoil(req)
			err := failed(t, c, req)
			assert.ErrorIs(t, err, ratmom.ErrInvalidRequest, "%s %q", what, bad)
			assert.NotContains(t, err.Error(), "\n")
		}
		_, err := ratmom.New(config.DefaultHeader("X-A", bad))
		require.ErrorIs(t, err, ratmom.ErrInvalidOption)
		_, err = ratmom.New(config.DefaultHeader("X-A"+bad, "a"))
		require.ErrorIs(t, err, ratmom.ErrInvalidOption)
		_, err = ratmom.New(config.UserAgent("a" + bad))
		require.ErrorIs(t, err, ratmom.ErrInvalidOption)
		_, err = ratmom.New(config.BasicAuth("a", "b"+bad))
		require.ErrorIs(t, err, ratmom.ErrInvalidOption)
	}
	assert.Zero(t, m.Accepted())
}

func TestFix_secrets_are_masked_in_logs_and_errors(t *testing.T) {
	// Each of these is a secret, and must not be found in anything that is written.
	const bearer, cookie, set, password, proxied = "s3cr3t-bearer", "s3cr3t-cookie", "s3cr3t-set", "s3cr3t-password", "s3cr3t-proxy"
	for _, mode := range []testserver.Mode{testserver.H1, testserver.H2} {
		t.Run(string(mode), func(t *testing.T) {
			s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Set-Cookie", "a="+set)
				w.Header().Set("Content-Length", "100")
				_, _ = io.WriteString(w, "hello")
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			})
			var mu sync.Mutex
			var log strings.Builder
			c := modeClient(t, s, config.WireLog(func(e config.WireEvent) {
				mu.Lock()
				defer mu.Unlock()
				log.WriteString(e.String())
				log.Write(e.Data)
			}), config.BasicAuth("user", password))
			req := newRequest(t, "GET", strings.Replace(s.URL, "://", "://user:"+password+"@", 1), nil)
			req.Header.Set("Cookie", "a="+cookie)
			req.Header.Set("Proxy-Authorization", proxied)
			req.Header.Set("X-Shown", "not a secret")
			resp := open(t, c, req)
			_, err := io.ReadAll(resp.Body)
			require.Error(t, err)
			require.NoError(t, c.Close())

			req.Header.Set("Authorization", "Bearer "+bearer)
			err2 := failed(t, c, req)
			mu.Lock()
			defer mu.Unlock()
			written := log.String() + fmt.Sprintf("%v %+v %v %+v", err, err, err2, err2)
			assert.Contains(t, written, "not a secret")
			for _, secret := range []string{bearer, cookie, set, password, proxied, "dXNlcjpzM2NyM3QtcGFzc3dvcmQ"} {
				assert.NotContains(t, written, secret)
			}
		})
	}
	t.Run("of options", func(t *testing.T) {
		for _, o := range []any{
			config.BasicAuth("user", password), config.ProxyDigestAuth("user", password), config.Proxy("http://user:" + password + "@proxy.test:1"),
			config.DefaultHeader("Authorization", password),
		} {
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v %s", o, o, o, o), password)
		}
		_, err := ratmom.New(config.Proxy("nonsense://user:" + password + "@h"))
		require.Error(t, err)
		assert.NotContains(t, err.Error(), password)
	})
}

// Codes of other protocols, and numbers that libcurl has given up.
var notOfHTTP = func() map[int]bool {
	codes := map[int]bool{}
	for _, c := range []int{
		9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 21, 24, 29, 30, 31, 32, 34, 36, 37, 38, 39, 40, 44, 46, 48, 49, 50, 51, 57, 62, 63, 64,
		68, 69, 70, 71, 72, 73, 74, 75, 76, 78, 79, 81, 84, 85, 86, 87, 88, 89, 93,
	} {
		codes[c] = true
	}
	return codes
}()

func TestFix_every_CURLcode_has_a_kind(t *testing.T) {
	for code := 1; code <= 101; code++ {
		e := failure.FromCurl(code, "")
		assert.Equal(t, code, e.Code)
		if !notOfHTTP[code] {
			assert.NotEqual(t, failure.Unknown, e.Kind, "%d: %s", code, cgo.Strerror(code))
		}
	}
	for _, code := range []int{102, 4242} {
		e := failure.FromCurl(code, "news")
		assert.Equal(t, failure.Unknown, e.Kind)
		assert.Contains(t, e.Error(), fmt.Sprint(code), "the number is kept")
	}
}

func TestFix_a_hostile_head_costs_bounded_memory(t *testing.T) {
	for name, script := range map[string]testserver.Script{
		"without end":        testserver.EndlessHead(),
		"one line":           testserver.EndlessHeaderLine(),
		"interim for ever":   testserver.EndlessInformational(),
		"trailers for ever ": testserver.EndlessTrailers(),
	} {
		t.Run(name, func(t *testing.T) {
			s := testserver.Raw(t, script)
			for _, opts := range [][]config.RequestOption{nil, {config.MaxResponseHeadBytes(20_000)}} {
				resp, err := newClient(t).Send(newRequest(t, "GET", s.URL, nil), opts...)
				if err == nil {
					err = resp.Discard()
				}
				require.ErrorIs(t, err, ratmom.ErrHeadTooLarge)
			}
			closed(t, s.Endpoint)
		})
	}
}

func TestFix_a_huge_length_is_not_believed(t *testing.T) {
	for _, length := range []string{"9223372036854775807", "1099511627776"} {
		s := testserver.Raw(t, testserver.AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: "+length+"\r\n\r\nhello"))
		resp, err := newClient(t).Get(s.URL)
		require.NoError(t, err)
		b, err := resp.Bytes()
		require.ErrorIs(t, err, ratmom.ErrTruncated)
		assert.Equal(t, "hello", string(b))
		assert.Less(t, cap(b), 1<<20)
	}
	for _, length := range []string{"9223372036854775808", "-1", "+3", "1e3", "0x10", "3, 4"} {
		s := testserver.Raw(t, testserver.AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: "+length+"\r\n\r\nhello"))
		resp, err := newClient(t).Send(newRequest(t, "GET", s.URL, nil))
		if err == nil {
			err = resp.Discard()
		}
		require.Error(t, err, length)
	}
}

func TestFix_a_huge_Max_Age_does_no_harm(t *testing.T) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	m := testserver.MockReply(t, testserver.Reply{Header: []string{
		"Set-Cookie: a=1; Max-Age=18446744073709551615", "Set-Cookie: b=2; Max-Age=9223372036854775807", "Set-Cookie: c=3; Max-Age=-5",
		"Set-Cookie: d=4; Max-Age=99999999999999999999999999", "Set-Cookie: e=5; Expires=Fri, 31 Dec 999999 23:59:59 GMT",
	}}, testserver.Reply{})
	c := newClient(t, config.CookieJar(jar))
	get(t, c, m.URL)
	get(t, c, m.URL)
	assert.NotContains(t, m.Requests()[1].Get("Cookie"), "c=3", "a negative age deletes")
}

func TestFix_redirects_stop_at_ten(t *testing.T) {
	m := testserver.NewMock(t, func(r *testserver.Request) testserver.Reply {
		return testserver.Redirect(302, fmt.Sprintf("/%d", r.Number+1))
	})
	err := failed(t, newClient(t), newRequest(t, "GET", m.URL, nil))
	assert.ErrorIs(t, err, ratmom.ErrTooManyRedirects)
	assert.Len(t, m.Requests(), 11)
}
