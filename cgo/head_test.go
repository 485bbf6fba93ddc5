//go:build linux && !ratmom_poll

package cgo_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

// headLike is what a body must not be taken for.
const headLike = "HTTP/1.1 200 OK\r\nX-Not: a head\r\nContent-Length: 1\r\n\r\n"

// reply is an answer of a server, as it is sent.
type reply struct {
	interim, head, body, trailer string
	pieces                       []string
	closes                       bool
}

// anyReply makes one up.
func anyReply(r *rand.Rand) reply {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	var a reply
	if r.IntN(8) == 0 {
		a.interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX-Early: yes\r\n\r\n"
	}
	status := pick("200 OK", "200 OK", "200 OK", "206 Partial Content", "404 Not Found", "500", "302 Found", "401 No", "407 No", "204 Nothing", "304 Same")
	a.body = strings.Repeat("body ", []int{0, 1, 600, 4000}[r.IntN(4)])
	if r.IntN(3) == 0 {
		a.body = headLike + a.body
	}
	lines := []string{}
	sent := a.body
	switch how := r.IntN(3); {
	case status[0:3] == "204" || status[0:3] == "304":
		a.body, sent = "", ""
	case how == 0:
		a.trailer = pick("", "X-Trailer: 1\r\n", "X-Trailer: 1\r\nETag: 2\r\n", "X-Folded: 1\r\n 2\r\n")
		lines = append(lines, "Transfer-Encoding: chunked")
		sent = "0\r\n" + a.trailer + "\r\n"
		if a.body != "" {
			sent = fmt.Sprintf("%x\r\n%s\r\n", len(a.body), a.body) + sent
		}
	case how == 1:
		a.closes = true
		lines = append(lines, "Connection: close")
	default:
		lines = append(lines, pick("Content-Length: ", "content-length:", "Content-Length:   ")+strconv.Itoa(len(a.body)))
	}
	for range r.IntN(10) {
		lines = append(lines, pick("Server: a", "Date: Sun, 29 Nov 2026 03:26:09 GMT", "ETag: \"1\"", "X-Empty:", "x-long: "+strings.Repeat("x", 3000),
			"Content-Type: text/plain", "Last-Modified: Sat, 28 Nov 2026 04:57:52 GMT", "Vary: *", "Set-Cookie: a=b", "Location: /elsewhere", "Retry-After: 5", "Alt-Svc: clear",
			"X-Folded: 1\r\n\t2", "X-Bytes: \x80\xff", "Accept-Ranges: bytes", "WWW-Authenticate: Basic realm=\"a\"", "Keep-Alive: timeout=5", "!#$%&'*+-.^_`|~: token"))
	}
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	a.head = "HTTP/1.1 " + status + "\r\n"
	for _, l := range lines {
		a.head += l + "\r\n"
	}
	a.head += "\r\n"
	switch all := a.interim + a.head + sent; r.IntN(4) {
	case 0:
		cut := r.IntN(len(all))
		a.pieces = []string{all[:cut], all[cut:]}
	case 1:
		a.pieces = []string{a.interim + a.head, sent}
	default:
		a.pieces = []string{all}
	}
	return a
}

// replies is a server that gives one after the other, as the path says.
func replies(t *testing.T, all []reply, o ...testserver.Option) *testserver.RawServer {
	return testserver.Raw(t, func(c *testserver.Conn) {
		for {
			q, err := c.ReadRequest()
			if err != nil {
				return
			}
			i, err := strconv.Atoi(strings.TrimPrefix(q.Target, "/"))
			if !assert.NoError(t, err) || c.Send(all[i].pieces...) != nil || all[i].closes {
				return
			}
		}
	}, o...)
}

