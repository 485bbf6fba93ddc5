package peer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/http1"
	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/retry"
)

func openPipeline(t testing.TB, m *Map, rawURL string, depth int) *Pipeline {
	t.Helper()
	p, err := m.Get(rawURL)
	require.NoError(t, err)
	l, err := p.Pipeline(context.WithoutCancel(t.Context()), depth)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// pipedAnswer is what a request came to.
type pipedAnswer struct {
	status  int
	body    string
	trailer string
	err     error
}

// send sends a request, and takes its answer up when gate lets it.
func send(l *Pipeline, req *http.Request) pipedAnswer {
	resp, err := l.RoundTrip(req)
	if err != nil {
		return pipedAnswer{err: err}
	}
	b, err := io.ReadAll(resp.Body)
	return pipedAnswer{resp.StatusCode, string(b), resp.Trailer.Get("X-Sum"), errors.Join(err, resp.Body.Close())}
}

// inOrderOf sends requests one after another, each when the one before has its place, and gives what they come to. None of
// them is answered meanwhile.
func inOrderOf(t *testing.T, l *Pipeline, reqs ...*http.Request) []chan pipedAnswer {
	var out []chan pipedAnswer
	for i, req := range reqs {
		c := make(chan pipedAnswer, 1)
		out = append(out, c)
		go func() { c <- send(l, req) }()
		eventually(t, fmt.Sprint("request ", i, " has begun"), func() bool { return l.c.entered() > i || l.Err() != nil })
	}
	return out
}

// entered is how many requests have a place.
func (c *pipe) entered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue) + len(c.sent)
}

func gets(t *testing.T, base string, paths ...string) (out []*http.Request) {
	for _, p := range paths {
		out = append(out, request(t, http.MethodGet, base+p))
	}
	return out
}

func TestPipeline_sends_before_it_is_answered_and_matches_the_answers(t *testing.T) {
	answers := []struct{ method, text, body, trailer string }{
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", "a", ""},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "", ""},
		{"GET", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\nX-Sum: 7\r\n\r\n", "b", "7"},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", "", ""},
		{"OPTIONS", "HTTP/1.1 204 No Content\r\n\r\n", "", ""},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("c", 100000), strings.Repeat("c", 100000), ""},
		{"TRACE", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "", ""},
		{"GET", "HTTP/1.1 200 OK\r\n\r\nup to the end", "up to the end", ""},
	}
	for _, secured := range []bool{false, true} {
		t.Run(fmt.Sprint("TLS ", secured), func(t *testing.T) {
			var options []testserver.Option
			if secured {
				options = append(options, testserver.WithTLS())
			}
			s := testserver.Raw(t, func(c *testserver.Conn) {
				for range answers {
					if _, err := c.ReadRequest(); err != nil {
						return
					}
				}
				for _, a := range answers {
					_ = c.Send(a.text)
				}
			}, options...)
			l := openPipeline(t, openMap(t, trusting()), s.URL, len(answers))
			var reqs []*http.Request
			for i, a := range answers {
				req := request(t, a.method, fmt.Sprint(s.URL, "/", i, "?q"))
				req.Header.Set("X-Number", fmt.Sprint(i))
				reqs = append(reqs, req)
			}
			for i, c := range inOrderOf(t, l, reqs...) {
				got := await(t, c)
				require.NoError(t, got.err, i)
				assert.Equal(t, answers[i].body, got.body)
				assert.Equal(t, answers[i].trailer, got.trailer)
			}
			for i, r := range s.Requests() {
				assert.Equal(t, answers[i].method, r.Method)
				assert.Equal(t, fmt.Sprint("/", i, "?q"), r.Target)
			}
			eventually(t, "the last one has ended the connection", func() bool { return l.Err() != nil })
			require.ErrorIs(t, l.Err(), ratmom.ErrConnectionClosed)
		})
	}
}

