package server

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bodyCases are bodies whose framing is broken; status is what the client gets whether the handler
// reads the body or not.
var bodyCases = []struct {
	name, body string
}{
	{"chunk size with bare LF", "5\nhello\r\n0\r\n\r\n"},
	{"extension with bare LF", "5;a\nhello\r\n0\r\n\r\n"},
	{"data ended with LF", "5\r\nhello\n0\r\n\r\n"},
	{"data too long", "5\r\nhello!\r\n0\r\n\r\n"},
	{"trailing space", "5 \r\nhello\r\n0\r\n\r\n"},
	{"leading space", " 5\r\nhello\r\n0\r\n\r\n"},
	{"trailer Content-Length", "0\r\nContent-Length: 5\r\n\r\n"},
	{"trailer without colon", "0\r\nX\r\n\r\n"},
	{"bare LF in the trailer", "0\r\nX: y\n\r\n"},
	{"empty size", "\r\n\r\n"},
}

// What is refused ends the connection: the request behind it is never run.
func TestServer_runs_nothing_behind_what_it_refuses(t *testing.T) {
	var smuggled atomic.Int32
	for _, reads := range []bool{true, false} {
		for _, pipeline := range []int{0, 5} {
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/smuggled" {
					smuggled.Add(1)
				}
				if reads {
					_, _ = io.Copy(io.Discard, r.Body)
				}
				_, _ = io.WriteString(w, "fine")
			})
			addr := start(t, &Server{Handler: h, Pipeline: pipeline})
			for _, c := range headCases {
				if c.status != 200 {
					got := talk(t, addr, c.text+"0\r\n\r\n"+get1("/smuggled"))
					assert.Contains(t, got, fmt.Sprintf("HTTP/1.1 %d ", c.status), c.name)
					assert.Contains(t, got, "Connection: close\r\n", c.name)
					assert.Equal(t, 1, strings.Count(got, "HTTP/1."), c.name)
				}
			}
			for _, c := range bodyCases {
				got := talk(t, addr, "POST / HTTP/1.1\r\n"+host+"Transfer-Encoding: chunked\r\n\r\n"+c.body+get1("/smuggled"))
				assert.Contains(t, got, "HTTP/1.1 400 ", c.name)
				assert.Contains(t, got, "Connection: close\r\n", c.name)
				assert.Equal(t, 1, strings.Count(got, "HTTP/1."), c.name)
				assert.NotContains(t, got, "fine", c.name)
			}
		}
	}
	assert.Zero(t, smuggled.Load())
}

// When the answer has begun it is too late for a status, and the connection's end must do.
func TestServer_closes_when_a_body_breaks_behind_a_flushed_head(t *testing.T) {
	addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, http.NewResponseController(w).EnableFullDuplex())
		w.(http.Flusher).Flush()
		_, err := io.ReadAll(r.Body)
		assert.Error(t, err)
		_, _ = io.WriteString(w, "x")
	})})
	got := talk(t, addr, "POST / HTTP/1.1\r\n"+host+"Transfer-Encoding: chunked\r\n\r\nz\r\n"+get1("/smuggled"))
	assert.Equal(t, 1, strings.Count(got, "HTTP/1."))
}

func TestServer_refuses_a_request_of_HTTP_2_in_clear_text(t *testing.T) {
	addr := start(t, &Server{Handler: echo})
	assert.Contains(t, talk(t, addr, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "HTTP/1.1 505 ")
}

func TestServer_bounds_bodies(t *testing.T) {
	addr := start(t, &Server{Limits: Limits{BodyBytes: 5}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		var most *http.MaxBytesError
		if len(b) > 5 || err != nil && !assert.ErrorAs(t, err, &most) {
			t.Errorf("%q, %v", b, err)
		}
		_, _ = w.Write(b)
	})})
	c := dial(t, addr)
	c.send("POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello")
	body := c.body("POST")
	assert.Equal(t, "hello", body)
	c.send("POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	body = c.body("POST")
	assert.Equal(t, "hello", body)
	for _, text := range []string{
		"POST / HTTP/1.1\r\n" + host + "Content-Length: 6\r\n\r\nhello!" + get1("/2"),
		"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n6\r\nhello!\r\n0\r\n\r\n" + get1("/2"),
		"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n" + get1("/2"),
	} {
		got := talk(t, addr, text)
		assert.Contains(t, got, "HTTP/1.1 413 ")
		assert.Equal(t, 1, strings.Count(got, "HTTP/1."))
	}
}

