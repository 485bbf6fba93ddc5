package server

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sleeper waits as many milliseconds as the path says, and answers with it.
var sleeper = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	d, _ := time.ParseDuration(r.URL.Path[1:] + "ms")
	time.Sleep(d)
	_, _ = io.WriteString(w, r.URL.Path[1:])
})

func TestServer_answers_16_pipelined_requests_in_order_and_at_once(t *testing.T) {
	addr := start(t, &Server{Handler: sleeper, Pipeline: 15})
	best := time.Hour
	for range 5 { // a busy machine may spoil a few
		c := dial(t, addr)
		began := time.Now()
		for ms := 160; ms >= 10; ms -= 10 {
			c.send(get1(fmt.Sprint("/", ms)))
		}
		for ms := 160; ms >= 10; ms -= 10 {
			body := c.body("GET")
			require.Equal(t, fmt.Sprint(ms), body)
		}
		if best = min(best, time.Since(began)); best <= 180*time.Millisecond {
			break
		}
	}
	assert.LessOrEqual(t, best, 180*time.Millisecond)
	assert.GreaterOrEqual(t, best, 160*time.Millisecond)
}

// gate lets handlers in one by one and counts those that are inside.
type gate struct {
	mu      sync.Mutex
	inside  map[string]bool
	entered chan string
	open    map[string]chan struct{}
}

func newGate() *gate {
	return &gate{inside: map[string]bool{}, entered: make(chan string, 100), open: map[string]chan struct{}{}}
}

func (g *gate) door(path string) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[path] == nil {
		g.open[path] = make(chan struct{})
	}
	return g.open[path]
}

func (g *gate) let(path string) { close(g.door(path)) }

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.entered <- r.URL.Path
	select {
	case <-g.door(r.URL.Path):
	case <-time.After(wait):
	}
	_, _ = io.WriteString(w, r.URL.Path)
}

func (g *gate) await(t *testing.T, paths ...string) {
	t.Helper()
	want := map[string]bool{}
	for _, p := range paths {
		want[p] = true
	}
	for range paths {
		select {
		case p := <-g.entered:
			require.True(t, want[p], "%s came too early", p)
			delete(want, p)
		case <-time.After(wait):
			require.Fail(t, "nobody came", "%v", want)
		}
	}
}

func TestServer_runs_an_unsafe_request_alone(t *testing.T) {
	g := newGate()
	addr := start(t, &Server{Handler: g, Pipeline: 15})
	c := dial(t, addr)
	c.send(get1("/1") + get1("/2") + "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody" + get1("/4") + get1("/5"))
	g.await(t, "/1", "/2")
	g.let("/2")
	g.let("/1")
	g.await(t, "/3")
	g.let("/3")
	g.await(t, "/4", "/5")
	g.let("/5")
	g.let("/4")
	for i := 1; i <= 5; i++ {
		body := c.body("GET")
		assert.Equal(t, fmt.Sprint("/", i), body)
	}
}

func TestServer_runs_no_more_than_its_pipeline_allows(t *testing.T) {
	for _, ahead := range []int{0, 1, 3} {
		g := newGate()
		addr := start(t, &Server{Handler: g, Pipeline: ahead})
		c := dial(t, addr)
		var all strings.Builder
		for i := range 8 {
			all.WriteString(get1(fmt.Sprint("/", i)))
		}
		c.send(all.String())
		var first []string // in any order
		for i := 0; i <= ahead; i++ {
			first = append(first, fmt.Sprint("/", i))
		}
		g.await(t, first...)
		for i := range 8 {
			select {
			case p := <-g.entered:
				require.Fail(t, "too many at work", p)
			default:
			}
			g.let(fmt.Sprint("/", i))
			if next := i + ahead + 1; next < 8 {
				g.await(t, fmt.Sprint("/", next))
			}
			body := c.body("GET")
			require.Equal(t, fmt.Sprint("/", i), body)
		}
	}
}