func TestPipeline_tells_what_was_not_answered(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for _, c := range []struct {
		name, text string
		answered   int   // of three
		broken     error // of the one behind: its answer began
		why        error
	}{
		{"the server closes", ok, 1, nil, ratmom.ErrConnectionClosed},
		{"the server says that it will", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok" + ok, 1, nil, ratmom.ErrConnectionClosed},
		{"version 1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok" + ok, 1, nil, ratmom.ErrConnectionClosed},
		{"a body up to the end", ok + "HTTP/1.1 200 OK\r\n\r\nok", 2, nil, ratmom.ErrConnectionClosed},
		{"half a head", ok + "HTTP/1.1 20", 1, ratmom.ErrConnectionClosed, ratmom.ErrConnectionClosed},
		{"half a body", ok + "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", 1, ratmom.ErrConnectionClosed, ratmom.ErrConnectionClosed},
		{"two lengths", ok + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 1, ratmom.ErrProtocol, ratmom.ErrProtocol},
		{"a bad chunk", ok + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\n", 1, ratmom.ErrProtocol, ratmom.ErrProtocol},
		{"a timeout that crosses", ok + "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 1, nil, ratmom.ErrConnectionClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testserver.Raw(t, func(conn *testserver.Conn) {
				for range 3 {
					if _, err := conn.ReadRequest(); err != nil {
						return
					}
				}
				_ = conn.Send(c.text)
			})
			l := openPipeline(t, openMap(t), s.URL, 3)
			for i, got := range inOrderOf(t, l, gets(t, s.URL, "/0", "/1", "/2")...) {
				a := await(t, got)
				var u *UnansweredError
				switch {
				case i < c.answered:
					require.NoError(t, a.err)
					assert.Equal(t, "ok", a.body)
				case i == c.answered && c.broken != nil:
					require.ErrorIs(t, a.err, c.broken)
					require.NotErrorAs(t, a.err, &u)
				default:
					require.ErrorAs(t, a.err, &u)
					assert.True(t, u.Sent)
					require.ErrorIs(t, a.err, c.why)
				}
			}
			require.ErrorIs(t, l.Err(), c.why)
			a := send(l, request(t, http.MethodGet, s.URL))
			var u *UnansweredError
			require.ErrorAs(t, a.err, &u)
			assert.False(t, u.Sent)
			assert.Len(t, s.Requests(), 3)
		})
	}
}

func TestPipeline_ends_when_something_comes_unasked(t *testing.T) {
	for name, text := range map[string]string{"bytes": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "the end": ""} {
		t.Run(name, func(t *testing.T) {
			s := testserver.Raw(t, func(c *testserver.Conn) {
				if _, err := c.ReadRequest(); err == nil {
					_ = c.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", text)
				}
			})
			l := openPipeline(t, openMap(t), s.URL, 2)
			require.NoError(t, send(l, request(t, http.MethodGet, s.URL)).err)
			eventually(t, "it is over", func() bool { return l.Err() != nil })
			if text != "" {
				require.ErrorIs(t, l.Err(), ratmom.ErrProtocol)
			}
		})
	}
}

func TestPipeline_passes_over_the_answer_of_a_cancelled_request(t *testing.T) {
	s := newPrompted(t)
	l := openPipeline(t, openMap(t), s.URL, 2)
	ctx, cancel := context.WithCancel(t.Context())
	got := inOrderOf(t, l, request(t, http.MethodGet, s.URL+"/gone").WithContext(ctx), request(t, http.MethodGet, s.URL+"/stays"))
	require.True(t, s.WaitRequests(2, patience))
	cancel()
	a := await(t, got[0])
	require.ErrorIs(t, a.err, context.Canceled)
	require.ErrorIs(t, a.err, ratmom.ErrCanceled)
	waits := make(chan pipedAnswer, 1)
	go func() { waits <- send(l, request(t, http.MethodGet, s.URL+"/third")) }()
	s.send <- "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngone"
	s.send <- "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstays"
	a = await(t, got[1])
	require.NoError(t, a.err)
	assert.Equal(t, "stays", a.body)
	require.True(t, s.WaitRequests(3, patience))
	s.send <- "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthird"
	a = await(t, waits)
	require.NoError(t, a.err)
	assert.Equal(t, "third", a.body)
	require.NoError(t, l.Err())
}

// prompted is a server that sends what it is given, whatever it is asked.
type prompted struct {
	*testserver.RawServer
	send chan string
}

// answer sends text when n requests have come.
func (s *prompted) answer(n int, text string) {
	if s.WaitRequests(n, patience) {
		s.send <- text
	}
}

