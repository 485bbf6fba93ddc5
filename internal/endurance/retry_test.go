package endurance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// send makes a request with a body in memory ("" is none) and gives the text of
// the response.
func send(t testing.TB, client *ratmom.Client, method, url, body string, opts ...config.RequestOption) (string, *ratmom.Response, error) {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(patient(t), method, url, r)
	require.NoError(t, err)
	resp, err := client.Send(req, opts...)
	if err != nil {
		return "", nil, err
	}
	text, err := resp.Text()
	return text, resp, err
}

func TestRetry_of_a_GET_over_a_connection_that_was_closed_while_idle(t *testing.T) {
	for _, c := range []struct {
		name      string
		script    testserver.Script
		delivered int
	}{
		{"closed while idle", testserver.CloseWhenIdle(nil), 2},
		{"closed on reuse", testserver.PerConnection(testserver.CloseOnReuse(), testserver.Answer(testserver.OK("hello"))), 3},
		{"reset on reuse", testserver.PerConnection(testserver.ResetOnReuse(), testserver.Answer(testserver.OK("hello"))), 3},
	} {
		for _, tls := range []bool{false, true} {
			name := c.name
			var options []testserver.Option
			if tls {
				name, options = name+", TLS", append(options, testserver.WithTLS())
			}
			t.Run(name, func(t *testing.T) {
				s := testserver.Raw(t, c.script, options...)
				client := clientFor(t, testserver.HTTPS1, s.CAFile)
				for range 2 {
					text, _, err := send(t, client, "GET", s.URL, "")
					require.NoError(t, err)
					require.Equal(t, "hello", text)
				}
				require.Len(t, s.Requests(), c.delivered)
				// libcurl opens a connection for its own retry before it is vetoed.
				require.LessOrEqual(t, s.Accepted(), 3)
			})
		}
	}
}

func TestRetry_happens_once(t *testing.T) {
	s := testserver.Raw(t, testserver.PerConnection(
		testserver.CloseOnReuse(), testserver.CloseUnanswered(), testserver.CloseUnanswered(), testserver.Answer(testserver.OK("late"))))
	client := newClient(t)
	_, _, err := send(t, client, "GET", s.URL, "")
	require.NoError(t, err)
	_, _, err = send(t, client, "GET", s.URL, "")
	require.ErrorIs(t, err, ratmom.ErrConnectionClosed)
	require.Len(t, s.Requests(), 3)
}

func TestRetry_is_not_for_a_POST_that_may_have_been_processed(t *testing.T) {
	s := testserver.Raw(t, testserver.CloseOnReuse())
	client := newClient(t)
	_, _, err := send(t, client, "POST", s.URL, "one")
	require.NoError(t, err)
	_, _, err = send(t, client, "POST", s.URL, "two")
	require.ErrorIs(t, err, ratmom.ErrConnectionClosed)
	bodies := ""
	for _, r := range s.Requests() {
		bodies += string(r.Body) + " "
	}
	require.Equal(t, "one two ", bodies)
}

func TestRetry_many_times_over_a_server_that_closes_at_will(t *testing.T) {
	heavy(t)
	s := testserver.Raw(t, func(c *testserver.Conn) {
		for range 1 + c.Number%4 {
			if _, err := c.ReadRequest(); err != nil || c.Send(testserver.OK("hello")) != nil {
				return
			}
		}
		if c.Number%2 == 0 {
			c.Reset()
		}
	})
	client := newClient(t)
	const total, callers = 6000, 8
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range total / callers {
				text, _, err := send(t, client, "GET", s.URL, "")
				assert.NoError(t, err)
				assert.Equal(t, "hello", text)
			}
		})
	}
	all.Wait()
	t.Logf("%d requests, %d delivered on %d connections", total, len(s.Requests()), s.Accepted())
}

