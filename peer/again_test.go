package peer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/retry"
)

// made is a call that is over, as Do has it when it has the result.
func made(t *testing.T, m *Map, req *http.Request, opts ...RequestOption) *call {
	t.Helper()
	c := m.submit(req, nil, opts, make(chan struct{}, 1))
	await(t, c.done)
	_, _ = c.outcome()
	return c
}

func TestCall_of_which_nobody_else_knows_leaves_nothing_of_itself(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t)
	c := made(t, m, request(t, http.MethodGet, s.URL+"/path?query"), Priority(3), HashKey("k"))
	require.NotNil(t, c.result)
	require.True(t, c.private())
	c.giveBack()
	assert.True(t, reflect.ValueOf(&c.use).Elem().IsZero())
}

func TestCall_that_somebody_may_have_is_not_used_again(t *testing.T) {
	var busy atomic.Bool
	submitted := make(chan struct{})
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/busy" && busy.CompareAndSwap(false, true):
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/held":
			<-submitted
		case r.URL.Path == "/long":
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
		case r.URL.Path == "/broken":
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "short")
			panic(http.ErrAbortHandler)
		}
	})
	m := openMap(t)
	pin, err := m.Get(s.URL)
	require.NoError(t, err)
	own, err := pin.Pin()
	require.NoError(t, err)
	t.Cleanup(own.Release)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	get := func(path string) *http.Request { return request(t, http.MethodGet, s.URL+path) }

	for name, c := range map[string]*call{
		"another run":     made(t, m, get("/busy"), Retry(retry.Policy{Base: 1, Cap: 1})),
		"a worker":        made(t, m, get("/"), OnProgress(func(int64, int64) {})),
		"a long content":  made(t, m, get("/long"), MaxContent(1<<10)),
		"a broken answer": made(t, m, get("/broken")),
	} {
		assert.False(t, c.private(), name)
	}
	// What has ended by then gets neither.
	for name, c := range map[string]func() *call{
		"a timer": func() *call {
			return m.submit(get("/held"), nil, []RequestOption{Timeout(time.Hour)}, make(chan struct{}, 1))
		},
		"a context": func() *call { return m.submit(get("/held").WithContext(ctx), nil, nil, make(chan struct{}, 1)) },
	} {
		c := c()
		submitted <- struct{}{}
		await(t, c.done)
		_, err := c.outcome()
		require.NoError(t, err)
		assert.False(t, c.private(), name)
	}
	c := m.submit(get("/"), own, nil, make(chan struct{}, 1))
	await(t, c.done)
	_, err = c.outcome()
	require.NoError(t, err)
	assert.False(t, c.private(), "a pin")
	assert.False(t, made(t, m, request(t, http.MethodGet, "http://127.0.0.1:1/")).private(), "no connection")
}

func TestAnswers_are_those_of_their_requests_while_the_memory_of_calls_is_used_again(t *testing.T) {
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		switch n % 7 {
		case 3:
			w.WriteHeader(http.StatusTeapot)
		case 5: // in pieces
			_, _ = io.WriteString(w, r.URL.Query().Get("n"))
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, strings.Repeat("x", 10<<10))
			return
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("n"))
	})
	m := openMap(t, MaxLinks(6))
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 60 {
				n := g*1000 + i
				req := request(t, http.MethodGet, s.URL+"/?n="+strconv.Itoa(n))
				ctx, cancel := context.WithCancel(context.Background())
				if i%11 == 0 { // while it is under way, or before, or after
					req = req.WithContext(ctx)
					go cancel()
				}
				res, err := m.Do(req)
				var status *StatusError
				if errors.As(err, &status) {
					err = nil
					assert.Equal(t, http.StatusTeapot, res.Status)
				}
				if i%11 != 0 {
					assert.NoError(t, err)
				}
				if err == nil && assert.NotNil(t, res) {
					assert.Equal(t, strconv.Itoa(n), strings.TrimRight(string(res.Content), "x"))
				}
				cancel()
			}
		})
	}
	wg.Wait()
}