func newPrompted(t *testing.T) *prompted {
	s := &prompted{send: make(chan string)}
	s.RawServer = testserver.Raw(t, func(c *testserver.Conn) {
		go func() {
			for {
				select {
				case text := <-s.send:
					_ = c.Send(text)
				case <-c.Closed():
					return
				}
			}
		}()
		for {
			if _, err := c.ReadRequest(); err != nil {
				return
			}
		}
	})
	return s
}

func TestPipeline_ends_when_nobody_waits_any_more(t *testing.T) {
	s := newPrompted(t)
	l := openPipeline(t, openMap(t), s.URL, 2)
	ctx, cancel := context.WithCancel(t.Context())
	got := inOrderOf(t, l, request(t, http.MethodGet, s.URL+"/1").WithContext(ctx), request(t, http.MethodGet, s.URL+"/2").WithContext(ctx))
	third := make(chan pipedAnswer, 1)
	last := request(t, http.MethodGet, s.URL+"/3").WithContext(ctx)
	go func() { third <- send(l, last) }() // has no place
	require.True(t, s.WaitRequests(2, patience))
	cancel()
	for _, c := range append(got, third) {
		require.ErrorIs(t, await(t, c).err, context.Canceled)
	}
	eventually(t, "it is over", func() bool { return l.Err() != nil })
	assert.Len(t, s.Requests(), 2)
}

func TestPipeline_reads_a_body_that_is_closed_early_to_its_end_if_that_is_near(t *testing.T) {
	for _, c := range []struct {
		name, head, rest string
		goesOn           bool
	}{
		{"little is left", "Content-Length: 20", strings.Repeat("a", 16), true},
		{"little is left of chunks", "Transfer-Encoding: chunked", "10\r\n" + strings.Repeat("a", 16) + "\r\n0\r\n\r\n", true},
		{"much is left", "Content-Length: 1000000", "", false},
		{"much is left of chunks", "Transfer-Encoding: chunked", "20000\r\n" + strings.Repeat("a", 0x20000), false},
	} {
		for _, how := range []string{"closed", "cancelled"} {
			t.Run(c.name+"/"+how, func(t *testing.T) {
				s := newPrompted(t)
				l := openPipeline(t, openMap(t), s.URL, 2)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				first := request(t, http.MethodGet, s.URL).WithContext(ctx)
				begun := make(chan *http.Response, 1)
				go func() {
					resp, err := l.RoundTrip(first) //nolint:bodyclose // below
					if assert.NoError(t, err) {
						begun <- resp
					}
				}()
				part := "aaaa"
				if strings.Contains(c.head, "chunked") {
					part = "4\r\naaaa\r\n"
				}
				require.True(t, s.WaitRequests(1, patience))
				s.send <- "HTTP/1.1 200 OK\r\n" + c.head + "\r\n\r\n" + part
				resp := await(t, begun)
				_, err := io.ReadFull(resp.Body, make([]byte, 4))
				require.NoError(t, err)
				second := make(chan pipedAnswer, 1)
				go func() { second <- send(l, request(t, http.MethodGet, s.URL)) }()
				require.True(t, s.WaitRequests(2, patience))
				if how == "closed" {
					require.NoError(t, resp.Body.Close())
					_, err = resp.Body.Read(make([]byte, 4))
					require.ErrorIs(t, err, http.ErrBodyReadAfterClose)
				} else {
					cancel()
					await(t, resp.Body.(*pipeBody).passed) // to take its lock would look like a reader
					_, err = resp.Body.Read(make([]byte, 4))
					require.ErrorIs(t, err, context.Canceled)
					require.NoError(t, resp.Body.Close())
				}
				if c.rest != "" {
					s.send <- c.rest
				}
				if !c.goesOn {
					var u *UnansweredError
					require.ErrorAs(t, await(t, second).err, &u)
					require.ErrorIs(t, u, ratmom.ErrConnectionClosed)
					return
				}
				s.send <- "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
				a := await(t, second)
				require.NoError(t, a.err)
				assert.Equal(t, "ok", a.body)
			})
		}
	}
}