func TestResponse_is_the_same_whether_libcurl_is_shown_all_of_its_head_or_a_part(t *testing.T) {
	needsLP64(t)
	n := 400
	if testing.Short() {
		n = 60
	}
	r := rand.New(rand.NewPCG(1, 20))
	all := make([]reply, n)
	for i := range all {
		all[i] = anyReply(r)
	}
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		var o []testserver.Option
		if mode.TLS() {
			o = append(o, testserver.WithTLS())
		}
		s := replies(t, all, o...)
		shown, parts := newDriver(t), newDriver(t)
		for i, a := range all {
			take := func(d *driver) (o outcome) {
				got := d.begin(fmt.Sprint(s.URL, "/", i), func(r *run, setup *cgo.Setup, o *cgo.Options) {
					overTLS(mode)(r, setup, o)
					setup.Debug = d == shown // the wire log has all of it
				})
				d.until("it has ended", func() bool { return got.done })
				o = outcome{got.Result().Code, string(got.TakeInfo()), string(got.Head()), string(got.body), string(got.Trailer()), got.HeadBytes()}
				d.pool.Put(got.Transfer)
				return o
			}
			want := take(shown)
			require.Equal(t, outcome{0, a.interim, a.head, a.body, want.trailer, want.headBytes}, want, "reply %d: %q", i, a.pieces)
			require.Equal(t, want, take(parts), "reply %d: %q", i, a.pieces)
		}
		assert.Zero(t, shown.m.Stats().Hidden)
		if f := cgo.Features(); !mode.TLS() || f.Backend("OpenSSL") {
			assert.Greater(t, parts.m.Stats().Hidden, uint64(n/3))
		}
	}, testserver.H1, testserver.HTTPS1)
}

// outcome is what has become of a transfer.
type outcome struct {
	code                         int
	interim, head, body, trailer string
	headBytes                    int64
}

// libcurl gives a connection to the next transfer as soon as the last one on it has ended, which the
// loop may not have heard of yet.
func TestHead_is_shown_in_part_where_a_connection_is_used_again_in_the_same_turn(t *testing.T) {
	needsLP64(t)
	asked, answer, answered := make(chan struct{}, 1), make(chan struct{}), make(chan struct{}, 1)
	s := testserver.Raw(t, func(c *testserver.Conn) {
		for first := true; ; first = false {
			q, err := c.ReadRequest()
			if err != nil {
				return
			}
			if q.Target == "/first" && first {
				asked <- struct{}{}
				<-answer
			}
			if c.Send("HTTP/1.1 200 OK\r\nServer: a\r\nContent-Length: 5\r\n\r\nhello") != nil {
				return
			}
			if q.Target == "/first" && first {
				answered <- struct{}{}
			}
		}
	})
	let := sync.OnceFunc(func() { close(answer) })
	t.Cleanup(let)
	d := newDriver(t)
	first := d.begin(s.URL+"/first", nil)
	d.until("it has been sent", func() bool { return first.Connected() })
	<-asked
	let()
	<-answered // and is not read yet
	second, res := d.get(s.URL, nil)
	require.Zero(t, res.Code, res.Text)
	d.untilGood(first)
	assert.Equal(t, "hellohello", string(first.body)+string(second.body))
	assert.EqualValues(t, 2, d.m.Stats().Hidden)
}

func TestBody_that_looks_like_a_head_is_left_alone(t *testing.T) {
	needsLP64(t)
	const first = "HTTP/1.1 200 OK\r\nServer: a\r\nContent-Length: "
	body := headLike + headLike
	length := strconv.Itoa(len(body)) + "\r\n\r\n"
	for name, pieces := range map[string][]string{
		"behind a head of its own piece": {first + length, headLike, headLike},
		"behind one in two pieces":       {first, length, headLike, headLike},
		"behind an interim one":          {"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", first + length, headLike, headLike},
		"behind one that hides nothing":  {"HTTP/1.1 200 OK\r\nContent-Length: " + length, headLike, headLike},
		"in chunks":                      {"HTTP/1.1 200 OK\r\nServer: a\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n", len(body)), headLike, headLike, "\r\n0\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, o := range [][]testserver.Option{nil, {testserver.WithTLS()}} {
				next := make(chan struct{})
				s := testserver.Raw(t, func(c *testserver.Conn) {
					for {
						if _, err := c.ReadRequest(); err != nil {
							return
						}
						for i, p := range pieces {
							if i > 0 {
								if _, ok := <-next; !ok {
									return
								}
							}
							if c.Send(p) != nil {
								return
							}
						}
					}
				}, o...)
				t.Cleanup(func() { close(next) })
				d := newDriver(t)
				for range 3 {
					r := d.begin(s.URL, func(_ *run, setup *cgo.Setup, opts *cgo.Options) {
						setup.TLS = o != nil
						opts.Long(cgo.OptSSLVerifyPeer, 0)
						opts.Long(cgo.OptSSLVerifyHost, 0)
					})
					had := int64(0)
					for range len(pieces) - 1 {
						d.until("a piece has been read", func() bool { return r.HeadBytes()+r.Received() > had })
						had = r.HeadBytes() + r.Received()
						next <- struct{}{}
					}
					d.untilGood(r)
					assert.Equal(t, body, string(r.body))
				}
				assert.Equal(t, 1, s.Accepted())
			}
		})
	}
}