func TestRetry_of_a_refused_stream(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		for _, c := range []struct {
			name    string
			refused int
			script  func(n int, body string) testserver.FrameScript
		}{
			{"once", 1, testserver.RefuseStreams},
			{"twice", 2, testserver.RefuseStreams},
			{"once by GOAWAY", 1, testserver.GoAwayUnprocessed},
			{"twice by GOAWAY", 2, testserver.GoAwayUnprocessed},
		} {
			t.Run(method+" "+c.name, func(t *testing.T) {
				body := map[string]string{"POST": "a body"}[method]
				s := testserver.Frames(t, c.script(c.refused, "hello"), testserver.WithTLS())
				client := clientFor(t, testserver.H2, s.CAFile)
				text, _, err := send(t, client, method, s.URL, body)
				require.NoError(t, err)
				require.Equal(t, "hello", text)
				requests := s.Requests()
				require.Len(t, requests, 1+c.refused)
				require.Equal(t, body, string(requests[c.refused].Body))
			})
		}
	}
}
func TestRetry_of_a_refused_stream_ends(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		for name, script := range map[string]testserver.FrameScript{
			"RST_STREAM": testserver.RefuseStreams(100, ""),
			"GOAWAY":     testserver.GoAwayUnprocessed(100, ""),
		} {
			t.Run(method+" "+name, func(t *testing.T) {
				s := testserver.Frames(t, script, testserver.WithTLS())
				client := clientFor(t, testserver.H2, s.CAFile)
				_, _, err := send(t, client, method, s.URL, "")
				require.ErrorIs(t, err, ratmom.ErrHTTP2)
				require.ErrorContains(t, err, "refused")
				require.Len(t, s.Requests(), 3)
			})
		}
	}
}

func TestRetry_of_a_refused_stream_wants_the_body_again(t *testing.T) {
	s := testserver.Frames(t, func(c *testserver.FrameConn) {
		s, err := c.NextRequest()
		if err == nil && c.ReadAll(s) == nil && c.WriteRSTStream(s.ID, http2.ErrCodeRefusedStream) == nil {
			c.UntilGone()
		}
	}, testserver.WithTLS())
	client := clientFor(t, testserver.H2, s.CAFile)
	req, err := http.NewRequestWithContext(patient(t), "POST", s.URL, io.MultiReader(strings.NewReader("a body")))
	require.NoError(t, err)
	_, err = client.Send(req)
	require.ErrorIs(t, err, ratmom.ErrHTTP2)
	require.Len(t, s.Requests(), 1)
}

// sendSecond sends a request over an HTTP/2 connection that has served another before, and does
// with it as second says; all others get "hello".
func sendSecond(t *testing.T, method string, second func(c *testserver.FrameConn, s *testserver.Stream) error) (s *testserver.RawServer, text string, err error) {
	t.Helper()
	s = testserver.Frames(t, func(c *testserver.FrameConn) {
		for i := 0; ; i++ {
			s, err := c.NextEnd()
			if err == nil && c.Number == 0 && i == 1 {
				err = second(c, s)
			} else if err == nil {
				err = c.Reply(s, 200, "hello")
			}
			if err != nil {
				return
			}
		}
	}, testserver.WithTLS())
	client := clientFor(t, testserver.H2, s.CAFile)
	_, _, err = send(t, client, "GET", s.URL, "")
	require.NoError(t, err)
	text, _, err = send(t, client, method, s.URL, "")
	return s, text, err
}

var errLeft = errors.New("the connection is over")

// leaving is how a server ends an HTTP/2 connection.
var leaving = map[string]func(c *testserver.FrameConn) error{
	"end":   func(c *testserver.FrameConn) error { c.HangUp(); return errLeft },
	"reset": func(c *testserver.FrameConn) error { c.Reset(); return errLeft },
}

func TestRetry_over_HTTP2_where_the_connection_ends_before_the_response(t *testing.T) {
	for end, leave := range leaving {
		for _, method := range []string{"GET", "POST"} {
			t.Run(method+", "+end, func(t *testing.T) {
				s, text, err := sendSecond(t, method, func(c *testserver.FrameConn, _ *testserver.Stream) error { return leave(c) })
				if method == "GET" {
					require.NoError(t, err)
					require.Equal(t, "hello", text)
					require.Len(t, s.Requests(), 3)
					return
				}
				require.Error(t, err)
				require.NotErrorIs(t, err, ratmom.ErrTruncated, "there is no response")
				require.Len(t, s.Requests(), 2)
			})
		}
	}
}