func TestPipeline_body_ends_with_its_request_though_its_lock_was_taken_then(t *testing.T) {
	s := newPrompted(t)
	l := openPipeline(t, openMap(t), s.URL, 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go s.answer(1, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\naaaa")
	resp, err := l.RoundTrip(request(t, http.MethodGet, s.URL).WithContext(ctx))
	require.NoError(t, err)
	defer resp.Body.Close()
	b := resp.Body.(*pipeBody)
	b.mu.Lock()
	cancel()
	eventually(t, "the pipeline has ended", func() bool { return l.Err() != nil })
	b.mu.Unlock()
	await(t, b.passed)
	_, err = resp.Body.Read(make([]byte, 4))
	require.ErrorIs(t, err, context.Canceled)
}

func TestPipeline_ends_under_a_body_that_somebody_reads(t *testing.T) {
	for _, how := range []string{"the body is closed", "its request is cancelled", "the time is over", "the pipeline is closed", "the map is closed"} {
		t.Run(how, func(t *testing.T) {
			s := newPrompted(t)
			var opts []Option
			if how == "the time is over" {
				opts = append(opts, Requests(config.Timeout(300*time.Millisecond)))
			}
			m := openMap(t, opts...)
			l := openPipeline(t, m, s.URL, 2)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go s.answer(1, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\naaaa")
			resp, err := l.RoundTrip(request(t, http.MethodGet, s.URL).WithContext(ctx)) //nolint:bodyclose // it is
			require.NoError(t, err)
			defer resp.Body.Close()
			_, err = io.ReadFull(resp.Body, make([]byte, 4))
			require.NoError(t, err)
			read := make(chan error, 1)
			go func() {
				_, err := resp.Body.Read(make([]byte, 4))
				read <- err
			}()
			eventually(t, "somebody reads", func() bool {
				b := resp.Body.(*pipeBody)
				if b.mu.TryLock() {
					b.mu.Unlock()
					return false
				}
				return true
			})
			want := map[string]error{
				"its request is cancelled": context.Canceled, "the time is over": ratmom.ErrTimeout,
				"the pipeline is closed": ErrPipelineClosed, "the map is closed": ErrClosed,
			}[how]
			switch how {
			case "the body is closed":
				require.NoError(t, resp.Body.Close())
				want = ratmom.ErrConnectionClosed
			case "its request is cancelled":
				cancel()
			case "the pipeline is closed":
				require.NoError(t, l.Close())
			case "the map is closed":
				m.Close()
			}
			require.ErrorIs(t, await(t, read), want)
			require.Error(t, l.Err())
		})
	}
}

func TestPipeline_takes_safe_requests_for_its_peer_and_no_others(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t)
	l := openPipeline(t, m, s.URL, 1)
	with := func(f func(*http.Request)) *http.Request {
		req := request(t, http.MethodGet, s.URL)
		f(req)
		return req
	}
	for name, req := range map[string]*http.Request{
		"nil":                nil,
		"no URL":             {},
		"POST":               request(t, http.MethodPost, s.URL),
		"a made-up method":   request(t, "FETCH", s.URL),
		"a body":             with(func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("x")) }),
		"Close":              with(func(r *http.Request) { r.Close = true }),
		"a trailer":          with(func(r *http.Request) { r.Trailer = http.Header{"X": nil} }),
		"Connection":         with(func(r *http.Request) { r.Header.Set("Connection", "close") }),
		"Upgrade":            with(func(r *http.Request) { r.Header.Set("Upgrade", "websocket") }),
		"Content-Length":     with(func(r *http.Request) { r.Header["content-length"] = []string{"5"} }),
		"Transfer-Encoding":  with(func(r *http.Request) { r.Header.Set("Transfer-Encoding", "chunked") }),
		"CRLF in a value":    with(func(r *http.Request) { r.Header.Set("A", "b\r\nC: d") }),
		"CRLF in the host":   with(func(r *http.Request) { r.Host = "a\r\nb: c" }),
		"CRLF in the query":  with(func(r *http.Request) { r.URL.RawQuery = "a\r\nb: c" }),
		"CRLF in the method": with(func(r *http.Request) { r.Method = "GET / HTTP/1.1\r\n" }),
		"another peer":       request(t, http.MethodGet, "http://127.0.0.2:1/"),
		"NTLM":               with(func(r *http.Request) { r.Header.Set("Authorization", ntlmHello()) }),
	} {
		_, err := l.RoundTrip(req) //nolint:bodyclose // there is none
		require.Error(t, err, name)
		require.NotErrorIs(t, err, context.Canceled, name)
	}
	require.NoError(t, send(l, request(t, http.MethodGet, s.URL)).err)
	assert.EqualValues(t, 1, s.hits.Load())
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	for _, depth := range []int{-1, 0, maxDepth + 1} {
		_, err = p.Pipeline(t.Context(), depth)
		require.ErrorIs(t, err, ratmom.ErrInvalidOption)
	}
	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Err(), ErrPipelineClosed)
	m.Close()
	_, err = p.Pipeline(t.Context(), 1)
	require.ErrorIs(t, err, ErrClosed)
}