func TestServer_blocks_an_early_answer_beyond_the_bound_until_its_turn(t *testing.T) {
	g := newGate()
	var written atomic.Int64
	big := strings.Repeat("x", 10<<10)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/1" {
			g.ServeHTTP(w, r)
			return
		}
		for range 100 {
			n, err := io.WriteString(w, big)
			assert.NoError(t, err)
			written.Add(int64(n))
		}
	})
	addr := start(t, &Server{Handler: h, Pipeline: 1, Limits: Limits{PipelineBuffer: 32 << 10}})
	c := dial(t, addr)
	c.send(get1("/1") + get1("/2"))
	g.await(t, "/1")
	require.Eventually(t, func() bool { return written.Load() == 30<<10 }, wait, time.Millisecond)
	assert.Never(t, func() bool { return written.Load() > 30<<10 }, 50*time.Millisecond, 5*time.Millisecond)
	g.let("/1")
	body := c.body("GET")
	assert.Equal(t, "/1", body)
	body = c.body("GET")
	assert.Equal(t, strings.Repeat(big, 100), body)
}

// A handler that flushes and then waits, for the client or for news, before its turn has come.
func TestServer_sends_what_was_flushed_before_the_turn_when_it_comes(t *testing.T) {
	flushed, goOn := make(chan struct{}, 2), make(chan struct{})
	addr := start(t, &Server{Pipeline: 2, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			<-flushed
			<-flushed
			return
		}
		control := http.NewResponseController(w)
		w.WriteHeader(http.StatusEarlyHints)
		for _, text := range []string{"one ", "two "} {
			_, _ = io.WriteString(w, text)
			assert.NoError(t, control.Flush())
		}
		_, _ = io.WriteString(w, "three ")
		flushed <- struct{}{}
		<-goOn
		_, _ = io.WriteString(w, r.URL.Path)
		if r.URL.Path == "/copy" {
			_, err := io.Copy(w, strings.NewReader(strings.Repeat("x", 10<<10)))
			assert.NoError(t, err)
		}
	})})
	c := dial(t, addr)
	c.send(get1("/first") + get1("/copy") + bye("/last"))
	assert.Empty(t, c.body("GET"))
	resp, _ := c.answer("GET")
	require.Equal(t, http.StatusEarlyHints, resp.StatusCode)
	answer, err := http.ReadResponse(c.r, nil)
	require.NoError(t, err)
	begin := make([]byte, len("one two "))
	_, err = io.ReadFull(answer.Body, begin)
	require.NoError(t, err)
	close(goOn)
	rest, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Equal(t, "one two three /copy"+strings.Repeat("x", 10<<10), string(begin)+string(rest))
	resp, _ = c.answer("GET")
	require.Equal(t, http.StatusEarlyHints, resp.StatusCode)
	assert.Equal(t, "one two three /last", c.body("GET"))
	assert.Empty(t, c.rest())
}

func TestServer_parses_nothing_behind_an_unread_body(t *testing.T) {
	g := newGate()
	addr := start(t, &Server{Handler: g, Pipeline: 15})
	c := dial(t, addr)
	c.send(fmt.Sprintf("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(get1("/x"))) + get1("/x") + get1("/2"))
	g.await(t, "/1")
	g.let("/1")
	g.let("/2")
	body := c.body("POST")
	assert.Equal(t, "/1", body)
	g.await(t, "/2")
	body = c.body("GET")
	assert.Equal(t, "/2", body)
}

func TestServer_answers_a_bad_request_in_its_turn(t *testing.T) {
	g := newGate()
	addr := start(t, &Server{Handler: g, Pipeline: 15})
	c := dial(t, addr)
	c.send(get1("/1") + get1("/2") + "GET / HTTP/1.1\r\n\r\n" + get1("/3"))
	g.await(t, "/1", "/2")
	g.let("/2")
	g.let("/1")
	for _, want := range []string{"/1", "/2"} {
		body := c.body("GET")
		assert.Equal(t, want, body)
	}
	resp, _ := c.answer("GET")
	assert.Equal(t, 400, resp.StatusCode)
	assert.True(t, resp.Close)
	assert.Empty(t, c.rest())
}

func TestServer_ends_with_the_answer_that_closes_and_cancels_those_behind(t *testing.T) {
	cancelled := make(chan struct{})
	entered := make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/1":
			<-entered
			w.Header().Set("Connection", "close")
			_, _ = io.WriteString(w, "one")
		case "/2":
			close(entered)
			<-r.Context().Done()
			close(cancelled)
		}
	})
	addr := start(t, &Server{Handler: h, Pipeline: 15})
	c := dial(t, addr)
	c.send(get1("/1") + get1("/2"))
	resp, body := c.answer("GET")
	assert.Equal(t, "one", body)
	assert.True(t, resp.Close)
	assert.Empty(t, c.rest())
	select {
	case <-cancelled:
	case <-time.After(wait):
		assert.Fail(t, "the second handler was not cancelled")
	}
}