func TestRequest_whose_new_HTTP2_connection_ends_has_no_truncated_response(t *testing.T) {
	for end, leave := range leaving {
		t.Run(end, func(t *testing.T) {
			s := testserver.Frames(t, func(c *testserver.FrameConn) {
				if _, err := c.NextEnd(); err == nil {
					_ = leave(c)
				}
			}, testserver.WithTLS())
			_, _, err := send(t, clientFor(t, testserver.H2, s.CAFile), "GET", s.URL, "")
			require.Error(t, err)
			require.NotErrorIs(t, err, ratmom.ErrTruncated)
		})
	}
}

// libcurl does not say so there: see docs/limits.md.
func TestRetry_of_a_refused_stream_on_a_reused_connection_is_for_idempotent_requests(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		t.Run(method, func(t *testing.T) {
			s, text, err := sendSecond(t, method, func(c *testserver.FrameConn, s *testserver.Stream) error {
				return c.WriteRSTStream(s.ID, http2.ErrCodeRefusedStream)
			})
			if method == "GET" {
				require.NoError(t, err)
				require.Equal(t, "hello", text)
				require.Len(t, s.Requests(), 3)
				return
			}
			require.ErrorIs(t, err, ratmom.ErrConnectionClosed)
			require.Len(t, s.Requests(), 2)
		})
	}
}

// goAwayBetween takes n requests on the first connection that brings some, says that
// it processes only the first k, and does; the other connections serve all. It counts
// in processed what it has served, by method and body.
func goAwayBetween(n, k int, mu *sync.Mutex, processed map[string]int) testserver.FrameScript {
	var seen atomic.Bool
	return func(c *testserver.FrameConn) {
		var taken []*testserver.Stream
		for first := false; ; {
			s, err := c.NextEnd()
			if err != nil {
				return
			}
			first = first || !seen.Swap(true)
			if taken = append(taken, s); first && len(taken) < n {
				continue
			}
			if first {
				slices.SortFunc(taken, func(a, b *testserver.Stream) int { return int(a.ID) - int(b.ID) })
				last := uint32(0)
				if taken = taken[:k]; k > 0 {
					last = taken[k-1].ID
				}
				if c.WriteGoAway(last, http2.ErrCodeNo, nil) != nil {
					return
				}
			}
			for _, s := range taken {
				mu.Lock()
				processed[s.Method+" "+string(s.Body)]++
				mu.Unlock()
				if c.Reply(s, 200, "hello") != nil {
					return
				}
			}
			if taken = nil; first {
				c.HangUp()
				return
			}
		}
	}
}

func TestRetry_of_many_streams_that_GOAWAY_left_out(t *testing.T) {
	const n = 12
	for _, first := range []int{0, 4} {
		for _, mixed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d processed, mixed %v", first, mixed), func(t *testing.T) {
				var mu sync.Mutex
				processed := map[string]int{}
				s := testserver.Frames(t, goAwayBetween(n, first, &mu, processed), testserver.WithTLS())
				client := clientFor(t, testserver.H2, s.CAFile)
				var all sync.WaitGroup
				var failed atomic.Int64
				for i := range n {
					all.Go(func() {
						method, body := "POST", fmt.Sprintf("body %d", i)
						if mixed && i%2 == 0 {
							method, body = "GET", ""
						}
						text, _, err := send(t, client, method, s.URL, body)
						if err != nil {
							t.Log(err)
							failed.Add(1)
							return
						}
						assert.Equal(t, "hello", text)
					})
				}
				all.Wait()
				t.Logf("%d failed, %d connections", failed.Load(), s.Accepted())
				require.Zero(t, failed.Load())
				mu.Lock()
				defer mu.Unlock()
				for body, times := range processed {
					if strings.HasPrefix(body, "POST") {
						require.Equal(t, 1, times, body)
					}
				}
			})
		}
	}
}