func TestServer_closes_rather_than_to_read_much_that_nobody_wants(t *testing.T) {
	addr := start(t, &Server{Handler: echo, Limits: Limits{DrainBytes: 1000}})
	for _, framing := range []string{"Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n186a0\r\n"} {
		got := talk(t, addr, "POST /x HTTP/1.1\r\n"+host+framing+strings.Repeat("a", 50000))
		assert.Contains(t, got, "HTTP/1.1 200 ")
		assert.Contains(t, got, "Connection: close\r\n")
	}
	c := dial(t, addr)
	for range 3 {
		c.send("POST /x HTTP/1.1\r\n" + host + "Content-Length: 1000\r\n\r\n" + strings.Repeat("a", 1000))
		body := c.body("POST")
		assert.Equal(t, "/x", body)
	}
}

func TestServer_bounds_the_requests_of_a_connection(t *testing.T) {
	for _, pipeline := range []int{0, 5} {
		addr := start(t, &Server{Handler: echo, Pipeline: pipeline, Limits: Limits{Requests: 2}})
		c := dial(t, addr)
		c.send(get1("/1") + get1("/2") + get1("/3"))
		resp, _ := c.answer("GET")
		assert.False(t, resp.Close)
		resp, body := c.answer("GET")
		assert.True(t, resp.Close)
		assert.Equal(t, "/2", body)
		assert.Empty(t, c.rest())
	}
}

// inTime runs a test on a clock of its own, with a pipe for a connection.
func inTime(t *testing.T, s *Server, test func(c *pipeClient)) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		s.ErrorLog = quiet
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		c := l.dial(t)
		test(c)
		_ = c.Close()
		c.beside.Wait()
		_ = s.Close()
		assert.ErrorIs(t, <-ended, http.ErrServerClosed)
		assert.NoError(t, s.Shutdown(t.Context()))
	})
}

func TestServer_answers_a_slow_head_with_408(t *testing.T) {
	inTime(t, &Server{Handler: echo, ReadHeaderTimeout: 3 * time.Second}, func(c *pipeClient) {
		c.send("GET / HTTP/1.1\r\n")
		began := time.Now()
		assert.Contains(t, c.rest(), "HTTP/1.1 408 ")
		assert.Equal(t, 3*time.Second, time.Since(began))
	})
}

// As in net/http, all that comes before a connection's first request has one time: that without a
// word, the look for HTTP/2's preface, and the head.
func TestServer_gives_one_time_to_preface_and_head(t *testing.T) {
	for name, send := range map[string]func(c *pipeClient){
		"half a preface":                   func(c *pipeClient) { c.send("PRI * HTTP") },
		"half a preface that comes slowly": func(c *pipeClient) { c.trickle("PRI * HTTP", 200*time.Millisecond) },
		"half a head after a while": func(c *pipeClient) {
			time.Sleep(2 * time.Second)
			c.send("GET / HTTP/1.1\r\n")
		},
		"a head in two pieces": func(c *pipeClient) {
			c.send("P")
			time.Sleep(2 * time.Second)
			c.send("OST / HTTP/1.1\r\n")
		},
	} {
		for _, protocols := range []*http.Protocols{nil, bothProtocols()} {
			t.Run(name, func(t *testing.T) {
				inTime(t, &Server{Handler: echo, ReadHeaderTimeout: 3 * time.Second, Protocols: protocols}, func(c *pipeClient) {
					began := time.Now()
					c.beside.Go(func() { send(c) })
					assert.Contains(t, c.rest(), "HTTP/1.1 408 ")
					assert.Equal(t, 3*time.Second, time.Since(began))
				})
			})
		}
	}
}

// A later request's head has its own time, however long the connection was idle.
func TestServer_gives_each_head_its_time(t *testing.T) {
	inTime(t, &Server{Handler: echo, ReadHeaderTimeout: 3 * time.Second}, func(c *pipeClient) {
		for range 3 {
			time.Sleep(2 * time.Second)
			c.send("GET / HTTP/1.1\r\n")
			time.Sleep(900 * time.Millisecond)
			c.send(host + "\r\n")
			assert.Equal(t, "/", c.answer())
		}
	})
}