func TestServer_keeps_the_order_under_random_times(t *testing.T) {
	connections := 1000
	if testing.Short() {
		connections = 100
	}
	keepOrder(t, connections, time.Hour)
}

// soakVariable says how long a soak may take; ci/soak.sh sets it.
const soakVariable = "RATMOM_SOAK"

func TestSoak_keeps_the_order_of_10000_connections(t *testing.T) {
	asked := os.Getenv(soakVariable)
	if asked == "" {
		t.Skip(soakVariable + " is not set")
	}
	long, err := time.ParseDuration(asked)
	require.NoError(t, err)
	t.Logf("%d connections", keepOrder(t, 10_000, long))
}

// keepOrder uses many connections, or as many as it has time for: random times, random cuts between the
// segments, unsafe requests among the safe ones.
func keepOrder(t *testing.T, connections int, long time.Duration) (done int) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := rand.IntN(4); n > 0 {
			time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		}
		if r.Method == "POST" {
			b, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			assert.Equal(t, r.URL.Path, string(b))
		}
		if rand.IntN(3) == 0 {
			_, _ = io.WriteString(w, strings.Repeat("y", rand.IntN(9000)))
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, r.URL.Path)
	})
	addr := start(t, &Server{Handler: h, Pipeline: 7})
	todo := make(chan int)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range todo {
				oneRandomConnection(t, addr)
			}
		})
	}
	for began := time.Now(); done < connections && time.Since(began) < long && !t.Failed(); done++ {
		todo <- done
	}
	close(todo)
	all.Wait()
	return done
}

func oneRandomConnection(t *testing.T, addr string) {
	nc, err := net.Dial("tcp", addr)
	if !assert.NoError(t, err) {
		return
	}
	defer func() { _ = nc.Close() }()
	_ = nc.SetDeadline(time.Now().Add(60 * time.Second))
	var all strings.Builder
	n := 1 + rand.IntN(20)
	for i := range n {
		path := fmt.Sprint("/", i)
		switch rand.IntN(5) {
		case 0:
			fmt.Fprintf(&all, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", path, len(path), path)
		case 1:
			fmt.Fprintf(&all, "POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", path)
			for i := range path {
				fmt.Fprintf(&all, "1\r\n%c\r\n", path[i])
			}
			all.WriteString("0\r\n\r\n")
		default:
			all.WriteString(get1(path))
		}
	}
	go func() {
		text := all.String()
		for len(text) > 0 {
			k := 1 + rand.IntN(len(text))
			_, _ = io.WriteString(nc, text[:k])
			text = text[k:]
		}
	}()
	r := bufio.NewReader(nc)
	for i := range n {
		resp, err := http.ReadResponse(r, nil)
		if !assert.NoError(t, err) {
			return
		}
		body, err := io.ReadAll(resp.Body)
		assert.NoError(t, err)
		assert.NoError(t, resp.Body.Close())
		assert.Equal(t, fmt.Sprint("/", i), strings.TrimLeft(string(body), "y"))
	}
}