func TestBroken_streams_are_typed_errors(t *testing.T) {
	for _, c := range []struct {
		name   string
		script testserver.FrameScript
		kinds  []error
		send   bool
	}{
		{"reset before the head", testserver.ResetStreams(http2.ErrCodeInternal), []error{ratmom.ErrHTTP2}, true},
		{"reset in the body", testserver.ResetInBodyFrames(http2.ErrCodeInternal), []error{ratmom.ErrHTTP2, ratmom.ErrTruncated}, false},
		{"reset in the body with NO_ERROR", testserver.ResetInBodyFrames(http2.ErrCodeNo), []error{ratmom.ErrHTTP2, ratmom.ErrTruncated}, false},
		{"closed in the body", testserver.CloseInBodyFrames(), []error{ratmom.ErrHTTP2, ratmom.ErrTruncated}, false},
		{"short body", testserver.ShortBodyFrames(), []error{ratmom.ErrHTTP2, ratmom.ErrTruncated}, false},
		{"endless head", testserver.EndlessContinuation(), []error{ratmom.ErrHTTP2, ratmom.ErrHeadTooLarge, ratmom.ErrReceive, ratmom.ErrSend, ratmom.ErrConnectionClosed}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testserver.Frames(t, c.script, testserver.WithTLS())
			client := clientFor(t, testserver.H2, s.CAFile)
			body, fromSend, fromRead := fetch(t, client, s.URL)
			err := fromSend
			if !c.send {
				require.NoError(t, fromSend)
				err = fromRead
			}
			require.Error(t, err, "body %q", body)
			t.Logf("%v after %q", err, body)
			var e *ratmom.Error
			require.ErrorAs(t, err, &e)
			require.Contains(t, c.kinds, error(e.Kind))
		})
	}
}

func TestUnsolicited_response_is_not_given_to_the_next_request(t *testing.T) {
	for _, tls := range []bool{false, true} {
		var options []testserver.Option
		if tls {
			options = append(options, testserver.WithTLS())
		}
		idle := make(chan struct{})
		s := testserver.Raw(t, testserver.PerConnection(testserver.Unsolicited(idle), testserver.Answer(testserver.OK("hello"))), options...)
		client := clientFor(t, testserver.HTTPS1, s.CAFile)
		text, _, err := send(t, client, "GET", s.URL, "")
		require.NoError(t, err)
		require.Equal(t, "hello", text)
		close(idle)
		require.True(t, s.WaitClosed(patience), "the client drops a connection that speaks unasked")
		text, resp, err := send(t, client, "GET", s.URL, "")
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, "hello", text)
	}
}

// The same without any wait: the late answer races with the next request.
func TestUnsolicited_responses_never_reach_a_request_however_many_there_are(t *testing.T) {
	heavy(t)
	s := testserver.Raw(t, func(c *testserver.Conn) {
		if _, err := c.ReadRequest(); err != nil {
			return
		}
		// In one segment, and so before the next request in any case.
		_ = c.Send(testserver.OK("hello") + "HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nlate")
		_, _ = c.ReadRequest()
		c.UntilClosed()
	})
	client := newClient(t)
	var all sync.WaitGroup
	for range 150 { // more idle connections than one turn looks at
		all.Go(func() {
			for range 20 {
				text, _, err := send(t, client, "GET", s.URL, "")
				assert.NoError(t, err)
				assert.Equal(t, "hello", text)
			}
		})
	}
	all.Wait()
}

func TestAuth_rounds_pass_the_veto(t *testing.T) {
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(append([]byte("hello"), b...))
	})
	for _, c := range []struct {
		name    string
		handler http.Handler
		option  config.Option
		mode    testserver.Mode
	}{
		{"Digest", testserver.Digest{}.Handler(hello), config.DigestAuth(testserver.User, testserver.Password), testserver.H1},
		{"Digest, HTTP/2", testserver.Digest{}.Handler(hello), config.DigestAuth(testserver.User, testserver.Password), testserver.H2},
		{"Digest with nonces of one use", testserver.Digest{OneUse: true}.Handler(hello), config.DigestAuth(testserver.User, testserver.Password), testserver.H1},
		{"Digest, any", testserver.Digest{}.Handler(hello), config.AnyAuth(testserver.User, testserver.Password), testserver.HTTPS1},
		{"NTLM", testserver.NTLM(hello), config.NTLMAuth(testserver.User, testserver.Password), testserver.H1},
		{"NTLM over TLS", testserver.NTLM(hello), config.NTLMAuth(testserver.User, testserver.Password), testserver.HTTPS1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testserver.Start(t, c.mode, c.handler)
			client := clientFor(t, c.mode, s.CAFile)
			for _, body := range []string{"", "a body", string(bytes.Repeat([]byte("x"), 100_000)), ""} {
				method := "GET"
				if body != "" {
					method = "POST"
				}
				text, resp, err := send(t, client, method, s.URL, body, c.option)
				require.NoError(t, err)
				require.Equal(t, 200, resp.StatusCode)
				require.Equal(t, "hello"+body, text)
			}
			// A body that cannot be had again is sent at most once.
			req, err := http.NewRequestWithContext(patient(t), "POST", s.URL, io.MultiReader(strings.NewReader("stream")))
			require.NoError(t, err)
			resp, err := client.Send(req, c.option)
			if err == nil {
				text, err := resp.Text()
				require.NoError(t, err)
				t.Logf("POST of a stream: %d %.40q", resp.StatusCode, text)
				if resp.StatusCode == 200 {
					require.Equal(t, "hellostream", text)
				}
			} else {
				t.Logf("POST of a stream: %v", err)
				require.ErrorIs(t, err, ratmom.ErrBodyNotRewindable)
			}
			// A wrong password ends, with the 401.
			if !strings.HasPrefix(c.name, "NTLM") {
				_, resp, err := send(t, client, "GET", s.URL, "", config.DigestAuth(testserver.User, "wrong"))
				require.NoError(t, err)
				require.Equal(t, 401, resp.StatusCode)
			}
		})
	}
}