func TestPipeline_body_whose_request_is_over_as_its_head_comes(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	here, there := net.Pipe()
	defer func() { _ = there.Close() }()
	c := newPipe(&Peer{}, here, 1, 1<<10)
	c.in.Reader = bufio.NewReader(strings.NewReader("1\r\na\r\n0\r\n\r\n"))
	r := &piped{method: http.MethodGet, ctx: ctx, undo: cancel, done: make(chan answered, 1), state: pipedSent}
	c.places <- struct{}{}
	c.sent = []*piped{r}
	_ = c.answer(r, &http1.Answer{Status: 200, Minor: 1, Header: http.Header{}, Length: -1, Announced: -1, Chunked: true})
}

func TestPipeline_sends_what_the_options_say(t *testing.T) {
	s := newPrompted(t)
	client, err := ratmom.New(config.Proxy(""), config.UserAgent("me"), config.DefaultHeader("X-Default", "1"))
	require.NoError(t, err)
	defer client.Close()
	m, err := Open(client, WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
		return []Address{{Addr: s.Addr}}, 0, nil
	})))
	require.NoError(t, err)
	defer m.Close()
	l := openPipeline(t, m, "http://a.name.invalid", 1)
	req := request(t, http.MethodGet, "http://user:secret@a.name.invalid/p%20q?r=s#t")
	req.Header.Set("Accept", "text/plain")
	go s.answer(1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	require.NoError(t, send(l, req).err)
	got := s.Request()
	assert.Equal(t, "/p%20q?r=s", got.Target)
	assert.Equal(t, []string{"Host: a.name.invalid", "User-Agent: me", "Authorization: Basic dXNlcjpzZWNyZXQ=", "Accept: text/plain", "X-Default: 1"}, got.Header)
}

func TestPipeline_fails_where_it_cannot_connect(t *testing.T) {
	m := openMap(t)
	p, err := m.Get("http://127.0.0.1:1")
	require.NoError(t, err)
	_, err = p.Pipeline(t.Context(), 1)
	require.ErrorIs(t, err, ratmom.ErrConnect)
	p, err = m.Get("http://no.such.name.invalid")
	require.NoError(t, err)
	_, err = p.Pipeline(t.Context(), 1)
	require.ErrorIs(t, err, ratmom.ErrNameResolution)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	silent := testserver.Unanswering(t)
	p, err = m.Get("http://" + silent)
	require.NoError(t, err)
	_, err = p.Pipeline(ctx, 1)
	require.ErrorIs(t, err, context.Canceled)
}

func TestPipeline_that_nobody_holds_is_closed(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t)
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	func() {
		l, err := p.Pipeline(t.Context(), 1)
		require.NoError(t, err)
		require.NoError(t, send(l, request(t, http.MethodGet, s.URL)).err)
	}()
	eventually(t, "it is closed", func() bool {
		runtime.GC()
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.pipes) == 0
	})
}