// A byte a second keeps every idle timeout content.
func TestServer_answers_a_head_that_trickles_with_408(t *testing.T) {
	inTime(t, &Server{Handler: echo, Limits: Limits{HeadRate: 2, RateGrace: 4 * time.Second}}, func(c *pipeClient) {
		began := time.Now()
		c.beside.Go(func() { c.trickle("GET / HTTP/1.1\r\n"+host+"X: "+strings.Repeat("a", 100), time.Second) })
		assert.Contains(t, c.rest(), "HTTP/1.1 408 ")
		assert.Greater(t, time.Since(began), 4*time.Second)
		assert.Less(t, time.Since(began), 12*time.Second)
	})
}

func TestServer_answers_a_body_that_trickles_with_408(t *testing.T) {
	read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	inTime(t, &Server{Handler: read, Limits: Limits{BodyRate: 2, RateGrace: 4 * time.Second}}, func(c *pipeClient) {
		began := time.Now()
		c.send("POST / HTTP/1.1\r\n" + host + "Content-Length: 1000\r\n\r\n")
		c.beside.Go(func() { c.trickle(strings.Repeat("a", 1000), time.Second) })
		assert.Contains(t, c.rest(), "HTTP/1.1 408 ")
		assert.Less(t, time.Since(began), 12*time.Second)
	})
}

func TestServer_does_not_hold_an_answer_back_for_a_body_that_nobody_wants_and_that_trickles(t *testing.T) {
	for _, read := range []int64{0, 10} {
		began := time.Time{}
		refuse := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, read)
			began = time.Now()
			w.WriteHeader(http.StatusUnauthorized)
		})
		inTime(t, &Server{Handler: refuse, Limits: Limits{HeadRate: 2, RateGrace: 4 * time.Second}}, func(c *pipeClient) {
			c.send("POST / HTTP/1.1\r\n" + host + "Content-Length: 1000\r\n\r\n")
			c.beside.Go(func() { c.trickle(strings.Repeat("a", 1000), time.Second) })
			answer := c.rest()
			assert.Contains(t, answer, "HTTP/1.1 401 ")
			assert.Contains(t, answer, "Connection: close\r\n")
			assert.Greater(t, time.Since(began), 4*time.Second)
			assert.Less(t, time.Since(began), 12*time.Second)
		})
	}
}

// The handler's own pauses are not the client's fault.
func TestServer_counts_only_its_waits_against_a_body(t *testing.T) {
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Minute)
		b, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		_, _ = w.Write(b)
	})
	inTime(t, &Server{Handler: slow, Limits: Limits{BodyRate: 2, RateGrace: 4 * time.Second}}, func(c *pipeClient) {
		c.send("POST / HTTP/1.1\r\n" + host + "Connection: close\r\nContent-Length: 5\r\n\r\n")
		c.beside.Go(func() { c.send("hello") })
		assert.Contains(t, c.rest(), "hello")
	})
}

func TestServer_closes_an_idle_connection_without_a_word(t *testing.T) {
	inTime(t, &Server{Handler: echo, IdleTimeout: 7 * time.Second, ReadHeaderTimeout: time.Second}, func(c *pipeClient) {
		for range 3 {
			c.send(get1("/1"))
			c.answer()
			time.Sleep(6 * time.Second)
		}
		c.send(get1("/1"))
		c.answer()
		began := time.Now()
		assert.Empty(t, c.rest())
		assert.Equal(t, 7*time.Second, time.Since(began))
	})
}

func TestServer_closes_a_connection_that_never_says_anything(t *testing.T) {
	inTime(t, &Server{Handler: echo, ReadHeaderTimeout: time.Second}, func(c *pipeClient) {
		began := time.Now()
		assert.Empty(t, c.rest())
		assert.Equal(t, time.Second, time.Since(began))
	})
}