func TestAuth_rounds_of_a_proxy_pass_the_veto(t *testing.T) {
	plain := testserver.Start(t, testserver.H1, testserver.Echo())
	secure := testserver.Start(t, testserver.HTTPS1, testserver.Echo())
	for _, c := range []struct {
		name   string
		auth   testserver.Auth
		option config.Option
	}{
		{"Digest", testserver.DigestAuth, config.ProxyDigestAuth(testserver.User, testserver.Password)},
		{"NTLM", testserver.NTLMAuth, config.ProxyNTLMAuth(testserver.User, testserver.Password)},
		{"any", testserver.DigestAuth, config.ProxyAnyAuth(testserver.User, testserver.Password)},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, url := range map[string]string{
				"ours":  testserver.StartProxy(t, testserver.Proxy{Auth: c.auth}).URL,
				"squid": testserver.Squid(t, c.auth).URL,
			} {
				client := clientFor(t, testserver.HTTPS1, secure.CAFile, config.Proxy(url), c.option)
				for _, s := range []*testserver.Server{plain, secure} {
					for _, body := range []string{"", "a body"} {
						method := "GET"
						if body != "" {
							method = "POST"
						}
						text, resp, err := send(t, client, method, s.URL, body)
						require.NoError(t, err, "%s %s %s", name, s.Mode, method)
						require.Equal(t, 200, resp.StatusCode, "%s %s %s", name, s.Mode, method)
						require.Equal(t, body, text)
					}
				}
			}
		})
	}
}

func TestExpect_that_is_refused_is_answered_once_without_it(t *testing.T) {
	payload := strings.Repeat("x", 2<<20)
	for _, c := range []struct {
		name string
		body func() io.Reader
	}{
		{"in memory", func() io.Reader { return strings.NewReader(payload) }},
		{"stream", func() io.Reader { return io.MultiReader(strings.NewReader(payload)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testserver.Raw(t, testserver.RefuseExpect(testserver.OK("hello")))
			client := newClient(t)
			req, err := http.NewRequestWithContext(patient(t), "POST", s.URL, c.body())
			require.NoError(t, err)
			req.ContentLength = int64(len(payload))
			req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(c.body()), nil }
			resp, err := client.Send(req, config.ExpectContinue(5*time.Second))
			require.NoError(t, err)
			text, err := resp.Text()
			require.NoError(t, err)
			require.Equal(t, "hello", text)
			requests := s.Requests()
			require.Len(t, requests, 2)
			require.True(t, requests[0].Has("Expect"))
			require.False(t, requests[1].Has("Expect"))
			require.Len(t, requests[1].Body, 2<<20)
		})
	}
}

func TestExpect_in_the_header_does_not_loop_on_417(t *testing.T) {
	s := testserver.Raw(t, testserver.RefuseExpect(testserver.OK("hello")))
	client := newClient(t)
	req, err := http.NewRequestWithContext(patient(t), "POST", s.URL, strings.NewReader(strings.Repeat("x", 2<<20)))
	require.NoError(t, err)
	req.Header.Set("Expect", "100-continue")
	resp, err := client.Send(req)
	if err == nil {
		t.Logf("status %d", resp.StatusCode)
		require.NoError(t, resp.Discard())
	} else {
		t.Log(err)
	}
	require.LessOrEqual(t, len(s.Requests()), 3)
}

