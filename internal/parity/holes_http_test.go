package parity

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func cgoVersion() string { return cgo.Features().VersionString }

func TestHole_redirects_carry_cookies(t *testing.T) {
	m := testserver.NewMock(t, func(r *testserver.Request) testserver.Reply {
		reply := testserver.Text(200, "")
		if r.Path() == "/" {
			reply = testserver.Redirect(302, "/next")
			reply.Header = append(reply.Header, "Set-Cookie: hop=1")
		}
		return reply
	})
	other := testserver.NewMock(t, empty, testserver.OnAddress("127.0.0.2:0"))
	c := newClient(t, config.CookieJar(newJar(t)))
	get(t, c, m.URL)
	require.Len(t, m.Requests(), 2)
	assert.Equal(t, "hop=1", m.Requests()[1].Get("Cookie"))
	get(t, c, other.URL)
	assert.False(t, other.Request().Has("Cookie"))
}

func TestHole_a_slow_reader_bounds_memory(t *testing.T) {
	stalled := make(chan int, 1)
	s := testserver.Raw(t, untilStalled(stalled))
	before := cgo.CountAlive().ChunkBytes
	resp := open(t, newClient(t), newRequest(t, "GET", s.URL, nil))
	sent := done(t, stalled, "the server should have to wait")
	assert.Less(t, sent, 32<<20, "most of it in the sockets' buffers")
	assert.LessOrEqual(t, cgo.CountAlive().ChunkBytes-before, int64(512<<10))
	require.NoError(t, resp.Body.Close())
	closed(t, s.Endpoint)

	t.Run("as small as asked for", func(t *testing.T) {
		s := testserver.Start(t, testserver.H1, testserver.Blob(1<<20))
		for _, size := range []int{1, 1000} {
			resp := open(t, newClient(t, config.BodyBuffer(size)), newRequest(t, "GET", s.URL, nil))
			n, err := testserver.CheckPattern(resp.Body)
			require.NoError(t, err)
			assert.EqualValues(t, 1<<20, n)
		}
	})
}

func TestHole_a_slow_reader_does_not_stop_the_others(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, testserver.Blob(4<<20))
		c := modeClient(t, s)
		slow := open(t, c, newRequest(t, "GET", s.URL, nil))
		for range 4 {
			resp := open(t, c, newRequest(t, "GET", s.URL, nil))
			n, err := testserver.CheckPattern(resp.Body)
			require.NoError(t, err)
			require.EqualValues(t, 4<<20, n)
		}
		n, err := testserver.CheckPattern(slow.Body)
		require.NoError(t, err)
		require.EqualValues(t, 4<<20, n)
	})
}

func TestHole_dropping_slow_bodies_does_not_spoil_the_others(t *testing.T) {
	// libcurl 7.88.1 gave frames as body to other streams of the connection.
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, testserver.Blob(256<<10))
		for _, buffer := range []int{1 << 10, 32 << 10} {
			c := modeClient(t, s, config.BodyBuffer(buffer))
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					for j := range 10 {
						ctx, cancel := context.WithCancel(t.Context())
						resp, err := c.Send(newRequest(t, "GET", s.URL, nil).WithContext(ctx))
						if !assert.NoError(t, err) {
							cancel()
							return
						}
						if (i+j)%3 == 0 {
							_, _ = resp.Body.Read(make([]byte, 1000))
							if j%2 == 0 {
								cancel()
							}
						} else {
							n, err := testserver.CheckPattern(resp.Body)
							assert.NoError(t, err)
							assert.EqualValues(t, 256<<10, n)
						}
						_ = resp.Body.Close()
						cancel()
					}
				})
			}
			all.Wait()
		}
	})
}

func TestHole_events_are_read_as_they_come(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		gate := testserver.NewGate()
		pieces := []string{"data: one\n\n", "data: two\n\n", "data: three\n\n"}
		s := testserver.Start(t, mode, testserver.Drip(gate, pieces...))
		resp := open(t, modeClient(t, s), newRequest(t, "GET", s.URL, nil))
		for _, want := range pieces {
			gate.Let(1)
			got := make([]byte, 100)
			n, err := resp.Body.Read(got) // the next piece is not sent before this returns
			require.NoError(t, err)
			assert.Equal(t, want, string(got[:n]))
		}
		gate.Open()
		_, err := resp.Body.Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
	})
}

func TestHole_text_is_decoded_by_its_charset(t *testing.T) {
	for contentType, c := range map[string]struct{ raw, want string }{
		"text/plain":                          {"caf\xc3\xa9 \xff!", "café \uFFFD!"},
		"text/plain; charset=utf-8":           {"caf\xc3\xa9", "café"},
		"text/plain; charset=ISO-8859-1":      {"caf\xe9", "café"},
		"text/html; charset=\"windows-1252\"": {"\x80 caf\xe9", "€ café"},
		"text/plain; charset=utf-16":          {"\xff\xfeh\x00\xe9\x00", "hé"},
		"text/plain; charset=utf-16be":        {"\x00h\x00\xe9", "hé"},
		"text/plain; charset=gbk":             {"\xc4\xe3\xba\xc3", "你好"},
		"text/plain; charset=shift_jis":       {"\x83\x65\x83\x58\x83\x67", "テスト"},
		"text/plain; charset=nonsense":        {"caf\xc3\xa9", "café"},
		"":                                    {"\xef\xbb\xbfcaf\xc3\xa9", "café"},
	} {
		t.Run(contentType, func(t *testing.T) {
			// In pieces of one byte: characters are cut.
			reply := testserver.Reply{Body: "", From: io.MultiReader(pieces(c.raw)...)}
			if contentType != "" {
				reply.Header = []string{"Content-Type: " + contentType}
			}
			m := testserver.MockReply(t, reply)
			resp, err := newClient(t).Get(m.URL)
			require.NoError(t, err)
			text, err := resp.Text()
			require.NoError(t, err)
			assert.Equal(t, c.want, text)
		})
	}
}