func TestServer_does_not_call_a_connection_idle_while_a_handler_works(t *testing.T) {
	for _, pipeline := range []int{0, 3} {
		slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Minute)
			_, _ = io.WriteString(w, "slow")
		})
		inTime(t, &Server{Handler: slow, Pipeline: pipeline, IdleTimeout: time.Second}, func(c *pipeClient) {
			c.send(get1("/1"))
			assert.Equal(t, "slow", c.answer())
		})
	}
}

func TestServer_ends_a_request_that_takes_longer_than_ReadTimeout(t *testing.T) {
	read := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		assert.True(t, isTimeout(err), "%v", err)
	})
	inTime(t, &Server{Handler: read, ReadTimeout: 5 * time.Second}, func(c *pipeClient) {
		began := time.Now()
		c.send("POST / HTTP/1.1\r\n" + host + "Content-Length: 1000\r\n\r\nabc")
		assert.Contains(t, c.rest(), "HTTP/1.1 408 ")
		assert.Equal(t, 5*time.Second, time.Since(began))
	})
}

func TestServer_ends_an_answer_that_takes_longer_than_WriteTimeout(t *testing.T) {
	var failed atomic.Int64
	big := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		began := time.Now()
		for {
			if _, err := w.Write(make([]byte, 10000)); err != nil {
				failed.Store(int64(time.Since(began)))
				return
			}
		}
	})
	inTime(t, &Server{Handler: big, WriteTimeout: 5 * time.Second}, func(c *pipeClient) {
		c.send(get1("/1"))
		time.Sleep(10 * time.Second)
		assert.Equal(t, 5*time.Second, time.Duration(failed.Load()))
	})
}

// For -race: the body's last byte passes the reader's role on.
func TestServer_takes_a_deadline_while_another_goroutine_reads_the_body(t *testing.T) {
	addr := start(t, &Server{Pipeline: 1, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read := make(chan []byte)
		go func() {
			b, _ := io.ReadAll(r.Body)
			read <- b
		}()
		for range 100 {
			assert.NoError(t, http.NewResponseController(w).SetReadDeadline(time.Now().Add(wait)))
		}
		_, _ = w.Write(<-read)
	})})
	for range 20 {
		c := dial(t, addr)
		c.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + bye("/"))
		assert.Equal(t, "hello", c.body("GET"))
		assert.Empty(t, c.body("GET"))
	}
}

func TestServer_obeys_the_deadlines_of_a_handler(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		began := time.Now()
		assert.NoError(t, control.SetReadDeadline(began.Add(2*time.Second)))
		_, err := io.ReadAll(r.Body)
		assert.True(t, isTimeout(err), "%v", err)
		assert.Equal(t, 2*time.Second, time.Since(began))
		assert.NoError(t, control.SetWriteDeadline(began.Add(5*time.Second)))
		for err = nil; err == nil; {
			_, err = w.Write(make([]byte, 10000))
		}
		assert.Equal(t, 5*time.Second, time.Since(began))
	})
	inTime(t, &Server{Handler: h}, func(c *pipeClient) {
		c.send("POST / HTTP/1.1\r\n" + host + "Content-Length: 1000\r\n\r\nabc")
		time.Sleep(10 * time.Second)
	})
}

func TestLimits_default_where_they_are_zero_and_end_where_they_are_negative(t *testing.T) {
	assert.Equal(t, 64<<10, Limits{}.withDefaults().HeadBytes)
	assert.Equal(t, 5, Limits{HeadBytes: 5}.withDefaults().HeadBytes)
	assert.Equal(t, noLimit, Limits{HeadBytes: -1}.withDefaults().HeadBytes)
	assert.Equal(t, 240, Limits{}.withDefaults().HeadRate)
	assert.Equal(t, 0, Limits{HeadRate: -1}.withDefaults().HeadRate)
	for _, d := range []struct{ header, read, want time.Duration }{
		{0, 0, 30 * time.Second}, {0, 5, 5}, {3, 5, 3}, {-1, 5, 100 * 365 * 24 * time.Hour}, {0, -1, 100 * 365 * 24 * time.Hour},
	} {
		s := &Server{ReadHeaderTimeout: d.header, ReadTimeout: d.read}
		assert.Equal(t, d.want, s.headTimeout(), "%v", d)
	}
	require.Equal(t, "closed", Closed.String())
}