func TestIdle_HTTP2_connection_survives_a_PING_and_notices_a_GOAWAY(t *testing.T) {
	idle, acked := make(chan struct{}), make(chan struct{})
	s := testserver.Frames(t, testserver.FramesPerConnection(
		testserver.GoAwayWhenIdle(idle), testserver.ServeFrames("hello")), testserver.WithTLS())
	client := clientFor(t, testserver.H2, s.CAFile)
	text, _, err := send(t, client, "GET", s.URL, "")
	require.NoError(t, err)
	require.Equal(t, "hello", text)
	close(idle)
	// Data on an idle connection is for its next user to read.
	text, _, err = send(t, client, "GET", s.URL, "")
	require.NoError(t, err)
	require.Equal(t, "hello", text)

	idle2 := make(chan struct{})
	p := testserver.Frames(t, testserver.PingWhenIdle(idle2, acked), testserver.WithTLS())
	text, _, err = send(t, clientFor(t, testserver.H2, p.CAFile), "GET", p.URL, "")
	require.NoError(t, err)
	require.Equal(t, "hello", text)
	close(idle2)
	select {
	case <-acked:
		t.Log("the PING of an idle connection is answered at once")
	case <-time.After(300 * time.Millisecond):
		t.Log("the PING of an idle connection waits for the next request")
	}
}

// libcurl keeps in the easy handle that a stream was refused, beyond the request that
// it happened to. The next POST of the handle must not be taken for refused when its
// connection dies: it may have been processed.
func TestRefused_stream_is_not_laid_at_the_next_requests_door(t *testing.T) {
	h2 := testserver.Frames(t, func(c *testserver.FrameConn) {
		for i := 0; ; i++ {
			s, err := c.NextEnd()
			if err != nil {
				return
			}
			if i == 1 && c.Number == 0 {
				err = c.WriteRSTStream(s.ID, http2.ErrCodeRefusedStream)
			} else {
				err = c.Reply(s, 200, "hello")
			}
			if err != nil {
				return
			}
		}
	}, testserver.WithTLS())
	h1 := testserver.Raw(t, testserver.CloseUnanswered(), testserver.WithTLS())
	client := newClient(t, config.DangerAcceptInvalidCertificates(true))
	_, _, err := send(t, client, "POST", h2.URL+"/answered", "x")
	require.NoError(t, err)
	_, _, _ = send(t, client, "POST", h2.URL+"/refused", "x") // whether that is known is another matter
	_, _, err = send(t, client, "POST", h1.URL+"/order", "order")
	require.Error(t, err)
	require.Len(t, h1.Requests(), 1)
}

// Before 8.0.0 libcurl takes a connection with something to read for alive, though it
// was shut down from here. Nothing is sent there, so that even a body that can be
// read only once is sent on the next one.
func TestRetry_of_a_POST_that_was_given_a_connection_which_was_closed_from_here(t *testing.T) {
	for _, options := range [][]testserver.Option{nil, {testserver.WithTLS()}} {
		idle, spoken := testserver.NewGate(), make(chan struct{}, 1)
		s := testserver.Frames(t, func(c *testserver.FrameConn) {
			for {
				s, err := c.NextRequest()
				if err != nil || c.ReadAll(s) != nil || c.Reply(s, 200, "hello") != nil {
					return
				}
				if s.Method == http.MethodGet {
					_ = c.WaitFor(idle.Opened())
					_ = c.WriteWindowUpdate(0, 1) // asks for no answer
					spoken <- struct{}{}
				}
			}
		}, options...)
		mode := testserver.H2C
		if options != nil {
			mode = testserver.H2
		}
		client := clientFor(t, mode, s.CAFile)
		_, _, err := send(t, client, "GET", s.URL, "")
		require.NoError(t, err)
		idle.Open()
		<-spoken
		client.CloseIdleConnections()
		req, err := http.NewRequestWithContext(patient(t), "POST", s.URL, io.MultiReader(strings.NewReader("read once")))
		require.NoError(t, err)
		resp, err := client.Send(req)
		require.NoError(t, err)
		text, err := resp.Text()
		require.NoError(t, err)
		require.Equal(t, "hello", text)
		require.Len(t, s.Requests(), 2)
		require.Equal(t, "read once", string(s.Requests()[1].Body))
	}
}