func pieces(s string) (list []io.Reader) {
	for i := range len(s) {
		list = append(list, strings.NewReader(s[i:i+1]))
	}
	return list
}

func TestHole_interceptors_run_in_order_once_per_hop(t *testing.T) {
	m := testserver.NewMock(t, testserver.ByPath(map[string]testserver.Reply{"/": testserver.Redirect(302, "/next"), "/next": testserver.Text(200, "ok")}))
	var mu sync.Mutex
	var log []string
	note := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		log = append(log, s)
	}
	blocking := func(name string) ratmom.Interceptor {
		return ratmom.InterceptFunc(func(req *http.Request, next ratmom.Next) (*ratmom.Response, error) {
			note(name + " down " + req.URL.Path)
			resp, err := next(req)
			note(name + " up")
			return resp, err
		})
	}
	step := func(name string) ratmom.Interceptor {
		return ratmom.Step{
			Request: func(req *http.Request) (*http.Request, error) { note(name + " down " + req.URL.Path); return req, nil },
			Response: func(_ *http.Request, resp *ratmom.Response, err error) (*ratmom.Response, *http.Request, error) {
				note(name + " up")
				return resp, nil, err
			},
		}
	}
	for name, is := range map[string][]ratmom.Interceptor{
		"that block": {blocking("a"), blocking("b")}, "that do not": {step("a"), step("b")}, "of both kinds": {step("a"), blocking("b")},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, ratmom.Intercept(is[0]), ratmom.Intercept(is[1]))
			want := []string{"a down ", "b down ", "b up", "a up", "a down /next", "b down /next", "b up", "a up"}
			log = nil
			get(t, c, m.URL)
			assert.Equal(t, want, log)
			log = nil
			resp, err := c.SendAsync(newRequest(t, "GET", m.URL, nil)).Result()
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
			assert.Equal(t, want, log)
		})
	}
}

func TestHole_trailers_behind_no_body_are_trailers(t *testing.T) {
	m := testserver.MockReply(t, testserver.Reply{Body: "", Chunked: true, Trailers: []string{"foo: bar"}})
	resp, text := get(t, newClient(t), m.URL)
	assert.Empty(t, text)
	assert.Equal(t, "bar", resp.Trailers().Get("Foo"))
	assert.Empty(t, resp.Header.Get("Foo"))
}

func TestHole_uploads_of_many_megabytes_arrive_whole(t *testing.T) {
	const size = 32 << 20
	check := func(t *testing.T, c *ratmom.Client, url string) {
		t.Helper()
		known := newRequest(t, "PUT", url, unknownLength{testserver.Pattern(size)})
		known.ContentLength = size
		for _, req := range []*http.Request{known, newRequest(t, "POST", url, unknownLength{testserver.Pattern(size)})} {
			resp, text := send(t, c, req)
			assert.Equal(t, 200, resp.StatusCode)
			assert.Equal(t, strconv.Itoa(size), strings.TrimSpace(text))
		}
	}
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, testserver.Sink())
		check(t, modeClient(t, s), s.URL)
	})
	t.Run("nginx", func(t *testing.T) {
		n := testserver.Nginx(t)
		for _, mode := range testserver.AllModes {
			c := newClient(t, modeOptions(mode, &testserver.Endpoint{CAFile: n.CAFile})...)
			check(t, c, n.In(mode)+"/upload")
		}
	})
}

func TestHole_a_client_leaves_nothing_behind(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, testserver.Echo())
		modeClient(t, s) // what the process makes once and keeps
		held, alive := testserver.TakeInventory(), cgo.CountAlive()
		for i := range 3 {
			c, err := ratmom.New(append(modeOptions(mode, s.Endpoint), config.Proxy(""), config.Agents(i+1))...)
			require.NoError(t, err)
			for j := range 10 {
				f := c.SendAsync(newRequest(t, "POST", s.URL, unknownLength{strings.NewReader(fmt.Sprint(j))}))
				if j%2 == 0 {
					resp, err := f.Result()
					require.NoError(t, err)
					require.NoError(t, resp.Discard())
				} // the others are left to Close
			}
			require.NoError(t, c.Close())
		}
		closed(t, s.Endpoint)
		held.Require(t, soon)
		// Clients that tests before this one have dropped may have ended meanwhile.
		assert.LessOrEqual(t, cgo.CountAlive().Transfers, alive.Transfers)
		assert.LessOrEqual(t, cgo.CountAlive().Multis, alive.Multis)
	})
}
