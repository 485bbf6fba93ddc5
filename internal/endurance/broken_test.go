package endurance

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/internal/testserver"
)

// fetch sends a GET, reads the body to its end, and gives the error of either.
func fetch(t testing.TB, client *ratmom.Client, url string) (body []byte, fromSend, fromRead error) {
	t.Helper()
	resp, err := client.Send(request(t, patient(t), "GET", url))
	if err != nil {
		return nil, err, nil
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	if err != nil {
		// The end is sticky.
		n, again := resp.Body.Read(make([]byte, 1))
		assert.Zero(t, n)
		assert.Equal(t, err, again)
	}
	return body, nil, err
}

func TestBroken_responses_are_typed_errors_and_never_short_bodies(t *testing.T) {
	received := make(chan struct{}) // closed: a reset need not wait
	close(received)
	for _, c := range []struct {
		name   string
		script testserver.Script
		kinds  []error // one of them
		send   bool    // the error comes from Send
	}{
		{"truncated chunked", testserver.TruncatedChunked(), []error{ratmom.ErrTruncated}, false},
		{"no last chunk", testserver.MissingLastChunk(), []error{ratmom.ErrTruncated}, false},
		{"bad chunk size", testserver.BadChunkSize(), []error{ratmom.ErrProtocol, ratmom.ErrTruncated}, false},
		{"truncated length", testserver.TruncatedContentLength(), []error{ratmom.ErrTruncated}, false},
		{"huge length", testserver.HugeContentLength(), []error{ratmom.ErrTruncated}, false},
		{"garbage status line", testserver.GarbageStatusLine(), []error{ratmom.ErrProtocol}, true},
		{"endless head", testserver.EndlessHead(), []error{ratmom.ErrHeadTooLarge}, true},
		{"endless header line", testserver.EndlessHeaderLine(), []error{ratmom.ErrHeadTooLarge}, true},
		{"endless informational heads", testserver.EndlessInformational(), []error{ratmom.ErrHeadTooLarge}, true},
		{"endless trailers", testserver.EndlessTrailers(), []error{ratmom.ErrHeadTooLarge}, false},
		{"closed unanswered", testserver.CloseUnanswered(), []error{ratmom.ErrConnectionClosed, ratmom.ErrReceive}, true},
		{"reset unanswered", testserver.ResetUnanswered(), []error{ratmom.ErrConnectionClosed, ratmom.ErrReceive}, true},
		{"closed in the head", testserver.AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Le"), []error{ratmom.ErrConnectionClosed, ratmom.ErrReceive, ratmom.ErrTruncated, ratmom.ErrProtocol}, true},
		{"closed after the status line", testserver.AnswerAndClose("HTTP/1.1 200 OK\r\n"), []error{ratmom.ErrConnectionClosed, ratmom.ErrReceive, ratmom.ErrTruncated, ratmom.ErrProtocol}, true},
		{"closed between headers", testserver.AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"), []error{ratmom.ErrConnectionClosed, ratmom.ErrReceive, ratmom.ErrTruncated, ratmom.ErrProtocol}, true},
		{"two lengths", testserver.AnswerAndHang("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), []error{ratmom.ErrProtocol}, true},
		{"negative length", testserver.AnswerAndHang("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"), []error{ratmom.ErrProtocol}, true},
		{"a NUL in the head", testserver.AnswerAndHang("HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n"), []error{ratmom.ErrProtocol}, true},
		{"truncated gzip", testserver.AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x4a\x4c"), []error{ratmom.ErrTruncated, ratmom.ErrContentEncoding}, false},
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
				start := time.Now()
				body, fromSend, fromRead := fetch(t, client, s.URL)
				err := errors.Join(fromSend, fromRead)
				require.Error(t, err, "body %q", body)
				t.Logf("%v after %q in %v", err, body, time.Since(start).Round(time.Millisecond))
				if c.send {
					require.Error(t, fromSend)
				} else if !c.send && fromSend != nil && c.name != "huge length" {
					t.Errorf("from Send, with a head that was good: %v", fromSend)
				}
				var e *ratmom.Error
				require.ErrorAs(t, err, &e)
				kind := false
				for _, k := range c.kinds {
					kind = kind || errors.Is(err, k)
				}
				require.True(t, kind, "%v is none of %v", e.Kind, c.kinds)
				require.False(t, errors.Is(err, io.EOF))
			})
		}
	}
}

func TestBroken_by_a_reset_in_the_body_is_truncated(t *testing.T) {
	for _, tls := range []bool{false, true} {
		var options []testserver.Option
		if tls {
			options = append(options, testserver.WithTLS())
		}
		received := make(chan struct{})
		s := testserver.Raw(t, testserver.ResetInBody(received), options...)
		client := clientFor(t, testserver.HTTPS1, s.CAFile)
		resp, err := client.Send(request(t, patient(t), "GET", s.URL))
		require.NoError(t, err)
		part := make([]byte, 5)
		_, err = io.ReadFull(resp.Body, part)
		require.NoError(t, err)
		require.Equal(t, "hello", string(part))
		close(received)
		_, err = io.ReadAll(resp.Body)
		require.ErrorIs(t, err, ratmom.ErrTruncated)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.NoError(t, resp.Body.Close())
	}
}

func TestBroken_by_the_kill_of_the_server_is_an_error_of_every_request(t *testing.T) {
	server := startChild(t, "server")
	client := newClient(t)
	ctx := patient(t)
	const each = 20
	var all sync.WaitGroup
	reading := make(chan struct{}, 2*each)
	for i := range 2 * each {
		path := []string{"/endless", "/long"}[i%2]
		all.Go(func() {
			resp, err := client.Send(request(t, ctx, "GET", server.Line+path))
			if err != nil {
				t.Error(err)
				reading <- struct{}{}
				return
			}
			defer resp.Body.Close()
			_, err = io.CopyN(io.Discard, resp.Body, 64<<10)
			assert.NoError(t, err)
			reading <- struct{}{}
			_, err = io.Copy(io.Discard, resp.Body)
			assert.ErrorIs(t, err, ratmom.ErrTruncated, path)
			assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
		})
	}
	waiting := client.SendAsync(request(t, ctx, "GET", server.Line+"/after?ms=60000"))
	for range 2 * each {
		<-reading
	}
	start := time.Now()
	server.kill(t)
	all.Wait()
	_, err := waiting.Result()
	require.Error(t, err)
	var e *ratmom.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, []error{ratmom.ErrConnectionClosed, ratmom.ErrReceive}, error(e.Kind))
	within(t, "the end of all", time.Second, time.Since(start))
}

// deliveries counts how often each marked request reached a server.
type deliveries struct {
	mu    sync.Mutex
	count map[string]int
}

func (d *deliveries) note(mark string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.count == nil {
		d.count = map[string]int{}
	}
	d.count[mark]++
}

func TestBroken_connection_delivers_a_POST_at_most_once(t *testing.T) {
	heavy(t)
	const total, callers = 6000, 20
	for _, c := range []struct {
		name string
		end  func(c *testserver.Conn, d *deliveries)
	}{
		{"closed as soon as it is idle", func(*testserver.Conn, *deliveries) {}},
		{"reset as soon as it is idle", func(c *testserver.Conn, _ *deliveries) { c.Reset() }},
		{"closed with the request read", func(c *testserver.Conn, d *deliveries) {
			if r, err := c.ReadRequest(); err == nil {
				d.note(string(r.Body))
			}
		}},
		{"reset with the request read", func(c *testserver.Conn, d *deliveries) {
			if r, err := c.ReadRequest(); err == nil {
				d.note(string(r.Body))
				c.Reset()
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var seen deliveries
			s := testserver.Raw(t, func(conn *testserver.Conn) {
				for range 1 + conn.Number%3 {
					r, err := conn.ReadRequest()
					if err != nil {
						return
					}
					seen.note(string(r.Body))
					if conn.Send(testserver.OK("hello")) != nil {
						return
					}
				}
				c.end(conn, &seen)
			})
			client := newClient(t)
			var good, failed sync.Map
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() {
					for j := range total / callers {
						mark := strings.Repeat("m", 1+i) + "-" + strings.Repeat("n", 1+j)
						req, err := http.NewRequestWithContext(patient(t), "POST", s.URL, strings.NewReader(mark))
						if err != nil {
							t.Error(err)
							return
						}
						resp, err := client.Send(req)
						if err != nil {
							var e *ratmom.Error
							assert.ErrorAs(t, err, &e)
							failed.Store(mark, err)
							continue
						}
						if err := resp.Discard(); err != nil {
							t.Error(err)
						}
						good.Store(mark, true)
					}
				})
			}
			all.Wait()
			seen.mu.Lock()
			defer seen.mu.Unlock()
			twice, ok, bad := 0, 0, 0
			for _, n := range seen.count {
				if n > 1 {
					twice++
				}
			}
			good.Range(func(mark, _ any) bool {
				ok++
				if seen.count[mark.(string)] != 1 {
					t.Errorf("answered but delivered %d times", seen.count[mark.(string)])
				}
				return true
			})
			kinds := map[error]int{}
			failed.Range(func(_, err any) bool {
				bad++
				var e *ratmom.Error
				_ = errors.As(err.(error), &e)
				kinds[e.Kind]++
				return true
			})
			t.Logf("%d answered, %d failed %v, %d delivered twice", ok, bad, kinds, twice)
			require.Zero(t, twice)
			require.Equal(t, total, ok+bad)
		})
	}
}