func TestPipeline_gets_along_with_real_servers_at_depth_8(t *testing.T) {
	const depth, n = 8, 400
	origin := plain(t, func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.Path)%2 == 0 {
			_ = http.NewResponseController(w).Flush() // chunks
		}
		_, _ = io.WriteString(w, r.URL.Path)
	})
	direct := func(base string) func(path string) *http.Request {
		return func(path string) *http.Request { return request(t, http.MethodGet, base+path) }
	}
	for _, c := range []struct {
		name  string
		start func(t *testing.T) (*Map, string, func(path string) *http.Request)
	}{
		{"nginx", func(t *testing.T) (*Map, string, func(string) *http.Request) {
			s := testserver.Nginx(t, testserver.NginxWith("location /echo/ { return 200 $uri; }"))
			return openMap(t), s.URL, direct(s.URL)
		}},
		{"nginx with TLS", func(t *testing.T) (*Map, string, func(string) *http.Request) {
			s := testserver.Nginx(t, testserver.NginxWith("location /echo/ { return 200 $uri; }"))
			return openMap(t, Requests(config.CAFile(s.CAFile))), s.TLSURL, direct(s.TLSURL)
		}},
		{"nginx that closes after 7", func(t *testing.T) (*Map, string, func(string) *http.Request) {
			s := testserver.Nginx(t, testserver.NginxWith("location /echo/ { return 200 $uri; }"), testserver.NginxKeepalive(7, time.Hour))
			return openMap(t), s.URL, direct(s.URL)
		}},
		{"HAProxy", func(t *testing.T) (*Map, string, func(string) *http.Request) {
			s := testserver.HAProxy(t, origin.Listener.Addr().String())
			return openMap(t), s.URL, direct(s.URL)
		}},
		{"Squid, which is told the whole URL", func(t *testing.T) (*Map, string, func(string) *http.Request) {
			s := testserver.SquidWith(t, fmt.Sprint("pipeline_prefetch ", depth))
			return openMap(t), s.URL, func(path string) *http.Request {
				req := request(t, http.MethodGet, s.URL)
				req.URL = &url.URL{Scheme: "http", Host: s.Addr, Opaque: "//" + origin.Listener.Addr().String() + path}
				req.Host = origin.Listener.Addr().String()
				return req
			}
		}},
		{"through Squid", func(t *testing.T) (*Map, string, func(string) *http.Request) {
			s := testserver.Squid(t, testserver.NoAuth)
			return openMap(t, Requests(config.Proxy(s.URL))), origin.URL, direct(origin.URL)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, base, ask := c.start(t)
			var mu sync.Mutex
			opened := 1
			l := openPipeline(t, m, base, depth)
			// current is a pipeline that was not over a moment ago.
			current := func() *Pipeline {
				mu.Lock()
				defer mu.Unlock()
				if l.Err() != nil {
					l = openPipeline(t, m, base, depth)
					opened++
				}
				return l
			}
			next := make(chan string, n)
			for i := range n {
				next <- "/echo/" + strings.Repeat("x", i%3) + fmt.Sprint(i)
			}
			close(next)
			var wg sync.WaitGroup
			for range depth {
				wg.Go(func() {
					for path := range next {
						for {
							a := send(current(), ask(path))
							var u *UnansweredError
							if errors.As(a.err, &u) {
								continue // by the rule that it may be sent again
							}
							assert.NoError(t, a.err)
							assert.Equal(t, path, a.body)
							break
						}
					}
				})
			}
			wg.Wait()
			t.Logf("%d connections", opened)
			if !strings.Contains(c.name, "closes") {
				assert.Equal(t, 1, opened)
			}
		})
	}
}

// It shares nothing of its TLS with requests that have other options.
func TestPipeline_shows_its_certificate_and_the_client_does_not(t *testing.T) {
	s := testserver.Start(t, testserver.HTTPS1, testserver.Who(), testserver.AsksWho())
	cert, key := testserver.NewAuthority(t).Client(t, "somebody").Files(t)
	client, err := ratmom.New(config.CAFile(s.CAFile), config.ConnectionReuse(retry.ReuseNever))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	m, err := Open(client, Requests(config.ClientCertificate(cert, key)))
	require.NoError(t, err)
	t.Cleanup(m.Close)
	plain := func() {
		t.Helper()
		for range 4 {
			resp, err := client.Get(s.URL)
			require.NoError(t, err)
			name, err := resp.Text()
			require.NoError(t, err)
			assert.Equal(t, "nobody", name)
		}
	}
	plain()
	l := openPipeline(t, m, s.URL, 1)
	a := send(l, request(t, http.MethodGet, s.URL))
	require.NoError(t, a.err)
	assert.Equal(t, "somebody", a.body)
	plain()
	require.NoError(t, l.Close())
	plain()
}
